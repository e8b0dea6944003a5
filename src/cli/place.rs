//! The config that a command works with, and where it stands.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::Global;
use crate::build::Desired;
use crate::bump::current_version;
use crate::config::{Config, RepositoryName};
use crate::error::{Error, Result};
use crate::git::{Commit, Remote, Repository, Snapshot};
use crate::image::Fingerprint;
use crate::image::graph::{Graph, Release};
use crate::version::Version;

/// A config that was read.
pub struct Place {
    /// The config.
    pub config: Config,
    /// Its path in the tree; `None` if it comes from outside.
    pub config_path: Option<String>,
    /// Its path as the user gave it, and its text.
    source: (String, String),
}

impl Place {
    /// Reads the config from the tree of `commit` (of HEAD where that is not known yet), or from a file that the tree does
    /// not have.
    ///
    /// # Errors
    /// Usage: there is none, or it has faults.
    pub fn read(global: &Global, repository: &Repository, commit: Option<Commit>) -> Result<Self> {
        let path = global.config.to_string_lossy().into_owned();
        let commit = match commit {
            Some(commit) => Some(commit),
            None => repository.tip("HEAD")?,
        };
        if let Some(commit) = commit {
            for path in tree_paths(global, repository) {
                if let Some(bytes) = repository.read(commit, &path)? {
                    return Self::of(path.clone(), bytes, Some(path));
                }
            }
        }
        Self::read_file(global, repository, path)
    }

    /// Reads the config from a file that git does not have.
    fn read_file(global: &Global, repository: &Repository, path: String) -> Result<Self> {
        let file = config_file(global, repository);
        let bytes = std::fs::read(&file).map_err(|error| {
            Error::usage(format!("cannot read the config {}: {error}", file.display()))
                .hint("the repository needs a release.yaml at its root, or name a config with --config FILE")
        })?;
        Self::of(path, bytes, None)
    }

    /// Reads the config from the checkout that `snapshot` shows, or from a file outside of it.
    ///
    /// # Errors
    /// Usage: there is none, or it has faults.
    pub fn read_checkout(global: &Global, repository: &Repository, snapshot: &Snapshot<'_>) -> Result<Self> {
        for path in tree_paths(global, repository) {
            if let Some(bytes) = snapshot.read(&path)? {
                return Self::of(path.clone(), bytes, Some(path));
            }
        }
        Self::read_file(global, repository, global.config.to_string_lossy().into_owned())
    }

    /// Path of the config as the user gave it, and its text.
    pub fn source(&self) -> (&str, &str) {
        let (path, text) = &self.source;
        (path, text)
    }

    fn of(path: String, bytes: Vec<u8>, config_path: Option<String>) -> Result<Self> {
        let config = Config::parse(&path, &bytes)?;
        Ok(Place { config, config_path, source: (path, String::from_utf8_lossy(&bytes).into_owned()) })
    }

    /// The version of each component at `commit`.
    ///
    /// # Errors
    /// Usage: a component has none there.
    pub fn versions(&self, repository: &Repository, commit: Commit) -> Result<BTreeMap<String, Version>> {
        let components = self.config.components.iter();
        components.map(|c| Ok((c.name.clone(), current_version(repository, c, commit)?))).collect()
    }

    /// The image graph of `commit`.
    ///
    /// # Errors
    /// Usage: a component has no version there, or the graph has faults; it carries every one of them.
    pub fn graph(&self, repository: &Repository, commit: Commit) -> Result<Graph> {
        let versions = self.versions(repository, commit)?;
        let (path, text) = &self.source;
        let release = Release { config: &self.config, path, text, versions: &versions };
        let mut reader = repository.reader(commit);
        Graph::read(release, |path| reader.read(path))
    }

    /// What should be published of `commit`. `registry` overrides the one of the config.
    ///
    /// `kept` are images that stay as they were published, see [`Graph::inputs`].
    ///
    /// # Errors
    /// As [`Place::graph`]; usage where there is no registry.
    pub fn desired(
        &self,
        repository: &Repository,
        commit: Commit,
        registry: Option<&str>,
        kept: &BTreeMap<usize, Fingerprint>,
    ) -> Result<Desired> {
        let versions = self.versions(repository, commit)?;
        let graph = self.graph(repository, commit)?;
        let mut reader = repository.reader(commit);
        let inputs = graph.inputs(&repository.entries(commit)?, |path| reader.read(path), kept)?;
        Desired::new(commit.id.to_string(), versions, &self.config, graph, inputs, registry)
    }
}

/// The config as a file: beside what git has, else as seen from where the command runs. An absolute path stays what it is.
fn config_file(global: &Global, repository: &Repository) -> PathBuf {
    let beside = repository.workdir().map(|root| root.join(&global.config)).filter(|file| file.is_file());
    beside.unwrap_or_else(|| global.directory.join(&global.config))
}

/// Where the config may stand in a tree: at the path that was given, or where the file of that path lies in the checkout.
fn tree_paths(global: &Global, repository: &Repository) -> Vec<String> {
    let given = within(Path::new(""), &global.config);
    let file = config_file(global, repository).canonicalize().ok();
    let root = repository.workdir().and_then(|root| root.canonicalize().ok());
    let real = file.zip(root).and_then(|(file, root)| within(&root, &file));
    given.into_iter().chain(real).collect()
}

/// `path` relative to `root`, as git writes it; `None` where it leads out.
fn within(root: &Path, path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for component in path.strip_prefix(root).ok()?.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The repository that pull requests go to: that of the config, else of the remote, else the one that GitHub Actions names.
///
/// # Errors
/// Usage, for a name in the environment that is none.
pub fn home(config: &Config, remote: Option<&Remote>) -> Result<Option<RepositoryName>> {
    let named = config.repository.clone().or_else(|| remote.and_then(Remote::repository));
    match (named, std::env::var("GITHUB_REPOSITORY")) {
        (None, Ok(name)) if !name.is_empty() => name.parse().map(Some),
        (named, _) => Ok(named),
    }
}
