//! Pull requests: find, open, change, close. Every write first compares, and is left out where nothing differs.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::{Marker, Repository, retry};
use crate::config::RepositoryName;
use crate::error::Result;

/// How often opening is tried against lost races and lost replies.
const ROUNDS: u32 = 5;

/// A pull request as GitHub shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the base repository.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its id for GraphQL.
    pub node_id: String,
    /// Its title.
    pub title: String,
    /// Its description, as stored: people's browsers leave CRLF in it.
    pub body: String,
    /// Open, merged, or closed without a merge.
    pub state: State,
    /// Not ready for review.
    pub draft: bool,
    /// The branch it is made from.
    pub head_branch: String,
    /// The commit at the head of that branch, or the last one there was.
    pub head_sha: String,
    /// The message of that commit, where somebody has asked for it: the list does not tell.
    pub head_message: Option<String>,
    /// The branch it goes to.
    pub base_branch: String,
    /// Who opened it.
    pub author: String,
    /// When.
    pub created_at: Timestamp,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Users who are asked for a review and have not given it.
    pub reviewers: Vec<String>,
    /// Slugs of teams likewise.
    pub reviewing_teams: Vec<String>,
    /// Users it is assigned to.
    pub assignees: Vec<String>,
    /// Title of its milestone.
    pub milestone: Option<String>,
    /// GitHub merges it once its checks pass.
    pub automerge: bool,
}

/// What has become of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits.
    Open,
    /// It is in.
    Merged,
    /// It was turned down.
    Closed,
}

impl PullRequest {
    /// The bot's marker in the body.
    pub fn marker(&self) -> Option<Marker> {
        Marker::parse(&self.body)
    }
}

/// A pull request to open.
#[derive(Debug, Clone)]
pub struct NewPullRequest {
    /// Its title.
    pub title: String,
    /// Its description, marker included.
    pub body: String,
    /// The branch with the change.
    pub head_branch: String,
    /// The fork that has the branch; `None`: the base repository.
    pub head_repository: Option<RepositoryName>,
    /// The branch it goes to.
    pub base_branch: String,
    /// Not ready for review.
    pub draft: bool,
}

/// What came of opening a pull request.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    /// The one that is open now.
    pub pull_request: PullRequest,
    /// `false`: somebody else had opened it.
    pub created: bool,
}

/// What a pull request shall say; `None` leaves a part as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change<'a> {
    /// The title.
    pub title: Option<&'a str>,
    /// The description.
    pub body: Option<&'a str>,
    /// The branch it goes to.
    pub base: Option<&'a str>,
    /// Open becomes closed.
    pub close: bool,
}

#[derive(Deserialize)]
pub(super) struct RawPull {
    number: u64,
    html_url: String,
    node_id: String,
    title: String,
    body: Option<String>,
    state: String,
    #[serde(default)]
    draft: bool,
    merged_at: Option<Timestamp>,
    created_at: Timestamp,
    user: Option<Login>,
    head: RawHead,
    base: RawBase,
    #[serde(default)]
    labels: Vec<Named>,
    #[serde(default)]
    requested_reviewers: Vec<Login>,
    #[serde(default)]
    requested_teams: Vec<Team>,
    #[serde(default)]
    assignees: Vec<Login>,
    milestone: Option<Titled>,
    auto_merge: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct RawHead {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
    /// Gone if the fork is.
    repo: Option<RawRepository>,
}

#[derive(Deserialize)]
struct RawRepository {
    full_name: String,
}

#[derive(Deserialize)]
struct RawBase {
    #[serde(rename = "ref")]
    branch: String,
}

#[derive(Deserialize)]
pub(super) struct Login {
    pub login: String,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub name: String,
}

#[derive(Deserialize)]
struct Team {
    slug: String,
}

#[derive(Deserialize)]
struct Titled {
    title: String,
}

impl From<RawPull> for PullRequest {
    fn from(raw: RawPull) -> Self {
        PullRequest {
            number: raw.number,
            url: raw.html_url,
            node_id: raw.node_id,
            title: raw.title,
            body: raw.body.unwrap_or_default(),
            state: match (raw.merged_at, &*raw.state) {
                (Some(_), _) => State::Merged,
                (None, "open") => State::Open,
                (None, _) => State::Closed,
            },
            draft: raw.draft,
            head_branch: raw.head.branch,
            head_sha: raw.head.sha,
            head_message: None,
            base_branch: raw.base.branch,
            // A deleted account is shown as `ghost`.
            author: raw.user.map_or_else(|| "ghost".into(), |user| user.login),
            created_at: raw.created_at,
            labels: raw.labels.into_iter().map(|label| label.name).collect(),
            reviewers: raw.requested_reviewers.into_iter().map(|user| user.login).collect(),
            reviewing_teams: raw.requested_teams.into_iter().map(|team| team.slug).collect(),
            assignees: raw.assignees.into_iter().map(|user| user.login).collect(),
            milestone: raw.milestone.map(|milestone| milestone.title),
            automerge: raw.auto_merge.is_some(),
        }
    }
}

impl Repository {
    /// Every pull request from `head_branch` of `head_repository` (`None`: this one) to `base_branch`, whatever became of
    /// it, the newest first.
    ///
    /// # Errors
    /// Remote.
    pub async fn pull_requests(
        &self,
        head_repository: Option<&RepositoryName>,
        head_branch: &str,
        base_branch: &str,
    ) -> Result<Vec<PullRequest>> {
        let mut pulls = self.pull_requests_from(head_repository, head_branch).await?;
        pulls.retain(|pull| pull.base_branch == base_branch);
        Ok(pulls)
    }

