//! The config that a command works with, and where it stands.

use super::Global;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::git::{Commit, Repository};

/// A config that was read.
pub struct Place {
    /// The config.
    pub config: Config,
    /// Its path in the tree; `None` if it comes from outside.
    pub config_path: Option<String>,
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
        let in_tree = match commit.filter(|_| global.config.is_relative()) {
            Some(commit) => repository.read(commit, &path)?,
            None => None,
        };
        if let Some(bytes) = in_tree {
            return Ok(Place { config: Config::parse(&path, &bytes)?, config_path: Some(path) });
        }
        let beside = repository.workdir().map(|root| root.join(&global.config)).filter(|file| file.is_file());
        let file = beside.unwrap_or_else(|| global.config.clone());
        let bytes = std::fs::read(&file).map_err(|error| {
            Error::usage(format!("cannot read the config {}: {error}", file.display()))
                .hint("the repository needs a release.yaml at its root, or name a config with --config FILE")
        })?;
        Ok(Place { config: Config::parse(&path, &bytes)?, config_path: None })
    }
}
