//! From places to rules: few of them, by role, that also find a place when it has fallen behind and new files of the
//! same kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::assign::{Finding, Verdict};
use super::names::telling;
use super::role::Role;
use super::scan::Occurrence;
use crate::config::{FileGlobs, glob_of};
use crate::edit::is_dockerfile;

/// A rule, as `sites:` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Index of the component.
    pub subject: usize,
    /// Paths and globs.
    pub files: Vec<String>,
    /// How the places are found.
    pub form: Form,
    /// How many places there must be.
    pub expect: Option<usize>,
    /// Indices of the places that it is made for.
    pub places: Vec<usize>,
}

impl Rule {
    /// How many places a bump should find with it.
    pub fn count(&self, places: &[Occurrence]) -> usize {
        self.places.iter().map(|place| places[*place].starts().len()).sum()
    }
}

/// The forms of a site that can be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// `whole: true`.
    Whole,
    /// `arg:`.
    Arg(String),
    /// `env:`.
    Env(String),
    /// `image:`.
    Image(String),
    /// `path:`.
    Path(String),
    /// `regex:`.
    Regex(String),
}

const NUMBERS: &str = "(?<version>[0-9]+\\.[0-9]+\\.[0-9]+)";

/// The rules for the sites of `findings` among `places`.
pub fn rules(places: &[Occurrence], findings: &[Finding]) -> Vec<Rule> {
    let mut grouped: BTreeMap<(usize, Form), (&Role, Vec<usize>)> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.verdict == Verdict::Site) {
        let place = &places[finding.place];
        let entry = grouped.entry((finding.subject, form(place))).or_insert((&place.role, Vec::new()));
        entry.1.push(finding.place);
    }
    let sites: BTreeSet<(usize, usize)> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Site)
        .map(|finding| (finding.place, finding.subject))
        .collect();
    let rules = grouped.into_iter().map(|((subject, form), (role, found))| {
        let strangers: Vec<&str> = places
            .iter()
            .enumerate()
            .filter(|(index, place)| place.role == *role && !sites.contains(&(*index, subject)))
            .map(|(_, place)| place.path.as_str())
            .collect();
        let paths: BTreeSet<&str> = found.iter().map(|index| places[*index].path.as_str()).collect();
        let is_fixed = matches!(role, Role::Path(_) | Role::Whole(_) | Role::Part(_));
        let tells = !telling(role.name()).is_empty() && !is_fixed;
        let files = if tells { generalised(&paths, &strangers) } else { paths.iter().map(|p| glob_of(p)).collect() };
        let counted = matches!(form, Form::Regex(_)) && !tells;
        let mut rule = Rule { subject, files, form, expect: None, places: found };
        rule.expect = counted.then(|| rule.count(places));
        rule
    });
    rules.collect()
}

/// Globs for `paths` that select none of `strangers`.
fn generalised(paths: &BTreeSet<&str>, strangers: &[&str]) -> Vec<String> {
    let mut buckets: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for path in paths {
        buckets.entry(kind_glob(path)).or_default().insert(path);
    }
    let mut files = Vec::new();
    let by_name: BTreeSet<&str> = paths.iter().map(|path| path.rsplit('/').next().unwrap_or(path)).collect();
    if let (1, true, Some(name)) = (by_name.len(), paths.len() > 1, by_name.first()) {
        let glob = format!("**/{}", glob_of(name));
        if selects_none(&glob, strangers) {
            return vec![glob];
        }
    }
    for (glob, paths) in buckets {
        let kin = paths.len() > 1 || glob.starts_with(".github/workflows/") || paths.iter().all(|p| is_dockerfile(p));
        match kin && glob.contains('*') && selects_none(&glob, strangers) {
            true => files.push(glob),
            false => files.extend(paths.iter().map(|path| glob_of(path))),
        }
    }
    files
}

fn selects_none(glob: &str, strangers: &[&str]) -> bool {
    FileGlobs::new(vec![glob.to_owned()]).is_ok_and(|globs| !strangers.iter().any(|path| globs.matches(path)))
}

/// The files of the kind of `path` in its directory; `path` itself at the root, and where its name tells no kind.
fn kind_glob(path: &str) -> String {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name.rsplit_once('.') {
        Some((stem, ending)) if !directory.is_empty() && !stem.is_empty() => {
            format!("{}/*.{}", glob_of(directory), glob_of(ending))
        }
        _ => glob_of(path),
    }
}

