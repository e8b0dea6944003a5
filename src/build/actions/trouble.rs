//! What is said of runs that did not do what they were started for.

use std::time::Duration;

use super::decide::Attempt;
use super::way::Way;
use crate::build::PhasePlan;
use crate::error::Error;
use crate::github::{Repository, Run};

/// Jobs that are told of one run.
const JOBS: usize = 5;

/// Why an attempt has not published the phase, on one line.
pub(super) async fn told(github: &Repository, phase: &PhasePlan, attempt: &Attempt) -> String {
    let number = attempt.number;
    let Some(run) = &attempt.run else { return format!("attempt {number}: its run is not to be found") };
    let lacking = phase.images.iter().find(|image| !image.state.is_settled());
    let lacking = lacking.map(|image| format!("{} is {}", image.image, image.state)).unwrap_or_default();
    if run.state.is_success() {
        return format!("attempt {number}: {} has ended well, but in the registry {lacking}", run.url);
    }
    // they only explain: the attempt has failed, whatever can be said about it
    let jobs = github.failed_jobs(run.id).await.unwrap_or_default();
    let jobs: Vec<String> = jobs.iter().take(JOBS).map(ToString::to_string).collect();
    let why = if jobs.is_empty() { lacking } else { jobs.join("; ") };
    format!("attempt {number}: {} ({}): {why}", run.url, run.state)
}

/// The phase was tried as often as it may be.
pub(super) async fn gave_up(github: &Repository, phase: &PhasePlan, last: &Attempt) -> Error {
    let times = match last.number {
        1 => "once".to_owned(),
        number => format!("{number} times"),
    };
    let why = told(github, phase, last).await;
    Error::build(format!("phase {} was tried {times} and is not published; {why}", phase.name)).hint(format!(
        "mend the cause and merge it, or try once more: `gs-release build --phase {} --retry`",
        phase.name
    ))
}

/// A run goes on, and nothing tells whose it is.
pub(super) fn cannot_tell(way: &Way<'_>, run: &Run) -> Error {
    Error::refused(format!("a run of {} goes on, and nothing in it tells what it builds: {}", way.workflow, run.url))
        .hint("run the command again when it has ended")
        .hint("let its name tell: put `{request}` among the `inputs` in release.yaml, and the input in its `run-name`")
}

/// Another process has started `earliest` at the same moment, and nothing tells it from `own`.
pub(super) fn gave_way(way: &Way<'_>, earliest: &Run, own: &Run) -> Error {
    Error::refused(format!(
        "{} was started twice at the same moment: {} goes on, and {} is cancelled",
        way.workflow, earliest.url, own.url
    ))
    .hint("run the command again when it has ended")
}

/// A run that was started, and that nobody else can find.
pub(super) fn nameless(way: &Way<'_>, run: &Run) -> String {
    format!(
        "{} is not to be found by its name, so that it may be started twice: see that the `run-name` of {} holds the input \
         with the request",
        run.url, way.workflow
    )
}

/// GitHub said yes, and that was all.
pub(super) fn unseen(way: &Way<'_>, after: Duration) -> Error {
    Error::remote(format!("{} was started, but no run is to be seen after {} seconds", way.workflow, after.as_secs()))
        .hint("see that the workflow's `run-name` holds the input with the request; then run the command again")
}
