//! The one error type of the crate: what failed, what to do about it, and which exit code that means.
//!
//! Modules build an [`Error`] with the constructor for its [`Kind`], add hints, and return it; nothing
//! here prints. A fault that has a place in a source file travels as a [`Fault`], so that the reporter
//! can show the line under the message.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Result of everything fallible in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure this is; users script against the exit code that it maps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `check` or `verify` looked and found something wrong.
    Finding,
    /// Bad usage, config, version, or a repository that cannot be read as it is.
    Usage,
    /// Everything is understood, but a person must decide.
    Refused,
    /// A remote failed: network, authentication, API, registry.
    Remote,
    /// A build failed.
    Build,
    /// SIGINT, or Ctrl-C, asked the program to stop.
    Interrupted,
    /// SIGTERM asked it to.
    Terminated,
}

impl Kind {
    /// The process exit code of this kind: 1 finding, 2 usage, 3 refused, 4 remote, 5 build; for a signal 128 and its number,
    /// as shells have it.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Finding => 1,
            Kind::Usage => 2,
            Kind::Refused => 3,
            Kind::Remote => 4,
            Kind::Build => 5,
            Kind::Interrupted => 130,
            Kind::Terminated => 143,
        }
    }

    /// Whether a signal ended the work, not a failure of its own.
    pub fn is_stop(self) -> bool {
        matches!(self, Kind::Interrupted | Kind::Terminated)
    }
}

/// A fault with a place in a text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path as the user knows it, relative to the repository's root.
    pub path: String,
    /// The whole text of the file.
    pub text: Arc<str>,
    /// The bytes at fault.
    pub span: Range<usize>,
    /// What is wrong, as one sentence without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Fault {
    /// Line and column (in bytes), both from 1, of the first byte at fault.
    pub fn line_column(&self) -> (usize, usize) {
        line_column(self.text.as_bytes(), self.span.start)
    }
}

/// Line and column (in bytes), both from 1, of the byte at `offset` of `text`.
pub fn line_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |end| end + 1) + 1;
    (line, column)
}

/// A failure: its kind, a message that starts with what failed, and hints that say what to do.
#[derive(Debug)]
pub struct Error {
    /// The kind, hence the exit code.
    pub kind: Kind,
    /// What failed and where, on one line where possible.
    pub message: String,
    /// What a person can do about it, most promising first.
    pub hints: Vec<String>,
    /// The places at fault, where the failure has any.
    pub faults: Vec<Fault>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), hints: Vec::new(), faults: Vec::new(), source: None }
    }

    /// Something was looked at and found wrong (exit 1).
    pub fn finding(message: impl Into<String>) -> Self {
        Self::new(Kind::Finding, message)
    }

    /// Bad usage, config or version (exit 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A person must decide (exit 3).
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// A remote failed (exit 4).
    pub fn remote(message: impl Into<String>) -> Self {
        Self::new(Kind::Remote, message)
    }

    /// A build failed (exit 5).
    pub fn build(message: impl Into<String>) -> Self {
        Self::new(Kind::Build, message)
    }

    /// A signal, which `kind` names, asked the program to stop before its work was done.
    pub fn stopped(kind: Kind) -> Self {
        let signal = if kind == Kind::Terminated { "SIGTERM" } else { "SIGINT" };
        Self::new(kind, format!("stopped by {signal} before the work was done"))
            .hint("run the command again: it looks at what is there, and does the rest")
    }

    /// Bad input with places: `summary`, then every fault with the line under it (exit 2).
    pub fn faults(summary: impl Into<String>, faults: Vec<Fault>) -> Self {
        Error { faults, ..Self::usage(summary) }
    }

    /// Adds one thing that a person can do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Keeps the error that caused this one.
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| &**e as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_bytes_from_one() {
        let text = "a\nbé x\n".as_bytes();
        assert_eq!(line_column(text, 0), (1, 1));
        assert_eq!(line_column(text, 2), (2, 1));
        assert_eq!(line_column(text, 6), (2, 5));
        assert_eq!(line_column(text, 99), (3, 1));
    }
}
