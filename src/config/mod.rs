//! `release.yaml`: what the project publishes, where its versions are written, and what may move them.
//!
//! [`Config::parse`] turns the text into the valid [`Config`], or reports every fault of the file at once, each
//! with its place. What lies behind it: [`raw`] is the shape (serde and the JSON Schema), `shape` checks it,
//! `validate` has the rules.
//! Nothing here reads a file.

mod place;
pub mod raw;
mod shape;
mod template;
mod validate;

use std::fmt;
use std::str::FromStr;

use globset::GlobSet;

pub use shape::nearest;
pub use template::Template;

use crate::error::{Error, Result};
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
}

impl Config {
    /// Reads the content of the file called `path`. The error has every fault of the file, each with its place.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self> {
        let (raw, mut places) = shape::read(path, bytes)?;
        let config = validate::validate(raw, &mut places);
        shape::finish(path, &mut places)?;
        Ok(config)
    }

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

impl FromStr for RepositoryName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_part =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        match text.split_once('/') {
            Some((owner, name)) if is_part(owner) && is_part(name) => {
                Ok(RepositoryName { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(Error::usage(format!("`{text}` is not a repository")).hint("write owner/name")),
        }
    }
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
    pub upstream: Option<RepositoryName>,
    /// What `watch` and requirements may choose.
    pub update: UpdatePolicy,
    /// Files that the search for this component's leftovers passes over.
    pub ignore: GlobSet,
    /// The places that carry its version.
    pub sites: Vec<SiteRule>,
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

/// Globs against the paths of the tree: `*` stays within a directory, `**` crosses them, `!` before one excludes.
#[derive(Debug, Clone)]
pub struct FileGlobs {
    /// As written.
    pub patterns: Vec<String>,
    include: GlobSet,
    exclude: GlobSet,
}

impl FileGlobs {
    /// Whether the file at `path` (relative to the root, `/` between parts) is selected.
    pub fn matches(&self, path: &str) -> bool {
        self.include.is_match(path) && !self.exclude.is_match(path)
    }
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
    /// What the group `version` matches.
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

/// `a.b[0].c`: a route to a value. A key that holds a dot or a bracket is quoted: `a."b.c"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath {
    /// As written.
    pub text: String,
    /// From the root down.
    pub steps: Vec<Step>,
}

impl ValuePath {
    /// The route through mappings by `keys`.
    pub fn of_keys(keys: &[&str]) -> Self {
        let quoted = keys.iter().map(|key| match key.contains(['.', '[', '"']) {
            true => format!("\"{key}\""),
            false => (*key).to_owned(),
        });
        let text = quoted.collect::<Vec<_>>().join(".");
        ValuePath { text, steps: keys.iter().map(|key| Step::Key((*key).to_owned())).collect() }
    }
}

impl FromStr for ValuePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::usage(format!("bad path `{text}`")).hint("write keys and indexes, such as a.b[0].c");
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(index) = rest.strip_prefix('[') {
                let (index, after) = index.split_once(']').ok_or_else(bad)?;
                steps.push(Step::Index(index.parse().map_err(|_| bad())?));
                rest = after;
                continue;
            }
            if !steps.is_empty() {
                rest = rest.strip_prefix('.').ok_or_else(bad)?;
            }
            let (key, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(bad)?,
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            if key.is_empty() {
                return Err(bad());
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        }
        match steps.is_empty() {
            true => Err(bad()),
            false => Ok(ValuePath { text: text.to_owned(), steps }),
        }
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One step of a [`ValuePath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a sequence, from 0.
    Index(usize),
}

/// `pull-request:`.
#[derive(Debug, Clone)]
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

/// How the commit reaches GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitVia {
    /// A push.
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
    /// The tag whose push starts the phase's workflow; `None`: it is dispatched.
    pub trigger: Option<Template>,
    /// In the order of the file.
    pub images: Vec<Image>,
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
    /// At least one of them is not moving.
    pub tags: Vec<Template>,
    /// What it is built for, such as `linux/amd64`.
    pub platforms: Vec<Platform>,
}

/// `os/arch` or `os/arch/variant`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub arch: String,
    /// `v7`.
    pub variant: Option<String>,
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, arch, variant) = match parts[..] {
            [os, arch] => (os, arch, None),
            [os, arch, variant] => (os, arch, Some(variant)),
            _ => ("", "", None),
        };
        if os.is_empty() || arch.is_empty() || variant == Some("") {
            return Err(Error::usage(format!("`{text}` is not a platform")).hint("write linux/amd64 or linux/arm/v7"));
        }
        Ok(Platform { os: os.to_owned(), arch: arch.to_owned(), variant: variant.map(str::to_owned) })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
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

/// The JSON Schema of `release.yaml`, generated from [`raw::Raw`].
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(raw::Raw).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, String, Option<String>)> {
        let error = Config::parse("release.yaml", text.as_bytes()).unwrap_err();
        assert_eq!(error.kind.exit_code(), 2);
        error.faults.iter().map(|f| (f.line_column().0, f.message.clone(), f.help.clone())).collect()
    }

    #[test]
    fn this_repository_s_own_config_and_the_example_are_valid() {
        for path in ["release.yaml", "docs/examples/graphscope/release.yaml"] {
            let config = Config::parse(path, &std::fs::read(path).unwrap()).unwrap();
            assert!(config.component("vineyard").is_some());
        }
    }

    #[test]
    fn every_fault_is_reported_in_one_run_with_its_line_and_the_nearest_key() {
        let text =
            "components:\n  v:\n    version: 0.24\n    site: []\n    sites:\n      - { files: a, agr: X }\nbse: main\n";
        let found = faults(text);
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [3, 4, 6, 7], "{found:?}");
        assert_eq!(found[1].2.as_deref(), Some("did you mean `sites`?"));
        assert_eq!(found[2].2.as_deref(), Some("did you mean `arg`?"));
        assert_eq!(found[3].2.as_deref(), Some("did you mean `base`?"));
    }

    #[test]
    fn every_rule_that_is_broken_is_reported_in_one_run() {
        let text = "components:\n  v:\n    version: 0.24.2\n    sites:\n      - { files: a, regex: 'x' }\n      - { files: ../a, whole: true }\n      - { files: a, arg: A, env: B }\n      - { files: a, path: 'a..b' }\n    update: { minimum-age: soon }\nphases:\n  - name: p\n    component: w\n    images:\n      i: { dockerfile: d, tags: [latest, '{vv}'] }\n";
        let found = faults(text);
        let messages: Vec<&str> = found.iter().map(|f| f.1.as_str()).collect();
        for expected in [
            "no group `version`",
            "outside the repository",
            "has 2 forms",
            "bad path",
            "not a duration",
            "`w` is no component",
            "`{vv}` is no component",
            "need a `registry:`",
        ] {
            assert!(messages.iter().any(|m| m.contains(expected)), "{expected}: {messages:?}");
        }
    }

    #[test]
    fn rubbish_is_a_clear_error() {
        assert!(faults("a: 1\na: 2\n")[0].1.contains("duplicate"));
        assert!(faults("components:\n\tv: 1\n")[0].2.as_deref().unwrap().contains("tabs"));
        let message = |bytes: &[u8]| Config::parse("release.yaml", bytes).unwrap_err().message;
        assert!(message(b"").contains("is empty"));
        assert!(message(&vec![b'a'; 10 << 20]).contains("at most"));
        assert!(message(b"a: 1\nb: \xff\n").contains("release.yaml:2:4: not valid UTF-8"));
    }

    #[test]
    fn the_schema_file_is_fresh() {
        let schema = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
        let path = "schema/release.schema.json";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let hint = "run `UPDATE_SCHEMA=1 cargo test the_schema_file_is_fresh`";
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), schema, "{hint}");
    }
}
