//! Whose version it is, where neither the name beside it nor the path says so: the command before a flag, the name of
//! the thing on the next line.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::survey::kind::FileKind;
use crate::survey::names::{Names, telling};
use crate::survey::role::{Role, read};

/// How many lines above and below belong to the same thing.
const NEAR: usize = 3;

#[allow(clippy::expect_used, reason = "a constant pattern, which every test compiles")]
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^[\s-]*["']?(?i:name|use)["']?\s*[:=]\s*["'`]?([\w@./-]+)"#).expect("a constant pattern")
});

/// Whether what stands around the version at `range` of `bytes` names its component. `line` is its line as far as it is
/// shown, and `marker` the version in it.
pub(super) fn name(
    names: &Names,
    path: &str,
    bytes: &[u8],
    range: Range<usize>,
    line: &str,
    marker: Range<usize>,
) -> bool {
    match read(line, marker.clone()) {
        // `gsctl instance deploy --type interactive --image-tag v0.31.0`
        Role::Flag(flag) => telling(&flag).is_empty() && names.are_in(command(&line[..marker.start])),
        Role::Key(key) if FileKind::of(path) == FileKind::Code && telling(&key).is_empty() => {
            let indent = indent(line);
            let own = if is_item(line.as_bytes()) { Vec::new() } else { above(bytes, range.start) };
            let near = own.into_iter().chain(below(bytes, range.end));
            near.filter_map(|line| std::str::from_utf8(line).ok()).filter(|line| self::indent(line) == indent).any(
                |line| {
                    NAME.captures(line).and_then(|found| found.get(1)).is_some_and(|name| names.are_in(name.as_str()))
                },
            )
        }
        _ => false,
    }
}

/// The last command of `line`: what stands after `&&`, `||`, `;` and `|`.
fn command(line: &str) -> &str {
    line.rsplit(['&', '|', ';']).next().unwrap_or(line)
}

/// Whether `line` ends the thing that the line before it belongs to.
fn is_border(line: &[u8]) -> bool {
    line.trim_ascii().is_empty() || line.trim_ascii_start().starts_with(b"[")
}

/// Whether `line` begins an item of a list.
fn is_item(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"- ")
}

/// How far a line is indented; the dash of an item of YAML counts.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t', '-']).len()
}

/// A line that is longer names nothing.
const LONGEST: usize = 200;

fn above(bytes: &[u8], at: usize) -> Vec<&[u8]> {
    let near = &bytes[at.saturating_sub((NEAR + 1) * LONGEST)..at];
    let mut near = near.rsplit(|byte| *byte == b'\n').skip(1).take(NEAR).take_while(|line| !is_border(line));
    let mut found = Vec::new();
    for line in near.by_ref() {
        found.push(line);
        if is_item(line) {
            break;
        }
    }
    found
}

fn below(bytes: &[u8], at: usize) -> Vec<&[u8]> {
    let near = &bytes[at..bytes.len().min(at + (NEAR + 1) * LONGEST)];
    let near = near.split(|byte| *byte == b'\n').skip(1).take(NEAR);
    near.take_while(|line| !is_border(line) && !is_item(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, text: &str) -> bool {
        let names = Names::new(["vineyard", "v6d-io/v6d", "interactive"]);
        let at = text.find("0.24.2").unwrap();
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        name(&names, path, text.as_bytes(), at..at + 6, &text[start..end], at - start..at - start + 6)
    }

    #[test]
    fn the_command_before_a_flag_names_it() {
        assert!(named("docs/a.md", "run `gsctl instance deploy --type interactive --image-tag v0.24.2`."));
        assert!(!named("docs/a.md", "run `helm install rocksdb --version 0.24.2` for vineyard"));
        assert!(!named("docs/a.md", "vineyard has been 0.24.2 before"));
        assert!(!named("a.sh", "cd vineyard && helm install rocksdb --version 0.24.2"));
    }

    #[test]
    fn the_name_on_a_line_beside_it_names_it() {
        for (path, text) in [
            (
                "k8s/cmd/main.go",
                "var cmd = &cobra.Command{\n\tUse:     \"vineyardctl [command]\",\n\tVersion: \"v0.24.2\",\n}",
            ),
            ("setup.cfg", "[metadata]\nversion = 0.24.2\nname = vineyard\n"),
            ("a.yaml", "dependencies:\n- name: vineyard-operator\n  repository: x\n  version: 0.24.2\n"),
            ("a.json", "{\n  \"name\": \"@vineyard/io\",\n  \"version\": \"0.24.2\"\n}"),
        ] {
            assert!(named(path, text), "{text}");
        }
        for (path, text) in [
            ("setup.cfg", "[metadata]\nversion = 0.24.2\n"),
            ("a.yaml", "- name: vineyard\n- name: rocksdb\n  with:\n    version: 0.24.2\n"),
            ("a.yaml", "name: vineyard\na: 1\nb: 1\nc: 1\nversion: 0.24.2\n"),
            ("a.go", "\tName: \"rocksdb\",\n\tVersion: \"v0.24.2\",\n"),
            ("docs/a.md", "name: vineyard\nversion: 0.24.2\n"),
            ("a.yaml", "- name: etcd\n  version: 0.24.2\n- name: vineyard\n  version: 0.23.0\n"),
            ("a.toml", "[[package]]\nname = \"etcd\"\nversion = \"0.24.2\"\n\n[[package]]\nname = \"vineyard\"\n"),
            ("a.yaml", "- name: vineyard\n- version: 0.24.2\n"),
        ] {
            assert!(!named(path, text), "{text}");
        }
    }
}
