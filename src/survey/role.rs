//! What a version on a line is there for, read from what stands around it on that line.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::image::Reference;

/// What names the version at a place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The whole file, of this name, is the version.
    Whole(String),
    /// The value at this route of a YAML, JSON or TOML file.
    Path(String),
    /// The default of `ARG NAME`.
    Arg(String),
    /// The value of `ENV NAME`.
    Env(String),
    /// What is assigned to this name: `NAME ?= v0.24.2`, `"name": "0.24.2"`, `${NAME:-0.24.2}`.
    Key(String),
    /// The value of this command-line flag, dashes included.
    Flag(String),
    /// The tag of this image, without its registry.
    Image(String),
    /// The text of this XML element.
    Element(String),
    /// A tag or branch of this repository, as `owner/name`.
    Source(String),
    /// Exactly this version of a package: `name==0.24.2`, `group:name:0.24.2`.
    Package(String),
    /// Part of the name of a file or directory: `name-0.24.2.tar.gz`.
    Artefact(String),
    /// One of three numbers that are the version together, under names that are this but for a word.
    Part(String),
    /// The bound of a requirement: `name>=0.16.3`. The name, where it is told.
    Requirement(String),
    /// A pre-release or nightly is made of it: `0.28.0a20240526`.
    Nightly,
    /// A sentence, or nothing that is understood.
    Prose,
}

impl Role {
    /// What the version stands beside: a key, an image, a package. Empty where there is no such thing.
    pub fn name(&self) -> &str {
        match self {
            Role::Whole(name)
            | Role::Path(name)
            | Role::Arg(name)
            | Role::Env(name)
            | Role::Key(name)
            | Role::Flag(name)
            | Role::Image(name) => name,
            Role::Element(name) | Role::Source(name) | Role::Package(name) => name,
            Role::Artefact(name) | Role::Part(name) | Role::Requirement(name) => name,
            Role::Nightly | Role::Prose => "",
        }
    }
}

#[allow(clippy::expect_used, reason = "the patterns are constants, and a test compiles each of them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static ELEMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"<([A-Za-z][\w.:-]*)>\s*$"));
static PACKAGE_FIND: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bfind_package\s*\(\s*([\w.-]+)\s+$"));
static BOUNDED: LazyLock<Regex> = LazyLock::new(|| pattern(r"([A-Za-z][\w.-]*)?[^\w]*$"));
static AT_LEAST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\+|^[`'\x22)*]*\s*(and|or)\s+(later|newer|above|higher|greater)|^\s*(and|or) up\b")
});
static FORGE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:github\.com|gitlab\.com|gitee\.com|githubusercontent\.com)[/:]([\w.-]+)/([\w.-]+)"));
static CHECKOUT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:\s-b|\s--branch|\scheckout|\sfetch origin|\stags/)[\s=/]+[\x22']?$"));
static ACTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"([\w.-]+/[\w./-]+)@$"));
static FLAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[\s\x22'`(\[=])(--?[A-Za-z][\w-]*)[\s=]+[\x22']?$"));
static PACKAGE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"([A-Za-z][\w.-]*)(?:\[[^\]]*\])?[\x22']?\s*===?\s*[\x22']?$"));
static COORDINATE: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z][\w.-]*:([A-Za-z][\w.-]*):$"));
static DOCKER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\s*(ARG|ENV)\s"));
static ASSIGNED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"([A-Za-z_][\w.-]*)[\x22'\]`]*\s*(?:\?=|::?=|\+=|=>|:-|=|:)\s*(?:[brfu]?[\x22'`])?$"));
static DEFINED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:#\s*define|\bset\s*\(|\bENV|\bARG|\bproject\s*\([^)]*|\bconst)\s*([A-Za-z_]\w*)\s+[\x22']?$")
});
static IMAGE_WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(from|image|docker (pull|push|run|tag|load|save)|kind load)\b"));

/// Reads what the version at `range` of `line` is there for.
pub fn read(line: &str, range: Range<usize>) -> Role {
    let bytes = line.as_bytes();
    let in_word = |b: &&u8| b.is_ascii_alphanumeric() || b"._+-".contains(b);
    let mut start = range.start - bytes[..range.start].iter().rev().take_while(in_word).count();
    if line[..start].ends_with(':') && bytes[start] == b'-' {
        // the dash of `${NAME:-0.24.2}` is no part of the word
        start += 1;
    }
    let end = range.end + bytes[range.end..].iter().take_while(in_word).count();
    let (before, prefix) = (&line[..start], &line[start..range.start]);
    let (suffix, after) = (&line[range.end..end], &line[end..]);
    if is_nightly(suffix) {
        return Role::Nightly;
    }
    requirement(line, before, prefix, suffix, after)
        .or_else(|| image(line, before))
        .or_else(|| source(line, before, prefix))
        .or_else(|| element(before, prefix, after))
        .or_else(|| flag(before, prefix))
        .or_else(|| package(line, before, prefix))
        .or_else(|| artefact(before, prefix))
        .or_else(|| key(line, before))
        .unwrap_or(Role::Prose)
}

