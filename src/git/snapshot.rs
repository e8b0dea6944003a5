//! The files of a commit, or those of the checkout as they are now, to be read in the same way.
//!
//! The files of a checkout are those that git tracks, with what stands in them: what a commit of all of them would have.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::scan::{Scanned, in_parallel};
use super::{Commit, File, Repository, failed};
use crate::error::{Error, Result};
use crate::image::TreeEntry;

/// Files to look at.
pub struct Snapshot<'r> {
    repository: &'r Repository,
    from: From,
    files: Vec<File>,
}

enum From {
    Commit(Commit),
    /// The root of the working tree, and the files in it whose paths are not UTF-8, by their paths as they are shown.
    Checkout(PathBuf, HashMap<String, PathBuf>),
}

/// Git's mode of a regular file, without its permissions.
const REGULAR: u32 = 0o100000;
/// Git's mode of a symbolic link.
const LINK: u32 = 0o120000;
/// Git's mode of a submodule.
const SUBMODULE: u32 = 0o160000;

impl<'r> Snapshot<'r> {
    /// The regular files of `commit`.
    pub fn of_commit(repository: &'r Repository, commit: Commit) -> Result<Self> {
        Ok(Snapshot { repository, from: From::Commit(commit), files: repository.files(commit)? })
    }

    /// The regular files of the checkout that git tracks. One that is deleted, or a symlink by now, is left out; one that a
    /// sparse checkout leaves out as well.
    ///
    /// # Errors
    /// Usage, where there is no working tree.
    pub fn of_checkout(repository: &'r Repository) -> Result<Self> {
        let Some(root) = repository.workdir() else {
            return Err(Error::usage("this repository is bare: it has no checkout")
                .hint("name the commit to look at with --ref, such as --ref HEAD"));
        };
        let index = repository.inner.index().map_err(|error| failed("cannot read the index", error))?;
        let tracked = index.iter().filter(|entry| entry.mode & 0o170000 == REGULAR);
        let mut odd = HashMap::new();
        let tracked = tracked.map(|entry| {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            if path.as_bytes() != entry.path {
                odd.insert(path.clone(), root.join(native(&entry.path)));
            }
            File { path, id: entry.id }
        });
        let mut files: Vec<File> = tracked.collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        // in a merge, a path with a conflict has up to three entries
        files.dedup_by(|a, b| a.path == b.path);
        Ok(Snapshot { repository, from: From::Checkout(root, odd), files })
    }

    /// The files, by path.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The content of the file at `path`; `None` if there is no regular file.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match &self.from {
            From::Commit(commit) => self.repository.read(*commit, path),
            From::Checkout(root, odd) => match self.files.binary_search_by(|file| file.path.as_str().cmp(path)) {
                Ok(_) => {
                    regular_file(&place(root, odd, path), path, u64::MAX, <[u8]>::to_owned).map(|found| match found {
                        Scanned::Read(content) => Some(content),
                        Scanned::Skipped | Scanned::Missing => None,
                    })
                }
                Err(_) => Ok(None),
            },
        }
    }

    /// Everything that is there, symlinks and submodules included, by path.
    ///
    /// # Errors
    /// Usage, where the repository cannot be read.
    pub fn entries(&self) -> Result<Vec<TreeEntry>> {
        let root = match &self.from {
            From::Commit(commit) => return self.repository.entries(*commit),
            From::Checkout(root, _) => root,
        };
        let index = self.repository.inner.index().map_err(|error| failed("cannot read the index", error))?;
        let mut entries: Vec<TreeEntry> = index.iter().filter_map(|tracked| entry(root, &tracked)).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
        Ok(entries)
    }

    /// As [`Repository::scan`], over all files; a file of the checkout that is not there is [`Scanned::Skipped`].
    pub fn scan<T: Send>(
        &self,
        worth: impl Fn(&File) -> u64 + Sync,
        visit: impl Fn(&File, &[u8]) -> T + Sync,
    ) -> Result<Vec<Scanned<T>>> {
        let From::Checkout(root, odd) = &self.from else { return self.repository.scan(&self.files, worth, visit) };
        let files = &self.files;
        in_parallel(files, |take| {
            let scanned = std::iter::from_fn(take).flatten().map(|index| {
                let file = &files[index];
                let scanned = match worth(file) {
                    0 => Scanned::Skipped,
                    most => regular_file(&place(root, odd, &file.path), &file.path, most, |bytes| visit(file, bytes))?,
                };
                Ok((index, scanned))
            });
            scanned.collect()
        })
    }
}

