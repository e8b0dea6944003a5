//! The jobs of a run: why one has failed, and what one waits for.

use jiff::Timestamp;
use serde::Deserialize;

use super::Repository;
use super::call::Call;
use super::failure::quote;
use super::runs::Run;
use crate::error::Result;

/// Annotations that are shown of one job.
const MOST: usize = 3;

/// A job of a run that has not ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedJob {
    /// Its name.
    pub name: String,
    /// `failure`, `cancelled`, `timed_out`.
    pub conclusion: String,
    /// The first step that has failed.
    pub step: Option<String>,
    /// Its page.
    pub url: String,
    /// The first of its error annotations, each on one line.
    pub errors: Vec<String>,
}

impl std::fmt::Display for FailedJob {
    /// One line: `job share of linux/arm64 (failure) at step build: exit code 5: https://...`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "job {} ({})", self.name, self.conclusion.replace('_', " "))?;
        if let Some(step) = &self.step {
            write!(f, " at step {step}")?;
        }
        if !self.errors.is_empty() {
            write!(f, ": {}", self.errors.join("; "))?;
        }
        write!(f, ": {}", self.url)
    }
}

/// A job that no runner has taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedJob {
    /// Its name.
    pub name: String,
    /// What `runs-on` asks for.
    pub labels: Vec<String>,
    /// Since when it could have been taken up, as far as GitHub tells.
    pub since: Timestamp,
}

#[derive(Deserialize)]
struct Page {
    jobs: Vec<RawJob>,
}

#[derive(Deserialize)]
struct RawJob {
    name: String,
    status: String,
    conclusion: Option<String>,
    html_url: Option<String>,
    check_run_url: String,
    #[serde(default)]
    labels: Vec<String>,
    created_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    #[serde(default)]
    steps: Vec<RawStep>,
}

#[derive(Deserialize)]
struct RawStep {
    name: String,
    conclusion: Option<String>,
}

#[derive(Deserialize)]
struct RawAnnotation {
    path: String,
    start_line: u64,
    annotation_level: Option<String>,
    message: Option<String>,
}

impl Repository {
    /// The jobs of the run `id` (of its last attempt) that have not ended well, with their first errors.
    ///
    /// # Errors
    /// Remote. Annotations that may not be read are left out.
    pub async fn failed_jobs(&self, id: u64) -> Result<Vec<FailedJob>> {
        let mut failed = Vec::new();
        for job in self.jobs(id).await? {
            let Some(conclusion) = job.conclusion.filter(|c| !matches!(c.as_str(), "success" | "skipped" | "neutral"))
            else {
                continue;
            };
            failed.push(FailedJob {
                errors: self.errors(&job.check_run_url).await,
                step: job.steps.into_iter().find(|s| s.conclusion.as_deref() == Some("failure")).map(|s| s.name),
                url: job.html_url.unwrap_or_default(),
                name: job.name,
                conclusion,
            });
        }
        Ok(failed)
    }

    /// The jobs of `run` (of its last attempt) that wait for a runner, the one that has waited longest first.
    ///
    /// # Errors
    /// Remote.
    pub async fn queued_jobs(&self, run: &Run) -> Result<Vec<QueuedJob>> {
        let jobs = self.jobs(run.id).await?;
        // what a job needs has ended before it could be taken up, whenever GitHub has made it
        let ready = jobs.iter().filter_map(|job| job.completed_at).fold(run.started_at, Timestamp::max);
        let queued = jobs.into_iter().filter(|job| job.status == "queued").map(|job| QueuedJob {
            name: job.name,
            labels: job.labels,
            since: job.created_at.map_or(ready, |made| made.max(ready)),
        });
        let mut queued: Vec<QueuedJob> = queued.collect();
        queued.sort_by_key(|job| job.since);
        Ok(queued)
    }

    async fn jobs(&self, id: u64) -> Result<Vec<RawJob>> {
        let what = format!("list the jobs of run {id} of {}", self.name);
        let path = self.at(&format!("actions/runs/{id}/jobs"));
        let call = Call::get(what, path).query("filter", "latest").query("per_page", "100");
        let page: Page = self.client.read(&call).await?;
        Ok(page.jobs)
    }

    /// The error annotations of a check run. They only explain: a token that may not read checks goes without.
    async fn errors(&self, check_run_url: &str) -> Vec<String> {
        // never an address from the server: only the id at its end
        let Some(id) = check_run_url.rsplit('/').next().and_then(|id| id.parse::<u64>().ok()) else {
            return Vec::new();
        };
        let what = format!("read the annotations of check run {id} of {}", self.name);
        let call = Call::get(what, self.at(&format!("check-runs/{id}/annotations"))).query("per_page", "50");
        let found: Vec<RawAnnotation> = self.client.read(&call).await.unwrap_or_default();
        let errors = found.into_iter().filter(|a| a.annotation_level.as_deref() == Some("failure"));
        let told = errors.map(|a| {
            let message = quote(a.message.as_deref().unwrap_or_default());
            // what the runner itself has to say lies in `.github`
            if a.path == ".github" { message } else { format!("{}:{}: {message}", a.path, a.start_line) }
        });
        told.take(MOST).collect()
    }
}
