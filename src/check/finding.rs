//! One thing that is wrong, as data: what, how bad, where, the line, and what to do.

use std::cell::OnceCell;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::Code;
use crate::error::Fault;

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
    /// The line of `bytes` in which `range` starts, or what stands around it. No more is looked at: this may be asked for
    /// every mention in a large file, and all of them may stand on one line.
    pub fn around(bytes: &[u8], range: Range<usize>) -> Self {
        let start = range.start.min(bytes.len());
        let near = start.saturating_sub(LONGEST_LINE);
        let line_start = memchr::memrchr(b'\n', &bytes[near..start]).map_or(near, |end| near + end + 1);
        let far = &bytes[start..bytes.len().min(start + LONGEST_LINE + 1)];
        let line_end = start + memchr::memchr2(b'\n', b'\r', far).unwrap_or(far.len());
        let rest = &bytes[start..range.end.clamp(start, bytes.len())];
        let end = start + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (mut from, mut to) = (line_start, line_end);
        if line_end - line_start > LONGEST_LINE {
            from = line_start.max(start.saturating_sub(CONTEXT));
            to = line_end.min(start + LONGEST_LINE - CONTEXT);
            // not in the middle of a character
            let goes_on = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
            from += (from..start).take_while(|at| goes_on(*at)).take(3).count();
            to -= (start..=to).rev().take_while(|at| goes_on(*at)).take(3).count();
        }
        // a byte order mark is part of the first line's bytes, but nothing to show
        let from = if from == 0 && start >= 3 && bytes.starts_with(BYTE_ORDER_MARK) { 3 } else { from };
        let before = String::from_utf8_lossy(&bytes[from..start]);
        let marked = String::from_utf8_lossy(&bytes[start..end.min(to)]);
        let after = String::from_utf8_lossy(&bytes[end.min(to)..to]);
        let marker = before.len()..before.len() + marked.len();
        Excerpt { source: format!("{before}{marked}{after}"), marker, length: end - start }
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// A longer line is shown in part.
const LONGEST_LINE: usize = 240;
/// How much of a long line is shown before the place.
const CONTEXT: usize = 80;

/// A file in which there may be many findings.
pub(super) struct Text<'a> {
    pub path: &'a str,
    pub bytes: &'a [u8],
    /// Where each line starts, once somebody asks.
    lines: OnceCell<Vec<usize>>,
}

impl<'a> Text<'a> {
    pub fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        Text { path, bytes, lines: OnceCell::new() }
    }

    /// A finding about the bytes `range`; only those on the first line of it are marked.
    pub fn finding(&self, code: Code, range: Range<usize>, message: impl Into<String>) -> Finding {
        let lines = self.lines.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.bytes);
            std::iter::once(0).chain(ends.map(|end| end + 1)).collect()
        });
        let start = range.start.min(self.bytes.len());
        let line = lines.partition_point(|line| *line <= start);
        let column = start - lines[line - 1] + 1;
        let Excerpt { source, marker, length } = Excerpt::around(self.bytes, range);
        Finding {
            code,
            severity: Severity::of(code),
            path: self.path.to_owned(),
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
}

impl Finding {
    /// A finding about the bytes `range` of the file at `path`; only those on the first line of it are marked.
    pub fn at(code: Code, path: &str, bytes: &[u8], range: Range<usize>, message: impl Into<String>) -> Self {
        Text::new(path, bytes).finding(code, range, message)
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
        let text = format!("x{}0.24.1{}", "é".repeat(5000), "ü".repeat(5000));
        let found = Finding::at(Code::Drift, "a", text.as_bytes(), 10_001..10_007, "m");
        assert_eq!((found.line, found.column, found.end_column), (1, 10_002, 10_008));
        assert_eq!(&found.source[found.marker.clone()], "0.24.1");
        assert_eq!(found.source, format!("{}0.24.1{}", "é".repeat(40), "ü".repeat(77)));
        let found = Finding::at(Code::Drift, "a", text.as_bytes(), 1..20_007, "m");
        assert_eq!((found.column, found.end_column, found.source.starts_with("xéé")), (2, 20_008, true));
        let found = Finding::at(Code::Drift, "a", b"x: 1", 3..4, "m");
        assert_eq!(found.source, "x: 1");
    }

    #[test]
    fn a_line_is_marked_without_its_indentation() {
        let found = Finding::on_line(Code::StaleRule, "r.yaml", "a:\n  - b  \n", 2, "m");
        assert_eq!((found.column, &found.source[found.marker]), (3, "- b"));
    }
}
