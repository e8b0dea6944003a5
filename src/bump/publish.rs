//! Carries a plan out on GitHub: the branch, then the pull request. Each step looks first, so that a run that was killed
//! anywhere is completed by the next one.

use super::branch::{self, Standing};
use super::{BumpPlan, PullRequestText};
use crate::config;
use crate::error::{Error, Result};
use crate::git::{Auth, Commit, Patience, PushOutcome, Remote, Repository};
use crate::github::{
    self, Action, BranchMove, Ensured, FileChange, Marker, NewCommit, NewPullRequest, PullRequest, SetUp, State, Wanted,
};

/// How often a branch that others move too is observed.
const ATTEMPTS: usize = 5;

/// Where the plan goes.
pub struct Destination<'a> {
    /// The clone.
    pub git: &'a Repository,
    /// The remote that has the bump branch.
    pub remote: &'a Remote,
    /// What may be shown to it.
    pub auth: &'a Auth,
    /// How long to wait for it.
    pub patience: Patience,
    /// Where the pull request goes.
    pub home: github::Repository,
    /// Where the branch is; the fork, if there is one.
    pub head: github::Repository,
    /// How pull requests are made.
    pub settings: &'a config::PullRequest,
    /// The base branch.
    pub base: &'a str,
    /// Replace commits of people.
    pub force: bool,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Published {
    /// The commit's id.
    pub commit: String,
    /// The pull request.
    pub pull_request: Ensured,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Looks whether branch and pull request are what `plan` says already. `known` are the pull requests of the branch, where they
/// were looked up a moment ago.
///
/// # Errors
/// Refused, after one comment, if the branch holds commits of people; remote.
pub async fn settled(
    to: &Destination<'_>,
    plan: &BumpPlan,
    known: Option<&[PullRequest]>,
) -> Result<Option<Published>> {
    let commit = to.git.commit(plan.base, &plan.contents, &plan.message)?;
    let tree = commit.tree.to_string();
    let tip = to.git.tip(&to.remote.tracking(&plan.branch))?;
    let standing = match branch::look(to.git, plan, &tree, tip)? {
        Standing::Ready(standing) => standing,
        Standing::Taken(commits) if !to.force => return Err(refuse(to, plan, &commits).await),
        Standing::Taken(_) | Standing::Behind(_) => return Ok(None),
    };
    let looked_up = match known {
        Some(_) => Vec::new(),
        None => to.home.pull_requests(to.settings.push_to.as_ref(), &plan.branch, to.base).await?,
    };
    let (component, version) = (plan.component.clone(), plan.to.clone());
    let wanted = Marker { component, version, tree, set_up: true, superseded: false };
    let found = github::settled(known.unwrap_or(&looked_up), &wanted, &to.settings.labels);
    Ok(found.map(|pull| Published {
        commit: standing.id.to_string(),
        pull_request: Ensured { action: Action::Unchanged, pull_request: pull.clone(), notes: Vec::new() },
        notes: Vec::new(),
    }))
}

/// Brings branch and pull request to what `plan` says.
///
/// # Errors
/// Refused, after one comment, if the branch holds commits of people; remote.
pub async fn publish(to: &Destination<'_>, plan: &BumpPlan, text: &PullRequestText) -> Result<Published> {
    let commit = to.git.commit(plan.base, &plan.contents, &plan.message)?;
    let mut notes = Vec::new();
    let id = move_branch(to, plan, commit, &mut notes).await?;
    let wanted = Wanted {
        pull_request: NewPullRequest {
            title: text.title.clone(),
            body: text.body.clone(),
            head_branch: plan.branch.clone(),
            head_repository: to.settings.push_to.clone(),
            base_branch: to.base.to_owned(),
            draft: to.settings.draft,
        },
        component: plan.component.clone(),
        version: plan.to.clone(),
        tree: commit.tree.to_string(),
        labels: to.settings.labels.clone(),
        set_up: SetUp {
            reviewers: to.settings.reviewers.clone(),
            assignees: to.settings.assignees.clone(),
            milestone: to.settings.milestone.clone(),
            automerge: to.settings.automerge,
        },
    };
    let mut pull_request = to.home.ensure_pull_request(&wanted).await?;
    notes.append(&mut pull_request.notes);
    Ok(Published { commit: id, pull_request, notes })
}

/// Moves the branch to `commit`, or to GitHub's own commit of the same content, and returns its id.
async fn move_branch(to: &Destination<'_>, plan: &BumpPlan, commit: Commit, notes: &mut Vec<String>) -> Result<String> {
    let tree = commit.tree.to_string();
    for _ in 0..ATTEMPTS {
        let tip = to.git.tip(&to.remote.tracking(&plan.branch))?;
        let seen = match branch::look(to.git, plan, &tree, tip)? {
            Standing::Ready(standing) => return Ok(standing.id.to_string()),
            Standing::Taken(commits) if !to.force => return Err(refuse(to, plan, &commits).await),
            Standing::Taken(_) | Standing::Behind(_) => tip,
        };
        let moved = match to.settings.commit_via {
            config::CommitVia::Git => {
                let pushed = to.git.push(to.remote, &plan.branch, commit, seen, to.auth)?;
                (pushed == PushOutcome::Done).then(|| commit.id.to_string())
            }
            config::CommitVia::Api => commit_by_api(to, plan, commit, seen, notes).await?,
        };
        if let Some(id) = moved {
            return Ok(id);
        }
        to.git.fetch(to.remote, &[&plan.branch], to.auth, to.patience)?;
    }
    Err(Error::remote(format!("branch {} moved {ATTEMPTS} times while it was being pushed", plan.branch))
        .hint("run the command again"))
}

/// One comment for the person whose commits are on the branch, then the refusal.
async fn refuse(to: &Destination<'_>, plan: &BumpPlan, commits: &[Commit]) -> Error {
    let error = branch::taken(&plan.branch, commits);
    let say = async {
        let pulls = to.home.pull_requests(to.settings.push_to.as_ref(), &plan.branch, to.base).await?;
        let Some(open) = pulls.into_iter().find(|pull| pull.state == State::Open) else { return Ok(()) };
        let text = format!(
            "gs-release would bring this to {} {}, but leaves the branch alone: it holds commits of people. \
             Merge or move them, or run `gs-release bump {} {} --force` to replace them.",
            plan.component, plan.to, plan.component, plan.to
        );
        let newest = commits.first().map(|commit| commit.id.to_string()).unwrap_or_default();
        to.home.comment_once(open.number, &format!("taken {} {newest}", plan.to), &text).await.map(drop)
    };
    match say.await {
        Ok(()) => error,
        // the refusal stands, whatever became of the comment
        Err(failure) => error.hint(format!("nobody was told on the pull request: {failure}")),
    }
}

/// Writes the commit through the API and moves the branch; `None`: somebody else moved it first.
async fn commit_by_api(
    to: &Destination<'_>,
    plan: &BumpPlan,
    commit: Commit,
    seen: Option<Commit>,
    notes: &mut Vec<String>,
) -> Result<Option<String>> {
    let files = plan.contents.iter().map(|(path, content)| {
        Ok(FileChange { path: path.clone(), mode: to.git.mode(plan.base, path)?, content: content.clone() })
    });
    let new = NewCommit {
        message: plan.message.replace("{tree}", &commit.tree.to_string()),
        parent: plan.base.id.to_string(),
        parent_tree: plan.base.tree.to_string(),
        files: files.collect::<Result<_>>()?,
        tree: commit.tree.to_string(),
    };
    let written = to.head.write_commit(&new).await?;
    let seen = seen.map(|commit| commit.id.to_string());
    match to.head.move_branch(&plan.branch, seen.as_deref(), &written.sha, true).await? {
        BranchMove::Done => {
            if !written.verified {
                notes.push(
                    "GitHub did not sign the commit: it does for Apps and GITHUB_TOKEN, not for personal tokens".into(),
                );
            }
            Ok(Some(written.sha))
        }
        BranchMove::Lost(_) => Ok(None),
    }
}
