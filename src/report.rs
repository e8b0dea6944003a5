//! What a person or a program gets to see: the only place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is this module's purpose")]

mod build;
mod checks;
pub mod graph;
mod progress;
mod summary;

pub use build::{build_json, built, plan, status, status_json, verify_json};
pub use checks::checks;
pub use progress::{Progress, Record};
pub use summary::summary;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::bump::BumpPlan;
use crate::bump::publish::Published;
use crate::error::{Error, Fault, Result};
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
    anstream::println!("{text}");
}

/// A warning, on stderr.
pub fn warn(text: &str) {
    anstream::eprintln!("{YELLOW}warning{YELLOW:#}: {text}");
}

/// A JSON document, on stdout.
pub fn json(document: &Value) {
    anstream::println!("{document:#}");
}

/// `value` as a JSON document.
///
/// # Errors
/// Usage, for a value that JSON cannot hold.
pub fn document(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::usage(format!("the result cannot be written as JSON: {error}")))
}

/// A failure as the JSON document that takes the result's place.
pub fn error_json(error: &Error) {
    let faults: Vec<Value> = error.faults.iter().map(fault_json).collect();
    let mut document = json!({"error": {"kind": error.kind, "message": error.message, "hints": error.hints}});
    if !faults.is_empty() {
        document["error"]["faults"] = faults.into();
    }
    json(&document);
}

fn fault_json(fault: &Fault) -> Value {
    let (line, column) = fault.line_column();
    json!({"path": fault.path, "line": line, "column": column, "message": fault.message, "help": fault.help})
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
}

/// The document of `bump`. `commit` is the commit's id, if one was made.
pub fn bump_json(plan: &BumpPlan, commit: Option<&str>, pull_request: Option<&Ensured>) -> Value {
    let pull_request = match pull_request {
        Some(ensured) => {
            json!({"action": action(ensured), "number": ensured.pull_request.number, "url": ensured.pull_request.url})
        }
        None => json!({"action": "none", "number": null, "url": null}),
    };
    json!({
        "component": plan.component, "from": plan.from, "to": plan.to,
        "edits": plan.edits.edits, "leftovers": plan.edits.leftovers,
        "branch": plan.branch, "commit": commit, "pull-request": pull_request,
    })
}

fn action(ensured: &Ensured) -> &'static str {
    match ensured.action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Unchanged => "unchanged",
    }
}

/// What was published, for a person.
pub fn published(branch: &str, published: &Published) {
    let pull = &published.pull_request;
    anstream::println!("\nbranch {branch}, commit {}", published.commit);
    anstream::println!("pull request #{} {}: {}", pull.pull_request.number, action(pull), pull.pull_request.url);
}

/// A bump for a person: the diff, then the table.
pub fn bump(plan: &BumpPlan) {
    for (path, after) in &plan.contents {
        let before = plan.originals.get(path).map(Vec::as_slice).unwrap_or_default();
        diff(path, &String::from_utf8_lossy(before), &String::from_utf8_lossy(after));
    }
    let changes = plan.edits.edits.len();
    let files = plan.contents.len();
    let (component, from, to) = (&plan.component, &plan.from, &plan.to);
    anstream::println!("{BOLD}{component} {from} -> {to}{BOLD:#}: {changes} places in {files} files");
    for edit in &plan.edits.edits {
        let drifted = if edit.drifted { format!("  {YELLOW}drifted{YELLOW:#}") } else { String::new() };
        let place = format!("{}:{}:{}", edit.path, edit.line, edit.column);
        anstream::println!("  {place:<56} {} -> {}  {}{drifted}", edit.old, edit.new, edit.site);
    }
    for leftover in &plan.edits.leftovers {
        anstream::println!(
            "  {YELLOW}still mentions {from}{YELLOW:#}: {}:{}: {}",
            leftover.path,
            leftover.line,
            leftover.text
        );
    }
}

/// What rules selected and left alone, on stderr.
pub fn notes(plan: &BumpPlan) {
    for note in &plan.edits.notes {
        anstream::eprintln!(
            "left alone: {}:{}: `{}` is {} ({})",
            note.path,
            note.line,
            note.text,
            note.reason,
            note.site
        );
    }
    if plan.unreadable > 0 {
        warn(&format!("{} files are not in this partial clone and were not searched for leftovers", plan.unreadable));
    }
}

fn diff(path: &str, before: &str, after: &str) {
    anstream::println!("{BOLD}--- a/{path}{BOLD:#}\n{BOLD}+++ b/{path}{BOLD:#}");
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(1).iter_hunks() {
        anstream::println!("{CYAN}{}{CYAN:#}", hunk.header());
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', RED),
                ChangeTag::Insert => ('+', GREEN),
                ChangeTag::Equal => (' ', Style::new()),
            };
            anstream::println!("{style}{sign}{}{style:#}", change.value().trim_end_matches(['\r', '\n']));
        }
    }
}
