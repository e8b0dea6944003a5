//! Local branches. One that is checked out in any working tree is left alone.

use std::path::PathBuf;

use git2::ErrorCode;

use super::{Commit, Repository, failed};
use crate::error::{Error, Result};

impl Repository {
    /// Moves the local branch `branch` from `expected` to `commit`, or makes it where `expected` is `None`.
    ///
    /// # Errors
    ///
    /// Refused, when the branch is checked out in a working tree, or is not where it is expected.
    pub fn set_branch(&self, branch: &str, commit: Commit, expected: Option<Commit>) -> Result<()> {
        let name = format!("refs/heads/{branch}");
        if self.heads().contains(&name) {
            return Err(Error::refused(format!("branch {branch} is checked out"))
                .hint("switch to another branch, then run the command again"));
        }
        let moved = match expected {
            Some(old) => self.inner.reference_matching(&name, commit.id, true, old.id, "gs-release bump"),
            None => self.inner.reference(&name, commit.id, false, "gs-release bump"),
        };
        match moved {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code(), ErrorCode::Exists | ErrorCode::Modified | ErrorCode::NotFound) => {
                Err(Error::refused(format!("branch {branch} was moved by somebody else meanwhile"))
                    .hint("run the command again")
                    .because(error))
            }
            Err(error) => Err(failed(format!("cannot move branch {branch}"), error)),
        }
    }

    /// What HEAD names in the main working tree and in each linked one.
    fn heads(&self) -> Vec<String> {
        let root = self.inner.commondir();
        let linked = std::fs::read_dir(root.join("worktrees")).into_iter().flatten().flatten();
        // the HEAD of a bare repository only names the default branch
        let bare = self.inner.config().and_then(|config| config.get_bool("core.bare")).unwrap_or(false);
        let main = (!bare).then(|| root.to_owned());
        let places = main.into_iter().chain(linked.map(|entry| entry.path()));
        let read = |place: PathBuf| std::fs::read_to_string(place.join("HEAD")).ok();
        let heads = places.filter_map(read);
        heads.filter_map(|head| head.trim().strip_prefix("ref: ").map(|name| name.trim().to_owned())).collect()
    }
}
