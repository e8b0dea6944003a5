//! What a valid `release.yaml` says, as the other modules use it. Nothing here reads or judges.

use std::fmt;

use globset::GlobSet;

use super::{Code, FileGlobs, Platform, Template, ValuePath};
use crate::version::{Requirement, Version};

/// A valid `release.yaml`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where pull requests go; `None` is the origin remote's repository.
    pub repository: Option<RepositoryName>,
    /// The base branch.
    pub base: String,
    /// Host and path that published images live under, such as `registry.example.com/graphscope`.
    pub registry: Option<String>,
    /// Other names of the same place.
    pub registry_aliases: Vec<String>,
    /// Files that the search for leftovers passes over.
    pub ignore: GlobSet,
    /// In the order of the file.
    pub components: Vec<Component>,
    /// How pull requests are made.
    pub pull_request: PullRequest,
    /// In the order they are built.
    pub phases: Vec<Phase>,
    /// How images are built.
    pub build: Build,
    /// Findings of `check` that are accepted.
    pub check_ignore: Vec<Ignore>,
}

impl Config {
    /// The component called `name`.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|c| c.name == name)
    }
}

/// `owner/name` on a GitHub server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryName {
    /// The user or organisation.
    pub owner: String,
    /// The repository.
    pub name: String,
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Something with a version of its own that this repository uses or is.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its key in `components`.
    pub name: String,
    /// Where its current version is written.
    pub version: VersionSource,
    /// How the version is written in upstream's tags: `v{version}`, or `{version}`.
    pub tag: TagTemplate,
    /// Where its releases are; `None`: there is nothing to check a version against.
    pub upstream: Option<Upstream>,
    /// What `watch` and requirements may choose.
    pub update: UpdatePolicy,
    /// Files that the search for this component's leftovers passes over.
    pub ignore: GlobSet,
    /// The places that carry its version.
    pub sites: Vec<SiteRule>,
}

/// Where releases are published: at least one of the two. A version counts when it is everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The repository with the releases and tags.
    pub github: Option<RepositoryName>,
    /// Projects of the package index, by their normalised names (PEP 503).
    pub pypi: Vec<String>,
}

impl fmt::Display for Upstream {
    /// `v6d-io/v6d with vineyard, vineyard-bdist`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projects = self.pypi.join(", ");
        match (&self.github, &*projects) {
            (Some(github), "") => write!(f, "{github}"),
            (Some(github), projects) => write!(f, "{github} with {projects} on the package index"),
            (None, projects) => write!(f, "{projects} on the package index"),
        }
    }
}

/// Where a component's current version is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionSource {
    /// `version:` in `release.yaml` itself.
    Inline(Version),
    /// `version-file:`, the path of a file that is only the version.
    File(String),
}

/// A tag with one place for the version, such as `v{version}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagTemplate {
    /// What stands before the version.
    pub prefix: String,
    /// What stands after it.
    pub suffix: String,
}

impl TagTemplate {
    /// As it is written: `v{version}`.
    pub fn pattern(&self) -> String {
        format!("{}{{version}}{}", self.prefix, self.suffix)
    }

    /// The tag of `version`.
    pub fn render(&self, version: &Version) -> String {
        format!("{}{version}{}", self.prefix, self.suffix)
    }

    /// The version that `tag` stands for, if it is written this way and is a version.
    pub fn parse(&self, tag: &str) -> Option<Version> {
        let bare = tag.strip_prefix(&*self.prefix)?.strip_suffix(&*self.suffix)?;
        // `v{version}` must not take `vv1.2.3`, which a lenient version parser would
        bare.starts_with(|c: char| c.is_ascii_digit()).then(|| bare.parse().ok())?
    }
}

/// Which versions the bot may choose by itself.
#[derive(Debug, Clone)]
pub struct UpdatePolicy {
    /// Only these.
    pub allow: Option<Requirement>,
    /// Whether pre-releases count.
    pub prereleases: bool,
    /// How old a release must be, in whole seconds.
    pub minimum_age: std::time::Duration,
    /// Never these, not even when asked for by name.
    pub ignore: Vec<Version>,
    /// `watch` leaves the component alone.
    pub hold: bool,
}

/// One entry of `sites:`.
#[derive(Debug, Clone)]
pub struct SiteRule {
    /// Which files.
    pub files: FileGlobs,
    /// Which places in them.
    pub form: SiteForm,
    /// Exactly so many places.
    pub expect: Option<usize>,
    /// Line of the rule in `release.yaml`, from 1.
    pub line: usize,
}

/// The form of a site: how its places are found.
#[derive(Debug, Clone)]
pub enum SiteForm {
    /// The default of `ARG NAME` in Dockerfiles.
    Arg(String),
    /// The value of `ENV NAME` in Dockerfiles.
    Env(String),
    /// The tag of every reference to this repository.
    Image(String),
    /// A value in a YAML, JSON or TOML file.
    Path(ValuePath),
    /// What the group `version` matches, or the groups of its parts.
    Regex(regex::bytes::Regex),
    /// The file is the version.
    Whole,
}

impl fmt::Display for SiteForm {
    /// The form as reports name it: `arg VINEYARD_VERSION`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SiteForm::Arg(name) => write!(f, "arg {name}"),
            SiteForm::Env(name) => write!(f, "env {name}"),
            SiteForm::Image(name) => write!(f, "image {name}"),
            SiteForm::Path(path) => write!(f, "path {path}"),
            SiteForm::Regex(regex) => write!(f, "regex {}", regex.as_str()),
            SiteForm::Whole => f.write_str("whole"),
        }
    }
}

