//! Versions, what a person may ask for, and what may follow what.
//!
//! A [`Version`] is a semantic version of three parts without build metadata; how it is written in a
//! tag (`v0.24.2`) is the business of whoever writes the tag.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A version of three numeric parts, with an optional pre-release: `0.24.2`, `1.0.0-rc.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

/// One of the three numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The first.
    Major,
    /// The second.
    Minor,
    /// The third.
    Patch,
}

impl Part {
    /// All three, each with its name.
    pub const NAMED: [(&str, Part); 3] = [("major", Part::Major), ("minor", Part::Minor), ("patch", Part::Patch)];
}

impl Version {
    /// One of its numbers. What makes a pre-release of it is in none of them.
    pub fn part(&self, part: Part) -> u64 {
        match part {
            Part::Major => self.0.major,
            Part::Minor => self.0.minor,
            Part::Patch => self.0.patch,
        }
    }

    /// Whether this is a pre-release, such as `0.25.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Version {
    type Err = Error;

    /// Reads `0.24.2` or `v0.24.2`. Anything else is a usage error that says what is wrong with it.
    fn from_str(text: &str) -> Result<Self> {
        let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
        match semver::Version::parse(bare) {
            Ok(version) if !version.build.is_empty() => {
                Err(bad_version(text, "build metadata (`+...`) cannot be part of an image tag"))
            }
            Ok(version) if version.major >= DATE_LIKE => Err(bad_version(text, LOOKS_LIKE_A_DATE)),
            Ok(version) => Ok(Version(version)),
            Err(error) => Err(bad_version(text, &explain(bare, &error))),
        }
    }
}

/// No project of this kind has a thousand major versions; dates and build numbers do.
const DATE_LIKE: u64 = 1000;
const LOOKS_LIKE_A_DATE: &str = "it looks like a date or a build number";

fn bad_version(text: &str, why: &str) -> Error {
    Error::usage(format!("`{text}` is not a version: {why}"))
        .hint("write three numbers, such as 0.24.2 or v0.24.2, or a requirement: 0.24, 0.x, latest")
}

/// Why `bare` is no version, in the terms of the person who typed it.
fn explain(bare: &str, error: &semver::Error) -> String {
    let parts: Vec<&str> = bare.split('.').collect();
    let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if bare.is_empty() {
        "it is empty".into()
    } else if parts.iter().all(numeric) && parts.len() > 3 {
        format!("it has {} parts instead of three", parts.len())
    } else if is_date_like(bare) {
        LOOKS_LIKE_A_DATE.into()
    } else if let Some((_, nightly)) = split_python_prerelease(bare) {
        format!("`{nightly}` marks a nightly or pre-release of a Python package, which has no images")
    } else if parts.iter().any(|p| p.len() > 1 && p.starts_with('0') && numeric(p)) {
        "a part starts with 0".into()
    } else {
        error.to_string()
    }
}

/// `20240526`, `2024-05-26`, `2024.05.26`: a first number with four digits or more.
fn is_date_like(bare: &str) -> bool {
    let first: String = bare.chars().take_while(char::is_ascii_digit).collect();
    first.len() >= 4
}

/// Splits `0.28.0a20240526` into `0.28.0` and `a20240526` (PEP 440's spelling of pre-releases).
fn split_python_prerelease(bare: &str) -> Option<(&str, &str)> {
    let end = bare.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (release, rest) = bare.split_at(end);
    let known = ["a", "b", "rc", ".dev", ".post"]
        .iter()
        .any(|mark| rest.strip_prefix(mark).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())));
    (known && release.split('.').count() == 3).then_some((release, rest))
}

/// What a person asked for: one version, or the newest that satisfies a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Exactly this version.
    Exact(Version),
    /// The newest upstream release that satisfies this.
    Newest(Requirement),
}

impl FromStr for Request {
    type Err = Error;

    /// Reads an exact version (`0.24.2`, `v0.24.2`) or a requirement (`latest`, `0.x`, `0.24`, `>=0.24, <0.26`).
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let version = text.parse::<Version>();
        if let Ok(version) = version {
            return Ok(Request::Exact(version));
        }
        let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let partial = bare.split('.').count() < 3 || bare.contains(['x', 'X', '*']);
        let compares = bare.starts_with(['<', '>', '=', '^', '~']);
        if text == "latest" || compares || (partial && !is_date_like(bare)) {
            match text.parse::<Requirement>() {
                Ok(requirement) => return Ok(Request::Newest(requirement)),
                Err(error) if compares => return Err(error),
                Err(_) => {}
            }
        }
        version.map(Request::Exact)
    }
}

