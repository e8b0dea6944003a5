//! Commit statuses: what the pull request of a commit shows. Statuses, not check runs, which only Apps may write.

use serde::Deserialize;
use serde_json::json;

use super::Repository;
use super::call::Call;
use crate::error::Result;

/// Longest description that GitHub takes, in characters.
const DESCRIPTION: usize = 140;

/// One status of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it is about, such as `gs-release/v6d`; a newer one replaces an older one.
    pub context: String,
    /// How it stands.
    pub state: StatusState,
    /// One line.
    pub description: String,
    /// The page with more about it.
    pub url: Option<String>,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// It goes on.
    Pending,
    /// It is done.
    Success,
    /// It has failed.
    Failure,
}

impl StatusState {
    fn name(self) -> &'static str {
        match self {
            StatusState::Pending => "pending",
            StatusState::Success => "success",
            StatusState::Failure => "failure",
        }
    }
}

#[derive(Deserialize)]
struct RawStatus {
    context: String,
    state: String,
    description: Option<String>,
    target_url: Option<String>,
}

impl Repository {
    /// Gives `commit` a status, unless it has that one already. False: nothing was written.
    ///
    /// # Errors
    /// Remote.
    pub async fn set_status(&self, commit: &str, status: &Status) -> Result<bool> {
        let description: String = status.description.chars().take(DESCRIPTION).collect();
        let what = format!("look at the statuses of {commit}");
        let listed: Vec<RawStatus> =
            self.client.list(Call::get(what, self.at(&format!("commits/{commit}/statuses")))).await?;
        // the newest first
        let latest = listed.into_iter().find(|known| known.context == status.context);
        let is_known = latest.is_some_and(|known| {
            known.state == status.state.name()
                && known.description.as_deref() == Some(&*description)
                && known.target_url == status.url
        });
        if is_known {
            return Ok(false);
        }
        let what = format!("set the status {} of {commit}", status.context);
        let body = json!({
            "state": status.state.name(), "context": status.context, "description": description, "target_url": status.url,
        });
        // twice the same status looks like one
        self.client.send(&Call::post(what, self.at(&format!("statuses/{commit}")), body).repeatable()).await?;
        Ok(true)
    }
}
