//! New commits, straight into the object database. No reference moves, and no file of a checkout changes.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Commit, Repository, failed, identity};
use crate::error::{Error, Result};

impl Repository {
    /// Whom the next commit will be by: `name <address>`.
    ///
    /// # Errors
    ///
    /// Usage: the configuration cannot be read, or what it says cannot sign.
    pub fn author(&self) -> Result<String> {
        let config = self.inner.config().map_err(|error| failed("cannot read git's configuration", error))?;
        let author = identity::signature(identity::Role::Author, &config, |name| std::env::var(name).ok())?;
        Ok(author.to_string())
    }

    /// Writes a commit on `base` in which each of `changes` has the given content and everything else, modes included, is
    /// as it was. In `message`, `{tree}` stands for the id of the new tree.
    ///
    /// Author and committer are taken from the `GIT_AUTHOR_*` and `GIT_COMMITTER_*` variables and git's configuration as
    /// git does; without both a name and an address there, they are the bot.
    ///
    /// # Errors
    ///
    /// Usage: a path is no regular file of `base` (a symbolic link and what lies behind one are none), a date in the
    /// environment is none, or the object database cannot be written.
    pub fn commit(&self, base: Commit, changes: &BTreeMap<String, Vec<u8>>, message: &str) -> Result<Commit> {
        let config = self.inner.config().map_err(|error| failed("cannot read git's configuration", error))?;
        let env = |name: &str| std::env::var(name).ok();
        let author = identity::signature(identity::Role::Author, &config, env)?;
        let committer = identity::signature(identity::Role::Committer, &config, env)?;
        let tree = self.inner.find_tree(base.tree).map_err(|error| failed("cannot read the base tree", error))?;
        let mut update = git2::build::TreeUpdateBuilder::new();
        for (path, content) in changes {
            let mode = mode_of(&tree, path)?;
            let blob = self.inner.blob(content).map_err(|error| failed(format!("cannot write {path}"), error))?;
            update.upsert(path.as_str(), blob, mode);
        }
        let mut write = || -> Result<Commit, git2::Error> {
            let tree = self.inner.find_tree(update.create_updated(&self.inner, &tree)?)?;
            let parent = self.inner.find_commit(base.id)?;
            let message = message.replace("{tree}", &tree.id().to_string());
            let id = self.inner.commit(None, &author, &committer, &message, &tree, &[&parent])?;
            Ok(Commit { id, tree: tree.id() })
        };
        write().map_err(|error| failed("cannot write the commit", error))
    }
}

/// The mode of the regular file at `path`. Trees hold links as blobs, so that no path leads through one.
fn mode_of(tree: &git2::Tree<'_>, path: &str) -> Result<git2::FileMode> {
    let refuse = |what: &str| Err(Error::usage(format!("cannot change {path}: {what}")));
    let Ok(entry) = tree.get_path(Path::new(path)) else {
        return refuse("there is no such file in the base tree");
    };
    match entry.filemode_raw() {
        0o120000 => refuse("it is a symbolic link, which is not followed"),
        0o160000 => refuse("it is a submodule"),
        0o040000 => refuse("it is a directory"),
        0o100664 => Ok(git2::FileMode::BlobGroupWritable),
        // git itself looks at this one bit
        mode if mode & 0o100 != 0 => Ok(git2::FileMode::BlobExecutable),
        _ => Ok(git2::FileMode::Blob),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;
    use super::*;

    fn changes(path: &str) -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([(path.to_owned(), b"2".to_vec())])
    }

    #[test]
    fn a_commit_changes_the_content_alone() {
        let (_directory, repository) = empty();
        let base =
            repository.grow(&[], &[("a/run", 0o100755, "1"), ("a/text", 0o100644, "1"), ("b", 0o120000, "a/run")]);
        let commit = repository.commit(base, &changes("a/run"), "tree {tree}").unwrap();
        let expected = [("a/run", 0o100755, "2"), ("a/text", 0o100644, "1"), ("b", 0o120000, "a/run")];
        assert_eq!(commit.tree, repository.grow(&[], &expected).tree);
        let written = repository.inner.find_commit(commit.id).unwrap();
        assert_eq!(written.message().unwrap(), format!("tree {}", commit.tree));
        assert_eq!(written.parent_ids().collect::<Vec<_>>(), [base.id]);
    }

    #[test]
    fn no_path_leads_through_a_link_or_to_what_is_no_file() {
        let (_directory, repository) = empty();
        let base = repository.grow(&[], &[("a/text", 0o100644, "1"), ("link", 0o120000, "a")]);
        for (path, reason) in [
            ("link/text", "there is no such file in the base tree"),
            ("link", "it is a symbolic link, which is not followed"),
            ("a", "it is a directory"),
            ("new", "there is no such file in the base tree"),
        ] {
            let error = repository.commit(base, &changes(path), "x").unwrap_err();
            assert_eq!(error.message, format!("cannot change {path}: {reason}"));
        }
    }
}