    /// The same, to whatever base.
    ///
    /// # Errors
    /// Remote.
    pub async fn pull_requests_from(
        &self,
        head_repository: Option<&RepositoryName>,
        head_branch: &str,
    ) -> Result<Vec<PullRequest>> {
        let head = head_repository.unwrap_or(&self.name);
        let call = Call::get(format!("look for pull requests of {}", self.name), self.at("pulls"))
            .query("state", "all")
            .query("head", &format!("{}:{head_branch}", head.owner));
        let found: Vec<RawPull> = self.client.list(call).await?;
        // GitHub matches the owner, not the repository, and ignores a `head` that it does not understand.
        let ours = |pull: &RawPull| {
            let repository =
                pull.head.repo.as_ref().is_none_or(|r| r.full_name.eq_ignore_ascii_case(&head.to_string()));
            repository && pull.head.branch == head_branch
        };
        let mut pulls: Vec<PullRequest> = found.into_iter().filter(ours).map(PullRequest::from).collect();
        pulls.sort_by_key(|pull| std::cmp::Reverse(pull.number));
        Ok(pulls)
    }

    /// Opens a pull request. Where one is open already, or the reply to the first attempt was lost, the open one is
    /// given back: there is never a second.
    ///
    /// # Errors
    /// Remote.
    pub(super) async fn open_pull_request(&self, new: &NewPullRequest) -> Result<Opened> {
        let call = self.opening(new);
        let (mut round, mut reply_lost) = (1, false);
        loop {
            let failure = match self.client.read::<RawPull>(&call).await {
                Ok(raw) => return Ok(Opened { pull_request: raw.into(), created: true }),
                Err(failure) => failure,
            };
            if !failure.says_it_exists() && !failure.may_have_taken_effect() {
                return Err(failure.into());
            }
            reply_lost |= failure.may_have_taken_effect();
            let all = self.pull_requests(new.head_repository.as_ref(), &new.head_branch, &new.base_branch).await?;
            if let Some(pull_request) = all.into_iter().find(|pull| pull.state == State::Open) {
                let created = reply_lost && same_text(&pull_request.body, &new.body);
                return Ok(Opened { pull_request, created });
            }
            if round == ROUNDS {
                return Err(failure.into());
            }
            tokio::time::sleep(retry::backoff(round, self.client.limits().pause)).await;
            round += 1;
        }
    }

    fn opening(&self, new: &NewPullRequest) -> Call {
        let mut body = json!({
            "title": new.title,
            "body": new.body,
            "head": new.head_branch,
            "base": new.base_branch,
            "draft": new.draft,
        });
        if let Some(fork) = &new.head_repository {
            body["head"] = format!("{}:{}", fork.owner, new.head_branch).into();
            // Two repositories of one owner are told apart by name.
            if fork.owner == self.name.owner {
                body["head_repo"] = fork.name.clone().into();
            }
        }
        Call::post(format!("open the pull request in {}", self.name), self.at("pulls"), body)
    }

    /// Makes `pull` say what `change` says. `None`: it does already, and nothing was written.
    ///
    /// # Errors
    /// Remote.
    pub(super) async fn update_pull_request(
        &self,
        pull: &PullRequest,
        change: Change<'_>,
    ) -> Result<Option<PullRequest>> {
        let mut body = serde_json::Map::new();
        if let Some(title) = change.title.filter(|title| title.trim() != pull.title.trim()) {
            body.insert("title".into(), title.into());
        }
        if let Some(text) = change.body.filter(|text| !same_text(text, &pull.body)) {
            body.insert("body".into(), text.into());
        }
        if let Some(base) = change.base.filter(|base| *base != pull.base_branch) {
            body.insert("base".into(), base.into());
        }
        if change.close && pull.state == State::Open {
            body.insert("state".into(), "closed".into());
        }
        if body.is_empty() {
            return Ok(None);
        }
        let what = format!("update {}#{}", self.name, pull.number);
        let call = Call::patch(what, self.at(&format!("pulls/{}", pull.number)), Value::Object(body));
        Ok(Some(self.client.read::<RawPull>(&call).await?.into()))
    }
}

/// Equal but for what GitHub and browsers do to line ends.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    a.trim_end().lines().eq(b.trim_end().lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_do_not_make_a_difference_but_words_do() {
        assert!(same_text("a\nb\n", "a\r\nb"));
        assert!(!same_text("a\nb", "a\nc"));
        assert!(!same_text("a\nb", "a\nb\nc"));
    }
}
