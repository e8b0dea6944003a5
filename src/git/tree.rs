//! The files of a commit: listed and read, straight from the object database.

use std::path::Path;

use git2::{ErrorCode, ObjectType, Oid};

use super::{Commit, Repository, failed};
use crate::error::Result;
use crate::image::TreeEntry;

/// A regular file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path from the root, with `/` between parts.
    pub path: String,
    pub(super) id: Oid,
}

/// What to do about a blob that a partial clone left out.
pub const MISSING_BLOB: &str =
    "a partial clone lacks this file's content; run `git checkout` of the base branch, or clone without --filter";

/// Git's mode of a symbolic link.
const LINK: i32 = 0o120000;

impl Repository {
    /// Regular files of the tree of `commit`, by path. Symlinks and submodules are left out.
    pub fn files(&self, commit: Commit) -> Result<Vec<File>> {
        let tree = self.inner.find_tree(commit.tree).map_err(|error| failed("cannot read the base tree", error))?;
        let mut files = Vec::new();
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |dir, entry| {
            if entry.kind() == Some(ObjectType::Blob) && entry.filemode() != LINK {
                let path = format!("{dir}{}", String::from_utf8_lossy(entry.name_bytes()));
                files.push(File { path, id: entry.id() });
            }
            git2::TreeWalkResult::Ok
        });
        walked.map_err(|error| failed("cannot read the base tree", error))?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Everything in the tree of `commit`, symlinks and submodules included, by path.
    pub fn entries(&self, commit: Commit) -> Result<Vec<TreeEntry>> {
        let tree = self.inner.find_tree(commit.tree).map_err(|error| failed("cannot read the tree", error))?;
        let mut entries = Vec::new();
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |dir, entry| {
            if entry.kind() != Some(ObjectType::Tree) {
                let mode = entry.filemode().cast_unsigned();
                let link = (entry.filemode() == LINK).then(|| self.inner.find_blob(entry.id()).ok()).flatten();
                entries.push(TreeEntry {
                    path: format!("{dir}{}", String::from_utf8_lossy(entry.name_bytes())),
                    mode,
                    id: entry.id().to_string(),
                    link: link.map(|blob| String::from_utf8_lossy(blob.content()).into_owned()),
                });
            }
            git2::TreeWalkResult::Ok
        });
        walked.map_err(|error| failed("cannot read the tree", error))?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// The content of the file at `path` of `commit`; `None` if there is no regular file.
    pub fn read(&self, commit: Commit, path: &str) -> Result<Option<Vec<u8>>> {
        let tree = self.inner.find_tree(commit.tree).map_err(|error| failed("cannot read the base tree", error))?;
        match tree.get_path(Path::new(path)) {
            Ok(entry) if entry.kind() == Some(ObjectType::Blob) && entry.filemode() != LINK => {
                let blob = self.inner.find_blob(entry.id());
                let blob = blob.map_err(|error| failed(format!("cannot read {path}"), error).hint(MISSING_BLOB))?;
                Ok(Some(blob.content().to_owned()))
            }
            Ok(_) => Ok(None),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(format!("cannot read {path}"), error)),
        }
    }

    /// Git's mode of the file at `path` of `commit`, such as `0o100755`.
    pub fn mode(&self, commit: Commit, path: &str) -> Result<u32> {
        let find = || self.inner.find_tree(commit.tree)?.get_path(Path::new(path));
        let entry = find().map_err(|error| failed(format!("cannot read {path}"), error))?;
        Ok(entry.filemode().unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;

    #[test]
    fn entries_are_files_and_links_by_path() {
        let (_directory, repository) = empty();
        let files = [("a/link", 0o120000, "../there"), ("a/b", 0o100755, "1"), ("a.txt", 0o100644, "1")];
        let base = repository.grow(&[], &files);
        let entries = repository.entries(base).unwrap();
        let seen: Vec<_> = entries.iter().map(|e| (e.path.as_str(), e.mode, e.link.as_deref())).collect();
        let expected = [("a.txt", 0o100644, None), ("a/b", 0o100755, None), ("a/link", 0o120000, Some("../there"))];
        assert_eq!(seen, expected);
        assert_eq!(entries[0].id, entries[1].id);
    }

    #[test]
    fn links_are_no_files() {
        let (_directory, repository) = empty();
        let base = repository.grow(&[], &[("a/b", 0o100755, "1"), ("link", 0o120000, "a/b")]);
        let files = repository.files(base).unwrap();
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a/b"]);
        assert_eq!(repository.read(base, "a/b").unwrap().as_deref(), Some(&b"1"[..]));
        for path in ["link", "a", "none"] {
            assert_eq!(repository.read(base, path).unwrap(), None, "{path}");
        }
    }
}
