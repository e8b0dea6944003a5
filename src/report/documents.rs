//! The JSON documents of the commands, as types: what is printed and what the schemas say are the same.

mod build;
mod graph;
mod init;
mod machine;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use build::{Build, BuiltImage, BuiltTag, Verify, WorkflowRun};
pub use graph::ImageGraph;
pub use init::{Init, InitComponent, InitDoubt, InitImage, InitPhase, InitSite};
pub use machine::{Doctor, Manifest};

use crate::build::BuildPlan;
use crate::check::{Finding, Ignored};
use crate::edit::{Edit, Leftover};
use crate::error::{Error, Result};
use crate::github::{self, Ensured};

/// The document of `bump`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Bump<'a> {
    /// The component's name.
    pub component: &'a str,
    /// Its version on the base branch.
    pub from: String,
    /// Its version afterwards.
    pub to: String,
    /// Every site that changes.
    pub edits: &'a [Edit],
    /// Mentions of the old version that no rule covers.
    pub leftovers: &'a [Leftover],
    /// The branch.
    pub branch: &'a str,
    /// The commit, if one was made.
    pub commit: Option<&'a str>,
    /// What became of the pull request.
    pub pull_request: PullRequest,
}

/// What became of a pull request.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PullRequest {
    /// What was done.
    pub action: Action,
    /// Its number.
    pub number: Option<u64>,
    /// Its page.
    pub url: Option<String>,
}

impl PullRequest {
    /// What became of `ensured`; `None`: there is none.
    pub fn of(ensured: Option<&Ensured>) -> Self {
        let Some(Ensured { action, pull_request, .. }) = ensured else {
            return PullRequest { action: Action::None, number: None, url: None };
        };
        let action = match action {
            github::Action::Created => Action::Created,
            github::Action::Updated => Action::Updated,
            github::Action::Unchanged => Action::Unchanged,
        };
        PullRequest { action, number: Some(pull_request.number), url: Some(pull_request.url.clone()) }
    }
}

/// What was done about a pull request.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It was opened.
    Created,
    /// It was there, and something of it differed.
    Updated,
    /// Nothing was written.
    Unchanged,
    /// There is none.
    None,
}

/// An open pull request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OpenPull {
    /// The component that it brings a version of.
    pub component: String,
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its page.
    pub url: String,
}

/// The document of `check`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Check<'a> {
    /// Whether there is neither an error nor a warning.
    pub clean: bool,
    /// How many files there are.
    pub files: usize,
    /// What was found, by path and place.
    pub findings: &'a [Finding],
    /// What was found and is accepted.
    pub ignored: &'a [Ignored],
    /// What was written with `--fix`.
    pub mended: &'a [Edit],
}

/// The document of a failure, of any command.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Failure<'a> {
    /// What failed.
    pub error: FailureBody<'a>,
}

/// What failed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailureBody<'a> {
    /// Which kind, hence which exit code.
    pub kind: crate::error::Kind,
    /// What failed and where.
    pub message: &'a str,
    /// What a person can do about it.
    pub hints: &'a [String],
    /// Places in files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Place<'a>>,
}

/// `error` in a document.
pub fn failure(error: &Error) -> FailureBody<'_> {
    let faults = error.faults.iter().map(|fault| {
        let (line, column) = fault.line_column();
        Place { path: &fault.path, line, column, message: &fault.message, help: fault.help.as_deref() }
    });
    FailureBody { kind: error.kind, message: &error.message, hints: &error.hints, faults: faults.collect() }
}

/// A place at fault.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Place<'a> {
    /// The file.
    pub path: &'a str,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: &'a str,
    /// What to do about it.
    pub help: Option<&'a str>,
}

/// `document` as JSON.
///
/// # Errors
/// Usage, for a value that JSON cannot hold; none of these is one.
pub fn json_of(document: &impl Serialize) -> Result<Value> {
    serde_json::to_value(document)
        .map_err(|error| Error::usage(format!("the result cannot be written as JSON: {error}")))
}

/// A document that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// release.yaml itself.
    Release,
    /// `bump`.
    Bump,
    /// `build`.
    Build,
    /// `plan`, and `build --dry-run`.
    Plan,
    /// `status`.
    Status,
    /// `verify`.
    Verify,
    /// `graph`.
    Graph,
    /// `manifest create`.
    Manifest,
    /// `doctor`.
    Doctor,
    /// `check`.
    Check,
    /// `watch`.
    Watch,
    /// `init`.
    Init,
    /// A failure of any command.
    Error,
}

impl std::str::FromStr for Document {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "release" => Document::Release,
            "bump" => Document::Bump,
            "build" => Document::Build,
            "plan" => Document::Plan,
            "status" => Document::Status,
            "verify" => Document::Verify,
            "check" => Document::Check,
            "graph" => Document::Graph,
            "manifest" => Document::Manifest,
            "doctor" => Document::Doctor,
            "watch" => Document::Watch,
            "init" => Document::Init,
            "error" => Document::Error,
            _ => {
                let message = format!("there is no schema `{text}`");
                return Err(Error::usage(message).hint(
                    "there are release, bump, build, plan, status, verify, check, graph, manifest, doctor, watch, init, error",
                ));
            }
        })
    }
}

impl Document {
    /// Its JSON Schema.
    pub fn schema(self) -> Value {
        match self {
            Document::Release => crate::config::json_schema(),
            Document::Bump => schemars::schema_for!(Bump<'_>).to_value(),
            Document::Build => schemars::schema_for!(Build<'_>).to_value(),
            Document::Plan => schemars::schema_for!(BuildPlan).to_value(),
            Document::Status => schemars::schema_for!(super::status::Status<'_>).to_value(),
            Document::Verify => schemars::schema_for!(Verify<'_>).to_value(),
            Document::Graph => schemars::schema_for!(ImageGraph<'_>).to_value(),
            Document::Manifest => schemars::schema_for!(Manifest<'_>).to_value(),
            Document::Doctor => schemars::schema_for!(Doctor<'_>).to_value(),
            Document::Check => schemars::schema_for!(Check<'_>).to_value(),
            Document::Watch => schemars::schema_for!(super::watch::Watch<'_>).to_value(),
            Document::Init => schemars::schema_for!(Init<'_>).to_value(),
            Document::Error => schemars::schema_for!(Failure<'_>).to_value(),
        }
    }
}
