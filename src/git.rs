//! The repository: reads trees of commits without a checkout, writes commits and branches, fetches and pushes.
//!
//! Nothing here writes to the working tree or the index, so a dirty checkout, a bare repository and a detached HEAD are
//! all the same to it; only a [`Snapshot`] of the checkout reads them. What is written and why is decided elsewhere. This is the only module that knows git2.
//!
//! - [`Repository`] opens a repository and resolves references; `branch` moves local ones.
//! - `tree` lists and reads files of a commit, `scan` all of them at once, `snapshot` those of a commit or of the checkout alike; `commit` writes a new one; `history` judges what lies on a branch,
//!   `past` reads what files were at earlier commits.
//! - `remote` chooses a remote; `fetch` and `push` talk to it, showing what [`Auth`] allows, and what `helper` gets from
//!   git's credential helpers; `trouble` says what to do when they fail.

mod auth;
mod branch;
mod commit;
mod export;
mod fetch;
#[cfg(test)]
mod fixture;
mod helper;
mod history;
mod identity;
mod lock;
pub(crate) mod origin;
mod past;
mod push;
mod reader;
mod remote;
mod scan;
mod shallow;
mod snapshot;
mod tree;
mod trouble;
mod worker;

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid};

pub use auth::Auth;
pub use fetch::{Advertised, Patience};
pub use history::History;
pub use past::PastContent;
pub use push::PushOutcome;
pub use reader::Reader;
pub use remote::Remote;
pub use scan::Scanned;
pub use snapshot::Snapshot;
pub use tree::{File, MISSING_BLOB};

use crate::error::{Error, Result};

/// A git repository on disk; bare, shallow and detached ones too.
pub struct Repository {
    inner: git2::Repository,
}

/// A commit, by its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: Oid,
    /// The id of its tree.
    pub tree: Oid,
}

impl Repository {
    /// Opens the repository that `dir` is in.
    ///
    /// # Errors
    ///
    /// Usage, when there is none, when it belongs to another user, or when its format is unknown to git2.
    pub fn open(dir: &Path) -> Result<Self> {
        // every object read would be hashed again; git itself trusts its packs
        git2::opts::strict_hash_verification(false);
        let inner = git2::Repository::discover(dir).map_err(|error| cannot_open(dir, error))?;
        Ok(Repository { inner })
    }

    /// The root of the working tree, if there is one.
    pub fn workdir(&self) -> Option<PathBuf> {
        self.inner.workdir().map(Path::to_owned)
    }

    /// The commit that the reference called `name` points at.
    pub fn tip(&self, name: &str) -> Result<Option<Commit>> {
        match self.inner.find_reference(name).and_then(|reference| reference.peel_to_commit()) {
            Ok(commit) => Ok(Some(Commit { id: commit.id(), tree: commit.tree_id() })),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(format!("cannot read {name}"), error)),
        }
    }

    /// The commit that `revision` names, as git reads it: a branch, a tag, an id, `HEAD~1`.
    ///
    /// # Errors
    ///
    /// Usage, when there is no such commit here.
    pub fn resolve(&self, revision: &str) -> Result<Commit> {
        match self.inner.revparse_single(revision).and_then(|object| object.peel_to_commit()) {
            Ok(commit) => Ok(Commit { id: commit.id(), tree: commit.tree_id() }),
            Err(error) => {
                let failure = match error.code() {
                    ErrorCode::NotFound | ErrorCode::InvalidSpec => {
                        Error::usage(format!("there is no commit `{revision}` here")).because(error)
                    }
                    ErrorCode::Ambiguous => {
                        Error::usage(format!("several commits begin with `{revision}`")).because(error)
                    }
                    _ => failed(format!("there is no commit `{revision}` here"), error),
                };
                Err(match self.inner.is_empty() {
                    Ok(true) => failure.hint("the repository has no commit yet; make one, or clone the project"),
                    _ => failure.hint("fetch it first, or name another branch, tag or commit"),
                })
            }
        }
    }

    /// The newest commit of the base branch `branch` that is known here: of `remote`, else the local one. Where the
    /// remote was reached, [`Advertised::require`] tells first whether the branch is still there.
    pub fn base(&self, remote: Option<&Remote>, branch: &str) -> Result<Commit> {
        let tracked = remote.map(|remote| remote.tracking(branch));
        let local = format!("refs/heads/{branch}");
        for name in tracked.iter().chain([&local]) {
            if let Some(commit) = self.tip(name)? {
                return Ok(commit);
            }
        }
        let error = Error::usage(format!("there is no base branch `{branch}` here"));
        Err(match self.inner.is_empty() {
            Ok(true) => error.hint("the repository has no commit yet; make one, or clone the project"),
            _ => error.hint("name the base branch with `base:` in release.yaml, or fetch it"),
        })
    }
}

fn cannot_open(dir: &Path, error: git2::Error) -> Error {
    let at = dir.display();
    if error.code() == ErrorCode::Owner {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let root = dir.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(&dir);
        return Error::usage(format!("the git repository at {at} belongs to another user"))
            .hint(format!("if you trust it: git config --global --add safe.directory {}", root.display()))
            .because(error);
    }
    let failure = failed(format!("cannot open a git repository at {at}"), error);
    failure.hint("run this in a clone of the repository, or name one with -C DIR")
}

/// A failure inside this repository, as opposed to one of a remote.
fn failed(what: impl std::fmt::Display, error: git2::Error) -> Error {
    let locked = error.code() == ErrorCode::Locked;
    let failure = Error::usage(format!("{what}: {}", error.message())).because(error);
    match locked {
        true => failure.hint(
            "another git process is at work here: run the command again when it has ended; where none is, remove the lock",
        ),
        false => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_of_somebody_elses_is_trusted_by_a_command_that_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        let refused = git2::Error::new(ErrorCode::Owner, git2::ErrorClass::Config, "not owned by current user");
        let error = cannot_open(&root.join("a/b"), refused);
        let command = format!("git config --global --add safe.directory {}", root.display());
        assert!(error.hints[0].ends_with(&command), "{:?}", error.hints);
        assert_eq!(error.kind.exit_code(), 2);
    }
}
