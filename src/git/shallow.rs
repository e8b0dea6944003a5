//! Where the history of a shallow clone ends: git's file `shallow`, one commit a line.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use git2::Oid;

/// The commits whose parents this clone does not have on purpose.
pub(super) fn roots(repository: &git2::Repository) -> BTreeSet<Oid> {
    let text = std::fs::read_to_string(file(repository)).unwrap_or_default();
    text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()
}

/// Undoes what a fetch of a few commits does to a deeper clone: the server names new ends of history, some of them where
/// this clone, which had the ends `before`, has the parents. What cannot be written stays as the server said, which is
/// shorter but whole.
pub(super) fn keep_history(repository: &git2::Repository, before: &BTreeSet<Oid>) {
    let now = roots(repository);
    let is_end = |id: &&Oid| before.contains(id) || !has_parents(repository, **id);
    let ends: Vec<&Oid> = now.iter().filter(is_end).collect();
    if ends.len() < now.len() {
        let text: String = ends.iter().map(|id| format!("{id}\n")).collect();
        // another git process that holds the lock knows better
        let _ = replace(&file(repository), &text);
    }
}

/// The parents in the commit itself: at the end of a shallow history libgit2 reports none.
pub(super) fn written_parents(commit: &git2::Commit<'_>) -> Vec<Oid> {
    let header = String::from_utf8_lossy(commit.raw_header_bytes());
    header.lines().filter_map(|line| Oid::from_str(line.strip_prefix("parent ")?).ok()).collect()
}

fn has_parents(repository: &git2::Repository, id: Oid) -> bool {
    let Ok(commit) = repository.find_commit(id) else { return false };
    written_parents(&commit).into_iter().all(|parent| repository.find_commit(parent).is_ok())
}

fn file(repository: &git2::Repository) -> PathBuf {
    repository.commondir().join("shallow")
}

fn replace(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    let lock = file.with_extension("lock");
    let mut new = std::fs::File::options().write(true).create_new(true).open(&lock)?;
    new.write_all(text.as_bytes())?;
    std::fs::rename(&lock, file)
}
