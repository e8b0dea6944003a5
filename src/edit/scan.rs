//! One file, looked at: the places that the rules select, and what else mentions the old version.

use std::collections::HashSet;
use std::ops::Range;

use super::cover::Cover;
use crate::config::{Component, Config, FileGlobs, SiteForm, ValuePath, VersionSource};
use crate::error::{Error, Fault, Result, line_column};
use crate::version::{Part, Version, find_versions};

/// What stands at a place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reading {
    /// These bytes are a version.
    Version(Range<usize>),
    /// These bytes are a part of a version.
    Part(Range<usize>, Part),
    /// It is left alone, for this reason.
    Left(&'static str),
    /// It is pinned by digest, and has this version, if any.
    Pinned(Option<Range<usize>>),
}

impl Reading {
    /// The bytes that carry a version or a part of it, and what stands there for `version`.
    pub fn carries(&self, version: &Version) -> Option<(Range<usize>, String)> {
        match self {
            Reading::Version(range) => Some((range.clone(), version.to_string())),
            Reading::Part(range, part) => Some((range.clone(), version.part(*part).to_string())),
            Reading::Left(_) | Reading::Pinned(_) => None,
        }
    }
}

/// A place that a rule selects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Bytes of the value.
    pub at: Range<usize>,
    /// What stands there.
    pub reading: Reading,
}

/// What one file has.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FileScan {
    /// Places with the index of the rule that selected each.
    pub places: Vec<(usize, Place)>,
    /// Bytes of each mention of the old version that no rule covers.
    pub leftovers: Vec<Range<usize>>,
}

struct Rule {
    files: Files,
    form: SiteForm,
}

enum Files {
    Globs(FileGlobs),
    One(String),
}

impl Files {
    fn matches(&self, path: &str) -> bool {
        match self {
            Files::Globs(globs) => globs.matches(path),
            Files::One(one) => one == path,
        }
    }
}

/// Why a value is left alone in which it cannot be told whose version is whose.
pub(super) const SEVERAL: &str = "several versions, none of them the current one";

/// A file larger than this is data, in which nobody writes a version by hand.
const LARGEST_SEARCHED: u64 = 8 << 20;

/// The rules of one component, ready to look at files.
pub struct Scanner<'a> {
    rules: Vec<Rule>,
    current: Version,
    current_text: String,
    config: &'a Config,
    component: &'a Component,
}

impl<'a> Scanner<'a> {
    /// Prepares the rules of `component`, whose current version is `current`. `config_path` is where the config
    /// stands in the tree; `None` if it comes from outside.
    pub fn new(config: &'a Config, component: &'a Component, current: &Version, config_path: Option<&str>) -> Self {
        let given = component.sites.iter();
        let mut rules: Vec<Rule> =
            given.map(|rule| Rule { files: Files::Globs(rule.files.clone()), form: rule.form.clone() }).collect();
        match (&component.version, config_path) {
            (VersionSource::Inline(_), Some(path)) => {
                let route = ValuePath::of_keys(&["components", &component.name, "version"]);
                rules.push(Rule { files: Files::One(path.to_owned()), form: SiteForm::Path(route) });
            }
            (VersionSource::File(path), _) => {
                rules.push(Rule { files: Files::One(path.clone()), form: SiteForm::Whole });
            }
            (VersionSource::Inline(_), None) => {}
        }
        Scanner { rules, current: current.clone(), current_text: current.to_string(), config, component }
    }

    /// Whether a rule selects the file at `path`.
    pub fn selects(&self, path: &str) -> bool {
        self.rules.iter().any(|rule| rule.files.matches(path))
    }

    /// How large, in bytes, the file at `path` may be and still be worth reading: any size where a rule selects it, not
    /// at all where nothing in it would be reported.
    pub fn worth(&self, path: &str) -> u64 {
        match self.selects(path) {
            true => u64::MAX,
            false if is_binary(path) || !self.searches(path) => 0,
            false => LARGEST_SEARCHED,
        }
    }

    /// The form of the rule at `index`, as reports name it.
    pub fn site(&self, index: usize) -> String {
        self.rules[index].form.to_string()
    }

    /// Looks at the file at `path`. A fault names the file and the line.
    pub fn scan(&self, path: &str, bytes: &[u8]) -> Result<FileScan> {
        let (scan, faults) = self.examine(path, bytes);
        faults.into_iter().next().map_or(Ok(scan), |(_, fault)| Err(fault))
    }

