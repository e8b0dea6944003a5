//! The shape of `release.yaml`, for serde and for the JSON Schema that editors use.
//!
//! The comments here are the descriptions in that schema. A key that must be there is an `Option` marked
//! `required` in the schema: the shape check reports its absence, and the rules can still judge the rest.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Code;

/// `format` of a text that is one version.
pub const VERSION_FORMAT: &str = "version";

/// The JSON Schema of [`Release`]. No value may be null: a key without a value is a slip, such as a lost indentation.
pub fn json_schema() -> Value {
    let settings = schemars::generate::SchemaSettings::default();
    let no_null = schemars::transform::RecursiveTransform(|schema: &mut schemars::Schema| {
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [one] = &types[..] {
                let one = one.clone();
                object.insert("type".into(), one);
            }
        }
        if let Some(Value::Array(variants)) = object.get_mut("anyOf") {
            variants.retain(|variant| variant["type"] != "null");
            if let [Value::Object(one)] = &mut variants[..] {
                let one = std::mem::take(one);
                object.remove("anyOf");
                object.extend(one);
            }
        }
    });
    settings.with_transform(no_null).into_generator().into_root_schema_for::<Release>().to_value()
}

/// What a project releases: the components whose versions it carries, where those are written, and the images it
/// publishes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "release.yaml")]
pub struct Release {
    /// `owner/name` on GitHub, where pull requests go. Default: the origin remote's repository.
    #[schemars(example = &"alibaba/GraphScope")]
    pub repository: Option<String>,
    /// The base branch. Default: `main`.
    pub base: Option<String>,
    /// Host and path that images are published under. Needed as soon as there are phases.
    #[schemars(example = &"registry.example.com/graphscope")]
    pub registry: Option<String>,
    /// Other names of the same registry, by which Dockerfiles may refer to its images.
    #[serde(default)]
    pub registry_aliases: Vec<String>,
    /// What images are built for. Default: `linux/amd64`.
    #[schemars(example = &json!(["linux/amd64", "linux/arm64"]))]
    pub platforms: Option<Vec<String>>,
    /// Globs of files in which an old version is never reported as left over.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// What has a version of its own, by name.
    #[schemars(required)]
    pub components: Option<IndexMap<String, Component>>,
    /// How pull requests are made.
    pub pull_request: Option<PullRequest>,
    /// Images that are built and published together, one phase after the other.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// How images are built.
    pub build: Option<Build>,
    /// What `gs-release check` passes over.
    pub check: Option<Check>,
}

/// Something with a version of its own. It has either `version` or `version-file`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Component {
    /// The current version. A bump changes it here.
    #[schemars(example = &"0.24.2", extend("format" = VERSION_FORMAT))]
    pub version: Option<String>,
    /// A file that is only the current version. A bump changes it there.
    #[schemars(example = &"V6D_VERSION")]
    pub version_file: Option<String>,
    /// How the version is written in upstream's tags. Default: `v{version}`.
    #[schemars(example = &"v{version}")]
    pub tag: Option<String>,
    /// Where releases are published. Without it no version is checked against upstream.
    pub upstream: Option<Upstream>,
    /// Which versions may be chosen without a person.
    pub update: Option<Update>,
    /// Globs of files in which this component's old version is never reported as left over.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// The places that carry the version.
    #[serde(default)]
    pub sites: Vec<Site>,
}

/// Where releases are published: on GitHub, on the package index of Python, or both. A version counts when it is everywhere.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Upstream {
    /// `owner/name` on GitHub.
    #[schemars(example = &"v6d-io/v6d")]
    pub github: Option<String>,
    /// Projects of the package index that pip is configured with. Each must have a file of the version.
    #[serde(default)]
    #[schemars(example = &json!(["vineyard", "vineyard-bdist"]))]
    pub pypi: Vec<String>,
}

/// Which versions may be chosen without a person.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Update {
    /// Only versions that satisfy this requirement.
    #[schemars(example = &">=0.24, <=0.24.2")]
    pub allow: Option<String>,
    /// Whether pre-releases count. Default: false.
    #[serde(default)]
    pub prereleases: bool,
    /// How old a release must be: minutes, hours or days. Default: no age.
    #[schemars(example = &"24h", example = &"3d", example = &"90m")]
    pub minimum_age: Option<String>,
    /// Versions that are never taken.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Leave the component alone: `watch` does not bump it. Default: false.
    #[serde(default)]
    pub hold: bool,
}

