//! Workflow runs: started, found again, looked at, cancelled.
//!
//! Starting one is not the same twice as once: [`Repository::dispatch`] makes the call a single time, and says so where
//! nobody can tell whether it took effect.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Repository;
use super::call::{Call, encode};
use super::failure::{Cause, Failure};
use crate::error::{Error, Result};

/// Entries of a page; the most that GitHub gives.
const PAGE: usize = 100;
/// GitHub shows the newest 1,000 runs of a list that is narrowed down.
const PAGES: usize = 10;

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id; of two runs, the one that was started first has the lower one.
    pub id: u64,
    /// What the workflow's `run-name` makes of it.
    pub title: String,
    /// Where it has got to.
    pub state: RunState,
    /// The branch or tag that it runs on.
    pub branch: Option<String>,
    /// The commit at the head of that branch when it was started.
    pub head_sha: String,
    /// Its page.
    pub url: String,
    /// When it was started.
    pub created_at: Timestamp,
    /// When its last attempt was started.
    pub started_at: Timestamp,
    /// How often it was started, from 1.
    pub attempt: u32,
}

/// Where a run has got to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It has not ended; GitHub's word: `queued`, `in_progress`, `waiting`, `pending`, `requested`.
    Active(String),
    /// It has ended; GitHub's word: `success`, `failure`, `cancelled`, `timed_out`, `startup_failure` and others.
    Ended(String),
}

impl RunState {
    /// Whether it has not ended.
    pub fn is_active(&self) -> bool {
        matches!(self, RunState::Active(_))
    }

    /// Whether it has ended well.
    pub fn is_success(&self) -> bool {
        matches!(self, RunState::Ended(conclusion) if conclusion == "success")
    }
}

impl std::fmt::Display for RunState {
    /// For people: `in progress`, `timed out`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (RunState::Active(word) | RunState::Ended(word)) = self;
        f.write_str(&word.replace('_', " "))
    }
}

/// What came of asking for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatched {
    /// It is this run.
    Run(u64),
    /// GitHub has taken it, and does not tell which run it is.
    Accepted,
    /// The answer was lost: nobody can tell whether there is a run.
    Lost,
}

#[derive(Deserialize)]
struct RawRun {
    id: u64,
    name: Option<String>,
    display_title: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    head_branch: Option<String>,
    head_sha: String,
    html_url: String,
    created_at: Timestamp,
    run_started_at: Option<Timestamp>,
    run_attempt: Option<u32>,
}

impl From<RawRun> for Run {
    fn from(raw: RawRun) -> Self {
        let state = match (raw.status.as_deref(), raw.conclusion) {
            (Some("completed"), conclusion) => RunState::Ended(conclusion.unwrap_or_else(|| "unknown".into())),
            (status, _) => RunState::Active(status.unwrap_or("queued").to_owned()),
        };
        Run {
            id: raw.id,
            title: raw.display_title.or(raw.name).unwrap_or_default(),
            state,
            branch: raw.head_branch,
            head_sha: raw.head_sha,
            url: raw.html_url,
            created_at: raw.created_at,
            started_at: raw.run_started_at.unwrap_or(raw.created_at),
            attempt: raw.run_attempt.unwrap_or(1),
        }
    }
}

#[derive(Deserialize)]
struct Page {
    workflow_runs: Vec<RawRun>,
}

#[derive(Deserialize)]
struct Details {
    workflow_run_id: u64,
}

impl Repository {
    /// Starts `workflow` (a file name) on `branch`. Once: where the reply was lost, the caller looks for the run.
    ///
    /// GitHub Enterprise Server before 3.21 does not know `return_run_details` and answers 400: it is asked again without.
    ///
    /// # Errors
    /// Remote: there is no such workflow, it does not take these inputs, or the token may not start it.
    pub async fn dispatch(
        &self,
        workflow: &str,
        branch: &str,
        inputs: &BTreeMap<String, String>,
    ) -> Result<Dispatched> {
        let what = format!("start {workflow} on {branch} of {}", self.name);
        let path = self.at(&format!("actions/workflows/{}/dispatches", encode(workflow)));
        let plain = json!({ "ref": branch, "inputs": inputs });
        let mut detailed = plain.clone();
        detailed["return_run_details"] = true.into();
        let mut outcome = self.client.send(&Call::post(&what, &path, detailed)).await;
        if outcome.as_ref().is_err_and(is_unknown_field) {
            outcome = self.client.send(&Call::post(&what, &path, plain)).await;
        }
        match outcome {
            Ok(reply) if reply.is_empty() => Ok(Dispatched::Accepted),
            Ok(reply) => {
                Ok(reply.json::<Details>().map_or(Dispatched::Accepted, |d| Dispatched::Run(d.workflow_run_id)))
            }
            Err(failure) if failure.may_have_taken_effect() => Ok(Dispatched::Lost),
            Err(failure) => Err(dispatch_refused(failure, workflow)),
        }
    }

