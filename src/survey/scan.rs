//! One file, looked at: every version in it, and what names each.

use std::ops::Range;
use std::sync::LazyLock;

use super::kind::FileKind;
use super::parts;
use super::role::{self, Role};
use super::routes::{self, Scalar};
use crate::config::ValuePath;
use crate::edit::{is_binary, is_dockerfile};
use crate::error::line_column;
use crate::version::{Version, find_versions};

/// A version somewhere in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Path of the file.
    pub path: String,
    /// Bytes of the version in it.
    pub range: Range<usize>,
    /// Where its numbers begin, if they stand apart; else nothing.
    pub apart: Vec<usize>,
    /// Line of its first byte, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// The version.
    pub value: Version,
    /// What names it.
    pub role: Role,
    /// The image whose tag it is, where that stands in a key beside it.
    pub beside: Option<String>,
    /// The line, without space around it and cut to 200 characters.
    pub text: String,
    /// Bytes of the version in `text`.
    pub within: Range<usize>,
}

impl Occurrence {
    /// Where a rule finds it: at its first byte, or at each of its numbers.
    pub fn starts(&self) -> Vec<usize> {
        if self.apart.is_empty() { vec![self.range.start] } else { self.apart.clone() }
    }
}

/// A larger file is data.
pub const LARGEST: u64 = 2 << 20;
/// A longer line is data, or made by a tool.
const LONGEST_LINE: usize = 4000;
/// A file with more versions is a list of them.
const MOST: usize = 2000;

/// How large the file at `path` may be and still be worth reading; 0 for what is never looked at.
pub fn worth(path: &str) -> u64 {
    if is_binary(path) || FileKind::of(path) == FileKind::Lock { 0 } else { LARGEST }
}

#[allow(clippy::expect_used, reason = "a constant pattern")]
static NUMBERS: LazyLock<regex::bytes::Regex> =
    LazyLock::new(|| regex::bytes::Regex::new(r"(?-u)[0-9]+\.[0-9]+\.[0-9]+").expect("a constant pattern"));

/// Every version in `bytes`, the content of the file at `path`.
pub fn read(path: &str, bytes: &[u8]) -> Vec<Occurrence> {
    if bytes[..bytes.len().min(8000)].contains(&0) {
        return Vec::new();
    }
    let mut found = parts::read(path, bytes);
    found.extend(undivided(path, bytes));
    found.sort_by_key(|occurrence| occurrence.range.start);
    found
}

/// Every version in `bytes` that stands in one piece.
fn undivided(path: &str, bytes: &[u8]) -> Vec<Occurrence> {
    let mut found: Vec<Occurrence> = Vec::new();
    if !NUMBERS.is_match(bytes) {
        return found;
    }
    if let Some(whole) = whole(path, bytes) {
        return vec![whole];
    }
    let mut lines = 1;
    let mut counted = 0;
    for numbers in NUMBERS.find_iter(bytes).take(MOST) {
        let start = bytes[..numbers.start()].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let end = memchr::memchr(b'\n', &bytes[numbers.end()..]).map_or(bytes.len(), |n| numbers.end() + n);
        let Ok(line) = std::str::from_utf8(&bytes[start..end]) else { continue };
        if line.len() > LONGEST_LINE {
            continue;
        }
        let in_line = numbers.start() - start..numbers.end() - start;
        let Some((in_line, role)) = version_at(line, in_line) else { continue };
        let Ok(value) = line[in_line.clone()].parse::<Version>() else { continue };
        lines += memchr::memchr_iter(b'\n', &bytes[counted..start]).count();
        counted = start;
        let (text, within) = shown(line, &in_line);
        let range = start + in_line.start..start + in_line.end;
        if found.last().is_some_and(|last| last.range == range) {
            continue;
        }
        let (path, column) = (path.to_owned(), in_line.start + 1);
        let (apart, beside) = (Vec::new(), None);
        found.push(Occurrence { path, range, apart, line: lines, column, value, role, beside, text, within });
    }
    if let Some(text) = (!found.is_empty()).then(|| std::str::from_utf8(bytes).ok()).flatten() {
        refine(path, text, &mut found);
    }
    found
}