/// Places that carry the version: the files, and exactly one of `arg`, `env`, `image`, `path`, `regex` and `whole`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Site {
    /// A glob or a list of globs: `*` stays within a directory, `**` crosses them, a leading `!` excludes.
    #[schemars(required, example = &"dockerfiles/*.Dockerfile")]
    pub files: Option<OneOrMany>,
    /// The default of `ARG` of this name in Dockerfiles.
    #[schemars(example = &"VINEYARD_VERSION")]
    pub arg: Option<String>,
    /// The value of `ENV` of this name in Dockerfiles.
    #[schemars(example = &"VINEYARD_VERSION")]
    pub env: Option<String>,
    /// The tag of every reference to this repository, whatever registry is before it.
    #[schemars(example = &"graphscope/graphscope-dev")]
    pub image: Option<String>,
    /// The value at this path in a YAML, JSON or TOML file.
    #[schemars(example = &"a.b[0].\"c.d\"")]
    pub path: Option<String>,
    /// Every match of this regular expression; its group `version` is the version. Instead it may have groups `major`,
    /// `minor` and `patch`, or some of them: each holds that number of the version, and is a place of its own. A
    /// pre-release gives its numbers alone.
    #[schemars(example = &"VERSION = v(?<version>\\S+)")]
    pub regex: Option<String>,
    /// The whole file is the version.
    pub whole: Option<bool>,
    /// How many places there must be. Default: at least one.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub expect: Option<usize>,
}

/// One string or a list of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// `files: VERSION`
    One(String),
    /// `files: [VERSION, "charts/**/Chart.yaml"]`
    Many(Vec<String>),
}

/// How pull requests are made.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PullRequest {
    /// Labels that each pull request carries.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Users, or teams as `organisation/team`, that are asked for a review.
    #[serde(default)]
    pub reviewers: Vec<String>,
    /// Users that each pull request is assigned to.
    #[serde(default)]
    pub assignees: Vec<String>,
    /// Title of the milestone.
    pub milestone: Option<String>,
    /// Open as a draft. Default: false.
    #[serde(default)]
    pub draft: bool,
    /// Let GitHub merge it once its checks have passed. Default: false.
    #[serde(default)]
    pub automerge: bool,
    /// How the commit reaches GitHub. Default: `git`.
    pub commit_via: Option<CommitVia>,
    /// `owner/name` of the fork that the branch is pushed to. Default: the repository itself.
    pub push_to: Option<String>,
}

/// How the commit reaches GitHub.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommitVia {
    /// A push.
    Git,
    /// The REST API. GitHub signs such commits of apps and of `GITHUB_TOKEN`.
    Api,
}

/// Images that are built and published together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Phase {
    /// The name of the phase.
    #[schemars(required, example = &"v6d")]
    pub name: Option<String>,
    /// The component whose release this is.
    #[schemars(required, example = &"vineyard")]
    pub component: Option<String>,
    /// What happens to a published version whose inputs have changed. Default: `rebuild`.
    pub when_stale: Option<WhenStale>,
    /// Build from the bump branch, since the checks of the pull request run in these images. Default: false.
    #[serde(default)]
    pub build_before_merge: bool,
    /// How the phase's workflow is started, with engine `actions`. Default: as `build.actions` says.
    pub trigger: Option<Trigger>,
    /// The images, by name.
    #[schemars(required)]
    pub images: Option<IndexMap<String, Image>>,
}

/// What happens to a published version whose inputs have changed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenStale {
    /// It is built again and replaced.
    Rebuild,
    /// A complete published version stays as it is.
    Keep,
}

/// How the phase's workflow is started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trigger {
    /// A git tag that is made on the built commit, such as `v{graphscope}`. Default: the workflow is dispatched.
    #[schemars(example = &"v{graphscope}")]
    pub tag: Option<String>,
    /// File name of the workflow. Default: that of `build.actions`.
    #[schemars(example = &"build-graphscope-dev-images.yml")]
    pub workflow: Option<String>,
    /// What it is dispatched with. Default: that of `build.actions`.
    #[schemars(example = &json!({ "v6d_version": "v{vineyard}" }))]
    pub inputs: Option<IndexMap<String, String>>,
}

