//! The bump branch: what is on it, and whose it is.

use crate::bump::{BumpPlan, Trailer, is_own};
use crate::error::{Error, Result};
use crate::git::{Commit, History, Repository};
use crate::version::Version;

/// What a look at the branch says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does not exist.
    Absent,
    /// It holds the plan already: same tree, same parent; or the same version on a newer base than the plan's.
    Ready(Commit),
    /// It holds something else, and nothing of people's.
    Outdated {
        /// Where it is.
        tip: Commit,
        /// What it brings, where it holds more than the base branch does.
        version: Option<Version>,
    },
    /// It holds commits of people.
    Taken {
        /// Where it is.
        tip: Commit,
        /// Theirs, the newest first.
        commits: Vec<Commit>,
    },
}

/// Judges the branch whose tip is `tip`. `base` is the base branch as it was seen together with it, which may be newer
/// than the plan's.
///
/// # Errors
/// Usage, if its history cannot be read.
pub fn look(
    repository: &Repository,
    plan: &BumpPlan,
    tree: &str,
    base: Commit,
    tip: Option<Commit>,
) -> Result<Standing> {
    let Some(tip) = tip else { return Ok(Standing::Absent) };
    Ok(judge(&repository.history(base.id, tip.id, is_own)?, plan, tree, base, tip))
}

/// The same, of `history`: the commits that `tip` has and `base` has not, the newest first.
fn judge(history: &[History], plan: &BumpPlan, tree: &str, base: Commit, tip: Commit) -> Standing {
    let of_people = |commit: &&History| !is_own(commit) && !commit.clean_merge;
    let commits: Vec<Commit> = history.iter().filter(of_people).map(|commit| commit.commit).collect();
    if !commits.is_empty() {
        return Standing::Taken { tip, commits };
    }
    let version = |commit: &History| Trailer::parse(&commit.message)?.version.parse::<Version>().ok();
    let is_ready = |newest: &&History| {
        let is_planned = newest.parents == [plan.base.id] && newest.commit.tree.to_string() == tree;
        let is_ahead = newest.parents == [base.id] && base != plan.base && version(newest).as_ref() == Some(&plan.to);
        is_planned || is_ahead
    };
    match history.first().filter(is_ready) {
        Some(newest) => Standing::Ready(newest.commit),
        None => Standing::Outdated { tip, version: history.iter().find_map(version) },
    }
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
    match look(repository, plan, &commit.tree.to_string(), plan.base, tip)? {
        Standing::Ready(standing) => return Ok(standing),
        Standing::Taken { commits, .. } if !force => return Err(taken(&plan.branch, &commits)),
        _ => {}
    }
    repository.set_branch(&plan.branch, commit, tip)?;
    Ok(commit)
}
