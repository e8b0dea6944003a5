//! One thing that is wrong, as data: what, how bad, where, the line, and what to do.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::Code;
use crate::error::{Fault, line_column};

/// How bad a finding is. Errors and warnings make `check` fail, notes do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A release made of this tree goes wrong.
    Error,
    /// It goes wrong sooner or later, or a person must say why it is right.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// How bad findings of `code` are.
    pub fn of(code: Code) -> Self {
        match code {
            Code::Drift
            | Code::StaleRule
            | Code::WrongCount
            | Code::SharedSite
            | Code::Unreadable
            | Code::GraphCycle
            | Code::UnknownTag
            | Code::MovingBase
            | Code::PinnedBase
            | Code::LaterPhase
            | Code::MissingPlatform
            | Code::MissingDockerfile
            | Code::MissingTarget
            | Code::BadDockerfile
            | Code::MissingContext
            | Code::MissingSource
            | Code::IgnoredSource
            | Code::UnbuiltTag
            | Code::MissingWorkflow
            | Code::WorkflowTrigger
            | Code::WorkflowInput => Severity::Error,
            Code::PinnedSite | Code::Untracked | Code::FloatingBase | Code::UndeclaredInput | Code::UnusedIgnore => {
                Severity::Warning
            }
            Code::FloatingSite | Code::LeftAlone | Code::EmptyWildcard => Severity::Note,
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What kind it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Path from the repository's root, or of the config as it was given.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// The column after the last byte, on the same line.
    pub end_column: usize,
    /// The line; of a very long one the part around the columns.
    pub source: String,
    /// What is wrong, as one sentence without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// What `--fix` does about it.
    pub mend: Option<Mend>,
    /// The bytes of `source` that it is about.
    #[serde(skip)]
    #[schemars(skip)]
    pub marker: Range<usize>,
}

/// An edit that brings a site back in line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mend {
    /// The component.
    pub component: String,
    /// The form of the site.
    pub site: String,
    /// The version that stands there.
    pub old: String,
    /// The version of the component.
    pub new: String,
    /// The bytes of `old` in the file.
    #[serde(skip)]
    #[schemars(skip)]
    pub range: Range<usize>,
}

/// A line as it is shown, and what is marked in it.
pub(super) struct Excerpt {
    /// The line; of a very long one the part around the marked bytes.
    pub source: String,
    /// The marked bytes of `source`.
    pub marker: Range<usize>,
    /// How many bytes of the file are marked.
    length: usize,
}

impl Excerpt {
    /// The line of `bytes` in which `range` starts. Only that line is looked at: this may be asked for every mention in a
    /// large file, a line number may not.
    pub fn around(bytes: &[u8], range: Range<usize>) -> Self {
        let start = range.start.min(bytes.len());
        let line_start = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |end| end + 1);
        let rest = memchr::memchr2(b'\n', b'\r', &bytes[start..]).unwrap_or(bytes.len() - start);
        let line_end = start + rest;
        let end = range.end.clamp(start, line_end);
        let (from, to) = match line_end - line_start > LONGEST_LINE {
            true => (line_start.max(start.saturating_sub(CONTEXT)), line_end.min(start + LONGEST_LINE - CONTEXT)),
            false => (line_start, line_end),
        };
        // a byte order mark is part of the first line's bytes, but nothing to show
        let from = if from == 0 && start >= 3 && bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { from };
        let before = String::from_utf8_lossy(&bytes[from..start]);
        let marked = String::from_utf8_lossy(&bytes[start..end.min(to)]);
        let after = String::from_utf8_lossy(&bytes[end.min(to)..to]);
        let marker = before.len()..before.len() + marked.len();
        Excerpt { source: format!("{before}{marked}{after}"), marker, length: end - start }
    }
}

/// A longer line is shown in part.
const LONGEST_LINE: usize = 240;
/// How much of a long line is shown before the place.
const CONTEXT: usize = 80;

impl Finding {
    /// A finding about the bytes `range` of the file at `path`; only those on the first line of it are marked.
    pub fn at(code: Code, path: &str, bytes: &[u8], range: Range<usize>, message: impl Into<String>) -> Self {
        let start = range.start.min(bytes.len());
        let (line, column) = line_column(bytes, start);
        let Excerpt { source, marker, length } = Excerpt::around(bytes, range);
        Finding {
            code,
            severity: Severity::of(code),
            path: path.to_owned(),
            line,
            column,
            end_column: column + length,
            source,
            message: message.into(),
            help: None,
            mend: None,
            marker,
        }
    }

    /// A finding about the line `line` (from 1) of `text`, from its first letter to its end.
    pub fn on_line(code: Code, path: &str, text: &str, line: usize, message: impl Into<String>) -> Self {
        let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let content = text[start..].lines().next().unwrap_or_default();
        let indent = content.len() - content.trim_start().len();
        let range = start + indent..start + content.trim_end().len().max(indent);
        Finding::at(code, path, text.as_bytes(), range, message)
    }

    /// What another module has found at a place.
    pub fn of_fault(code: Code, fault: Fault) -> Self {
        let found = Finding::at(code, &fault.path, fault.text.as_bytes(), fault.span, fault.message);
        Finding { help: fault.help, ..found }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_marks_its_bytes_in_the_line() {
        let text = "a: 1\r\nsize: größe v0.24.1-x\r\n";
        let start = text.find("0.24.1").unwrap();
        let found = Finding::at(Code::Drift, "a.yml", text.as_bytes(), start..start + 6, "m");
        assert_eq!((found.line, found.column, found.end_column), (2, 16, 22));
        assert_eq!((&*found.source, &found.source[found.marker]), ("size: größe v0.24.1-x", "0.24.1"));
    }

    #[test]
    fn what_goes_on_over_lines_is_marked_on_the_first() {
        let found = Finding::at(Code::Drift, "a", b"ab\ncd\n", 1..5, "m");
        assert_eq!((found.column, found.end_column, &*found.source), (2, 3, "ab"));
        let found = Finding::at(Code::Drift, "a", b"ab", 9..12, "m");
        assert_eq!((found.line, found.column, found.end_column), (1, 3, 3));
    }

    #[test]
    fn of_a_very_long_line_the_part_around_the_place_is_shown() {
        let text = format!("{}0.24.1{}", "é".repeat(5000), "b".repeat(5000));
        let found = Finding::at(Code::Drift, "a", text.as_bytes(), 10_000..10_006, "m");
        assert_eq!((found.column, &found.source[found.marker.clone()]), (10_001, "0.24.1"));
        assert!(found.source.len() < 300);
    }

    #[test]
    fn a_line_is_marked_without_its_indentation() {
        let found = Finding::on_line(Code::StaleRule, "r.yaml", "a:\n  - b  \n", 2, "m");
        assert_eq!((found.column, &found.source[found.marker]), (3, "- b"));
    }
}