fn capture(pattern: &Regex, text: &str) -> Option<String> {
    pattern.captures(text)?.get(1).map(|name| name.as_str().to_owned())
}

fn is_plain(prefix: &str) -> bool {
    matches!(prefix, "" | "v" | "V")
}

fn is_nightly(suffix: &str) -> bool {
    let lower = suffix.to_ascii_lowercase();
    let mut bytes = lower.bytes();
    let marked = bytes.next().is_some_and(|b| b"abrc".contains(&b)) && bytes.any(|b| b.is_ascii_digit());
    let words = [".dev", ".post", "-snapshot", "-nightly", "-alpha", "-beta", "-rc", "-dev", "-pre"];
    marked || words.iter().any(|word| lower.starts_with(word))
}

fn requirement(line: &str, before: &str, prefix: &str, suffix: &str, after: &str) -> Option<Role> {
    let told = |text: &str| Some(Role::Requirement(capture(&BOUNDED, text).unwrap_or_default()));
    if let Some(name) = capture(&PACKAGE_FIND, before) {
        return if line.contains("EXACT") { Some(Role::Package(name)) } else { Some(Role::Requirement(name)) };
    }
    let bare = before.trim_end().trim_end_matches(['"', '\'']).trim_end();
    let operators = [">=", "<=", "~=", "!=", "=>", "~>", "^", "~", ">", "<"];
    let compared = is_plain(prefix) && operators.iter().any(|operator| bare.ends_with(operator));
    let arrow = bare.ends_with("->") || bare.ends_with("=>") || bare.ends_with(">>") || ELEMENT.is_match(bare);
    let compared = compared && !(bare.ends_with('>') && (arrow || bare.ends_with("/>") || bare.contains('<')));
    let words = ["VERSION_GREATER", "VERSION_LESS", "cmake_minimum_required", "python_requires", "requires-python"];
    if compared || words.iter().any(|word| line.contains(word)) {
        return told(bare);
    }
    let tail = format!("{suffix}{after}");
    AT_LEAST.is_match(&tail).then(|| told(bare)).flatten()
}

fn image(line: &str, before: &str) -> Option<Role> {
    let name = before.strip_suffix(':')?;
    let in_name = |b: &&u8| b.is_ascii_alphanumeric() || b"._/-${}".contains(b);
    let mut start = name.len() - name.bytes().rev().take_while(|b| in_name(&b)).count();
    // the port of a registry
    let port = |at: usize| {
        name[at..].split('/').next().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
    };
    if name[..start].ends_with(':') && name[start..].contains('/') && port(start) {
        start -= 1 + name[..start - 1].bytes().rev().take_while(|b| in_name(&b)).count();
    }
    let name = &name[start..];
    let scheme = before[..start].ends_with(':') && !before[..start].ends_with("docker:");
    let named = name.bytes().any(|b| b.is_ascii_alphabetic()) && !name.ends_with('/');
    let is_image = name.contains('/') && !name.starts_with("//") || IMAGE_WORD.is_match(&before[..start]);
    if scheme || !named || !is_image || line[..start].trim_end().ends_with('@') {
        return None;
    }
    let name = name.trim_start_matches('/');
    let (host, path) = name.split_once('/').unwrap_or(("", name));
    let is_host = host.contains(['.', ':', '$']) || host == "localhost";
    let repository = if is_host { path } else { name };
    // a name that is itself a variable says nothing
    let told = Reference::parse(repository).name().trim_matches(['{', '}']);
    (!told.starts_with('$')).then(|| Role::Image(told.to_owned()))
}

fn source(line: &str, before: &str, prefix: &str) -> Option<Role> {
    if let Some(action) = capture(&ACTION, before).filter(|_| is_plain(prefix)) {
        let parts: Vec<&str> = action.split('/').collect();
        let owned = parts.iter().position(|part| part.contains('.')).map_or(0, |host| host + 1);
        return Some(Role::Source(parts[owned..].iter().take(2).copied().collect::<Vec<_>>().join("/")));
    }
    let forge = FORGE.captures(line)?;
    let (owner, name) = (forge.get(1)?.as_str(), forge.get(2)?);
    let repository = format!("{owner}/{}", name.as_str().trim_end_matches(".git").trim_end_matches('.'));
    let word = before.rsplit(|c: char| c.is_whitespace() || "\"'`<>()".contains(c)).next().unwrap_or(before);
    let linked = FORGE.is_match(word) && before.ends_with('/');
    (CHECKOUT.is_match(before) || linked).then_some(Role::Source(repository))
}

fn element(before: &str, prefix: &str, after: &str) -> Option<Role> {
    let name = capture(&ELEMENT, before).filter(|_| is_plain(prefix))?;
    after.trim_start().starts_with("</").then_some(Role::Element(name))
}

