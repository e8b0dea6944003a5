//! Versions that a file writes as three numbers: `set(VINEYARD_MAJOR_VERSION 0)`, `#define VINEYARD_VERSION_PATCH 4`.
//!
//! They are told, so that nobody takes the rules for all of it: no rule writes a part of a version.

use std::sync::LazyLock;

use regex::bytes::{Captures, Regex};

use super::role::Role;
use super::scan::Occurrence;
use crate::error::line_column;

#[allow(clippy::expect_used, reason = "constant patterns, which a test compiles")]
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("(?-u)MAJOR|Major|major").expect("a constant pattern"));

#[allow(clippy::expect_used, reason = "constant patterns, which a test compiles")]
static PART: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?mi-u)^[^\n]{0,80}?\b(\w*?)(MAJOR|MINOR|PATCH)(\w*)["']?(?:\s*[:?]?=\s*|\s*:\s*|[ \t]+)["']?(\d+)\b"#,
    )
    .expect("a constant pattern")
});

/// The versions in `bytes`, the content of the file at `path`, that have their major, minor and patch number under
/// three names that differ in that word only, in this order. Each stands where its patch number is.
pub fn read(path: &str, bytes: &[u8]) -> Vec<Occurrence> {
    if !WORD.is_match(bytes) {
        return Vec::new();
    }
    let parts: Vec<Captures<'_>> = PART.captures_iter(bytes).collect();
    parts.windows(3).filter_map(|three| version(path, bytes, three)).collect()
}

fn version(path: &str, bytes: &[u8], three: &[Captures<'_>]) -> Option<Occurrence> {
    let text = |part: &Captures<'_>, group: usize| {
        part.get(group).and_then(|found| std::str::from_utf8(found.as_bytes()).ok()).unwrap_or_default().to_owned()
    };
    let name = |part: &Captures<'_>| format!("{}{}", text(part, 1), text(part, 3));
    let in_order = three
        .iter()
        .zip(["major", "minor", "patch"])
        .all(|(part, word)| text(part, 2).eq_ignore_ascii_case(word) && name(part) == name(&three[0]));
    let numbers: Vec<String> = three.iter().map(|part| text(part, 4)).collect();
    let value = numbers.join(".").parse().ok().filter(|_| in_order)?;
    let range = three.last()?.get(4)?.range();
    let (line, column) = line_column(bytes, range.start);
    let start = bytes[..range.start].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let end = memchr::memchr(b'\n', &bytes[range.end..]).map_or(bytes.len(), |n| range.end + n);
    let shown = std::str::from_utf8(&bytes[start..end]).ok()?;
    let indent = shown.len() - shown.trim_start().len();
    let within = range.start - start - indent..range.end - start - indent;
    Some(Occurrence {
        path: path.to_owned(),
        range,
        apart: three.iter().filter_map(|part| Some(part.get(4)?.start())).collect(),
        line,
        column,
        value,
        role: Role::Part(name(&three[0])),
        beside: None,
        text: shown.trim().chars().take(200).collect(),
        within,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(usize, String, Role)> {
        read("a", text.as_bytes()).into_iter().map(|part| (part.line, part.value.to_string(), part.role)).collect()
    }

    #[test]
    fn three_numbers_under_three_names_are_a_version() {
        let cmake = "set(VINEYARD_MAJOR_VERSION 0)\nset(VINEYARD_MINOR_VERSION 24)\n  set(VINEYARD_PATCH_VERSION 4)\n";
        assert_eq!(told(cmake), [(3, "0.24.4".to_owned(), Role::Part("VINEYARD__VERSION".into()))]);
        let header = "#define VERSION_MAJOR 0\n#define VERSION_MINOR 24\n#define VERSION_PATCH 4\n";
        assert_eq!(told(header), [(3, "0.24.4".to_owned(), Role::Part("VERSION_".into()))]);
        let shown = &read("a", cmake.as_bytes())[0];
        assert_eq!(&shown.text[shown.within.clone()], "4");
    }

    #[test]
    fn other_numbers_are_none() {
        assert!(told("A_MAJOR 1\nB_MINOR 2\nA_PATCH 3\n").is_empty());
        assert!(told("major: 1\nminor: 2\n").is_empty());
        assert!(told("(VERSION_MAJOR * 1000) + VERSION_MINOR\n").is_empty());
    }
}
