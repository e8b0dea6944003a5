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

    /// The branch that HEAD names, without `refs/heads/`; `None` where it names a commit.
    pub fn head_branch(&self) -> Option<String> {
        let head = self.inner.find_reference("HEAD").ok()?;
        let name = head.symbolic_target().ok().flatten()?;
        name.strip_prefix("refs/heads/").map(str::to_owned)
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

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;
    use super::*;

    const FILE: [(&str, i32, &str); 1] = [("V", 0o100644, "1")];

    #[test]
    fn a_branch_that_is_checked_out_anywhere_is_left_alone() {
        let (directory, repository) = empty();
        let commit = repository.grow(&[], &FILE);
        repository.set_branch("linked", commit, None).unwrap();
        repository.inner.reference("refs/heads/here", commit.id, false, "").unwrap();
        repository.inner.set_head("refs/heads/here").unwrap();
        let branch = repository.inner.find_reference("refs/heads/linked").unwrap();
        let place = directory.path().join("other");
        let mut options = git2::WorktreeAddOptions::new();
        repository.inner.worktree("other", &place, Some(options.reference(Some(&branch)))).unwrap();
        for repository in [&repository, &Repository::open(&place).unwrap()] {
            for branch in ["here", "linked"] {
                let error = repository.set_branch(branch, commit, Some(commit)).unwrap_err();
                assert_eq!((error.kind.exit_code(), error.message), (3, format!("branch {branch} is checked out")));
            }
            repository.set_branch("free", commit, repository.tip("refs/heads/free").unwrap()).unwrap();
        }
    }

    #[test]
    fn the_default_branch_of_a_bare_repository_is_not_checked_out() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository { inner: git2::Repository::init_bare(directory.path()).unwrap() };
        repository.inner.set_head("refs/heads/main").unwrap();
        repository.set_branch("main", repository.grow(&[], &FILE), None).unwrap();
    }

    #[test]
    fn a_branch_that_is_not_where_it_was_seen_is_refused() {
        let (_directory, repository) = empty();
        let first = repository.grow(&[], &FILE);
        let second = repository.grow(&[first], &FILE);
        assert_eq!(repository.set_branch("b", second, Some(first)).unwrap_err().kind.exit_code(), 3, "it is gone");
        repository.set_branch("b", first, None).unwrap();
        for expected in [None, Some(second)] {
            assert_eq!(repository.set_branch("b", second, expected).unwrap_err().kind.exit_code(), 3);
        }
        repository.set_branch("b", second, Some(first)).unwrap();
        assert_eq!(repository.tip("refs/heads/b").unwrap(), Some(second));
    }
}
