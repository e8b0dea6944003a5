//! What a bump does about the branch and the pull requests that are there: one pure function over all that was observed.
//!
//! Nothing is read or written here; [`super::publish`] observes, carries the decision out, and observes again where
//! somebody was quicker. `tests/reconcile/table.txt` shows the whole of it, one cell a case.

use super::branch::Standing;
use super::proposed::{turned_down, version_of};
use crate::git::Commit;
use crate::github::{PullRequest, State, says};
use crate::version::Version;

/// Who asks for the bump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A person who has typed the version, or the requirement.
    Person,
    /// A schedule, which does not ask again for what a person has turned down.
    Schedule,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Intent<'a> {
    /// The component.
    pub component: &'a str,
    /// Its version afterwards.
    pub version: &'a Version,
    /// The id of the tree that brings it.
    pub tree: &'a str,
    /// The branch that the pull request goes to.
    pub base: &'a str,
    /// Who asks.
    pub asker: Asker,
    /// Replace commits of people, and newer versions.
    pub force: bool,
    /// Replace newer versions.
    pub allow_downgrade: bool,
}

/// First the branch, then the pull request, then what it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// About the branch.
    pub branch: BranchStep,
    /// About the pull request.
    pub pull: PullStep,
    /// Open ones that are closed in its favour.
    pub superseded: Vec<PullRequest>,
}

/// About the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchStep {
    /// It holds what is wanted in this commit.
    Keep(Commit),
    /// It moves to a new commit, from here; `None`: it is made.
    Move(Option<Commit>),
}

/// About the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullStep {
    /// There is none.
    Open,
    /// Its text speaks of this content already, and is people's to edit.
    Leave(PullRequest),
    /// Its text follows.
    Update(PullRequest),
    /// It goes to another base: that follows too.
    Retarget(PullRequest),
}

impl PullStep {
    /// The pull request that is there.
    pub fn existing(&self) -> Option<&PullRequest> {
        match self {
            PullStep::Open => None,
            PullStep::Leave(pull) | PullStep::Update(pull) | PullStep::Retarget(pull) => Some(pull),
        }
    }
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The branch holds these commits of people, the newest first.
    Taken(Vec<Commit>),
    /// The branch brings a newer version.
    Newer(Version),
    /// A person has closed the pull request of this number, for this version, without merging it.
    TurnedDown(u64),
}

/// Decides. `pulls` are all pull requests from the branch, whatever became of them, the newest first.
///
/// # Errors
/// A person must decide.
pub fn decide(branch: &Standing, pulls: &[PullRequest], intent: &Intent<'_>) -> Result<Steps, Refusal> {
    if intent.asker == Asker::Schedule
        && let Some(pull) = turned_down(pulls, intent.component, intent.version)
    {
        return Err(Refusal::TurnedDown(pull.number));
    }
    let step = match branch {
        Standing::Ready(commit) => BranchStep::Keep(*commit),
        Standing::Absent => BranchStep::Move(None),
        Standing::Taken { tip, commits } if !intent.force && !is_merged(pulls, *tip) => {
            return Err(Refusal::Taken(commits.clone()));
        }
        Standing::Outdated { version: Some(version), .. } if is_newer(version, pulls, intent) => {
            return Err(Refusal::Newer(version.clone()));
        }
        Standing::Taken { tip, .. } | Standing::Outdated { tip, .. } => BranchStep::Move(Some(*tip)),
    };
    let (pull, superseded) = choose(pulls, intent);
    Ok(Steps { branch: step, pull, superseded })
}

/// Which of the open ones it is, and which are closed in its favour. One to another base is the bot's only by its marker:
/// anybody may propose the branch elsewhere.
pub fn choose(pulls: &[PullRequest], intent: &Intent<'_>) -> (PullStep, Vec<PullRequest>) {
    let is_here = |pull: &PullRequest| pull.base_branch == intent.base;
    let is_own = |pull: &PullRequest| pull.marker().is_some_and(|marker| marker.component == intent.component);
    let open = pulls.iter().filter(|pull| pull.state == State::Open && (is_here(pull) || is_own(pull)));
    let (here, elsewhere): (Vec<&PullRequest>, Vec<&PullRequest>) = open.partition(|pull| is_here(pull));
    let mut found = here.into_iter().chain(elsewhere).cloned();
    let step = match found.next() {
        None => PullStep::Open,
        Some(pull) if !is_here(&pull) => PullStep::Retarget(pull),
        Some(pull) if says(&pull, intent.component, intent.version, intent.tree) => PullStep::Leave(pull),
        Some(pull) => PullStep::Update(pull),
    };
    (step, found.collect())
}

/// What is left of a branch that went in as it is, squashed or rebased, is nobody's unmerged work.
fn is_merged(pulls: &[PullRequest], tip: Commit) -> bool {
    pulls.iter().any(|pull| pull.state == State::Merged && pull.head_sha == tip.id.to_string())
}

/// Whether the branch's `version` stands in the way: it is newer, and proposed, or about to be. What is left of a pull
/// request that was merged or closed is not.
fn is_newer(version: &Version, pulls: &[PullRequest], intent: &Intent<'_>) -> bool {
    let brings_it = |pull: &PullRequest| version_of(pull, intent.component).as_ref() == Some(version);
    let is_over = !pulls.iter().any(|pull| pull.state == State::Open) && pulls.iter().any(brings_it);
    version > intent.version && !intent.allow_downgrade && !intent.force && !is_over
}
