//! The faults of one file, collected while it is read and told all together.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Fault, Result};

/// More than anybody reads in one go.
const MAX_FAULTS: usize = 100;

/// Where the faults of one file gather.
pub(super) struct Faults {
    path: String,
    text: Arc<str>,
    /// The first byte of each line but the first.
    lines: Vec<usize>,
    found: Vec<Fault>,
}

impl Faults {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let lines = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next).collect();
        Faults { path: path.into(), text: text.into(), lines, found: Vec::new() }
    }

    /// Notes a fault without anything to say about its remedy.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    /// Notes a fault and what to do about it.
    pub(super) fn add_with_help(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.push(span, message.into(), Some(help.into()));
    }

    /// The value of `result`, or `None` after noting its error as a fault at `span`.
    pub(super) fn take<T>(&mut self, span: Range<usize>, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(span, error.message, error.hints.into_iter().next())).ok()
    }

    fn push(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        let fault = Fault { path: self.path.clone(), text: self.text.clone(), span, message, help };
        // the same place is read once for each alias that stands for it
        if !self.is_full() && !self.found.contains(&fault) {
            self.found.push(fault);
        }
    }

    /// Whether nothing more is noted.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= MAX_FAULTS
    }

    /// What stands at `span`.
    pub(super) fn text(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset) + 1
    }

    /// `value`, if there is one and nothing was found; else the error that carries every fault, by place.
    pub(super) fn into_result<T>(mut self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => {
                self.found.sort_by_key(|fault| (fault.span.start, fault.span.end));
                let count = match self.found.len() {
                    1 => "1 fault".to_owned(),
                    MAX_FAULTS => format!("{MAX_FAULTS} faults or more"),
                    many => format!("{many} faults"),
                };
                Err(Error::faults(format!("{} has {count}", self.path), self.found))
            }
        }
    }
}
