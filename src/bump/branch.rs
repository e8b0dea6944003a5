//! The bump branch: what is on it, whose it is, and what has to be done about it.

use crate::bump::{BumpPlan, is_own};
use crate::error::{Error, Result};
use crate::git::{Commit, History, Repository};

/// What a look at the branch says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It holds the plan already: same tree, same parent.
    Ready(Commit),
    /// It has to move from here; `None`: it does not exist.
    Behind(Option<Commit>),
    /// It holds commits of people.
    Taken(Vec<Commit>),
}

/// Judges the branch whose tip is `tip`.
///
/// # Errors
/// Usage, if its history cannot be read.
pub fn look(repository: &Repository, plan: &BumpPlan, tree: &str, tip: Option<Commit>) -> Result<Standing> {
    let Some(tip) = tip else { return Ok(Standing::Behind(None)) };
    let history = repository.history(plan.base.id, tip.id, is_own)?;
    let of_people = |commit: &&History| !is_own(commit) && !commit.clean_merge;
    let taken: Vec<Commit> = history.iter().filter(of_people).map(|commit| commit.commit).collect();
    if !taken.is_empty() {
        return Ok(Standing::Taken(taken));
    }
    let same = |newest: &&History| newest.commit.tree.to_string() == tree && newest.parents == [plan.base.id];
    Ok(match history.first().filter(same) {
        Some(newest) => Standing::Ready(newest.commit),
        None => Standing::Behind(Some(tip)),
    })
}

/// The refusal to touch a branch that holds commits of people.
pub fn taken(branch: &str, commits: &[Commit]) -> Error {
    let ids: Vec<String> = commits.iter().take(3).map(|commit| commit.id.to_string()[..9].to_owned()).collect();
    Error::refused(format!("branch {branch} holds commits that are not gs-release's: {}", ids.join(", ")))
        .hint("merge or move them elsewhere, or replace them with --force")
}

/// Commits the plan on the local branch, unless it is there already.
///
/// # Errors
/// Refused, if the branch is checked out or holds commits of people (unless `force`).
pub fn commit_locally(repository: &Repository, plan: &BumpPlan, force: bool) -> Result<Commit> {
    let commit = repository.commit(plan.base, &plan.contents, &plan.message)?;
    let tip = repository.tip(&format!("refs/heads/{}", plan.branch))?;
    match look(repository, plan, &commit.tree.to_string(), tip)? {
        Standing::Ready(standing) => return Ok(standing),
        Standing::Taken(commits) if !force => return Err(taken(&plan.branch, &commits)),
        _ => {}
    }
    repository.set_branch(&plan.branch, commit, tip)?;
    Ok(commit)
}