/// Which versions will do: `latest` (any), `0.24` (any 0.24.z), `0.x`, or comparisons such as `>=0.24, <=0.24.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    text: String,
    comparators: semver::VersionReq,
}

impl Requirement {
    /// Whether `version` will do. A pre-release is judged by its numbers alone: whether pre-releases are
    /// welcome is a policy of its own.
    pub fn matches(&self, version: &Version) -> bool {
        let semver::Version { major, minor, patch, .. } = version.0;
        self.comparators.matches(&version.0) || self.comparators.matches(&semver::Version::new(major, minor, patch))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Requirement {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let bare = trimmed.strip_prefix(['v', 'V']).unwrap_or(trimmed);
        let spelled = match bare {
            "latest" => "*".to_owned(),
            // A bare number names a series, `0.24` being 0.24.z and `1` being 1.y.z: semver's `=` with
            // missing parts, where its default `^1.2` would let 1.3 in.
            _ if bare.starts_with(|c: char| c.is_ascii_digit()) && !bare.contains(',') => format!("={bare}"),
            _ => bare.to_owned(),
        };
        let comparators = semver::VersionReq::parse(&spelled).map_err(|error| {
            Error::usage(format!("`{text}` is neither a version nor a requirement: {error}"))
                .hint("write 0.24.2, or a requirement: latest, 0.x, 0.24, or \">=0.24, <0.26\"")
        })?;
        Ok(Requirement { text: trimmed.to_owned(), comparators })
    }
}

/// Finds the version inside `value`, whatever is wrapped around it: in `wheel-v0.24.2-amd64` the bytes of
/// `0.24.2`. A pre-release belongs to the version where it is spelled as one (`-rc.1`, `-alpha2`), and is an affix that
/// stays where it is not (`-amd64`).
///
/// Returns the byte ranges of all of them; `0.28.0a20240526`, `1.2`, `1.2.3.4` and `0.28.0.post1` hold none.
pub fn find_versions(value: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < value.len() {
        if !value[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < value.len() && (value[at].is_ascii_digit() || value[at] == b'.' && followed_by_digit(value, at)) {
            at += 1;
        }
        if let Some(end) = version_end(value, start, at) {
            found.push(start..end);
            at = end;
        }
    }
    found
}

fn followed_by_digit(value: &[u8], dot: usize) -> bool {
    value.get(dot + 1).is_some_and(u8::is_ascii_digit)
}

/// The end of the version whose numbers are `value[start..end]`, if that is one.
fn version_end(value: &[u8], start: usize, end: usize) -> Option<usize> {
    let starts_clean = match start.checked_sub(1).map(|i| value[i]) {
        None => true,
        // `v0.24.2` and `V0.24.2`, but not the tail of a word that ends in v, nor a hash or a name such as `py3.11.2`
        Some(b'v' | b'V') => start < 2 || !value[start - 2].is_ascii_alphanumeric(),
        Some(b'.') => false,
        Some(before) => !before.is_ascii_alphanumeric(),
    };
    let numbers = std::str::from_utf8(&value[start..end]).ok()?;
    if !starts_clean || semver::Version::parse(numbers).is_err() {
        return None;
    }
    let rest = &value[end..];
    match rest.first() {
        None => Some(end),
        Some(b'-') => Some(end + prerelease_len(rest)),
        // `.tar.gz` and the full stop of a sentence end a version; `.post1` and `.dev3` belong to another one
        Some(b'.') if [&b".post"[..], b".dev", b".rc"].iter().any(|mark| rest.starts_with(mark)) => None,
        Some(byte) if byte.is_ascii_alphanumeric() => None,
        Some(_) => Some(end),
    }
}

/// Length of the semver pre-release at the start of `rest` (from its `-`), 0 if what follows is no pre-release.
fn prerelease_len(rest: &[u8]) -> usize {
    const MARKS: [&[u8]; 10] =
        [b"alpha", b"beta", b"rc", b"pre", b"preview", b"dev", b"snapshot", b"nightly", b"a", b"b"];
    let mut fields = rest[1..].split(|b| !b.is_ascii_alphanumeric());
    let first = fields.next().unwrap_or_default();
    let word = first.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let (name, number) = first.split_at(word);
    let is_mark = MARKS.iter().any(|mark| name.eq_ignore_ascii_case(mark))
        && (name.len() > 1 || !number.is_empty())
        && number.iter().all(u8::is_ascii_digit);
    if !is_mark {
        return 0;
    }
    let mut len = 1 + first.len();
    while rest.get(len) == Some(&b'.') && followed_by_digit(rest, len) {
        len += 1 + rest[len + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_version_is_read_with_or_without_v() {
        assert_eq!(version("v0.24.2"), version("0.24.2"));
        assert_eq!(version("0.24.2").to_string(), "0.24.2");
        assert!(version("0.25.0-rc.1").is_prerelease());
    }

    #[test]
    fn rubbish_is_refused_with_its_reason() {
        for (text, reason) in [
            ("0.24.2.1", "has 4 parts"),
            ("20240526", "looks like a date"),
            ("2024-05-26", "looks like a date"),
            ("2024.05.26", "looks like a date"),
            ("2024.5.26", "looks like a date"),
            ("0.28.0a20240526", "`a20240526` marks a nightly"),
            ("0.24.02", "starts with 0"),
            ("0.24.2+build", "build metadata"),
            ("", "is empty"),
            ("main", "not a version"),
            ("v", "is empty"),
            ("0..1", "not a version"),
            ("0.24.2 ; rm", "not a version"),
        ] {
            let error = text.parse::<Request>().unwrap_err();
            assert!(error.message.contains(reason), "{text}: {}", error.message);
            assert_eq!(error.kind.exit_code(), 2);
        }
    }

    #[test]
    fn requirements_are_told_from_versions() {
        for (text, yes, no) in [
            ("latest", "9.9.9", None),
            ("0.x", "0.99.0", Some("1.0.0")),
            ("0.24", "0.24.9", Some("0.25.0")),
            ("v0.24", "0.24.9", Some("0.25.0")),
            ("0", "0.25.0", Some("1.0.0")),
            ("1.2", "1.2.7", Some("1.3.0")),
            ("0.24.x", "0.24.3", Some("0.23.9")),
            (">=0.24, <=0.24.2", "0.24.2", Some("0.24.3")),
            ("^0.24.1", "0.24.2", Some("0.24.0")),
        ] {
            let Request::Newest(requirement) = text.parse().unwrap() else { panic!("{text} is a requirement") };
            assert!(requirement.matches(&version(yes)), "{text} takes {yes}");
            assert!(no.is_none_or(|no| !requirement.matches(&version(no))), "{text} refuses {no:?}");
        }
        assert_eq!("v0.24.2".parse::<Request>().unwrap(), Request::Exact(version("0.24.2")));
    }

    #[test]
    fn versions_are_found_inside_larger_tags() {
        for (value, expected) in [
            ("0.24.2", &["0.24.2"][..]),
            ("v0.24.2", &["0.24.2"]),
            ("wheel-v0.24.2-amd64", &["0.24.2"]),
            ("v0.25.0-rc.1-arm64", &["0.25.0-rc.1"]),
            ("v0.25.0-rc1", &["0.25.0-rc1"]),
            ("cuda12.1.0-v0.24.2", &["0.24.2"]),
            ("12.1.0-v0.24.2", &["12.1.0", "0.24.2"]),
            ("vineyard-0.24.2.tar.gz", &["0.24.2"]),
            ("is 0.24.2.", &["0.24.2"]),
            ("0.28.0a20240526", &[]),
            ("0.26.0a20240115-x86_64", &[]),
            ("0.24.2.post1", &[]),
            ("0.24.2.1", &[]),
            ("0.24", &[]),
            ("10.0.24.2", &[]),
            ("rev0.24.2", &[]),
            ("latest", &[]),
        ] {
            let found: Vec<&str> = find_versions(value.as_bytes()).into_iter().map(|r| &value[r]).collect();
            assert_eq!(found, expected, "{value}");
        }
    }
}
