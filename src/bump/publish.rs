//! Carries a plan out on GitHub: observes, lets [`reconcile`] decide, moves the branch, then writes the pull request. Each
//! step looks first, so that a run that was killed anywhere is completed by the next one.

use super::proposed::pulls_of;
use super::reconcile::{self, Asker, BranchStep, Intent, PullStep, Refusal, Steps};
use super::{BumpPlan, PullRequestText, branch};
use crate::config;
use crate::error::{Error, Result};
use crate::git::{Commit, Patience, PushOutcome, Remote, Repository};
use crate::github::{
    self, Action, BranchMove, Ensured, FileChange, GitHub, NewCommit, NewPullRequest, PullRequest, SetUp, State,
    Wanted, is_set_up,
};

/// How often a branch that others move too is observed.
const ROUNDS: usize = 5;

/// Where the plan goes.
pub struct Destination<'a> {
    /// The clone.
    pub git: &'a Repository,
    /// The remote that has the base branch.
    pub home_remote: &'a Remote,
    /// The remote that has the bump branch; the fork, if there is one.
    pub remote: &'a Remote,
    /// The server, which says what git may show to the remotes.
    pub github: &'a GitHub,
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
    /// Who asks.
    pub asker: Asker,
    /// Replace commits of people, and newer versions.
    pub force: bool,
    /// Replace newer versions.
    pub allow_downgrade: bool,
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

/// What is left to do.
pub enum Look {
    /// Nothing.
    Settled(Box<Published>),
    /// Something.
    Due {
        /// There is no pull request yet.
        opens: bool,
    },
}

/// Looks whether branch and pull request are what `plan` says already. `known` are the pull requests of the branch, where they
/// were looked up a moment ago.
///
/// # Errors
/// Refused, if a person must decide; one comment on the pull request tells the person whose commits are on the branch.
/// Remote.
pub async fn look(to: &Destination<'_>, plan: &BumpPlan, known: Option<&[PullRequest]>) -> Result<Look> {
    let commit = to.git.commit(plan.base, &plan.contents, &plan.message)?;
    Ok(match observe(to, plan, commit, known).await? {
        Steps { branch: BranchStep::Keep(standing), pull: PullStep::Leave(pull), superseded }
            if superseded.is_empty() && is_set_up(&pull, &to.settings.labels) =>
        {
            let pull_request = Ensured { action: Action::Unchanged, pull_request: pull, notes: Vec::new() };
            let published = Published { commit: standing.id.to_string(), pull_request, notes: Vec::new() };
            Look::Settled(published.into())
        }
        steps => Look::Due { opens: steps.pull.existing().is_none() },
    })
}

/// Brings branch and pull request to what `plan` says.
///
/// # Errors
/// As [`look`].
pub async fn publish(to: &Destination<'_>, plan: &BumpPlan, text: &PullRequestText) -> Result<Published> {
    let commit = to.git.commit(plan.base, &plan.contents, &plan.message)?;
    let wanted = wanted(to, plan, text, commit);
    let mut notes = Vec::new();
    for _ in 0..ROUNDS {
        let steps = observe(to, plan, commit, None).await?;
        let moved = match steps.branch {
            BranchStep::Keep(standing) => Some(standing.id.to_string()),
            BranchStep::Move(from) => move_branch(to, plan, commit, from, &mut notes).await?,
        };
        if let Some(id) = moved {
            let open = steps.pull.existing();
            let ensured = to.home.ensure_pull_request(&wanted, open, &steps.superseded).await;
            let pushed = |error: Error| {
                error.hint(format!("branch {} is pushed: the same command goes on from there", plan.branch))
            };
            let mut pull_request = ensured.map_err(pushed)?;
            notes.append(&mut pull_request.notes);
            if let PullStep::Retarget(pull) = &steps.pull {
                notes.push(format!("#{} went to {}; it goes to {} now", pull.number, pull.base_branch, to.base));
            }
            // whoever has moved the branch meanwhile may have written the text before this run did
            if pull_request.action == Action::Unchanged || is_still_at(to, plan, &id).await? {
                return Ok(Published { commit: id, pull_request, notes });
            }
        }
        fetch_again(to, plan).await?;
    }
    Err(Error::remote(format!("branch {} moved {ROUNDS} times while it was being pushed", plan.branch))
        .hint("run the command again"))
}

