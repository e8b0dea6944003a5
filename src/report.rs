//! What a person or a program gets to see: the only place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is this module's purpose")]

/// `println!` of a result, which goes the way of [`stdout::line`].
macro_rules! outln {
    ($($text:tt)*) => { $crate::report::stdout::line(format_args!($($text)*)) };
}

mod build;
mod check;
pub mod comment;
mod doctor;
pub mod documents;
pub mod graph;
mod markdown;
mod progress;
mod record;
pub mod status;
mod stdout;
pub mod step;
mod survey;
mod timeline;
pub mod watch;

pub use build::{build_json, built, plan, verified, verify_json};
pub use check::{annotate_findings, check, check_json};
pub use doctor::doctor;
pub use documents::{Document, json_of};
pub use progress::Progress;
pub use record::{ImageRecord, Outcome, Record};
pub use stdout::delivered;
pub use survey::{survey, survey_json};
pub use timeline::{Span, Timeline, Wait};

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::bump::publish::Published;
use crate::bump::{BumpPlan, PullRequestText};
use crate::error::{Error, Result};
use crate::github::{Action, Ensured};

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// One line for a person, on stderr.
pub fn say(text: &str) {
    anstream::eprintln!("{text}");
}

/// A result for a person, on stdout.
pub fn result(text: &str) {
    outln!("{text}");
}

/// A warning, on stderr.
pub fn warn(text: &str) {
    anstream::eprintln!("{YELLOW}warning{YELLOW:#}: {text}");
}

/// A JSON document, on stdout.
pub fn json(document: &Value) {
    outln!("{document:#}");
}

/// A failure as the JSON document that takes the result's place.
pub fn error_json(error: &Error) {
    // text and numbers alone always have a JSON form
    failure_json(&json_of(&documents::Failure { error: documents::failure(error) }).unwrap_or_default(), error);
}

/// A failure as `document`, which has more to tell than the error.
pub fn failure_json(document: &Value, error: &Error) {
    json(document);
    step::annotate_error(error);
}

/// A failure for a person, on stderr: the message, the places with their lines, the hints.
pub fn error(error: &Error) {
    anstream::eprintln!("{RED}error{RED:#}: {}", error.message);
    for fault in &error.faults {
        let source = miette::NamedSource::new(&fault.path, fault.text.to_string());
        let label = miette::LabeledSpan::at(fault.span.clone(), "here");
        let mut diagnostic = miette::MietteDiagnostic::new(&fault.message).with_label(label);
        if let Some(help) = &fault.help {
            diagnostic = diagnostic.with_help(help);
        }
        anstream::eprintln!("{:?}", miette::Report::new(diagnostic).with_source_code(source));
    }
    for hint in &error.hints {
        anstream::eprintln!("{CYAN}hint{CYAN:#}: {hint}");
    }
    step::annotate_error(error);
}

/// The document of `bump`. `commit` is the commit's id, if one was made.
///
/// # Errors
/// None in practice.
pub fn bump_json(plan: &BumpPlan, commit: Option<&str>, pull_request: Option<&Ensured>) -> Result<Value> {
    json_of(&documents::Bump {
        component: &plan.component,
        from: plan.from.to_string(),
        to: plan.to.to_string(),
        edits: &plan.edits.edits,
        leftovers: &plan.edits.leftovers,
        branch: &plan.branch,
        commit,
        pull_request: documents::PullRequest::of(pull_request),
    })
}

/// What was published, for a person.
pub fn published(branch: &str, published: &Published) {
    let pull = &published.pull_request;
    outln!("\nbranch {branch}, commit {}", published.commit);
    let action = match pull.action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Unchanged => "unchanged",
    };
    outln!("pull request #{} {action}: {}", pull.pull_request.number, pull.pull_request.url);
}

/// A bump for a person: the diff, and what is worth a look in it.
pub fn bump(plan: &BumpPlan) {
    for (path, after) in &plan.contents {
        let before = plan.originals.get(path).map(Vec::as_slice).unwrap_or_default();
        diff(path, &String::from_utf8_lossy(before), &String::from_utf8_lossy(after));
    }
    let (component, from, to) = (&plan.component, &plan.from, &plan.to);
    let (changes, files) = (counted(plan.edits.edits.len(), "place"), counted(plan.contents.len(), "file"));
    outln!("{BOLD}{component} {from} -> {to}{BOLD:#}: {changes} in {files}");
    for edit in plan.edits.edits.iter().filter(|edit| edit.drifted) {
        let (path, line, old) = (&edit.path, edit.line, &edit.old);
        outln!("  {YELLOW}had drifted to {old}{YELLOW:#}: {path}:{line} ({})", edit.site);
    }
    for leftover in &plan.edits.leftovers {
        outln!("  {YELLOW}still mentions {from}{YELLOW:#}: {}:{}: {}", leftover.path, leftover.line, leftover.text);
    }
}

/// `1 file`, `2 files`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A bump that was committed here and not pushed, for a person: the text that its pull request would have, and the commit.
pub fn kept_here(plan: &BumpPlan, commit: &str, text: &PullRequestText) {
    outln!("\n{BOLD}pull request: {}{BOLD:#}\n\n{}", text.title, text.body);
    outln!("\nbranch {}, commit {commit}", plan.branch);
}

/// What rules selected and left alone, on stderr.
pub fn notes(plan: &BumpPlan) {
    let told = plan.edits.notes.iter().map(|note| {
        let (path, line, text) = (&note.path, note.line, &note.text);
        format!("left alone: {path}:{line}: `{text}` is {} ({})", note.reason, note.site)
    });
    // a line can have the same text twice
    let mut told: Vec<String> = told.collect();
    told.dedup();
    told.iter().for_each(|line| say(line));
    if plan.unreadable > 0 {
        warn(&format!("{} files are not in this partial clone and were not searched for leftovers", plan.unreadable));
    }
}

fn diff(path: &str, before: &str, after: &str) {
    outln!("{BOLD}--- a/{path}{BOLD:#}\n{BOLD}+++ b/{path}{BOLD:#}");
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(1).iter_hunks() {
        outln!("{CYAN}{}{CYAN:#}", hunk.header());
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', RED),
                ChangeTag::Insert => ('+', GREEN),
                ChangeTag::Equal => (' ', Style::new()),
            };
            outln!("{style}{sign}{}{style:#}", change.value().trim_end_matches(['\r', '\n']));
        }
    }
}