/// The version that has its numbers at `numbers`, and what names it. A nightly has its numbers alone.
fn version_at(line: &str, numbers: Range<usize>) -> Option<(Range<usize>, Role)> {
    let bytes = line.as_bytes();
    let in_word = |b: &&u8| b.is_ascii_alphanumeric() || b"._+-".contains(b);
    let start = numbers.start - bytes[..numbers.start].iter().rev().take_while(in_word).count();
    let end = numbers.end + bytes[numbers.end..].iter().take_while(in_word).count();
    let versions = find_versions(&bytes[start..end]).into_iter().map(|r| start + r.start..start + r.end);
    match versions.into_iter().find(|version| version.start <= numbers.start && numbers.end <= version.end) {
        Some(version) => Some((version.clone(), role::read(line, version))),
        None => (role::read(line, numbers.clone()) == Role::Nightly).then_some((numbers, Role::Nightly)),
    }
}

/// The file as one version, if it is nothing else.
fn whole(path: &str, bytes: &[u8]) -> Option<Occurrence> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() < 64)?;
    let bare = text.trim();
    let value: Version = bare.parse().ok()?;
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let range = start..start + value.to_string().len();
    let (line, column) = line_column(bytes, start);
    let within = bare.find(|c: char| c.is_ascii_digit())?;
    Some(Occurrence {
        path: path.to_owned(),
        within: within..within + range.len(),
        range,
        apart: Vec::new(),
        line,
        column,
        value,
        role: Role::Whole(path.rsplit('/').next().unwrap_or(path).to_owned()),
        beside: None,
        text: bare.to_owned(),
    })
}

/// The line as reports show it, around the version.
fn shown(line: &str, version: &Range<usize>) -> (String, Range<usize>) {
    let mut from = line.len() - line.trim_start().len();
    if version.end > from + 200 {
        from = (from.max(version.start.saturating_sub(100))..=version.start)
            .find(|at| line.is_char_boundary(*at))
            .unwrap_or(0);
    }
    let text: String = line[from..].trim_end().chars().take(200).collect();
    (text, version.start - from..version.end - from)
}

/// Replaces what a line tells by what the structure of the file tells, where that says more.
fn refine(path: &str, text: &str, found: &mut [Occurrence]) {
    let scalars = match FileKind::of(path) {
        FileKind::Code => routes::scalars(path, text),
        _ => Vec::new(),
    };
    let docker = is_dockerfile(path);
    for occurrence in found {
        let at = scalars.partition_point(|scalar| scalar.at.end < occurrence.range.end);
        let scalar = scalars.get(at).filter(|scalar| scalar.at.start <= occurrence.range.start);
        if let Some((scalar, keys)) = scalar.and_then(|scalar| Some((scalar, scalar.keys.as_ref()?))) {
            in_structure(text, scalar, keys, &scalars, occurrence);
        }
        match &occurrence.role {
            Role::Arg(name) | Role::Env(name) if !docker => occurrence.role = Role::Key(name.clone()),
            Role::Element(name) if name == "version" && path.ends_with(".xml") => {
                let before = &text[..occurrence.range.start];
                match enclosing_package(before) {
                    Some(package) => occurrence.role = Role::Package(package),
                    None => occurrence.beside = artifact_before(before),
                }
            }
            _ => {}
        }
    }
}

/// Tables of packages that something else publishes.
const DEPENDENCIES: [&str; 9] = [
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "dev-dependencies",
    "build-dependencies",
    "resolutions",
    "overrides",
    "patch",
];

