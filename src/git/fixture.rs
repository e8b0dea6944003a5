//! Small repositories for the unit tests.

use git2::Oid;

use super::{Commit, Repository};

/// A repository in a directory of its own, with nothing in it.
pub(super) fn empty() -> (tempfile::TempDir, Repository) {
    let directory = tempfile::tempdir().unwrap();
    let inner = git2::Repository::init(directory.path()).unwrap();
    (directory, Repository { inner })
}

impl Repository {
    /// Writes a commit on `parents` of files with path, mode and content. No reference moves.
    pub(super) fn grow(&self, parents: &[Commit], files: &[(&str, i32, &str)]) -> Commit {
        let empty = self.inner.treebuilder(None).unwrap().write().unwrap();
        let mut update = git2::build::TreeUpdateBuilder::new();
        for (path, mode, content) in files {
            let mode = match mode {
                0o100755 => git2::FileMode::BlobExecutable,
                0o120000 => git2::FileMode::Link,
                _ => git2::FileMode::Blob,
            };
            update.upsert(*path, self.inner.blob(content.as_bytes()).unwrap(), mode);
        }
        let tree = update.create_updated(&self.inner, &self.inner.find_tree(empty).unwrap()).unwrap();
        self.wrap(parents, tree)
    }

    /// Writes a commit of `tree` on `parents`.
    pub(super) fn wrap(&self, parents: &[Commit], tree: Oid) -> Commit {
        let parents: Vec<_> = parents.iter().map(|parent| self.inner.find_commit(parent.id).unwrap()).collect();
        let tree = self.inner.find_tree(tree).unwrap();
        let signature = git2::Signature::new("A Person", "person@example.com", &git2::Time::new(0, 0)).unwrap();
        let parents: Vec<_> = parents.iter().collect();
        let id = self.inner.commit(None, &signature, &signature, "x", &tree, &parents).unwrap();
        Commit { id, tree: tree.id() }
    }
}