/// Looks at what was fetched of the branch, and at its pull requests unless they are `known`; what is to be done about them.
async fn observe(
    to: &Destination<'_>,
    plan: &BumpPlan,
    commit: Commit,
    known: Option<&[PullRequest]>,
) -> Result<Steps> {
    let tree = commit.tree.to_string();
    let base = to.git.base(Some(to.home_remote), to.base)?;
    let tip = to.git.tip(&to.remote.tracking(&plan.branch))?;
    let standing = branch::look(to.git, plan, &tree, base, tip)?;
    let looked_up = match known {
        Some(_) => Vec::new(),
        None => pulls_of(&to.home, to.settings.push_to.as_ref(), &plan.component).await?,
    };
    let pulls = known.unwrap_or(&looked_up);
    let intent = Intent {
        component: &plan.component,
        version: &plan.to,
        tree: &tree,
        base: to.base,
        asker: to.asker,
        force: to.force,
        allow_downgrade: to.allow_downgrade,
    };
    match reconcile::decide(&standing, pulls, &intent) {
        Ok(steps) => Ok(steps),
        Err(refusal) => Err(refuse(to, plan, pulls, refusal).await),
    }
}

fn wanted(to: &Destination<'_>, plan: &BumpPlan, text: &PullRequestText, commit: Commit) -> Wanted {
    Wanted {
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
    }
}

async fn is_still_at(to: &Destination<'_>, plan: &BumpPlan, id: &str) -> Result<bool> {
    to.git.fetch(to.remote, &[&plan.branch], &to.github.auth_for(to.remote).await?, to.patience)?;
    Ok(to.git.tip(&to.remote.tracking(&plan.branch))?.is_some_and(|tip| tip.id.to_string() == id))
}

/// Base and branch together: a merge of a base that is not known here would look like a person's.
async fn fetch_again(to: &Destination<'_>, plan: &BumpPlan) -> Result<()> {
    let auth = to.github.auth_for(to.remote).await?;
    if to.home_remote != to.remote {
        to.git.fetch(to.home_remote, &[to.base], &auth, to.patience)?;
        return to.git.fetch(to.remote, &[&plan.branch], &auth, to.patience).map(drop);
    }
    to.git.fetch(to.remote, &[to.base, &plan.branch], &auth, to.patience).map(drop)
}

/// Moves the branch from `seen` to `commit`, or to GitHub's own commit of the same content, and returns its id; `None`:
/// somebody else moved it first.
async fn move_branch(
    to: &Destination<'_>,
    plan: &BumpPlan,
    commit: Commit,
    seen: Option<Commit>,
    notes: &mut Vec<String>,
) -> Result<Option<String>> {
    match to.settings.commit_via {
        config::CommitVia::Git => {
            let auth = to.github.auth_for(to.remote).await?;
            let pushed = to.git.push(to.remote, &plan.branch, commit, seen, &auth)?;
            Ok((pushed == PushOutcome::Done).then(|| commit.id.to_string()))
        }
        config::CommitVia::Api => commit_by_api(to, plan, commit, seen, notes).await,
    }
}

/// The refusal, after one comment for the person whose commits are on the branch.
async fn refuse(to: &Destination<'_>, plan: &BumpPlan, pulls: &[PullRequest], refusal: Refusal) -> Error {
    let (component, version) = (&plan.component, &plan.to);
    let commits = match refusal {
        Refusal::Taken(commits) => commits,
        Refusal::Newer(newer) => {
            return Error::refused(format!("branch {} brings {component} {newer} already", plan.branch))
                .hint(format!("--allow-downgrade goes back to {version}"));
        }
        Refusal::TurnedDown(number) => {
            let message = format!("{component} {version} was turned down: #{number} was closed without a merge");
            return Error::refused(message)
                .hint(format!("to propose it all the same: gs-release bump {component} {version}"));
        }
    };
    let error = branch::taken(&plan.branch, &commits);
    let Some(open) = pulls.iter().find(|pull| pull.state == State::Open && pull.base_branch == to.base) else {
        return error;
    };
    let text = format!(
        "gs-release would bring this to {component} {version}, but leaves the branch alone: it holds commits of people. \
         Merge or move them, or run `gs-release bump {component} {version} --force` to replace them.",
    );
    let newest = commits.first().map(|commit| commit.id.to_string()).unwrap_or_default();
    match to.home.comment_once(open.number, &format!("taken {version} {newest}"), &text).await {
        Ok(_) => error,
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
