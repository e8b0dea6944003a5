//! `release.yaml`: what the project publishes, where its versions are written, and what may move them.
//!
//! [`Config::parse`] turns the text into the valid [`Config`], or reports every fault of the file at once, each with
//! its place: `yaml` makes a tree that knows its bytes, `shape` holds it against the JSON Schema of `raw`, and
//! `validate` applies the rules to whatever of it has the right shape. Nothing here reads a file.

mod code;
mod faults;
mod globs;
mod model;
mod names;
mod platform;
mod raw;
mod shape;
mod template;
mod validate;
mod value_path;
mod yaml;
pub(crate) mod yaml_events;

pub use code::Code;
pub use globs::{FileGlobs, glob_of};
pub use model::{
    Actions, Build, BuildCache, Buildx, CommitVia, Component, Config, ContextSource, EngineKind, Ignore, Image,
    NamedContext, Phase, PullRequest, RepositoryName, SiteForm, SiteRule, TagTemplate, Trigger, UpdatePolicy, Upstream,
    VersionSource, WhenStale,
};
pub use names::{normalised_project, registry_name};
pub use platform::Platform;
pub use shape::nearest;
pub use template::{ARCH, COMMIT, PHASE, REQUEST, Template};
pub use value_path::{Step, ValuePath};

use std::time::Duration;

use crate::error::{Error, Fault, Result};

/// Larger than any meaningful file. What is beyond was not written by a person.
const MAX_BYTES: usize = 1024 * 1024;

/// Times that a phase is tried on GitHub, unless the file says otherwise.
pub const ATTEMPTS: u32 = 2;

/// How long a job may wait for a runner, unless the file says otherwise: longer than a busy day takes, and far from the day
/// after which GitHub gives the job up.
pub const QUEUE_LIMIT: Duration = Duration::from_secs(60 * 60);

impl Config {
    /// Reads the text of `release.yaml`; `path` is what messages call it. The error is a usage error that carries
    /// every fault of the file, by place.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self> {
        let text = text_of(path, bytes)?;
        let mut faults = faults::Faults::new(path, text);
        let config = yaml::read(text, &mut faults).and_then(|mut root| {
            let is_readable = shape::check(&json_schema(), &mut root, &mut faults);
            is_readable.then(|| validate::config(&root, &mut faults)).flatten()
        });
        faults.into_result(config)
    }
}

/// The JSON Schema of `release.yaml`.
pub fn json_schema() -> serde_json::Value {
    raw::json_schema()
}

/// The text of the file, unless it is too large or not UTF-8.
fn text_of<'b>(path: &str, bytes: &'b [u8]) -> Result<&'b str> {
    if bytes.len() > MAX_BYTES {
        let size = bytes.len().div_ceil(MAX_BYTES);
        return Err(Error::usage(format!("{path} is too large: {size} MiB, where 1 MiB is the limit"))
            .hint("name the file that describes the release with --config"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        // what is before it is valid, so its place in the lossy text is the same
        let at = error.valid_up_to();
        let fault = Fault {
            path: path.into(),
            text: String::from_utf8_lossy(bytes).into(),
            span: at..at + char::REPLACEMENT_CHARACTER.len_utf8(),
            message: "not valid UTF-8".into(),
            help: Some("save the file as UTF-8".into()),
        };
        let (line, column) = fault.line_column();
        Error::faults(format!("{path}:{line}:{column}: not valid UTF-8"), vec![fault]).because(error)
    })
}

#[cfg(test)]
mod tests;
