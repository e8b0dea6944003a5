//! All files of a commit, read on several threads: for a search that must not be slower than `git grep`.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use git2::{ErrorCode, OdbLookupFlags, Oid};

use super::{File, Repository, failed};
use crate::error::Result;

/// What a scan did with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned<T> {
    /// It was visited; what came of it.
    Read(T),
    /// Its content is larger than it was worth.
    Skipped,
    /// Its content is not here (a partial clone).
    Missing,
}

/// Files that a thread takes at once: enough to keep neighbours in the pack together, few enough to share evenly.
const BATCH: usize = 32;
/// More threads than this wait for each other at libgit2's pack locks.
const MOST_THREADS: usize = 8;

impl Repository {
    /// Calls `visit` with files and their contents, on as many threads as there are processors. `worth` says how many
    /// bytes a file's content may have to be read: none at all, or `u64::MAX` for any. At most one content a thread is in
    /// memory. Results come in the order of `files`.
    pub fn scan<T: Send>(
        &self,
        files: &[File],
        worth: impl Fn(&File) -> u64 + Sync,
        visit: impl Fn(&File, &[u8]) -> T + Sync,
    ) -> Result<Vec<Scanned<T>>> {
        let path = self.inner.path();
        in_parallel(files, |take: &dyn Fn() -> Option<Range<usize>>| {
            let repository =
                git2::Repository::open(path).map_err(|error| failed("cannot open the repository", error))?;
            let database = repository.odb().map_err(|error| failed("cannot open the object database", error))?;
            let mut reader = Reader { database, misses: false };
            let mut share = Vec::new();
            for index in std::iter::from_fn(take).flatten() {
                let file = &files[index];
                let scanned = match worth(file) {
                    0 => Ok(Scanned::Skipped),
                    most => reader.read(file.id, most, |bytes| visit(file, bytes)),
                };
                share.push((index, scanned.map_err(|error| failed(format!("cannot read {}", file.path), error))?));
            }
            Ok(share)
        })
    }
}

/// Runs `work` on as many threads as there are processors. It takes one batch of indexes into `files` after the other,
/// and gives what came of each; the results come in the order of `files`.
pub(super) fn in_parallel<T: Send>(
    files: &[File],
    work: impl Fn(&dyn Fn() -> Option<Range<usize>>) -> Result<Vec<(usize, T)>> + Sync,
) -> Result<Vec<T>> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(MOST_THREADS).min(files.len().div_ceil(BATCH)).max(1);
    let next = AtomicUsize::new(0);
    let take = || {
        let start = next.fetch_add(BATCH, Ordering::Relaxed).min(files.len());
        Some(start..(start + BATCH).min(files.len())).filter(|batch| !batch.is_empty())
    };
    let shares = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| work(&take))).collect();
        let mut shares = vec![work(&take)];
        shares.extend(others.into_iter().map(|thread| match thread.join() {
            Ok(share) => share,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        shares
    });
    let mut all = Vec::with_capacity(files.len());
    for share in shares {
        all.extend(share?);
    }
    all.sort_unstable_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, scanned)| scanned).collect())
}

struct Reader<'r> {
    database: git2::Odb<'r>,
    /// Some object was not here: more will not be.
    misses: bool,
}

impl Reader<'_> {
    fn read<T>(&mut self, id: Oid, most: u64, visit: impl FnOnce(&[u8]) -> T) -> Result<Scanned<T>, git2::Error> {
        // a read that misses lists the packs again; where one blob is missing, thousands may be
        if self.misses && !self.database.exists_ext(id, OdbLookupFlags::NO_REFRESH) {
            return Ok(Scanned::Missing);
        }
        let read = || match most {
            u64::MAX => self.database.read(id).map(Some),
            _ if self.database.read_header(id)?.0 as u64 > most => Ok(None),
            _ => self.database.read(id).map(Some),
        };
        match read() {
            Ok(Some(object)) => Ok(Scanned::Read(visit(object.data()))),
            Ok(None) => Ok(Scanned::Skipped),
            Err(error) if error.code() == ErrorCode::NotFound => {
                self.misses = true;
                Ok(Scanned::Missing)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;
    use super::*;

    #[test]
    fn a_scan_visits_what_is_worth_it_in_order() {
        let (_directory, repository) = empty();
        let contents: Vec<(String, String)> = (0..200).map(|n| (format!("{n:03}"), "x".repeat(n))).collect();
        let files: Vec<_> = contents.iter().map(|(path, text)| (path.as_str(), 0o100644, text.as_str())).collect();
        let files = repository.files(repository.grow(&[], &files)).unwrap();
        let worth = |file: &File| match file.path.as_str() {
            "150" => u64::MAX,
            "007" => 0,
            _ => 100,
        };
        let scanned = repository.scan(&files, worth, |file, bytes| (file.path.clone(), bytes.len())).unwrap();
        for (n, scanned) in scanned.into_iter().enumerate() {
            let expected = match n {
                7 => Scanned::Skipped,
                0..=100 | 150 => Scanned::Read((format!("{n:03}"), n)),
                _ => Scanned::Skipped,
            };
            assert_eq!(scanned, expected, "{n}");
        }
    }

    #[test]
    fn blobs_that_are_not_here_are_told_apart() {
        let (directory, repository) = empty();
        let base = repository.grow(&[], &[("a", 0o100644, "1"), ("b", 0o100644, "2"), ("c", 0o100644, "3")]);
        let files = repository.files(base).unwrap();
        for id in [files[0].id, files[1].id].map(|id| id.to_string()) {
            std::fs::remove_file(directory.path().join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
        }
        for worth in [u64::MAX, 10] {
            let scanned = repository.scan(&files, |_| worth, |_, bytes| bytes.to_owned()).unwrap();
            assert_eq!(scanned, [Scanned::Missing, Scanned::Missing, Scanned::Read(b"3".to_vec())]);
        }
        let error = repository.read(base, "a").unwrap_err();
        assert!(error.hints.iter().any(|hint| hint.contains("partial clone")), "{:?}", error.hints);
    }
}