fn flag(before: &str, prefix: &str) -> Option<Role> {
    let flag = capture(&FLAG, before).filter(|_| is_plain(prefix))?;
    Some(Role::Flag(flag))
}

fn package(line: &str, before: &str, prefix: &str) -> Option<Role> {
    if !is_plain(prefix) {
        return None;
    }
    // `==` compares in code, and pins in requirements
    let pinned =
        capture(&PACKAGE, before).filter(|_| before.contains("==") && !line.contains(" if ") && !line.contains("if ("));
    pinned.or_else(|| capture(&COORDINATE, before)).map(Role::Package)
}

fn artefact(before: &str, prefix: &str) -> Option<Role> {
    let name = prefix.trim_end_matches(['v', 'V']).trim_end_matches(['-', '_', '.']);
    if name.len() < prefix.trim_end_matches(['v', 'V']).len() && name.bytes().any(|b| b.is_ascii_alphabetic()) {
        return Some(Role::Artefact(name.to_owned()));
    }
    let directory = before.strip_suffix('/')?;
    let part = directory.rsplit(['/', ' ', '"', '\'']).next()?;
    Some(Role::Artefact(part.to_owned()))
}

fn key(line: &str, before: &str) -> Option<Role> {
    let name = capture(&ASSIGNED, before).or_else(|| capture(&DEFINED, before))?;
    match DOCKER.captures(line).and_then(|word| word.get(1)) {
        Some(word) if word.as_str().eq_ignore_ascii_case("ARG") => Some(Role::Arg(name)),
        Some(_) => Some(Role::Env(name)),
        None => Some(Role::Key(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(line: &str) -> Role {
        let found = crate::version::find_versions(line.as_bytes());
        let range = found.first().cloned().unwrap_or_else(|| {
            let start = line.find("0.").unwrap();
            start..start + 6
        });
        read(line, range)
    }

    #[test]
    fn what_names_a_version_is_read_from_its_line() {
        for (line, expected) in [
            ("ARG BASE_VERSION=v0.3.1", Role::Arg("BASE_VERSION".into())),
            ("ENV V6D 0.3.1", Role::Env("V6D".into())),
            ("VINEYARD_VERSION ?= v0.3.1", Role::Key("VINEYARD_VERSION".into())),
            ("readonly V6D_BRANCH=\"v0.3.1\" # branch", Role::Key("V6D_BRANCH".into())),
            ("V=${VINEYARD:-v0.3.1}", Role::Key("VINEYARD".into())),
            ("  \"version\": \"0.3.1\",", Role::Key("version".into())),
            ("__version__ = '0.3.1'", Role::Key("__version__".into())),
            ("#define VINEYARD_VERSION \"0.3.1\"", Role::Key("VINEYARD_VERSION".into())),
            ("set(GS_VERSION 0.3.1)", Role::Key("GS_VERSION".into())),
            ("gsctl install-deps dev --v6d-version v0.3.1", Role::Flag("--v6d-version".into())),
            (
                "  image: r.example.com/graphscope/graphscope-dev:wheel-v0.3.1-amd64",
                Role::Image("graphscope/graphscope-dev".into()),
            ),
            ("FROM $REGISTRY/graphscope/vineyard-dev:v0.3.1 AS b", Role::Image("graphscope/vineyard-dev".into())),
            ("docker pull 127.0.0.1:5000/app:0.3.1", Role::Image("app".into())),
            ("<revision>0.3.1</revision>", Role::Element("revision".into())),
            ("git clone -b v0.3.1 https://github.com/v6d-io/v6d.git --depth=1", Role::Source("v6d-io/v6d".into())),
            ("wget https://github.com/v6d-io/v6d/archive/v0.3.1.zip", Role::Source("v6d-io/v6d".into())),
            ("- uses: v6d-io/setup@v0.3.1", Role::Source("v6d-io/setup".into())),
            ("vineyard-io==0.3.1; sys_platform", Role::Package("vineyard-io".into())),
            ("com.alibaba:grape-jdk:0.3.1", Role::Package("grape-jdk".into())),
            ("cp grape-demo-0.3.1-shaded.jar .", Role::Artefact("grape-demo".into())),
            ("vineyard>=0.3.1;", Role::Requirement("vineyard".into())),
            ("find_package(vineyard 0.3.1 REQUIRED)", Role::Requirement("vineyard".into())),
            ("find_package(vineyard 0.3.1 EXACT)", Role::Package("vineyard".into())),
            ("needs gsctl 0.3.1 or later", Role::Requirement("gsctl".into())),
            ("image: a/b:0.28.0a20240526", Role::Nightly),
            ("vineyard 0.3.1 is out", Role::Prose),
        ] {
            assert_eq!(role(line), expected, "{line}");
        }
    }
}
