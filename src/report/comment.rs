//! What a pull request is told of the build that followed its merge: Markdown, rendered anew with every step.

use super::markdown::{cell, code, fenced, outcome, table};
use super::timeline::duration;
use super::{ImageRecord, Record, Timeline};
use crate::build::{BuildPlan, ImagePlan};
use crate::error::Error;

/// How far a build is.
#[derive(Debug, Clone, Copy)]
pub enum Stage<'a> {
    /// It has begun.
    Building,
    /// It has ended; what it waits for, if that was not all.
    Ended(Option<&'a str>),
    /// It has failed.
    Failed(&'a Error),
}

const PUBLISHED: &str = "### Images are published";

/// Whether a comment says that there is nothing left to build.
pub fn is_final(told: &str) -> bool {
    told.starts_with(PUBLISHED)
}

/// Phases, images, digests, durations and links. `run` is the page of the job that builds.
pub fn comment(plan: &BuildPlan, record: &Record, stage: Stage<'_>, run: Option<&str>) -> String {
    let title = match stage {
        Stage::Building => "### Images are being built",
        Stage::Ended(None) => PUBLISHED,
        Stage::Ended(Some(_)) => "### A part of the images is built",
        Stage::Failed(_) => "### The build of the images has failed",
    };
    let rows = plan.phases.iter().flat_map(|phase| {
        phase.images.iter().map(|image| {
            let done = record.images.get(&image.image);
            let now = if matches!(stage, Stage::Building) { awaited(image) } else { outcome(image, record) };
            [cell(&phase.name), cell(&image.image), cell(now), digest(done), took(done)]
        })
    });
    let commit = plan.commit.get(..9).unwrap_or(&plan.commit);
    let mut out = format!("{title}\n\nFrom commit {}", code(commit));
    if let Some(run) = run {
        out += &format!(" by [this job]({run})");
    }
    out += ".\n\n";
    out += &table(["phase", "image", "state", "digest", "took"], rows);
    for run in &record.runs {
        out += &format!("\nPhase {}: [{}]({})\n", run.phase, run.state, run.url);
    }
    match stage {
        Stage::Ended(Some(waits_for)) => out += &format!("\nIt waits: {waits_for}\n"),
        Stage::Failed(error) => {
            out += &format!("\n{}", fenced("", &error.to_string()));
            out.extend(error.hints.iter().map(|hint| format!("- {hint}\n")));
        }
        Stage::Building | Stage::Ended(None) => {}
    }
    let timeline = Timeline::new(plan, record);
    if !timeline.spans.is_empty() {
        out += &format!("\n<details><summary>What ran when</summary>\n\n{}\n</details>\n", timeline.markdown());
    }
    out
}

fn awaited(image: &ImagePlan) -> String {
    if image.build { "to be built".into() } else { "unchanged".into() }
}

fn digest(done: Option<&ImageRecord>) -> String {
    let digest = done.and_then(|done| done.tags.first()).map(|(_, digest, _)| code(digest));
    digest.unwrap_or_default()
}

fn took(done: Option<&ImageRecord>) -> String {
    done.and_then(|done| done.took).map(duration).unwrap_or_default()
}
