//! What is set beside a pull request's text: labels, reviewers, assignees, milestone, automerge.

use serde::Deserialize;
use serde_json::json;

use super::Repository;
use super::call::Call;
use super::failure::Cause;
use super::pulls::{Login, PullRequest};
use crate::error::{Error, Result};

/// What came of asking GitHub to merge by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Automerge {
    /// It will, once the checks pass.
    Enabled,
    /// It would have anyway; nothing was written.
    Unchanged,
    /// It will not: the repository does not allow it, or nothing is left to wait for. The server's own words.
    Declined(String),
}

#[derive(Deserialize)]
struct Milestone {
    number: u64,
    title: String,
}

#[derive(Deserialize)]
struct Assigned {
    assignees: Vec<Login>,
}

/// Which merge methods the repository has; shown to whoever may push.
#[derive(Deserialize)]
struct MergeMethods {
    #[serde(default)]
    allow_merge_commit: Option<bool>,
    #[serde(default)]
    allow_squash_merge: Option<bool>,
}

const ENABLE_AUTOMERGE: &str = "mutation($id: ID!, $method: PullRequestMergeMethod!) { \
    enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method}) { clientMutationId } }";

impl Repository {
    /// Adds the labels that `pull` lacks; GitHub makes those that the repository does not have. Returns whether something
    /// was written.
    pub(super) async fn ensure_labels(&self, pull: &PullRequest, labels: &[String]) -> Result<bool> {
        let missing = missing(labels, &pull.labels);
        if missing.is_empty() {
            return Ok(false);
        }
        let what = format!("label {}#{} {}", self.name, pull.number, missing.join(", "));
        let path = self.at(&format!("issues/{}/labels", pull.number));
        self.client.send(&Call::post(what, path, json!({ "labels": missing })).repeatable()).await?;
        Ok(true)
    }

    /// Asks users, and teams written as `org/team`, for a review. The author, who cannot review, and those who are asked
    /// already are left out. Returns whether something was written.
    pub(super) async fn request_reviews(&self, pull: &PullRequest, reviewers: &[String]) -> Result<bool> {
        let (teams, users): (Vec<String>, Vec<String>) =
            reviewers.iter().cloned().partition(|reviewer| reviewer.contains('/'));
        let slugs: Vec<String> = teams.iter().filter_map(|t| Some(t.split_once('/')?.1.to_owned())).collect();
        let mut users = missing(&users, &pull.reviewers);
        users.retain(|user| !user.eq_ignore_ascii_case(&pull.author));
        let teams = missing(&slugs, &pull.reviewing_teams);
        if users.is_empty() && teams.is_empty() {
            return Ok(false);
        }
        let what = format!("ask for reviews of {}#{}", self.name, pull.number);
        let path = self.at(&format!("pulls/{}/requested_reviewers", pull.number));
        let body = json!({ "reviewers": users, "team_reviewers": teams });
        self.client.send(&Call::post(what, path, body).repeatable()).await?;
        Ok(true)
    }

    /// Assigns users. Returns those whom GitHub passed over, as it does without a word with people who have no access.
    pub(super) async fn assign(&self, pull: &PullRequest, users: &[String]) -> Result<Vec<String>> {
        let wanted = missing(users, &pull.assignees);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let what = format!("assign {}#{} to {}", self.name, pull.number, wanted.join(", "));
        let path = self.at(&format!("issues/{}/assignees", pull.number));
        let call = Call::post(what, path, json!({ "assignees": wanted })).repeatable();
        let assigned: Assigned = self.client.read(&call).await?;
        let logins: Vec<String> = assigned.assignees.into_iter().map(|user| user.login).collect();
        Ok(missing(users, &logins).into_iter().map(str::to_owned).collect())
    }

    /// Puts `pull` into the open milestone called `title`. Returns whether something was written.
    pub(super) async fn set_milestone(&self, pull: &PullRequest, title: &str) -> Result<bool> {
        if pull.milestone.as_deref() == Some(title) {
            return Ok(false);
        }
        let number = self.milestone(title).await?;
        let what = format!("put {}#{} into milestone {title}", self.name, pull.number);
        let path = self.at(&format!("issues/{}", pull.number));
        self.client.send(&Call::patch(what, path, json!({ "milestone": number }))).await?;
        Ok(true)
    }

    /// Number of the open milestone called `title`.
    pub(super) async fn milestone(&self, title: &str) -> Result<u64> {
        let call = Call::get(format!("list the milestones of {}", self.name), self.at("milestones"));
        let open: Vec<Milestone> = self.client.list(call.query("state", "open")).await?;
        if let Some(found) = open.iter().find(|milestone| milestone.title == title) {
            return Ok(found.number);
        }
        let titles: Vec<&str> = open.iter().map(|milestone| &*milestone.title).collect();
        let hint = match titles.is_empty() {
            true => "the repository has no open milestone: make one, or drop `milestone:` from release.yaml".to_owned(),
            false => format!("open milestones: {}", titles.join(", ")),
        };
        Err(Error::usage(format!("{} has no open milestone called `{title}`", self.name)).hint(hint))
    }

    /// Asks GitHub to merge `pull` once its checks pass, by the first method that the repository allows of: merge, squash,
    /// rebase.
    pub(super) async fn enable_automerge(&self, pull: &PullRequest) -> Result<Automerge> {
        if pull.automerge {
            return Ok(Automerge::Unchanged);
        }
        let look = Call::get(format!("read the merge methods of {}", self.name), &*self.path);
        let methods: MergeMethods = self.client.read(&look).await?;
        let method = match (methods.allow_merge_commit, methods.allow_squash_merge) {
            (None | Some(true), _) => "MERGE",
            (_, Some(true)) => "SQUASH",
            _ => "REBASE",
        };
        let what = format!("enable automerge of {}#{}", self.name, pull.number);
        let variables = json!({ "id": pull.node_id, "method": method });
        match self.client.graphql(&what, ENABLE_AUTOMERGE, variables, true).await {
            Ok(_) => Ok(Automerge::Enabled),
            Err(failure) => match failure.cause {
                Cause::Graphql { messages } => Ok(Automerge::Declined(messages.join("; "))),
                _ => Err(failure.into()),
            },
        }
    }
}

/// Those of `wanted` that are not among `present`; GitHub's names have no case.
pub(super) fn missing<'a>(wanted: &'a [String], present: &[String]) -> Vec<&'a str> {
    let absent = |name: &&str| !present.iter().any(|p| p.to_lowercase() == name.to_lowercase());
    wanted.iter().map(String::as_str).filter(absent).collect()
}