    /// As [`Scanner::scan`], but looks on after a fault: it gives what it found, and the faults with the index of the rule
    /// that each stands in the way of.
    pub fn examine(&self, path: &str, bytes: &[u8]) -> (FileScan, Vec<(usize, Error)>) {
        let mut scan = FileScan::default();
        let mut faults = Vec::new();
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.files.matches(path)) {
            let reader = Reader { path, bytes, current: &self.current_text, config: self.config };
            let places = match reader.places(&rule.form) {
                Ok(places) => places,
                Err(fault) => {
                    faults.push((index, fault));
                    continue;
                }
            };
            let mut known = HashSet::new();
            let places = places.into_iter().filter(|place| known.insert(place.clone()));
            scan.places.extend(places.map(|place| (index, place)));
        }
        if self.searches(path) {
            scan.leftovers = self.leftovers(bytes, &scan.places);
        }
        (scan, faults)
    }

    fn searches(&self, path: &str) -> bool {
        !is_lock_file(path) && !self.config.ignore.is_match(path) && !self.component.ignore.is_match(path)
    }

    fn leftovers(&self, bytes: &[u8], places: &[(usize, Place)]) -> Vec<Range<usize>> {
        let mentions = memchr::memmem::find_iter(bytes, self.current_text.as_bytes());
        let len = self.current_text.len();
        let cover = Cover::new(places.iter().map(|(_, place)| place.at.clone()));
        let found: Vec<_> = mentions
            .map(|start| start..start + len)
            .filter(|range| versions_near(bytes, range.clone()).contains(range) && !cover.meets(range))
            .collect();
        // git's own rule for binary files, asked last because most files mention nothing
        match !found.is_empty() && bytes[..bytes.len().min(8000)].contains(&0) {
            true => Vec::new(),
            false => found,
        }
    }

    /// The current version.
    pub fn current(&self) -> &Version {
        &self.current
    }

    /// How many rules there are, the component's own version included.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }
}

/// `Dockerfile`, `Dockerfile.x`, `Dockerfile-x`, `x.Dockerfile`, `Containerfile`: read by their grammar, not as text. What has
/// an ending of its own, such as `dockerfile-build.yml`, is of another kind.
pub(crate) fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ["dockerfile", "containerfile"].iter().any(|word| {
        let is_own = |rest: &str| rest.starts_with('.') || (rest.starts_with(['-', '_']) && !rest.contains('.'));
        name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || is_own(rest))
            || name.ends_with(&format!(".{word}"))
    })
}

/// Files that tools write: a version in them follows from elsewhere.
fn is_lock_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let known = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "go.sum", "go.work.sum"];
    name.ends_with(".lock") || known.contains(&name)
}

/// Files that are never text, by their ending.
pub(crate) fn is_binary(path: &str) -> bool {
    let known = [
        "7z", "a", "bz2", "class", "dll", "dylib", "exe", "gif", "gz", "ico", "jar", "jpeg", "jpg", "mov", "mp3",
        "mp4", "o", "pdf", "png", "pyc", "so", "tgz", "ttf", "war", "webp", "whl", "woff", "woff2", "xz", "zip", "zst",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, ending)| known.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Versions in the word around `range`, as ranges of `bytes`.
fn versions_near(bytes: &[u8], range: Range<usize>) -> Vec<Range<usize>> {
    let in_word = |b: &&u8| b.is_ascii_alphanumeric() || b"._+-".contains(b);
    let start = range.start - bytes[..range.start].iter().rev().take(128).take_while(in_word).count();
    let end = range.end + bytes[range.end..].iter().take(128).take_while(in_word).count();
    find_versions(&bytes[start..end]).into_iter().map(|r| start + r.start..start + r.end).collect()
}

/// A file being read, for the site forms.
pub(super) struct Reader<'a> {
    pub path: &'a str,
    pub bytes: &'a [u8],
    current: &'a str,
    config: &'a Config,
}

