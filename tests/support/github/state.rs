//! What the fake GitHub knows: repositories over real bare git repositories, pull requests, tokens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::failure::{Meeting, Planned};
use super::rights::Token;
use super::runs::{Run, Workflow};
use super::statuses::Status;

/// Everything; tests set it up and look at it directly.
#[derive(Debug, Default)]
pub struct State {
    /// Base of the API, without a final slash.
    pub url: String,
    pub repositories: Vec<Repo>,
    /// By the secret itself.
    pub tokens: BTreeMap<String, Token>,
    pub app: Option<App>,
    pub requests: Vec<Recorded>,
    /// What was sent or answered against GitHub's description.
    pub violations: Vec<String>,
    pub(super) planned: Vec<Planned>,
    pub(super) meetings: Vec<Meeting>,
    pub(super) ticks: i64,
}

/// A GitHub App with one installation.
#[derive(Debug, Clone)]
pub struct App {
    pub id: u64,
    pub installation: u64,
    /// Full names of the repositories it is installed on.
    pub repositories: Vec<String>,
    pub permissions: BTreeMap<String, String>,
    pub suspended: bool,
    /// How many tokens were minted.
    pub minted: usize,
    /// How long the next ones are said to last.
    pub lasts: jiff::SignedDuration,
}

impl App {
    /// App 7 with installation 70 on one repository, whose tokens last an hour.
    pub fn on(repository: &str, permissions: &[(&str, &str)]) -> Self {
        App {
            id: 7,
            installation: 70,
            repositories: vec![repository.to_owned()],
            permissions: super::rights::map(permissions),
            suspended: false,
            minted: 0,
            lasts: jiff::SignedDuration::from_hours(1),
        }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub method: String,
    /// Without its query.
    pub path: String,
    pub query: Vec<(String, String)>,
    /// What follows `Bearer` in the `Authorization` header.
    pub token: Option<String>,
    pub body: serde_json::Value,
    /// The operation's name, if there is one.
    pub operation: Option<&'static str>,
}

/// A repository.
#[derive(Debug)]
pub struct Repo {
    pub id: u64,
    pub full_name: String,
    /// The name it had before it was renamed: answered by a redirect.
    pub former_name: Option<String>,
    /// Its bare git repository.
    pub git: PathBuf,
    pub private: bool,
    pub archived: bool,
    pub allows_drafts: bool,
    pub allows_automerge: bool,
    pub allows_merge_commits: bool,
    /// Whether `GITHUB_TOKEN` may open pull requests.
    pub actions_may_open_pulls: bool,
    /// Users who may be assigned or asked for a review.
    pub collaborators: Vec<String>,
    /// Slugs of teams who may be asked for a review.
    pub teams: Vec<String>,
    pub labels: Vec<String>,
    /// Titles of the open ones; their numbers count from 1.
    pub milestones: Vec<String>,
    pub releases: Vec<Release>,
    pub pulls: Vec<Pull>,
    pub workflows: Vec<Workflow>,
    /// In the order they were started.
    pub runs: Vec<Run>,
    /// How many runs were started.
    pub started: u64,
    /// In the order they were set.
    pub statuses: Vec<Status>,
}

/// A release.
#[derive(Debug, Clone, Default)]
pub struct Release {
    pub tag: String,
    pub body: String,
    /// RFC 3339; empty for a draft.
    pub published_at: String,
    pub prerelease: bool,
    pub draft: bool,
}

/// A pull request.
#[derive(Debug, Clone, Default)]
pub struct Pull {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub open: bool,
    pub merged: bool,
    pub draft: bool,
    /// Full name of the repository that has the branch.
    pub head_repo: String,
    pub head: String,
    /// Where the branch is, or was last.
    pub head_sha: String,
    pub base: String,
    pub author: String,
    pub created_at: String,
    pub labels: Vec<String>,
    pub reviewers: Vec<String>,
    pub teams: Vec<String>,
    pub assignees: Vec<String>,
    pub milestone: Option<u64>,
    pub automerge: Option<String>,
    /// Author and text.
    pub comments: Vec<(String, String)>,
}

impl State {
    /// The repository of that name, in any case.
    pub fn repo(&self, full_name: &str) -> Option<&Repo> {
        self.repositories.iter().find(|repo| repo.full_name.eq_ignore_ascii_case(full_name))
    }