fn in_structure(text: &str, scalar: &Scalar, keys: &[String], all: &[Scalar], occurrence: &mut Occurrence) {
    let value = text[scalar.at.clone()].trim_matches(['"', '\'']).trim_start_matches(['v', 'V']);
    if value != occurrence.value.to_string() || matches!(occurrence.role, Role::Requirement(_) | Role::Nightly) {
        return;
    }
    if let Some(table) = keys.iter().position(|key| DEPENDENCIES.contains(&key.as_str())) {
        let package = keys.get(table + 1).or(keys.last()).cloned().unwrap_or_default();
        occurrence.role = Role::Package(package);
        return;
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    occurrence.role = Role::Path(ValuePath::of_keys(&keys).text);
    let Some((_, parent)) = keys.split_last() else { return };
    let beside = |scalar: &&Scalar| {
        scalar.keys.as_ref().is_some_and(|other| {
            let named = other.last().is_some_and(|key| ["repository", "image", "name"].contains(&key.as_str()));
            named && other.len() == keys.len() && other.iter().zip(parent).all(|(a, b)| a == b)
        })
    };
    occurrence.beside =
        all.iter().find(beside).map(|scalar| text[scalar.at.clone()].trim_matches(['"', '\'']).to_owned());
}

/// The package whose `<version>` begins after `before`: of a dependency, a plugin or a parent, else none.
fn enclosing_package(before: &str) -> Option<String> {
    let blocks = ["dependency", "plugin", "parent", "extension", "exclusion", "path"].iter().filter_map(|name| {
        let block = &before[before.rfind(&format!("<{name}>"))?..];
        (!block.contains(&format!("</{name}>"))).then_some(block)
    });
    let block = blocks.min_by_key(|block| block.len())?;
    let artifact = block.split("<artifactId>").nth(1)?.split('<').next()?;
    Some(artifact.trim().to_owned())
}

/// The project whose `<artifactId>` stands directly before its `<version>`.
fn artifact_before(before: &str) -> Option<String> {
    let name = before.trim_end().strip_suffix("<version>")?.trim_end().strip_suffix("</artifactId>")?;
    Some(name.rsplit('>').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(path: &str, text: &str) -> Vec<Role> {
        read(path, text.as_bytes()).into_iter().map(|occurrence| occurrence.role).collect()
    }

    #[test]
    fn the_structure_of_a_file_tells_more_than_a_line() {
        let values = "image:\n  repository: graphscope/coordinator\n  tag: \"0.30.0\"\n";
        let found = read("charts/a/values.yaml", values.as_bytes());
        assert_eq!(found[0].role, Role::Path("image.tag".into()));
        assert_eq!(found[0].beside.as_deref(), Some("graphscope/coordinator"));
        assert_eq!((found[0].line, found[0].column), (3, 9));
        assert_eq!(roles("V6D_VERSION", "v0.24.2\n"), [Role::Whole("V6D_VERSION".into())]);
        assert_eq!(roles("Cargo.toml", "[dependencies]\nx = { version = \"0.3.0\" }"), [Role::Package("x".into())]);
        let pom = "<project><revision>0.3.0</revision>\n<dependency><artifactId>netty</artifactId>\n<version>4.1.0</version></dependency>\n<version>0.3.0</version>";
        assert_eq!(
            roles("pom.xml", pom),
            [Role::Element("revision".into()), Role::Package("netty".into()), Role::Element("version".into())]
        );
    }

    #[test]
    fn a_nightly_is_seen_and_a_longer_number_is_none() {
        assert_eq!(roles("a.yaml", "image: a/b:0.28.0a20240526\n"), [Role::Nightly]);
        assert!(roles("a.yaml", "ip: 10.0.24.2\nkey: rev0.24.2x\n").is_empty());
        assert!(roles("a.bin", "\0 0.24.2").is_empty());
    }

    #[test]
    fn places_are_counted_from_one_in_bytes() {
        let found = read("a.sh", "größe=0.1.2\n\nX=v0.3.4\n".as_bytes());
        let places: Vec<_> = found.iter().map(|o| (o.line, o.column, o.value.to_string())).collect();
        assert_eq!(places, [(1, 9, "0.1.2".to_owned()), (3, 4, "0.3.4".to_owned())]);
        assert_eq!(&found[1].text[found[1].within.clone()], "0.3.4");
    }
}