/// `pull-request:`.
#[derive(Debug, Clone, Default)]
pub struct PullRequest {
    /// Labels that every pull request of the bot carries.
    pub labels: Vec<String>,
    /// Users asked for a review; `org/team` asks a team.
    pub reviewers: Vec<String>,
    /// Users it is assigned to.
    pub assignees: Vec<String>,
    /// Title of the milestone.
    pub milestone: Option<String>,
    /// Opened as a draft.
    pub draft: bool,
    /// Merged by GitHub once its checks pass.
    pub automerge: bool,
    /// How the commit reaches GitHub.
    pub commit_via: CommitVia,
    /// The fork that the branch is pushed to; `None` is the repository itself.
    pub push_to: Option<RepositoryName>,
}

impl PullRequest {
    /// Whether a team is among the reviewers.
    pub fn asks_teams(&self) -> bool {
        self.reviewers.iter().any(|reviewer| reviewer.contains('/'))
    }
}

/// How the commit reaches GitHub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CommitVia {
    /// A push.
    #[default]
    Git,
    /// The REST API, whose commits GitHub signs for apps.
    Api,
}

/// Images that are built together.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// The component whose release it is.
    pub component: String,
    /// What happens to a published version whose inputs have changed.
    pub when_stale: WhenStale,
    /// Built from the bump branch, since the pull request's checks run in its images.
    pub build_before_merge: bool,
    /// How its workflow is started, where that differs from `build.actions`.
    pub trigger: Trigger,
    /// In the order of the file.
    pub images: Vec<Image>,
}

/// `trigger:` of a phase.
#[derive(Debug, Clone, Default)]
pub struct Trigger {
    /// The tag whose push starts the workflow; `None`: it is dispatched.
    pub tag: Option<Template>,
    /// File name of the workflow.
    pub workflow: Option<String>,
    /// What it is dispatched with.
    pub inputs: Option<Vec<(String, Template)>>,
}

/// What happens to a published version whose inputs have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStale {
    /// It is replaced.
    Rebuild,
    /// A complete published version is never overwritten.
    Keep,
}

/// One image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its key in `images`.
    pub name: String,
    /// Name under the registry; the key unless `repository:` says otherwise.
    pub repository: String,
    /// Path of the Dockerfile from the repository's root.
    pub dockerfile: String,
    /// Path of the build context from the repository's root; empty is the root itself.
    pub context: String,
    /// The stage that is the image; `None` is the last one.
    pub target: Option<String>,
    /// Build args, by name.
    pub args: Vec<(String, Template)>,
    /// Named contexts, each with a name of its own. One with the name of a stage takes the place of that stage.
    pub contexts: Vec<NamedContext>,
    /// At least one of them is not moving.
    pub tags: Vec<Template>,
    /// What it is built for, such as `linux/amd64`.
    pub platforms: Vec<Platform>,
}

/// A named context of BuildKit: what `FROM name` and `COPY --from=name` mean in the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedContext {
    /// The name, in lower case.
    pub name: String,
    /// What stands for it.
    pub source: ContextSource,
}

/// Where the files of a [`NamedContext`] come from. The places of the templates are those of build args.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextSource {
    /// A directory of the repository, by its path from the root; empty is the root itself.
    Directory(Template),
    /// An image, by its reference without `docker-image://`.
    Image(Template),
    /// A repository of git, by its `https://` URL with the ref after a `#`.
    Git(Template),
}

/// `build:`.
#[derive(Debug, Clone)]
pub struct Build {
    /// Who builds.
    pub engine: EngineKind,
    /// How many images at once; `None`: the engine decides.
    pub parallel: Option<usize>,
    /// Also publish `v0.24.2-amd64`, `v0.24.2-arm64`.
    pub platform_tags: bool,
    /// For engine `actions`.
    pub actions: Option<Actions>,
    /// For engine `buildx`.
    pub buildx: Buildx,
}

/// Who builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// BuildKit through `docker buildx`.
    Buildx,
    /// Workflow runs on GitHub.
    Actions,
}

/// `build.actions:`.
#[derive(Debug, Clone)]
pub struct Actions {
    /// File name of the workflow.
    pub workflow: String,
    /// How often a phase is tried.
    pub attempts: u32,
    /// How long a job may wait for a runner.
    pub queue_limit: std::time::Duration,
    /// What the workflow is dispatched with: places are those of components, [`super::PHASE`], [`super::COMMIT`] and
    /// [`super::REQUEST`].
    pub inputs: Vec<(String, Template)>,
}

/// `build.buildx:`.
#[derive(Debug, Clone)]
pub struct Buildx {
    /// Name of the builder; `None` is the current one.
    pub builder: Option<String>,
    /// Value of `--cache-from` and `--cache-to`.
    pub cache: Option<BuildCache>,
    /// Attach a provenance attestation.
    pub provenance: bool,
    /// Attach a bill of materials.
    pub sbom: bool,
}

/// Where build caches are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildCache {
    /// In the registry, beside the images, as the tag `gsr-cache` of each.
    Registry,
    /// In GitHub's Actions cache.
    Gha,
}

/// One entry of `check.ignore`.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// The code of the findings.
    pub code: Code,
    /// The files that they are in.
    pub files: FileGlobs,
    /// What their line contains; `None`: any line.
    pub line_contains: Option<String>,
    /// Why they are accepted.
    pub reason: String,
    /// Line of the entry in `release.yaml`, from 1.
    pub line: usize,
}