    /// Runs of `workflow` that `event` has started on `branch` (or on a tag, by its name), the newest first, up to the page
    /// with one that is `enough`; at most 1,000.
    ///
    /// # Errors
    /// Remote; also if there is no such workflow.
    pub async fn runs(
        &self,
        workflow: &str,
        event: &str,
        branch: &str,
        enough: impl Fn(&Run) -> bool,
    ) -> Result<Vec<Run>> {
        let what = format!("list the runs of {workflow} of {}", self.name);
        let path = self.at(&format!("actions/workflows/{}/runs", encode(workflow)));
        let call = Call::get(what, path).query("event", event).query("branch", branch);
        let call = call.query("per_page", &PAGE.to_string());
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let call = if page == 1 { call.clone() } else { call.clone().query("page", &page.to_string()) };
            let found: Page = self.client.read(&call).await?;
            let mut is_last = found.workflow_runs.len() < PAGE;
            for run in found.workflow_runs.into_iter().map(Run::from) {
                is_last |= enough(&run);
                // a run that is started meanwhile moves others to the next page
                if !all.iter().any(|known: &Run| known.id == run.id) {
                    all.push(run);
                }
            }
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The run of that id; `None`: it was deleted.
    ///
    /// # Errors
    /// Remote.
    pub async fn run(&self, id: u64) -> Result<Option<Run>> {
        let call = Call::get(format!("look at run {id} of {}", self.name), self.at(&format!("actions/runs/{id}")));
        let raw: Option<RawRun> = self.client.find(&call).await?;
        Ok(raw.map(Run::from))
    }

    /// Asks a run to end; nothing if it has ended.
    ///
    /// # Errors
    /// Remote.
    pub async fn cancel_run(&self, id: u64) -> Result<()> {
        self.order(id, "cancel").await
    }

    /// Starts a run again that has ended; nothing if it goes on.
    ///
    /// # Errors
    /// Remote; also if it is older than GitHub lets it be (30 days).
    pub async fn rerun(&self, id: u64) -> Result<()> {
        self.order(id, "rerun").await
    }

    /// Both orders are refused where they are not needed any more, so that giving one twice does no harm.
    async fn order(&self, id: u64, order: &str) -> Result<()> {
        let what = format!("{order} run {id} of {}", self.name);
        let path = self.at(&format!("actions/runs/{id}/{order}"));
        match self.client.send(&Call::post(what, path, Value::Null).repeatable()).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.status() == Some(409) => Ok(()),
            Err(failure) if order == "rerun" && self.is_active(id).await => {
                drop(failure);
                Ok(())
            }
            Err(failure) => Err(may_write_actions(failure)),
        }
    }

    async fn is_active(&self, id: u64) -> bool {
        self.run(id).await.is_ok_and(|run| run.is_some_and(|run| run.state.is_active()))
    }
}

/// Whether the server does not know `return_run_details`.
fn is_unknown_field(failure: &Failure) -> bool {
    match &failure.cause {
        Cause::Status(refusal) => {
            refusal.status == 400 || (refusal.status == 422 && refusal.message.contains("return_run_details"))
        }
        _ => false,
    }
}

fn dispatch_refused(failure: Failure, workflow: &str) -> Error {
    let (status, message) = match &failure.cause {
        Cause::Status(refusal) => (Some(refusal.status), refusal.message.clone()),
        _ => (None, String::new()),
    };
    match status {
        Some(422) if message.contains("workflow_dispatch") => {
            Error::from(failure).hint(format!("let {workflow} be started: add `workflow_dispatch` to its `on:`"))
        }
        Some(422) if message.contains("input") => Error::from(failure).hint(format!(
            "make the inputs of {workflow} those that `inputs` of release.yaml names (default: phase, commit, request)"
        )),
        Some(404) => Error::from(failure)
            .hint(format!("{workflow} must be in .github/workflows of the default branch: see `build.actions`")),
        _ => may_write_actions(failure),
    }
}

/// What a missing permission is called where it is granted.
fn may_write_actions(failure: Failure) -> Error {
    match failure.status() {
        Some(403) if !failure.is_limited() => Error::from(failure)
            .hint("runs are started by a token that may write actions: `permissions: { actions: write }` of the job for GITHUB_TOKEN"),
        _ => Error::from(failure),
    }
}