/// The form that finds `place` by its role.
fn form(place: &Occurrence) -> Form {
    match &place.role {
        Role::Whole(_) => Form::Whole,
        Role::Arg(name) => Form::Arg(name.clone()),
        Role::Env(name) => Form::Env(name.clone()),
        Role::Image(name) => Form::Image(name.clone()),
        Role::Path(route) => Form::Path(route.clone()),
        _ => Form::Regex(pattern(place)),
    }
}

/// A regular expression for the role of `place`.
fn pattern(place: &Occurrence) -> String {
    let name = regex::escape(place.role.name()).replace("\\-", "-");
    let (before, after) = (&place.text[..place.within.start], &place.text[place.within.end..]);
    let plain =
        before.trim_end_matches(['v', 'V']).ends_with(|c: char| !c.is_ascii_alphanumeric() && !"._-+".contains(c));
    let affix = if plain || before.trim_end_matches(['v', 'V']).is_empty() { "v?" } else { "(?:[\\w.]+-)*v?" };
    let value = format!("[\"'`]?{affix}{NUMBERS}");
    let start = if place.role.name().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') { "\\b" } else { "" };
    match &place.role {
        Role::Part(_) => apart(before),
        Role::Flag(_) if name.len() == 2 => {
            // a flag of one letter says too little: what stands before it belongs to it
            let word = before.split_whitespace().next().unwrap_or_default();
            format!("{}[^\\n]* {name}[ =]+{value}", regex::escape(word).replace("\\-", "-"))
        }
        Role::Flag(_) => format!("{name}[ =]+{value}"),
        Role::Element(_) => match &place.beside {
            Some(project) => format!("<artifactId>{}</artifactId>\\s*<{name}>\\s*v?{NUMBERS}", regex::escape(project)),
            None => format!("<{name}>\\s*v?{NUMBERS}\\s*</{name}>"),
        },
        Role::Package(_) if before.ends_with(':') => format!(":{name}:{NUMBERS}"),
        Role::Package(_) if before.contains("==") => format!("{start}{name}(?:\\[[^\\]]*\\])?\\s*===?\\s*{value}"),
        // a member of the same workspace: what is fetched from elsewhere has a requirement there
        Role::Package(_) if before.contains('{') && place.text.contains("path") => {
            format!("{start}{name}\\s*=\\s*\\{{[^}}\\n]*\\bversion\\s*=\\s*{value}")
        }
        Role::Package(_) => format!("{start}{name}\\b[\"']?\\s*[:=(]?\\s*{value}"),
        Role::Source(_) if before.trim_end_matches(['v', 'V']).ends_with('@') => format!("{name}[\\w./-]*@v?{NUMBERS}"),
        Role::Source(_) if after.contains(place.role.name()) => {
            format!("(?:-b|--branch|checkout)[ =]+{value}[^\\n]*{name}\\b")
        }
        Role::Source(_) if before.trim_end_matches(['v', 'V']).ends_with('/') => {
            format!("{name}(?:\\.git)?/[\\w./-]*?v?{NUMBERS}")
        }
        Role::Source(_) => format!("{name}\\b[^\\n]*(?:-b|--branch|checkout)[ =]+{value}"),
        _ => format!("{start}{name}[\"'`\\]]*(?:\\s*(?:[?:+]?=>?|:-?)\\s*|\\s+){value}"),
    }
}

#[allow(clippy::expect_used, reason = "a constant pattern, which a test compiles")]
static PATCH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\w*?)(PATCH|Patch|patch)(\w*)\W+$").expect("a constant pattern"));

/// A regular expression for three numbers apart, of which `before` stands on the line of the last.
fn apart(before: &str) -> String {
    let found = PATCH.captures(before);
    let piece =
        |group: usize| found.as_ref().and_then(|found| found.get(group)).map(|text| text.as_str()).unwrap_or_default();
    let words = match piece(2) {
        "PATCH" => ["MAJOR", "MINOR", "PATCH"],
        "Patch" => ["Major", "Minor", "Patch"],
        _ => ["major", "minor", "patch"],
    };
    let [major, minor, patch] =
        words.map(|word| format!("{word}{}[ \\t:=\"']+(?<{}>[0-9]+)", piece(3), word.to_ascii_lowercase()));
    format!("\\b{}(?:{major}|{minor}|{patch})\\b", piece(1))
}

