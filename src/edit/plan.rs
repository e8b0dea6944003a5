//! The edits of a whole tree, in order, and their proof.

use std::ops::Range;

use serde::Serialize;

use super::scan::{FileScan, Place, Reading, Scanner};
use crate::config::Component;
use crate::error::{Error, Result, line_column};
use crate::version::Version;

/// One version that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Edit {
    /// Path in the tree.
    pub path: String,
    /// Line of the first byte of `old`, from 1.
    pub line: usize,
    /// Column in bytes of the first byte of `old`, from 1.
    pub column: usize,
    /// The version that stands there, without affixes; one of its numbers, where these stand apart.
    pub old: String,
    /// The version that will.
    pub new: String,
    /// The form of the site.
    pub site: String,
    /// Whether `old` is not the component's current version.
    pub drifted: bool,
    /// The bytes of `old`.
    #[serde(skip)]
    #[schemars(skip)]
    pub range: Range<usize>,
}

/// A mention of the old version that no rule covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Leftover {
    /// Path in the tree.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

/// A place that a rule selects and that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Path in the tree.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// The form of the site.
    pub site: String,
    /// What stands there.
    pub text: String,
    /// Why it is left alone.
    pub reason: &'static str,
}

/// What changes in a tree.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EditPlan {
    /// By path, then place.
    pub edits: Vec<Edit>,
    /// By path, then place.
    pub leftovers: Vec<Leftover>,
    /// By path, then place.
    pub notes: Vec<Note>,
    /// How many places each rule found.
    counts: Vec<usize>,
}

impl EditPlan {
    /// An empty plan for the rules of `scanner`.
    pub fn new(scanner: &Scanner<'_>) -> Self {
        EditPlan { counts: vec![0; scanner.rules()], ..EditPlan::default() }
    }

    /// Takes in what `scan` found in the file at `path`, for a bump to `target`. A place pinned by digest that would
    /// change is refused.
    pub fn add(
        &mut self,
        scanner: &Scanner<'_>,
        target: &Version,
        path: &str,
        bytes: &[u8],
        scan: FileScan,
    ) -> Result<()> {
        let first = self.edits.len();
        for (rule, place) in scan.places {
            self.counts[rule] += 1;
            let Some((range, new)) = place.reading.carries(target) else {
                self.leave(scanner, target, path, bytes, rule, place)?;
                continue;
            };
            let old = String::from_utf8_lossy(&bytes[range.clone()]).into_owned();
            let known = self.edits[first..].iter().any(|edit| edit.range == range);
            if old == new || known {
                continue;
            }
            let (line, column) = line_column(bytes, range.start);
            let drifted = place.reading.carries(scanner.current()).is_none_or(|(_, current)| old != current);
            let (path, site) = (path.to_owned(), scanner.site(rule));
            self.edits.push(Edit { path, line, column, old, new, site, drifted, range });
        }
        self.edits[first..].sort_by_key(|edit| edit.range.start);
        for range in scan.leftovers {
            let (line, _) = line_column(bytes, range.start);
            let start = bytes[..range.start].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
            let end = bytes[range.end..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| range.end + n);
            let text: String = String::from_utf8_lossy(&bytes[start..end]).trim().chars().take(200).collect();
            if self.leftovers.last().is_none_or(|l| l.path != path || l.line != line) {
                self.leftovers.push(Leftover { path: path.to_owned(), line, text });
            }
        }
        Ok(())
    }

    /// Takes in a place that is left alone. One pinned by digest that would change is refused.
    fn leave(
        &mut self,
        scanner: &Scanner<'_>,
        target: &Version,
        path: &str,
        bytes: &[u8],
        rule: usize,
        place: Place,
    ) -> Result<()> {
        let (line, column) = line_column(bytes, place.at.start);
        let site = scanner.site(rule);
        match place.reading {
            Reading::Version(_) | Reading::Part(..) => {}
            Reading::Left(reason) => {
                let text = String::from_utf8_lossy(bytes[place.at].trim_ascii()).into_owned();
                self.notes.push(Note { path: path.to_owned(), line, site, text, reason });
            }
            Reading::Pinned(Some(range)) if bytes[range.clone()] == *target.to_string().as_bytes() => {}
            Reading::Pinned(_) => {
                return Err(Error::refused(format!("{path}:{line}:{column}: {site} is pinned by digest"))
                    .hint("drop the digest: a build pins its bases by digest itself"));
            }
        }
        Ok(())
    }

    /// Fails for rules of `component` that found nothing, or not what `expect` says.
    pub fn check_rules(&self, component: &Component, config_path: &str) -> Result<()> {
        for (rule, found) in component.sites.iter().zip(&self.counts) {
            let files = rule.files.patterns.join(", ");
            let place = format!("{config_path}:{}: site `{}` in {files}", rule.line, rule.form);
            match rule.expect {
                Some(expected) if expected != *found => {
                    return Err(Error::usage(format!("{place} found {found} places instead of {expected}"))
                        .hint("look at the places, then mend the rule or its `expect`"));
                }
                None if *found == 0 => {
                    return Err(Error::usage(format!("{place} found nothing"))
                        .hint("the rule is stale: mend it or remove it (symlinks are never followed)"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The edits of the file at `path`.
    pub fn edits_of<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Edit> {
        let first = self.edits.partition_point(|edit| *edit.path < *path);
        self.edits[first..].iter().take_while(move |edit| edit.path == path)
    }

    /// Paths that change, each once, in order.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.edits.iter().map(|edit| edit.path.as_str()).collect();
        paths.dedup();
        paths
    }

    /// `bytes`, the content of the file at `path`, with its edits applied. A place that does not read what the plan
    /// expects is an error.
    pub fn apply(&self, path: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for edit in self.edits_of(path) {
            if edit.range.start < at || bytes.get(edit.range.clone()) != Some(edit.old.as_bytes()) {
                return Err(Error::refused(format!("{path}:{}:{}: expected {}", edit.line, edit.column, edit.old))
                    .hint("the file is not the one that was planned for; run the command again"));
            }
            out.extend_from_slice(&bytes[at..edit.range.start]);
            out.extend_from_slice(edit.new.as_bytes());
            at = edit.range.end;
        }
        out.extend_from_slice(&bytes[at..]);
        Ok(out)
    }
}

/// Proves `after`, the edited content of the file at `path`: located again by `scanner` (prepared with `target` as the
/// current version), there are as many versions as before, and every one reads `target`.
pub fn prove(scanner: &Scanner<'_>, target: &Version, path: &str, before: usize, after: &[u8]) -> Result<()> {
    let again = scanner.scan(path, after)?;
    let carried: Vec<_> = again.places.iter().filter_map(|(_, place)| place.reading.carries(target)).collect();
    let moved = carried.iter().find(|(range, text)| after[range.clone()] != *text.as_bytes());
    match moved {
        None if carried.len() == before => Ok(()),
        Some((range, text)) => {
            let (line, column) = line_column(after, range.start);
            Err(Error::usage(format!("{path}:{line}:{column}: does not read {text} after the edit"))
                .hint("two sites contradict each other here; mend the rules"))
        }
        None => Err(Error::usage(format!("{path}: {before} places before the edit, {} after it", carried.len()))
            .hint("the rule no longer finds what it edited; mend it")),
    }
}
