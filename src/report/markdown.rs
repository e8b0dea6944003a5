//! Tables and the graph in Markdown, as GitHub renders it in step summaries and comments. Gives text; writes nothing.

use std::fmt::Write;

use super::{ImageRecord, Record, build::arrow, graph::mermaid};
use crate::build::{BuildPlan, ImagePlan, State};
use crate::bump::BumpPlan;
use crate::error::Error;
use crate::github::{Action, Ensured};
use crate::image::Graph;

/// How many rows of changes are shown.
const ROWS: usize = 200;

/// A bump: what changes, and its pull request.
pub fn bump(plan: &BumpPlan, pull_request: Option<&Ensured>) -> String {
    let mut out = format!("### {} {} → {}\n\n", plan.component, plan.from, plan.to);
    if plan.contents.is_empty() {
        out.push_str("Nothing to do.\n");
        return out;
    }
    if let Some(ensured) = pull_request {
        let pull = &ensured.pull_request;
        let action = match ensured.action {
            Action::Created => "opened",
            Action::Updated => "updated",
            Action::Unchanged => "unchanged",
        };
        line(&mut out, format_args!("Pull request [#{}]({}) {action}.\n", pull.number, pull.url));
    }
    out.push_str("| file | line | old | new | what |\n|---|---:|---|---|---|\n");
    for edit in plan.edits.edits.iter().take(ROWS) {
        let what = format!("{}{}", edit.site, if edit.drifted { " (had drifted)" } else { "" });
        let (path, old, new) = (code(&edit.path), code(&edit.old), code(&edit.new));
        line(&mut out, format_args!("| {path} | {} | {old} | {new} | {} |", edit.line, cell(&what)));
    }
    if let Some(more) = plan.edits.edits.len().checked_sub(ROWS).filter(|more| *more > 0) {
        line(&mut out, format_args!("\nand {more} more."));
    }
    let leftovers = &plan.edits.leftovers;
    if !leftovers.is_empty() {
        line(
            &mut out,
            format_args!("\n<details><summary>{} other mentions of {}</summary>\n", leftovers.len(), plan.from),
        );
        for leftover in leftovers.iter().take(ROWS) {
            line(&mut out, format_args!("- {}:{}: {}", code(&leftover.path), leftover.line, code(&leftover.text)));
        }
        out.push_str("\n</details>\n");
    }
    out
}

/// Every image with its state, and whether it is to be built.
pub fn plan(plan: &BuildPlan) -> String {
    let rows = plan.phases.iter().flat_map(|phase| {
        phase.images.iter().map(|image| {
            let what = if image.build { "build" } else { "" };
            [&*phase.name, &image.image, &tags(&image.tags), &image.platforms.join(", "), &state(image), what].map(cell)
        })
    });
    let due = plan.images().filter(|image| image.build).count();
    let head = format!("#### Images of {}: {due} of {} to build\n\n", short(plan), plan.images().count());
    let mut out = head + &table(["phase", "image", "tags", "platforms", "state", ""], rows);
    for image in plan.images().filter(|image| !image.moves.is_empty()) {
        let moves = image.moves.iter().map(|moved| format!("{} ({})", code(&moved.tag), arrow(moved)));
        line(&mut out, format_args!("\nTags of {} that move: {}", image.image, moves.collect::<Vec<_>>().join(", ")));
    }
    plan.notes.iter().for_each(|note| line(&mut out, format_args!("\n{note}")));
    out
}

/// What a build has done to every image.
pub fn build(plan: &BuildPlan, record: &Record, error: Option<&Error>) -> String {
    let rows = plan.phases.iter().flat_map(|phase| {
        phase
            .images
            .iter()
            .map(|image| [&*phase.name, &image.image, &image.state.to_string(), &outcome(image, record)].map(cell))
    });
    let mut out = format!("#### Images of {}\n\n", short(plan)) + &table(["phase", "image", "was", "now"], rows);
    for run in &record.runs {
        line(&mut out, format_args!("\nPhase {}: {} ({})", run.phase, run.url, run.state));
    }
    if let Some(error) = error {
        line(&mut out, format_args!("\n**Failed**\n\n{}", fenced("", &error.to_string())));
        for hint in &error.hints {
            line(&mut out, format_args!("- {hint}"));
        }
    }
    out
}