/// One image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Image {
    /// Path of the Dockerfile, from the root of the repository.
    #[schemars(required, example = &"dockerfiles/graphscope-dev.Dockerfile")]
    pub dockerfile: Option<String>,
    /// Path of the build context, from the root of the repository. Default: the root.
    pub context: Option<String>,
    /// The stage that is the image. Default: the last one.
    pub target: Option<String>,
    /// Build args, by name. `{component}` stands for that component's version, `{arch}` for the architecture.
    #[serde(default)]
    pub args: IndexMap<String, String>,
    /// Named contexts, by name: a directory of the repository, `docker-image://reference`, or `https://...git#ref`. One
    /// with the name of a stage takes its place. `{component}` and `{arch}` are filled in as in build args.
    #[serde(default)]
    #[schemars(example = &json!({ "source": "https://github.com/alibaba/GraphScope.git#v{graphscope}" }))]
    pub contexts: IndexMap<String, String>,
    /// Tags to publish. `{component}` stands for that component's version; at least one tag holds a version.
    #[schemars(required, example = &json!(["v{vineyard}", "latest"]))]
    pub tags: Option<Vec<String>>,
    /// What it is built for, where that is less than the `platforms` of the whole file.
    pub platforms: Option<Vec<String>>,
    /// Name under the registry. Default: the name of the image.
    pub repository: Option<String>,
}

/// How images are built.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Build {
    /// Who builds. Default: `buildx`.
    pub engine: Option<Engine>,
    /// How many images are built at once. Default: the engine decides.
    #[schemars(range(min = 1, max = 1000))]
    pub parallel: Option<usize>,
    /// Also publish a tag for each platform, such as `v0.24.2-amd64`. Default: false.
    #[serde(default)]
    pub platform_tags: bool,
    /// For engine `actions`.
    pub actions: Option<Actions>,
    /// For engine `buildx`.
    pub buildx: Option<Buildx>,
}

/// Who builds.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// BuildKit, through `docker buildx`.
    Buildx,
    /// Workflow runs on GitHub.
    Actions,
}

/// For engine `actions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Actions {
    /// File name of the workflow that builds a phase.
    #[schemars(required, example = &"build-images.yml")]
    pub workflow: Option<String>,
    /// How often a phase is tried before a person must look. Default: 2.
    #[schemars(range(min = 1, max = 100))]
    pub attempts: Option<u32>,
    /// How long a job of a run may wait for a runner before a person must look: minutes, hours or days. The run itself is left
    /// as it is. Default: 1h.
    #[schemars(example = &"4h")]
    pub queue_limit: Option<String>,
    /// What the workflow is dispatched with, by the names of its inputs. `{phase}`, `{commit}` and `{request}` stand for the
    /// phase's name, the commit and the id by which the run is found again, which belongs into the workflow's `run-name`;
    /// `{component}` stands for that component's version. Default: inputs `phase`, `commit` and `request`.
    #[schemars(example = &json!({ "phase": "{phase}", "commit": "{commit}", "request": "{request}" }))]
    pub inputs: Option<IndexMap<String, String>>,
}

/// For engine `buildx`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Buildx {
    /// Name of the builder. Default: the current one.
    pub builder: Option<String>,
    /// Where build caches are kept. Default: only with the builder.
    pub cache: Option<Cache>,
    /// Attach a provenance attestation. Default: false.
    #[serde(default)]
    pub provenance: bool,
    /// Attach a bill of materials. Default: false.
    #[serde(default)]
    pub sbom: bool,
}

/// Where build caches are kept.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// In the registry, beside the images.
    Registry,
    /// In the cache of GitHub Actions.
    Gha,
}

/// What `gs-release check` passes over.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Check {
    /// Findings that are known and accepted. An entry that matches nothing is itself a finding.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
}

/// Findings that are known and accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ignore {
    /// The code of the findings.
    #[schemars(required, example = &"untracked")]
    pub code: Option<Code>,
    /// A glob or a list of globs of the files that they are in.
    #[schemars(required, example = &"docs/**")]
    pub files: Option<OneOrMany>,
    /// Only findings whose line contains this text. Default: every line.
    #[schemars(example = &"rocksdb")]
    pub line_contains: Option<String>,
    /// Why they are accepted, for whoever reads this next.
    #[schemars(required, example = &"samples, each tied to the release it was written for")]
    pub reason: Option<String>,
}
