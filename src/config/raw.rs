//! The shape of `release.yaml`, as serde reads it and as editors know it (JSON Schema). No rules here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Values by name, in the order of the file; each has the type that the schema says.
pub type Ordered = serde_json::Map<String, serde_json::Value>;

/// What is released from this repository, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Raw {
    /// Where pull requests go, as owner/name; default: the origin remote.
    pub repository: Option<String>,
    /// The base branch; default: main.
    pub base: Option<String>,
    /// Host and path that images are published under.
    pub registry: Option<String>,
    /// Other names of the same place.
    #[serde(default)]
    pub registry_aliases: Vec<String>,
    /// What images are built for; default: linux/amd64. An image may narrow it.
    pub platforms: Option<Vec<String>>,
    /// Files that the search for leftovers passes over.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// What has a version of its own.
    #[schemars(with = "BTreeMap<String, Component>")]
    pub components: Ordered,
    /// How pull requests are made.
    #[serde(default)]
    pub pull_request: PullRequest,
    /// Images that are built together, in order.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// How images are built.
    #[serde(default)]
    pub build: Build,
}

/// Something with a version of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Component {
    /// The current version.
    pub version: Option<String>,
    /// A file that is only the current version.
    pub version_file: Option<String>,
    /// How upstream writes the version in tags; default: v{version}.
    pub tag: Option<String>,
    /// Where its releases are.
    pub upstream: Option<Upstream>,
    /// Which versions the bot may choose by itself.
    #[serde(default)]
    pub update: Update,
    /// Files that the search for this component's leftovers passes over.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// The places that carry its version.
    #[serde(default)]
    pub sites: Vec<Site>,
}

/// Where releases are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Upstream {
    /// owner/name on GitHub.
    pub github: String,
}

/// Which versions the bot may choose by itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Update {
    /// Only versions that satisfy this, such as ">=0.24, <=0.24.2".
    pub allow: Option<String>,
    /// Whether pre-releases count; default: false.
    #[serde(default)]
    pub prereleases: bool,
    /// How old a release must be, such as 24h or 3d.
    pub minimum_age: Option<String>,
    /// Versions never taken.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Leave the component alone.
    #[serde(default)]
    pub hold: bool,
}

/// Places that carry a version: exactly one of arg, env, image, path, regex, whole.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Site {
    /// Which files: a glob or a list of them; `!` before one excludes.
    pub files: OneOrMany,
    /// The default of `ARG NAME` in Dockerfiles.
    pub arg: Option<String>,
    /// The value of `ENV NAME` in Dockerfiles.
    pub env: Option<String>,
    /// The tag of every reference to this repository.
    pub image: Option<String>,
    /// A value in a YAML, JSON or TOML file, such as `a.b[0].c`.
    pub path: Option<String>,
    /// Every match of a regular expression; its group `version` is what changes.
    pub regex: Option<String>,
    /// The file is the version.
    pub whole: Option<bool>,
    /// Exactly so many places.
    pub expect: Option<usize>,
}

/// One text, or a list of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Many.
    Many(Vec<String>),
}

/// How pull requests are made.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PullRequest {
    /// Labels of every pull request.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Users, or org/team, asked for a review.
    #[serde(default)]
    pub reviewers: Vec<String>,
    /// Users it is assigned to.
    #[serde(default)]
    pub assignees: Vec<String>,
    /// Title of the milestone.
    pub milestone: Option<String>,
    /// Open it as a draft.
    #[serde(default)]
    pub draft: bool,
    /// Let GitHub merge it once its checks pass.
    #[serde(default)]
    pub automerge: bool,
    /// How the commit reaches GitHub; default: git.
    #[serde(default)]
    pub commit_via: CommitVia,
    /// The fork, as owner/name, that the branch is pushed to.
    pub push_to: Option<String>,
}

/// How the commit reaches GitHub.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommitVia {
    /// A push.
    #[default]
    Git,
    /// The REST API.
    Api,
}

/// Images that are built together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// The component whose release it is.
    pub component: String,
    /// What happens to a published version whose inputs changed; default: rebuild.
    #[serde(default)]
    pub when_stale: WhenStale,
    /// Build it from the bump branch.
    #[serde(default)]
    pub build_before_merge: bool,
    /// What starts its workflow, instead of a dispatch.
    pub trigger: Option<Trigger>,
    /// By name.
    #[schemars(with = "BTreeMap<String, Image>")]
    pub images: Ordered,
}

/// What happens to a published version whose inputs changed.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenStale {
    /// It is replaced.
    #[default]
    Rebuild,
    /// It stays.
    Keep,
}

/// What starts a workflow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trigger {
    /// The tag that is pushed.
    pub tag: String,
}

/// One image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Image {
    /// Name under the registry; default: the key.
    pub repository: Option<String>,
    /// Path of the Dockerfile.
    pub dockerfile: String,
    /// Path of the build context; default: the repository's root.
    pub context: Option<String>,
    /// The stage that is the image; default: the last.
    pub target: Option<String>,
    /// Build args; {component} and {arch} are filled in.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub args: Ordered,
    /// Tags; {component} is filled in. At least one has a component in it.
    pub tags: Vec<String>,
    /// Narrows the platforms of the file.
    pub platforms: Option<Vec<String>>,
}

/// How images are built.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Build {
    /// Who builds; default: buildx.
    #[serde(default)]
    pub engine: Engine,
    /// How many images at once.
    pub parallel: Option<usize>,
    /// Also publish a tag for each platform.
    #[serde(default)]
    pub platform_tags: bool,
    /// For engine actions.
    pub actions: Option<Actions>,
    /// For engine buildx.
    #[serde(default)]
    pub buildx: Buildx,
}

/// Who builds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// BuildKit, through docker buildx.
    #[default]
    Buildx,
    /// Workflow runs on GitHub.
    Actions,
}

/// Engine actions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Actions {
    /// File name of the workflow.
    pub workflow: String,
    /// How often a phase is tried; default: 2.
    pub attempts: Option<u32>,
}

/// Engine buildx.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Buildx {
    /// Name of the builder; default: the current one.
    pub builder: Option<String>,
    /// Where the build cache is kept.
    pub cache: Option<Cache>,
    /// Attach a provenance attestation.
    #[serde(default)]
    pub provenance: bool,
    /// Attach a bill of materials.
    #[serde(default)]
    pub sbom: bool,
}

/// Where the build cache is kept.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// Beside the images.
    Registry,
    /// In GitHub's Actions cache.
    Gha,
}
