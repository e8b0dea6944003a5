//! A release in memory, for tests.

use std::collections::BTreeMap;

use super::TreeEntry;
use super::fingerprint::Inputs;
use super::graph::{Graph, Release};
use crate::config::{Config, VersionSource};
use crate::error::{Error, Result};
use crate::version::Version;

/// A config and the files of the tree.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) config: String,
    files: BTreeMap<String, (u32, String)>,
}

impl Tree {
    /// A tree of `files` under a config with components `v` (1.2.3) and `g` (4.5.6), registry `r.example.com/p` and `phases`.
    pub(crate) fn new(phases: &str, files: &[(&str, &str)]) -> Self {
        let config = format!(
            "platforms: [linux/amd64, linux/arm64, linux/arm64/v8]\n\
             registry: r.example.com/p\nregistry-aliases: [alias.example.com/p]\n\
             components:\n  v: {{ version: 1.2.3 }}\n  g: {{ version: 4.5.6 }}\nphases:\n{phases}"
        );
        Self::with_config(config, files)
    }

    pub(crate) fn with_config(config: String, files: &[(&str, &str)]) -> Self {
        let mut tree = Tree { config, files: BTreeMap::new() };
        files.iter().for_each(|(path, content)| tree.write(path, content));
        tree
    }

    /// One image called `a`, from `Dockerfile`.
    pub(crate) fn one(dockerfile: &str, files: &[(&str, &str)]) -> Self {
        let mut tree = Self::new(&phase("one", "v", &["a: { dockerfile: Dockerfile, tags: ['v{v}'] }"]), files);
        tree.write("Dockerfile", dockerfile);
        tree
    }

    pub(crate) fn write(&mut self, path: &str, content: &str) {
        self.entry(path, 0o100644, content);
    }

    /// `content` is a symlink's target, or the commit of a submodule.
    pub(crate) fn entry(&mut self, path: &str, mode: u32, content: &str) {
        self.files.insert(path.to_owned(), (mode, content.to_owned()));
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.files.get(path).filter(|(mode, _)| *mode != 0o120000).map(|(_, content)| content.clone().into_bytes()))
    }

    pub(crate) fn entries(&self) -> Vec<TreeEntry> {
        let entries = self.files.iter().map(|(path, (mode, content))| TreeEntry {
            path: path.clone(),
            mode: *mode,
            id: super::fingerprint::short(content),
            link: (*mode == 0o120000).then(|| content.clone()),
        });
        entries.collect()
    }

    pub(crate) fn graph(&self) -> Result<Graph> {
        let config = Config::parse("release.yaml", self.config.as_bytes())?;
        let versions = config.components.iter().map(|component| match &component.version {
            VersionSource::Inline(version) => (component.name.clone(), version.clone()),
            VersionSource::File(_) => panic!("tests write versions into the config"),
        });
        let versions: BTreeMap<String, Version> = versions.collect();
        let release = Release { config: &config, path: "release.yaml", text: &self.config, versions: &versions };
        Graph::read(release, |path| self.read(path))
    }

    pub(crate) fn config(&self) -> Config {
        Config::parse("release.yaml", self.config.as_bytes()).unwrap()
    }

    pub(crate) fn inputs(&self) -> Vec<Inputs> {
        let graph = self.graph().unwrap_or_else(|error| panic!("{}", told(&error)));
        graph.inputs(&self.entries(), |path| self.read(path), &BTreeMap::new()).unwrap()
    }

    /// Path, line and message of every fault.
    pub(crate) fn faults(&self) -> Vec<(String, usize, String)> {
        let error = self.graph().expect_err("the graph has faults");
        assert_eq!(error.kind.exit_code(), 2);
        error.faults.into_iter().map(|f| (f.path.clone(), f.line_column().0, f.message)).collect()
    }
}

/// The YAML of a phase. An image that names no platforms is for linux/amd64.
pub(crate) fn phase(name: &str, component: &str, images: &[&str]) -> String {
    let images = images.iter().map(|image| match image.contains("platforms:") {
        true => format!("      {image}\n"),
        false => format!("      {}\n", image.replacen('{', "{ platforms: [linux/amd64],", 1)),
    });
    let images: Vec<String> = images.collect();
    format!("  - name: {name}\n    component: {component}\n    images:\n{}", images.concat())
}

fn told(error: &Error) -> String {
    let faults = error.faults.iter().map(|f| format!("\n{}:{}: {}", f.path, f.line_column().0, f.message));
    format!("{}{}", error.message, faults.collect::<String>())
}