#[cfg(test)]
mod tests {
    use super::super::scan;
    use super::*;

    fn finds(path: &str, line: &str, others: &[&str]) {
        let place = &scan::read(path, line.as_bytes())[0];
        let Form::Regex(pattern) = form(place) else { panic!("{line}: {:?}", form(place)) };
        let regex = regex::bytes::Regex::new(&pattern).unwrap();
        let drifted = line.replace("0.3.1", "0.2.0");
        for text in [line, &drifted].into_iter().chain(others.iter().copied()) {
            let found = regex.captures(text.as_bytes()).unwrap_or_else(|| panic!("{pattern} does not find {text}"));
            assert!(found.name("version").unwrap().as_bytes().starts_with(b"0."), "{text}");
        }
    }

    #[test]
    fn a_pattern_finds_its_place_and_the_same_role_elsewhere() {
        finds("k8s/Makefile", "VINEYARD_VERSION ?= v0.3.1", &["VINEYARD_VERSION := 0.2.0"]);
        finds("a.sh", "readonly V6D_VERSION=\"0.3.1\"  # vineyard version", &["V6D_VERSION=0.2.0"]);
        finds("a.sh", "x ${V6D_VERSION:-v0.3.1}", &[]);
        finds("a.yml", "run: gsctl install --v6d-version v0.3.1", &["--v6d-version=0.2.0"]);
        finds("pom.xml", "<revision>0.3.1</revision>", &[]);
        finds("a.txt.in", "vineyard==0.3.1;", &["vineyard == 0.2.0"]);
        finds(
            "a.sh",
            "git clone -b v0.3.1 https://github.com/v6d-io/v6d.git",
            &["git clone --depth=1 --branch v0.2.0 https://github.com/v6d-io/v6d"],
        );
        finds("a.sh", "git clone https://github.com/v6d-io/v6d.git -b v0.3.1 && cd v6d", &[]);
        finds("a.sh", "curl https://github.com/v6d-io/v6d/releases/download/v0.3.1/a.tgz", &[]);
        finds("a.py", "__version__ = \"0.3.1\"", &[]);
        finds("Cargo.toml", "[dependencies]\nvineyard = { version = \"0.3.1\", path = \"./vineyard\" }", &[]);
        finds("a.h", "#define VINEYARD_VERSION \"0.3.1\"", &[]);
    }

    #[test]
    fn a_pattern_finds_three_numbers_apart() {
        let text = "set(A_MAJOR_VERSION 0)\nset(A_MINOR_VERSION 24)\nset(A_PATCH_VERSION 4)\nset(V ${A_MAJOR_VERSION})\n(A_MAJOR_VERSION * 1000)\n";
        let Form::Regex(pattern) = form(&scan::read("CMakeLists.txt", text.as_bytes())[0]) else { panic!("{text}") };
        let found = Regex::new(&pattern).unwrap();
        let found: Vec<&str> = found.captures_iter(text).map(|found| found.get(0).unwrap().as_str()).collect();
        assert_eq!(found, ["A_MAJOR_VERSION 0", "A_MINOR_VERSION 24", "A_PATCH_VERSION 4"], "{pattern}");
    }

    #[test]
    fn globs_take_in_new_files_of_the_same_kind_and_no_strangers() {
        let of = |paths: &[&str], strangers: &[&str]| generalised(&paths.iter().copied().collect(), strangers);
        assert_eq!(of(&[".github/workflows/a.yml"], &[]), [".github/workflows/*.yml"]);
        assert_eq!(of(&["k8s/Makefile", "k8s/internal/Makefile"], &[]), ["**/Makefile"]);
        assert_eq!(
            of(&["k8s/Makefile", "k8s/internal/Makefile"], &["x/Makefile"]),
            ["k8s/Makefile", "k8s/internal/Makefile"]
        );
        assert_eq!(of(&["k8s/a.Dockerfile"], &[]), ["k8s/*.Dockerfile"]);
        assert_eq!(of(&[".devcontainer/devcontainer.json"], &[]), [".devcontainer/devcontainer.json"]);
    }
}