/// What stands in the working tree at `root` for an entry of the index; `None` if it is gone.
fn entry(root: &Path, tracked: &git2::IndexEntry) -> Option<TreeEntry> {
    let path = String::from_utf8_lossy(&tracked.path).into_owned();
    let is_left_out = tracked.flags_extended & git2::IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0;
    let file = root.join(native(&tracked.path));
    let is_link = match std::fs::symlink_metadata(&file) {
        Ok(meta) => meta.is_symlink(),
        // a sparse checkout leaves out what a commit has all the same
        Err(_) if is_left_out => tracked.mode == LINK,
        Err(_) => return None,
    };
    let mode = match tracked.mode {
        SUBMODULE => SUBMODULE,
        _ if is_link => LINK,
        LINK => REGULAR | 0o644,
        mode => mode,
    };
    let link = is_link.then(|| std::fs::read_link(&file).ok()).flatten();
    let link = link.map(|target| target.to_string_lossy().into_owned());
    Some(TreeEntry { path, mode, id: tracked.id.to_string(), link })
}

/// Where the file at `path` is.
fn place(root: &Path, odd: &HashMap<String, PathBuf>, path: &str) -> PathBuf {
    odd.get(path).cloned().unwrap_or_else(|| root.join(path))
}

/// A path as git has it, for the operating system.
#[cfg(unix)]
fn native(path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(path).into()
}

#[cfg(not(unix))]
fn native(path: &[u8]) -> PathBuf {
    String::from_utf8_lossy(path).into_owned().into()
}

/// What `visit` makes of the regular file `file`, shown as `path`, if it has at most `most` bytes.
fn regular_file<T>(file: &Path, path: &str, most: u64, visit: impl FnOnce(&[u8]) -> T) -> Result<Scanned<T>> {
    let unreadable = |error: std::io::Error| {
        Error::usage(format!("cannot read {path}: {error}")).hint("make the file readable, or leave it out of git")
    };
    match std::fs::symlink_metadata(file) {
        Ok(meta) if meta.is_file() && meta.len() <= most => {
            std::fs::read(file).map(|bytes| Scanned::Read(visit(&bytes))).map_err(unreadable)
        }
        Ok(_) => Ok(Scanned::Skipped),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(Scanned::Skipped)
        }
        Err(error) => Err(unreadable(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;
    use super::*;

    fn contents(snapshot: &Snapshot<'_>) -> Vec<(String, String)> {
        let visit = |file: &File, bytes: &[u8]| (file.path.clone(), String::from_utf8_lossy(bytes).into_owned());
        let scanned = snapshot.scan(|_| 10, visit).unwrap();
        let read = scanned.into_iter().filter_map(|scanned| match scanned {
            Scanned::Read(found) => Some(found),
            _ => None,
        });
        read.collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_checkout_is_what_stands_in_the_files_that_git_tracks() {
        let (directory, repository) = empty();
        let write = |path: &str, text: &str| std::fs::write(directory.path().join(path), text).unwrap();
        let mut index = repository.inner.index().unwrap();
        for path in ["a", "b", "deleted", "linked", "long"] {
            write(path, "1");
            index.add_path(Path::new(path)).unwrap();
        }
        index.write().unwrap();
        write("b", "2");
        write("long", "12345678901");
        write("untracked", "3");
        std::fs::remove_file(directory.path().join("deleted")).unwrap();
        std::fs::remove_file(directory.path().join("linked")).unwrap();
        std::os::unix::fs::symlink("a", directory.path().join("linked")).unwrap();
        let snapshot = Snapshot::of_checkout(&repository).unwrap();
        assert_eq!(contents(&snapshot), owned(&[("a", "1"), ("b", "2")]));
        assert_eq!(snapshot.read("b").unwrap().as_deref(), Some(&b"2"[..]));
        for path in ["untracked", "deleted", "linked", "none"] {
            assert_eq!(snapshot.read(path).unwrap(), None, "{path}");
        }
        let entries = snapshot.entries().unwrap();
        let entries: Vec<_> = entries.iter().map(|e| (e.path.as_str(), e.mode, e.link.as_deref())).collect();
        let file = |path| (path, 0o100644, None);
        assert_eq!(entries, [file("a"), file("b"), ("linked", 0o120000, Some("a")), file("long")]);
    }

    #[test]
    fn what_a_sparse_checkout_leaves_out_is_still_an_entry() {
        let (directory, repository) = empty();
        let mut index = repository.inner.index().unwrap();
        std::fs::write(directory.path().join("a"), "1").unwrap();
        index.add_path(Path::new("a")).unwrap();
        let mut entry = index.get_path(Path::new("a"), 0).unwrap();
        entry.flags_extended |= git2::IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
        index.add(&entry).unwrap();
        index.write().unwrap();
        std::fs::remove_file(directory.path().join("a")).unwrap();
        let snapshot = Snapshot::of_checkout(&repository).unwrap();
        assert_eq!(snapshot.entries().unwrap().len(), 1);
    }

    #[test]
    fn a_commit_is_what_was_committed() {
        let (directory, repository) = empty();
        let commit = repository.grow(&[], &[("a", 0o100644, "1"), ("link", 0o120000, "a")]);
        std::fs::write(directory.path().join("a"), "2").unwrap();
        let snapshot = Snapshot::of_commit(&repository, commit).unwrap();
        assert_eq!(contents(&snapshot), owned(&[("a", "1")]));
        assert_eq!(snapshot.read("a").unwrap().as_deref(), Some(&b"1"[..]));
    }
}