impl Reader<'_> {
    /// The places that `form` selects.
    fn places(&self, form: &SiteForm) -> Result<Vec<Place>> {
        match form {
            SiteForm::Arg(name) => super::dockerfile::definitions(self, name, false),
            SiteForm::Env(name) => super::dockerfile::definitions(self, name, true),
            SiteForm::Image(name) if is_dockerfile(self.path) => super::dockerfile::images(self, name),
            SiteForm::Image(name) => super::text::images(self, name),
            SiteForm::Path(route) => super::value::places(self, route),
            SiteForm::Regex(regex) => super::text::matches(self, regex),
            SiteForm::Whole => self.read(0..self.bytes.len()),
        }
    }

    /// Whether `prefix` is the registry of release.yaml, path included, or another name of it.
    pub fn is_registry(&self, prefix: &str) -> bool {
        let aliases = self.config.registry_aliases.iter().map(String::as_str);
        self.config.registry.as_deref().into_iter().chain(aliases).any(|registry| registry == prefix)
    }

    /// Whether `version` is the component's current one.
    pub fn is_current(&self, version: &str) -> bool {
        version == self.current
    }

    /// Reads the value at `range`: a place for each version in it that is meant.
    pub fn read(&self, range: Range<usize>) -> Result<Vec<Place>> {
        self.valid_utf8(range.clone())?;
        let readings = self.readings(range.clone());
        Ok(readings.into_iter().map(|reading| Place { at: range.clone(), reading }).collect())
    }

    /// Reads the value at `range`, which is meant to be this part of a version.
    pub fn part(&self, range: Range<usize>, part: Part) -> Result<Place> {
        self.valid_utf8(range.clone())?;
        let value = &self.bytes[range.clone()];
        let start = range.start + value.len() - value.trim_ascii_start().len();
        let number = start..start + value.trim_ascii().len();
        let reading = match &self.bytes[number.clone()] {
            digits if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => Reading::Part(number, part),
            other if other.contains(&b'$') || other.contains(&b'{') => Reading::Left("a variable"),
            _ => Reading::Left("not a number"),
        };
        Ok(Place { at: range, reading })
    }

    /// What stands in `range`.
    pub fn readings(&self, range: Range<usize>) -> Vec<Reading> {
        let value = self.bytes[range.clone()].trim_ascii();
        let inside = |found: &Range<usize>| range.start <= found.start && found.end <= range.end;
        let found: Vec<_> = versions_near(self.bytes, range.clone()).into_iter().filter(inside).collect();
        let current: Vec<_> = found.iter().filter(|r| self.bytes[(*r).clone()] == *self.current.as_bytes()).collect();
        match (found.as_slice(), current.as_slice()) {
            ([one], _) if self.is_minimum(range.start, one.start) => vec![Reading::Left("a minimum requirement")],
            ([one], _) => vec![Reading::Version(one.clone())],
            ([], _) if value.contains(&b'$') || value.contains(&b'{') => vec![Reading::Left("a variable")],
            ([], _) if value.iter().any(u8::is_ascii_digit) => vec![Reading::Left("not a release version")],
            ([], _) => vec![Reading::Left("a floating value")],
            (_, []) => vec![Reading::Left(SEVERAL)],
            (_, current) => current.iter().map(|range| Reading::Version((*range).clone())).collect(),
        }
    }

    /// Whether the version at `start`, in the value at `value`, is the bound of a requirement: `>=0.16.3`, `^0.24.0`.
    fn is_minimum(&self, value: usize, start: usize) -> bool {
        let before = self.bytes[..start].strip_suffix(b"v").unwrap_or(&self.bytes[..start]).trim_ascii_end();
        let is_bound = [&b">="[..], b"<=", b"~=", b"!=", b"^", b"~"].iter().any(|operator| before.ends_with(operator));
        // a `>` before the value ends a tag, one before a line break begins a block of YAML
        let inside = self.bytes[value..start].iter().copied().filter(|b| !b" \"'v".contains(b));
        is_bound || matches!(inside.collect::<Vec<_>>().as_slice(), b">" | b"<")
    }

    /// Refuses a value that is not UTF-8, or whose next byte breaks it off.
    pub fn valid_utf8(&self, range: Range<usize>) -> Result<()> {
        let stops = |b: &&u8| !b.is_ascii_whitespace() && !b"\"'".contains(b);
        let end = range.end + self.bytes[range.end..].iter().take_while(stops).count();
        match std::str::from_utf8(&self.bytes[range.start..end]) {
            Err(error) if error.error_len().is_some() => {
                Err(self.fault(range.start + error.valid_up_to(), "a version is not valid UTF-8"))
            }
            _ => Ok(()),
        }
    }

    /// A usage error at `offset` of this file.
    pub fn fault(&self, offset: usize, message: &str) -> Error {
        let (line, column) = line_column(self.bytes, offset);
        let mut text = String::from_utf8_lossy(&self.bytes[..offset]).into_owned();
        let start = text.len();
        text.push_str(&String::from_utf8_lossy(&self.bytes[offset..]));
        let end = start + text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let (path, summary) = (self.path.to_owned(), format!("{}:{line}:{column}: {message}", self.path));
        let fault = Fault { path, text: text.into(), span: start..end, message: message.to_owned(), help: None };
        Error::faults(summary, vec![fault])
            .hint("mend the file, or leave it out of the site's `files:` with a `!` glob")
    }
}
