//! The documents of `build` and `verify`.

use schemars::JsonSchema;
use serde::Serialize;

use super::FailureBody;
use crate::build::{BuildPlan, State};
use crate::report::Outcome;

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
