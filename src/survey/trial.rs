//! Rules tried before they are written: with the machinery of a bump, on the files that they select.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::config::{Component, Config};
use crate::edit::{EditPlan, Scanner, prove};
use crate::error::{Error, Result};
use crate::git::{File, MISSING_BLOB, Repository, Scanned};
use crate::version::Version;

/// What the rules of one component do to the tree.
#[derive(Debug, Default)]
pub struct Trial {
    /// Path and bytes of each version that they select.
    pub found: BTreeSet<(String, usize)>,
    /// Paths where a bump would stop, with the reason.
    pub broken: Vec<(String, Error)>,
    /// A rule that finds nothing, or not as much as it should.
    pub stale: Option<Error>,
}

/// Tries the rules of `component` on `files` of `commit`: a bump from `current` to another version and its proof.
///
/// # Errors
/// Usage, where a file that is selected cannot be read.
pub fn run(
    repository: &Repository,
    files: &[File],
    config: &Config,
    component: &Component,
    current: &Version,
    target: &Version,
) -> Result<Trial> {
    let scanner = Scanner::new(config, component, current, None);
    let again = Scanner::new(config, component, target, None);
    let selected: Vec<File> = files.iter().filter(|file| scanner.selects(&file.path)).cloned().collect();
    let contents = repository.scan(&selected, |_| u64::MAX, |_, bytes| bytes.to_owned())?;
    let (mut trial, mut plan) = (Trial::default(), EditPlan::new(&scanner));
    for (file, content) in selected.iter().zip(contents) {
        let path = file.path.as_str();
        let Scanned::Read(bytes) = content else {
            return Err(Error::usage(format!("{path}: its content is not in this clone")).hint(MISSING_BLOB));
        };
        match one(&scanner, &again, target, path, &bytes, &mut plan) {
            Ok(found) => trial.found.extend(found.into_iter().map(|range| (path.to_owned(), range.start))),
            Err(error) => trial.broken.push((path.to_owned(), error)),
        }
    }
    if trial.broken.is_empty() {
        trial.stale = plan.check_rules(component, "release.yaml").err();
    }
    Ok(trial)
}

/// Edits one file, and proves it.
fn one(
    scanner: &Scanner<'_>,
    again: &Scanner<'_>,
    target: &Version,
    path: &str,
    bytes: &[u8],
    plan: &mut EditPlan,
) -> Result<Vec<Range<usize>>> {
    let scan = scanner.scan(path, bytes)?;
    let carried = scan.places.iter().filter_map(|(_, place)| place.reading.carries(target));
    let versions: Vec<Range<usize>> = carried.map(|(range, _)| range).collect();
    plan.add(scanner, target, path, bytes, scan)?;
    prove(again, target, path, versions.len(), &plan.apply(path, bytes)?)?;
    Ok(versions)
}
