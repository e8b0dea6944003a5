//! What a step of GitHub Actions gets besides its log: a summary, outputs, annotations. Nothing where nobody asks for it.
//!
//! The files and commands are those of
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

mod annotation;
mod outputs;

use std::io::Write;

use super::status::Status;
use super::{Record, Timeline, markdown, warn, watch};
use crate::build::BuildPlan;
use crate::bump::BumpPlan;
use crate::bump::policy::Decision;
use crate::error::Error;
use crate::github::Ensured;
use crate::image::Graph;

pub use annotation::{annotate_error, annotate_warning, is_in_actions};
pub(super) use annotation::{escaped, property};

/// A bump: what changes, and where it is reviewed.
///
/// Outputs: `changed`, `version`, `branch`; `commit`, `pull-request` and `pull-request-url`, empty without one.
pub fn bumped(plan: &BumpPlan, commit: Option<&str>, pull_request: Option<&Ensured>) {
    summary(|| markdown::bump(plan, pull_request));
    let pull = pull_request.map(|ensured| &ensured.pull_request);
    outputs(&[
        ("changed", (!plan.contents.is_empty()).to_string()),
        ("version", plan.to.to_string()),
        ("branch", plan.branch.clone()),
        ("commit", commit.unwrap_or_default().to_owned()),
        ("pull-request", pull.map(|pull| pull.number.to_string()).unwrap_or_default()),
        ("pull-request-url", pull.map(|pull| pull.url.clone()).unwrap_or_default()),
    ]);
}

/// What `watch` did about each component.
///
/// Outputs: `changed` (whether a component is bumped, now or before), `pull-requests` (their numbers, a JSON list).
pub fn watched(rows: &[watch::Row]) {
    summary(|| format!("### Upstream\n\n{}", watch::markdown(rows)));
    let numbers = rows.iter().filter_map(|row| Some(row.published()?.pull_request.pull_request.number.to_string()));
    let bumped = rows.iter().any(|row| matches!(row.decision, Some(Decision::Bump { .. })));
    let numbers: Vec<String> = numbers.collect();
    outputs(&[("changed", bumped.to_string()), ("pull-requests", format!("[{}]", numbers.join(",")))]);
}

/// What a build would do.
///
/// Outputs: `state` (`current` or `due`), `platforms` (those that something is built for, a JSON list), `images` (what is
/// built, a JSON list).
pub fn planned(plan: &BuildPlan, graph: &Graph) {
    summary(|| format!("{}\n{}", markdown::plan(plan), markdown::graph(graph, plan, markdown::light_before)));
    let due: Vec<&str> = plan.images().filter(|image| image.build).map(|image| image.image.as_str()).collect();
    outputs(&[
        ("state", if due.is_empty() { "current" } else { "due" }.to_owned()),
        ("platforms", list(plan.platforms_to_build())),
        ("images", list(due)),
    ]);
}

/// Where everything stands.
pub fn status(status: &Status<'_>, graph: &Graph) {
    summary(|| {
        let images = markdown::plan(status.plan);
        let picture = markdown::graph(graph, status.plan, markdown::light_before);
        format!("### Status\n\n{}\n{images}\n{picture}", status.markdown())
    });
}

/// Whether every image is as it should be.
///
/// Outputs: `state` (`verified` or `wrong`).
pub fn verified(plan: &BuildPlan, graph: &Graph, findings: &[String]) {
    let list: String = findings.iter().map(|finding| format!("- {finding}\n")).collect();
    summary(|| format!("{}\n{list}\n{}", markdown::plan(plan), markdown::graph(graph, plan, markdown::light_before)));
    outputs(&[("state", if findings.is_empty() { "verified" } else { "wrong" }.to_owned())]);
}

/// What a build has done; `waits_for` is given after the share of one platform.
///
/// Outputs: `state` (`published`, `staged`, `under-way` or `failed`), `built` (a JSON list of images).
pub fn built(plan: &BuildPlan, graph: &Graph, record: &Record, result: Result<Option<&str>, &Error>) {
    summary(|| {
        let timeline = Timeline::new(plan, record).markdown();
        let picture = markdown::graph(graph, plan, |image| markdown::light_after(image, record));
        format!("{}\n{timeline}\n{picture}", markdown::build(plan, record, result.err()))
    });
    let state = match result {
        Ok(None) => "published",
        Ok(Some(_)) if !record.runs.is_empty() => "under-way",
        Ok(Some(_)) => "staged",
        Err(_) => "failed",
    };
    let built = record.images.iter().filter(|(_, image)| image.was_built() && image.failure.is_none());
    outputs(&[("state", state.to_owned()), ("built", list(built.map(|(name, _)| name)))]);
}

fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    serde_json::Value::from_iter(items.into_iter().map(|item| item.as_ref().to_owned())).to_string()
}

fn outputs(values: &[(&str, String)]) {
    append("GITHUB_OUTPUT", || values.iter().map(|(name, value)| outputs::entry(name, value)).collect());
}

fn summary(text: impl FnOnce() -> String) {
    append("GITHUB_STEP_SUMMARY", || format!("{}\n", text()));
}

/// Adds `text` to the file that the environment variable names.
fn append(variable: &str, text: impl FnOnce() -> String) {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else { return };
    let written = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    if let Err(error) = written.and_then(|mut file| file.write_all(text().as_bytes())) {
        warn(&format!("{variable} ({}) cannot be written: {error}", path.display()));
    }
}
