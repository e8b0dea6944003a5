//! What should be published, as the config and the Dockerfiles of one commit say. No registry is asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Platform, WhenStale};
use crate::error::{Error, Result};
use crate::image::{Graph, Inputs};
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
}

impl Desired {
    /// What should be published of `graph`, whose images are made of `inputs`. `registry` overrides the one of the config as the place
    /// to publish to.
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

    /// Refuses a platform that no image is built for.
    ///
    /// # Errors
    /// Usage, with those that there are.
    pub fn check_platform(&self, platform: &Platform) -> Result<()> {
        let known: BTreeSet<&Platform> = self.images.iter().flat_map(|image| &image.platforms).collect();
        if known.contains(platform) {
            return Ok(());
        }
        let known: Vec<String> = known.into_iter().map(ToString::to_string).collect();
        Err(Error::usage(format!("no image is built for {platform}"))
            .hint(format!("images are built for {}", known.join(", "))))
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

/// The tag of one platform's image beside the release tag `tag`: `v0.24.1-amd64`.
pub fn platform_tag(tag: &str, platform: &Platform) -> String {
    format!("{tag}-{}", suffix(platform))
}

/// What marks a platform in a tag: `amd64`, `arm-v7`, `windows-amd64`.
pub fn suffix(platform: &Platform) -> String {
    let os = (platform.os != "linux").then_some(platform.os.as_str());
    let parts = os.into_iter().chain([platform.arch.as_str()]).chain(platform.variant.as_deref());
    parts.collect::<Vec<_>>().join("-")
}
