//! Plans, states and results of builds: tables and JSON documents.

use std::io::IsTerminal;
use std::time::Duration;

use anstyle::Style;
use serde_json::Value;

use super::documents::{self, BuiltImage, BuiltTag};
use super::{BOLD, GREEN, RED, Record, Timeline, YELLOW, counted, json_of};
use crate::build::{BuildPlan, ImagePlan, State, TagMove};
use crate::error::{Error, Result};

/// Hexadecimal digits of a digest that are shown.
const DIGITS: usize = 12;

/// A plan for a person: every image with its state and what will be done about it.
pub fn plan(plan: &BuildPlan) {
    states(plan, |_| true, |image| if image.build { "  build" } else { "" });
    for note in &plan.notes {
        outln!("{note}");
    }
    let builds = plan.images().filter(|image| image.build).count();
    let to_build = match builds {
        0 => "nothing to build".to_owned(),
        builds => format!("{builds} of {} to build", counted(plan.images().count(), "image")),
    };
    match plan.images().map(|image| image.moves.len()).sum() {
        0 => outln!("{to_build}"),
        moves => outln!("{to_build}, {} to move", counted(moves, "tag")),
    }
}

/// Where a moving tag goes: `3fa9c1d2e4b5 -> the release`.
pub(super) fn arrow(moved: &TagMove) -> String {
    let from = moved.from.as_deref().map_or("new".to_owned(), short_digest);
    format!("{from} -> {}", moved.to.as_deref().map_or("what is built".to_owned(), short_digest))
}

/// The first digits of a digest.
pub(super) fn short_digest(digest: &str) -> String {
    digest.rsplit(':').next().unwrap_or_default().chars().take(DIGITS).collect()
}

/// What `verify` has seen, for a person: every image with its state, and the `gaps` in what they list.
pub fn verified(plan: &BuildPlan, gaps: &[String]) {
    // where the release itself is missing, that is said
    states(plan, |moved| moved.to.is_some(), |_| "");
    gaps.iter().for_each(|gap| outln!("{RED}gap{RED:#}: {gap}"));
    if gaps.is_empty() && plan.images().all(|image| image.state.is_settled() && image.moves.is_empty()) {
        outln!("{} verified", counted(plan.images().count(), "image"));
    }
}

/// A line for each image: its name, tags and state, and what `note` adds; under it those of its moving tags that are to move
/// and that `tell` lets through.
fn states(plan: &BuildPlan, tell: impl Fn(&TagMove) -> bool, note: impl Fn(&ImagePlan) -> &'static str) {
    let widest = |text: &dyn Fn(&ImagePlan) -> usize| plan.images().map(text).max().unwrap_or(0);
    let moving = |image: &ImagePlan| image.moves.iter().map(|moved| moved.tag.len()).max().unwrap_or(0);
    let names = widest(&|image| image.image.len());
    let tags = widest(&|image| image.tags.join(", ").len().max(moving(image)));
    for phase in &plan.phases {
        outln!("{BOLD}phase {}{BOLD:#}", phase.name);
        for image in &phase.images {
            let (color, listed) = (color(image), image.tags.join(", "));
            outln!("  {:<names$}  {listed:<tags$}  {color}{}{color:#}{}", image.image, image.state, note(image));
            for moved in image.moves.iter().filter(|moved| tell(moved)) {
                outln!("  {:<names$}  {:<tags$}  {}", "", moved.tag, arrow(moved));
            }
        }
    }
}

/// How bad the state of an image is, as a colour.
pub(super) fn color(image: &ImagePlan) -> Style {
    match image.state {
        State::Current => GREEN,
        State::Kept { .. } | State::Stale { .. } | State::Unknown => YELLOW,
        State::Incomplete { .. } | State::Missing => RED,
    }
}

/// The document of `verify`.
///
/// # Errors
/// None in practice.
pub fn verify_json(plan: &BuildPlan, findings: &[String]) -> Result<Value> {
    json_of(&documents::Verify { verified: findings.is_empty(), findings, plan })
}

/// What a build has done, for a person.
pub fn built(plan: &BuildPlan, record: &Record, waits_for: Option<&str>) {
    let built = record.images.values().filter(|image| image.was_built()).count();
    let kept = plan.images().filter(|image| matches!(image.state, State::Kept { .. })).count();
    let mut line = match built {
        0 => "nothing was built".to_owned(),
        1 => "1 image was built".to_owned(),
        built => format!("{built} images were built"),
    };
    match kept {
        0 => {}
        1 => line.push_str("; 1 stale image is kept"),
        kept => line.push_str(&format!("; {kept} stale images are kept")),
    }
    match waits_for {
        Some(waits_for) => outln!("{line}; {waits_for}"),
        None if built == 0 => outln!("{line}; every image is published"),
        None => outln!("{line}; every image is published and verified"),
    }
    let timeline = Timeline::new(plan, record);
    let shown = if std::io::stdout().is_terminal() { timeline.text() } else { timeline.plain() };
    if !shown.is_empty() {
        outln!("\n{}", shown.trim_end());
    }
}

/// The document of `build`: of one that has ended, with what it waits for, or that `result` has ended.
///
/// # Errors
/// None in practice.
pub fn build_json(plan: &BuildPlan, record: &Record, result: Result<Option<&str>, &Error>) -> Result<Value> {
    let timeline = Timeline::new(plan, record);
    let all = plan.phases.iter().flat_map(|phase| phase.images.iter().map(|image| (&*phase.name, image)));
    let images = all.map(|(phase, image)| {
        let done = record.images.get(&image.image);
        let span = timeline.spans.iter().find(|span| span.image == image.image);
        let tags = done.iter().flat_map(|done| &done.tags);
        let tags = tags.map(|(tag, digest, previous)| BuiltTag { tag, digest, previous: previous.as_deref() });
        BuiltImage {
            image: &image.image,
            was: &image.state,
            outcome: record.outcome(phase, image),
            failure: done.and_then(|done| done.failure.as_deref()),
            needs: done.and_then(|done| done.needs.as_deref()),
            built: done.is_some_and(|done| done.was_built()),
            start_ms: span.map(|span| milliseconds(span.start)),
            duration_ms: span.map(|span| milliseconds(span.end - span.start)),
            seconds: done.and_then(|done| done.took).map(|took| took.as_secs_f64()),
            tags: tags.collect(),
        }
    });
    let images = images.collect();
    let runs = record.runs.iter();
    let runs = runs.map(|run| documents::WorkflowRun { phase: &run.phase, url: &run.url, state: &run.state }).collect();
    json_of(&documents::Build {
        commit: &plan.commit,
        images,
        verified: &record.verified,
        critical_path: &timeline.critical,
        notes: &record.notes,
        runs,
        waits_for: result.ok().flatten(),
        error: result.err().map(documents::failure),
    })
}

/// Whole milliseconds; what does not fit is longer than any build.
fn milliseconds(of: Duration) -> u64 {
    u64::try_from(of.as_millis()).unwrap_or(u64::MAX)
}
