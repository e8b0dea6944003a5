//! The findings of `doctor` for a person: what was looked at, what was found, and under it what to do.

use super::{CYAN, GREEN, RED, YELLOW};
use crate::doctor::{Check, State};

/// How wide the column is that says what was looked at; what is longer, such as a host, has its own line.
const COLUMN: usize = 14;
/// Where what was found begins.
const INDENT: usize = 9 + COLUMN + 2;

/// Prints the checks, on stdout.
pub fn doctor(checks: &[Check]) {
    for check in checks {
        let (word, style) = match check.state {
            State::Ok => ("ok", GREEN),
            State::Missing if check.needed => ("missing", RED),
            State::Missing => ("missing", YELLOW),
            State::Unknown => ("unknown", YELLOW),
        };
        match check.about.chars().count() <= COLUMN {
            true => outln!("{style}{word:<8}{style:#} {:<COLUMN$}  {}", check.about, check.detail),
            false => outln!("{style}{word:<8}{style:#} {}\n{:INDENT$}{}", check.about, "", check.detail),
        }
        if let Some(remedy) = check.remedy.as_ref().filter(|_| check.state != State::Ok) {
            outln!("{:INDENT$}{CYAN}mend{CYAN:#}: {remedy}", "");
        }
    }
}