    /// The same, to change it.
    pub fn repo_mut(&mut self, full_name: &str) -> &mut Repo {
        self.repositories.iter_mut().find(|repo| repo.full_name.eq_ignore_ascii_case(full_name)).unwrap()
    }

    /// A time that moves on by a second with each call.
    pub(super) fn now(&mut self) -> String {
        self.ticks += 1;
        jiff::Timestamp::from_second(1_747_735_200 + self.ticks).unwrap().to_string()
    }

    /// Lets pull requests follow their branches, as GitHub does after a push: the head moves; a branch that is gone or has
    /// nothing over its base closes the pull request.
    pub(super) fn follow_branches(&mut self) {
        let places: Vec<(String, PathBuf)> =
            self.repositories.iter().map(|repo| (repo.full_name.clone(), repo.git.clone())).collect();
        for repo in &mut self.repositories {
            let base = repo.git.clone();
            for pull in repo.pulls.iter_mut().filter(|pull| pull.open) {
                let head = places.iter().find(|(name, _)| *name == pull.head_repo).map(|(_, path)| path);
                match head.and_then(|path| tip(path, &pull.head)) {
                    Some(sha) => {
                        pull.head_sha = sha;
                        // In a fork the commits are in another object database, and are over the base by nature.
                        let inside = head == Some(&base) && is_inside(&base, &pull.head_sha, &pull.base);
                        (pull.open, pull.merged) = (!inside, inside && pull.merged);
                    }
                    None => pull.open = false,
                }
            }
        }
    }
}

impl Repo {
    /// A public one with everything allowed.
    pub(super) fn new(id: u64, full_name: &str, git: PathBuf) -> Self {
        Repo {
            id,
            full_name: full_name.to_owned(),
            former_name: None,
            git,
            private: false,
            archived: false,
            allows_drafts: true,
            allows_automerge: true,
            allows_merge_commits: true,
            actions_may_open_pulls: true,
            collaborators: Vec::new(),
            teams: Vec::new(),
            labels: Vec::new(),
            milestones: Vec::new(),
            releases: Vec::new(),
            pulls: Vec::new(),
            workflows: Vec::new(),
            runs: Vec::new(),
            started: 0,
            statuses: Vec::new(),
        }
    }

    pub fn owner(&self) -> &str {
        self.full_name.split('/').next().unwrap()
    }

    /// The pull request of that number.
    pub fn pull(&self, number: u64) -> &Pull {
        self.pulls.iter().find(|pull| pull.number == number).unwrap()
    }

    /// The same, to change it.
    pub fn pull_mut(&mut self, number: u64) -> &mut Pull {
        self.pulls.iter_mut().find(|pull| pull.number == number).unwrap()
    }
}

/// The commit at the head of a branch.
pub fn tip(git: &Path, branch: &str) -> Option<String> {
    let repository = git2::Repository::open_bare(git).unwrap();
    let reference = repository.find_reference(&format!("refs/heads/{branch}")).ok()?;
    Some(reference.peel_to_commit().unwrap().id().to_string())
}

/// Whether a commit is at the head of a branch, or before it.
pub fn is_inside(git: &Path, sha: &str, branch: &str) -> bool {
    let repository = git2::Repository::open_bare(git).unwrap();
    let Some(base) = tip(git, branch) else { return false };
    let (base, sha) = (git2::Oid::from_str(&base).unwrap(), git2::Oid::from_str(sha).unwrap());
    base == sha || repository.graph_descendant_of(base, sha).unwrap_or(false)
}
