//! Runs that no runner takes up: told to a person after a while, and left as they are.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::way::Way;
use crate::error::{Error, Result};
use crate::github::{QueuedJob, Repository, Run};

/// Fails where a job of `run` has waited for a runner for longer than `way` allows.
///
/// # Errors
/// Build: it has, and the error says for which label. Remote: GitHub does not tell the jobs.
pub(super) async fn check(github: &Repository, phase: &str, way: &Way<'_>, run: &Run, now: Timestamp) -> Result<()> {
    if !run.state.is_active() || !is_over(run.started_at, way.queue_limit, now) {
        return Ok(());
    }
    let queued = github.queued_jobs(run).await?;
    match queued.first().filter(|job| is_over(job.since, way.queue_limit, now)) {
        Some(job) => Err(overdue(phase, way, run, job, now)),
        None => Ok(()),
    }
}

fn is_over(since: Timestamp, limit: Duration, now: Timestamp) -> bool {
    now.duration_since(since) > SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)
}

fn overdue(phase: &str, way: &Way<'_>, run: &Run, job: &QueuedJob, now: Timestamp) -> Error {
    let labels = job.labels.join(", ");
    let waited = spoken(now.duration_since(job.since).unsigned_abs());
    Error::build(format!(
        "phase {phase} waits for a runner: job {} of {} is queued since {waited}, and no runner labelled {labels} has taken it",
        job.name, run.url
    ))
    .hint(format!("give the repository a runner labelled {labels}: the run then goes on by itself"))
    .hint(format!("or change `runs-on` in {}, and cancel the run: the next look starts another", way.workflow))
    .hint(format!(
        "a job may wait for {}: `queue-limit` under `build: actions:` in release.yaml says how long",
        spoken(way.queue_limit)
    ))
}

/// A time in minutes or, from two hours on, in hours.
fn spoken(time: Duration) -> String {
    match time.as_secs() / 60 {
        1 => "1 minute".into(),
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_may_wait_as_long_as_the_limit_and_no_longer() {
        let since: Timestamp = "2025-05-20T10:00:00Z".parse().unwrap();
        let limit = Duration::from_secs(3_600);
        for (now, over) in [("09:59:59", false), ("11:00:00", false), ("11:00:01", true)] {
            assert_eq!(is_over(since, limit, format!("2025-05-20T{now}Z").parse().unwrap()), over, "{now}");
        }
    }

    #[test]
    fn a_time_is_said_in_minutes_or_hours() {
        let said = |minutes: u64| spoken(Duration::from_secs(minutes * 60 + 59));
        assert_eq!([0, 1, 119, 120, 1_440].map(said), ["0 minutes", "1 minute", "119 minutes", "2 hours", "24 hours"]);
    }
}
