//! The files of a commit: listed, read, or scanned on several threads, straight from the object database.

use std::ops::ControlFlow;
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
    id: Oid,
}

/// What to do about a blob that a partial clone left out.
pub const MISSING_BLOB: &str =
    "a partial clone lacks this file's content; run `git checkout` of the base branch, or clone without --filter";

impl Repository {
    /// Regular files of the tree of `commit`, by path. Symlinks and submodules are left out.
    pub fn files(&self, commit: Commit) -> Result<Vec<File>> {
        let tree = self.inner.find_tree(commit.tree).map_err(|error| failed("cannot read the base tree", error))?;
        let mut files = Vec::new();
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |dir, entry| {
            if entry.kind() == Some(ObjectType::Blob) && entry.filemode() != 0o120000 {
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
                let link = (mode == 0o120000).then(|| self.inner.find_blob(entry.id()).ok()).flatten();
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
            Ok(entry) if entry.kind() == Some(ObjectType::Blob) && entry.filemode() != 0o120000 => {
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

    /// Calls `visit` with each of `files` and its content, on as many threads as there are processors. At most one content
    /// a thread is in memory. Results come in the order of `files`; `None` is a blob that is not here (a partial clone).
    pub fn scan<T: Send>(&self, files: &[File], visit: impl Fn(&File, &[u8]) -> T + Sync) -> Result<Vec<Option<T>>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = files.len().div_ceil(threads).max(1);
        let path = self.inner.path();
        let visit = &visit;
        let scanned = std::thread::scope(|scope| {
            let workers: Vec<_> =
                files.chunks(share).map(|chunk| scope.spawn(move || scan_chunk(path, chunk, visit))).collect();
            workers.into_iter().map(|worker| worker.join()).collect::<Vec<_>>()
        });
        let mut results = Vec::with_capacity(files.len());
        for chunk in scanned {
            match chunk {
                Ok(chunk) => results.extend(chunk?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(results)
    }
}

fn scan_chunk<T>(path: &Path, files: &[File], visit: impl Fn(&File, &[u8]) -> T) -> Result<Vec<Option<T>>> {
    let repository = git2::Repository::open(path).map_err(|error| failed("cannot open the repository", error))?;
    let database = repository.odb().map_err(|error| failed("cannot open the object database", error))?;
    let read = |file: &File| match database.read(file.id) {
        Ok(object) => ControlFlow::Continue(Some(visit(file, object.data()))),
        Err(error) if error.code() == ErrorCode::NotFound => ControlFlow::Continue(None),
        Err(error) => ControlFlow::Break(failed(format!("cannot read {}", file.path), error)),
    };
    let mut results = Vec::with_capacity(files.len());
    for file in files {
        match read(file) {
            ControlFlow::Continue(result) => results.push(result),
            ControlFlow::Break(error) => return Err(error),
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_files_symlinks_and_submodules_by_path() {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init_bare(directory.path()).unwrap();
        let blob = repository.blob(b"../there").unwrap();
        let mut inner = repository.treebuilder(None).unwrap();
        inner.insert("script", blob, 0o100755).unwrap();
        inner.insert("link", blob, 0o120000).unwrap();
        let inner = inner.write().unwrap();
        let mut root = repository.treebuilder(None).unwrap();
        for (name, id, mode) in [("a", inner, 0o040000), ("a.txt", blob, 0o100644), ("sub", blob, 0o160000)] {
            root.insert(name, id, mode).unwrap();
        }
        let commit = Commit { id: blob, tree: root.write().unwrap() };
        let entries = Repository::open(directory.path()).unwrap().entries(commit).unwrap();
        let seen: Vec<_> = entries.iter().map(|e| (e.path.as_str(), e.mode, e.link.as_deref())).collect();
        assert_eq!(
            seen,
            [
                ("a.txt", 0o100644, None),
                ("a/link", 0o120000, Some("../there")),
                ("a/script", 0o100755, None),
                ("sub", 0o160000, None),
            ]
        );
        assert!(entries.iter().all(|entry| entry.id == blob.to_string()));
    }
}