pub(super) fn outcome(image: &ImagePlan, record: &Record) -> String {
    match record.images.get(&image.image) {
        Some(done) if done.failure.is_some() => {
            let why = done.failure.as_deref().and_then(|why| why.lines().next()).unwrap_or_default();
            format!("failed: {why}")
        }
        Some(ImageRecord { needs: Some(needs), .. }) => format!("not built: it needs {needs}"),
        Some(done) if !done.tags.is_empty() => {
            let tags: Vec<String> = done.tags.iter().map(|(tag, ..)| code(tag)).collect();
            tags.join("<br>")
        }
        Some(done) if done.took.is_some() => "staged".into(),
        _ if image.state.is_settled() => "unchanged".into(),
        _ => "not published".into(),
    }
}

/// How an image is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// It is as it should be.
    Green,
    /// It is there, but not as it should be; or nobody knows.
    Yellow,
    /// It is not there.
    Red,
}

/// How an image of a plan is shown.
pub fn light_before(image: &ImagePlan) -> Light {
    match image.state {
        State::Current => Light::Green,
        State::Kept { .. } | State::Stale { .. } | State::Unknown => Light::Yellow,
        State::Incomplete { .. } | State::Missing => Light::Red,
    }
}

/// How an image is shown after a build.
pub fn light_after(image: &ImagePlan, record: &Record) -> Light {
    match record.images.get(&image.image) {
        Some(done) if done.failure.is_some() || done.needs.is_some() => Light::Red,
        Some(done) if !done.tags.is_empty() => Light::Green,
        Some(done) if done.staged.is_some() => Light::Yellow,
        _ => light_before(image),
    }
}

/// The image graph, each image of `plan` in the colour of its light.
pub fn graph(graph: &Graph, plan: &BuildPlan, light: impl Fn(&ImagePlan) -> Light) -> String {
    let mut picture = mermaid(graph);
    for (shown, class, colors) in [
        (Light::Green, "green", "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"),
        (Light::Yellow, "yellow", "fill:#fff8c5,stroke:#9a6700,color:#1f2328"),
        (Light::Red, "red", "fill:#ffebe9,stroke:#cf222e,color:#1f2328"),
    ] {
        let nodes = plan.images().filter(|image| light(image) == shown).map(|image| format!("n{}", image.index));
        let nodes: Vec<String> = nodes.collect();
        if !nodes.is_empty() {
            line(&mut picture, format_args!("  classDef {class} {colors}\n  class {} {class}", nodes.join(",")));
        }
    }
    fenced("mermaid", &picture)
}

/// `text` in a fence that it cannot end.
pub fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// A table of cells that [`cell`] has made.
pub fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut out = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        line(&mut out, format_args!("| {} |", row.join(" | ")));
    }
    out
}

fn state(image: &ImagePlan) -> String {
    let sign = match light_before(image) {
        Light::Green => "🟢",
        Light::Yellow => "🟡",
        Light::Red => "🔴",
    };
    format!("{sign} {}", image.state)
}

fn tags(tags: &[String]) -> String {
    tags.iter().map(|tag| code(tag)).collect::<Vec<_>>().join(", ")
}

/// `text` as code inside of a table's cell.
pub(super) fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    match longest {
        0 => format!("`{}`", cell(text)),
        _ => format!("{fence} {} {fence}", cell(text), fence = "`".repeat(longest + 1)),
    }
}

/// `text` as the content of a table's cell.
pub fn cell(text: impl AsRef<str>) -> String {
    text.as_ref().replace("\\|", "|").replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn short(plan: &BuildPlan) -> &str {
    plan.commit.get(..9).unwrap_or(&plan.commit)
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // writing to a string cannot fail
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_a_fence_a_cell_or_code() {
        assert_eq!(fenced("", "a\n````\nb\n"), "`````\na\n````\nb\n`````\n");
        assert_eq!(cell("a|b\nc"), "a\\|b c");
        assert_eq!(code("v0.24.2"), "`v0.24.2`");
        assert_eq!(code("a `b` | c"), "`` a `b` \\| c ``");
    }
}
