//! Drifted sites brought back in line: the new contents, each proved. Nothing is written here.

use std::collections::{BTreeMap, HashMap};

use super::sites::Watch;
use super::{Finding, Mend, Report, Subject};
use crate::edit::{Edit, EditPlan};
use crate::error::{Error, Result};

/// What changes in the files.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Mended {
    /// By path, then place.
    pub edits: Vec<Edit>,
    /// New content by path.
    pub contents: BTreeMap<String, Vec<u8>>,
}

/// Plans to mend every drift of `report`. `read` gives the content of a file, in which the sites are located anew.
///
/// # Errors
/// Refused, if a file is not the one that was examined. Usage, if the rules do not find again what was edited.
pub fn mend(subject: &Subject<'_>, report: &Report, mut read: impl FnMut(&str) -> Result<Vec<u8>>) -> Result<Mended> {
    let watches = subject.watches();
    let mut plan = EditPlan::default();
    for Finding { path, line, column, mend, .. } in &report.findings {
        let Some(Mend { site, old, new, range, .. }) = mend.clone() else { continue };
        let (path, line, column) = (path.clone(), *line, *column);
        plan.edits.push(Edit { path, line, column, old, new, site, drifted: true, range });
    }
    let mut contents = BTreeMap::new();
    for path in plan.paths() {
        let before = read(path)?;
        let after = plan.apply(path, &before)?;
        prove(&watches, &plan, path, &before, &after)?;
        contents.insert(path.to_owned(), after);
    }
    Ok(Mended { edits: plan.edits, contents })
}

/// Proves that `after` reads what `before` did, except that every edit has been made.
fn prove(watches: &[Watch<'_>], plan: &EditPlan, path: &str, before: &[u8], after: &[u8]) -> Result<()> {
    let edits: HashMap<usize, &Edit> = plan.edits_of(path).map(|edit| (edit.range.start, edit)).collect();
    let mut found = 0;
    for watch in watches {
        let mut wanted = Vec::new();
        for (start, text) in versions(watch, path, before)? {
            let edit = edits.get(&start);
            found += usize::from(edit.is_some());
            wanted.push(edit.map_or(text, |edit| edit.new.clone()));
        }
        let reads: Vec<String> = versions(watch, path, after)?.into_iter().map(|(_, text)| text).collect();
        if reads != wanted {
            return Err(Error::usage(format!("{path} does not read as planned after the edit"))
                .hint("two sites contradict each other there; mend the rules"));
        }
    }
    match found < edits.len() {
        true => Err(Error::refused(format!("{path} has other places than a moment ago")).hint("run the command again")),
        false => Ok(()),
    }
}

/// Start and text of each version that the rules of `watch` find.
fn versions(watch: &Watch<'_>, path: &str, bytes: &[u8]) -> Result<Vec<(usize, String)>> {
    let (scan, _) = watch.scanner.examine(path, bytes);
    let versions = scan.places.into_iter().filter_map(|(_, place)| {
        let (range, _) = place.reading.carries(watch.scanner.current())?;
        Some((range.start, String::from_utf8_lossy(&bytes[range]).into_owned()))
    });
    Ok(versions.collect())
}
