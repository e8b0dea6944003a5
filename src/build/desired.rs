//! What should be published, as the config and the Dockerfiles of one commit say. No registry is asked.

use std::collections::BTreeMap;

use crate::config::{ARCH, Config, ContextSource, Image, Platform, WhenStale};
use crate::error::{Error, Result};
use crate::git::{Commit, Repository};
use crate::image::{Graph, Inputs, Release};
use crate::registry;
use crate::version::Version;

/// Everything that should be published.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The commit's id.
    pub commit: String,
    /// Versions of all components at that commit.
    pub versions: BTreeMap<String, Version>,
    /// In the order they are built.
    pub phases: Vec<Phase>,
    /// In the order of the graph's nodes.
    pub images: Vec<Wanted>,
    /// How the images hang together.
    pub graph: Graph,
}

/// A phase.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// The component whose release it is.
    pub component: String,
    /// Complete published versions are never overwritten.
    pub keep: bool,
}

/// An image that should be published.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its key in `images`.
    pub name: String,
    /// Index of its phase.
    pub phase: usize,
    /// Where it is published.
    pub repository: registry::Repository,
    /// What it is made of.
    pub inputs: Inputs,
    /// What it is built for.
    pub platforms: Vec<Platform>,
    /// Its tags that name a version.
    pub tags: Vec<String>,
    /// Its moving tags.
    pub moving: Vec<String>,
    /// Images that it is built on, by index.
    pub needs: Vec<usize>,
    /// The named contexts that the config gives it, by name, for each of its platforms.
    pub contexts: Vec<BTreeMap<String, Source>>,
}

/// What stands for a named context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory of the tree, by its path from the root.
    Directory(String),
    /// Anything else, as BuildKit writes it.
    Elsewhere(String),
}

impl Desired {
    /// Reads what `config`, which stands at `config_path` with `config_text`, wants of `commit`. `registry` overrides the
    /// one of the config as the place to publish to.
    ///
    /// # Errors
    /// Usage, with every fault of the image graph; usage where there is no registry.
    pub fn read(
        repository: &Repository,
        commit: Commit,
        config: &Config,
        (config_path, config_text): (&str, &str),
        registry: Option<&str>,
    ) -> Result<Self> {
        let mut versions = BTreeMap::new();
        for component in &config.components {
            versions.insert(component.name.clone(), crate::bump::current_version(repository, component, commit)?);
        }
        let release = Release { config, path: config_path, text: config_text, versions: &versions };
        let mut reader = repository.reader(commit);
        let graph = Graph::read(release, |path| reader.read(path))?;
        let inputs = graph.inputs(&repository.entries(commit)?, |path| reader.read(path))?;
        Self::new(commit.id.to_string(), versions, config, graph, inputs, registry)
    }

    /// What should be published of `graph`, whose images are made of `inputs`. `registry` as for [`Desired::read`].
    ///
    /// # Errors
    /// Usage, where there is no registry, or one that cannot be.
    pub fn new(
        commit: String,
        versions: BTreeMap<String, Version>,
        config: &Config,
        graph: Graph,
        inputs: Vec<Inputs>,
        registry: Option<&str>,
    ) -> Result<Self> {
        let base = registry.or(config.registry.as_deref()).ok_or_else(|| {
            Error::usage("there is no registry to publish to")
                .hint("set `registry:` in release.yaml, or name one with --registry")
        })?;
        let configured: Vec<&Image> = config.phases.iter().flat_map(|phase| &phase.images).collect();
        let mut images = Vec::new();
        for (index, (node, inputs)) in graph.nodes.iter().zip(inputs).enumerate() {
            let (moving, tags): (Vec<_>, Vec<_>) = node.tags.iter().partition(|tag| tag.moving);
            let named = |tags: Vec<&crate::image::Tag>| tags.into_iter().map(|tag| tag.name.clone()).collect();
            images.push(Wanted {
                name: node.image.clone(),
                phase: node.phase,
                repository: format!("{base}/{}", node.repository).parse()?,
                inputs,
                platforms: node.platforms.clone(),
                tags: named(tags),
                moving: named(moving),
                needs: graph.needs(index).into_iter().collect(),
                contexts: node
                    .platforms
                    .iter()
                    .map(|platform| contexts(configured[index], platform, &versions))
                    .collect(),
            });
        }
        let phases = config.phases.iter().map(|phase| Phase {
            name: phase.name.clone(),
            component: phase.component.clone(),
            keep: phase.when_stale == WhenStale::Keep,
        });
        let phases = phases.collect();
        Ok(Desired { commit, versions, phases, images, graph })
    }

    /// Indexes of the images of the phase at `phase`.
    pub fn of_phase(&self, phase: usize) -> impl Iterator<Item = usize> {
        self.images.iter().enumerate().filter(move |(_, image)| image.phase == phase).map(|(index, _)| index)
    }

    /// Index of the image called `name`.
    ///
    /// # Errors
    /// Usage, with the nearest name.
    pub fn image(&self, name: &str) -> Result<usize> {
        let names = || self.images.iter().map(|image| image.name.as_str());
        self.graph.index(name).ok_or_else(|| unknown("image", name, names()))
    }

    /// Index of the phase called `name`.
    ///
    /// # Errors
    /// Usage, with the nearest name.
    pub fn phase(&self, name: &str) -> Result<usize> {
        let found = self.phases.iter().position(|phase| phase.name == name);
        found.ok_or_else(|| unknown("phase", name, self.phases.iter().map(|phase| phase.name.as_str())))
    }
}

/// The named contexts of `image` for `platform`.
fn contexts(image: &Image, platform: &Platform, versions: &BTreeMap<String, Version>) -> BTreeMap<String, Source> {
    let value = |name: &str| match name {
        ARCH => Some(platform.arch.clone()),
        name => versions.get(name).map(Version::to_string),
    };
    let rendered = image.contexts.iter().map(|context| {
        let source = match &context.source {
            ContextSource::Directory(path) => Source::Directory(path.render(value)),
            ContextSource::Image(reference) => Source::Elsewhere(format!("docker-image://{}", reference.render(value))),
            ContextSource::Git(url) => Source::Elsewhere(url.render(value)),
        };
        (context.name.clone(), source)
    });
    rendered.collect()
}

fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Error {
    let error = Error::usage(format!("there is no {what} `{name}`"));
    match crate::config::nearest(name, names.clone()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("there are {}", names.collect::<Vec<_>>().join(", "))),
    }
}

impl Wanted {
    /// The staging tag: of all platforms, or of the share of one.
    ///
    /// # Errors
    /// None in practice: a fingerprint and a platform always make a tag.
    pub fn staging(&self, platform: Option<&Platform>) -> Result<registry::ImageRef> {
        let fingerprint = self.inputs.fingerprint.short();
        self.repository.tag(&match platform {
            None => format!("gsr-{fingerprint}"),
            Some(platform) => format!("gsr-{fingerprint}-{}", suffix(platform)),
        })
    }

    /// Its release tags that name a version.
    ///
    /// # Errors
    /// Usage, if the config has one that cannot be a tag.
    pub fn releases(&self) -> Result<Vec<registry::ImageRef>> {
        self.tags.iter().map(|tag| self.repository.tag(tag)).collect()
    }
}

/// What marks a platform in a tag: `amd64`, `arm-v7`, `windows-amd64`.
pub fn suffix(platform: &Platform) -> String {
    let os = (platform.os != "linux").then_some(platform.os.as_str());
    let parts = os.into_iter().chain([platform.arch.as_str()]).chain(platform.variant.as_deref());
    parts.collect::<Vec<_>>().join("-")
}
