//! New commits, straight into the object database. No reference moves, and no file of a checkout changes.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Commit, Repository, failed, identity};
use crate::error::{Error, Result};

impl Repository {
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
