//! The findings of `doctor` for a person: one line a check, and what to do under it.

use anstyle::{AnsiColor, Style};

use crate::doctor::{Check, State};

const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// Prints the checks, on stdout.
pub fn checks(checks: &[Check]) {
    let width = checks.iter().map(|check| check.about.chars().count()).max().unwrap_or_default();
    for check in checks {
        let (word, style) = match check.state {
            State::Ok => ("ok", GREEN),
            State::Missing if check.needed => ("missing", RED),
            State::Missing => ("missing", YELLOW),
            State::Unknown => ("unknown", YELLOW),
        };
        outln!("{style}{word:<8}{style:#} {:<width$}  {}", check.about, check.detail);
        if let Some(remedy) = check.remedy.as_ref().filter(|_| check.state != State::Ok) {
            outln!("         {:<width$}  {CYAN}mend{CYAN:#}: {remedy}", "");
        }
    }
}
