//! The JSON documents of the commands, as types: what is printed and what the schemas say are the same.

mod graph;
mod machine;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use graph::ImageGraph;
pub use machine::{Doctor, Manifest};

use super::Outcome;
use crate::build::{BuildPlan, State};
use crate::check::{Finding, Ignored};
use crate::edit::{Edit, Leftover};
use crate::error::{Error, Result};
use crate::github::{self, Ensured};

/// The document of `bump`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Bump {
    /// The component's name.
    pub component: String,
    /// Its version on the base branch.
    pub from: String,
    /// Its version afterwards.
    pub to: String,
    /// Every site that changes.
    pub edits: Vec<Edit>,
    /// Mentions of the old version that no rule covers.
    pub leftovers: Vec<Leftover>,
    /// The branch.
    pub branch: String,
    /// The commit, if one was made.
    pub commit: Option<String>,
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

/// The document of `verify`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Verify<'a> {
    /// Whether everything is as it should be.
    pub verified: bool,
    /// What is not.
    pub findings: &'a [String],
    /// The images.
    #[serde(flatten)]
    pub plan: &'a BuildPlan,
}

/// The document of `build`, also of one that failed or was stopped half-way.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Build<'a> {
    /// The commit that was built.
    pub commit: &'a str,
    /// Every image, in order.
    pub images: Vec<BuiltImage<'a>>,
    /// Phases that are published and were read back.
    pub verified: &'a [String],
    /// The images that decided how long the run took, each of which waited for the one before it.
    pub critical_path: &'a [String],
    /// What a person should know.
    pub notes: &'a [String],
    /// With engine `actions`: the workflow runs that build it.
    pub runs: Vec<WorkflowRun<'a>>,
    /// After the share of one platform, or while a run goes on: what is needed before it is published.
    pub waits_for: Option<&'a str>,
    /// Why it is not complete, where it failed or was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FailureBody<'a>>,
}

/// A workflow run in the document of `build`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WorkflowRun<'a> {
    /// The phase that it builds.
    pub phase: &'a str,
    /// Its page.
    pub url: &'a str,
    /// How far it is, in GitHub's words.
    pub state: &'a str,
}

/// An image in the document of `build`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BuiltImage<'a> {
    /// Its key in `images`.
    pub image: &'a str,
    /// What was published before.
    pub was: &'a State,
    /// What has become of it.
    pub outcome: Outcome,
    /// Where it failed: why, with the last lines of the step that did.
    pub failure: Option<&'a str>,
    /// Where it was skipped: the image that it needs.
    pub needs: Option<&'a str>,
    /// It was built, not adopted.
    pub built: bool,
    /// How long it took until it was staged.
    pub seconds: Option<f64>,
    /// When its build began, in milliseconds since the beginning of the run; none if it was not built.
    pub start_ms: Option<u64>,
    /// How long it took until its last tag was written, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Its tags that were written or found right.
    pub tags: Vec<BuiltTag<'a>>,
}

/// A tag in the document of `build`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BuiltTag<'a> {
    /// In full.
    pub tag: &'a str,
    /// What it points at.
    pub digest: &'a str,
    /// What it pointed at before.
    pub previous: Option<&'a str>,
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

/// The document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Init<'a> {
    /// The components, named or proposed.
    pub components: Vec<InitComponent<'a>>,
    /// Every place that a rule of the config finds.
    pub sites: Vec<InitSite<'a>>,
    /// Places that a person must decide about.
    pub doubtful: Vec<InitDoubt<'a>>,
    /// Places that look like a version of a component and are no site.
    pub rejected: Vec<InitDoubt<'a>>,
    /// The text of the config.
    pub config: &'a str,
    /// The file that it was written to.
    pub written: Option<&'a str>,
}

/// A component in the document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InitComponent<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its current version.
    pub version: String,
    /// The file that is only its version.
    pub version_file: Option<&'a str>,
    /// Where it is released, as `owner/name`.
    pub upstream: Option<&'a str>,
    /// Nobody had named it.
    pub proposed: bool,
}

/// A site in the document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitSite<'a> {
    /// The component.
    pub component: &'a str,
    /// Path in the tree.
    pub path: &'a str,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1: of the version's first byte.
    pub column: usize,
    /// The version that stands there.
    pub version: String,
    /// Whether it is not the component's current version.
    pub drifted: bool,
    /// The form of the rule that finds it.
    pub rule: String,
}

/// A place in the document of `init` that is not, or not surely, a site.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitDoubt<'a> {
    /// The component.
    pub component: &'a str,
    /// Path in the tree.
    pub path: &'a str,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// The version that stands there.
    pub version: String,
    /// The line.
    pub text: &'a str,
    /// Why.
    pub reason: String,
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
            Document::Bump => schemars::schema_for!(Bump).to_value(),
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
