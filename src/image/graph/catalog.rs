//! The images of a release by the references that name them.

use std::collections::HashMap;

use super::super::Reference;
use super::super::reach::familiar;
use super::{Release, images};
use crate::version::Version;

/// Every tag that the release publishes, by full repository name.
pub(super) struct Catalog {
    /// By each name that the repository has, index into `tags`.
    repositories: HashMap<String, usize>,
    tags: Vec<Repository>,
}

struct Repository {
    name: String,
    /// Node and whether the tag is moving, by tag.
    tags: HashMap<String, (usize, bool)>,
    /// In the order of the file.
    order: Vec<String>,
}

/// What a reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Somebody else's image.
    Elsewhere { floating: bool },
    /// An image of the release by a tag of its version, and the architecture that the tag ends in.
    Image { node: usize, arch: Option<String> },
    /// An image of the release by a moving tag.
    Moving { node: usize },
    /// A repository of the release with a tag that no image publishes.
    UnknownTag { repository: String, tag: String, known: Vec<String> },
    /// A repository of the release with a digest.
    Pinned { repository: String },
}

/// Architectures that a tag may end in.
const ARCHITECTURES: [&str; 9] = ["amd64", "arm64", "386", "arm", "ppc64le", "s390x", "riscv64", "loong64", "mips64le"];
/// Tags that are known to move.
const FLOATING: [&str; 6] = ["latest", "main", "master", "edge", "nightly", "stable"];

impl Catalog {
    pub(super) fn new(release: Release<'_>) -> Self {
        let config = release.config;
        let mut catalog = Catalog { repositories: HashMap::new(), tags: Vec::new() };
        for (node, (_, image)) in images(config).enumerate() {
            let registries = config.registry.iter().chain(&config.registry_aliases);
            let names: Vec<String> =
                registries.map(|registry| familiar(&format!("{registry}/{}", image.repository)).to_owned()).collect();
            let known = names.first().and_then(|name| catalog.repositories.get(name).copied());
            let at = known.unwrap_or(catalog.tags.len());
            if known.is_none() {
                let name = image.repository.clone();
                catalog.tags.push(Repository { name, tags: HashMap::new(), order: Vec::new() });
                catalog.repositories.extend(names.into_iter().map(|name| (name, at)));
            }
            for tag in &image.tags {
                let name = tag.render(|name| release.versions.get(name).map(Version::to_string));
                catalog.tags[at].tags.insert(name.clone(), (node, tag.is_moving()));
                catalog.tags[at].order.push(name);
            }
        }
        catalog
    }

    /// What `reference` means. The tag decides among the images that share a repository.
    pub(super) fn find(&self, reference: &str) -> Found {
        let parsed = Reference::parse(reference);
        let Some(at) = self.repositories.get(familiar(parsed.name())) else {
            let floating = parsed.digest().is_none() && FLOATING.contains(&parsed.tag().unwrap_or("latest"));
            return Found::Elsewhere { floating };
        };
        let repository = &self.tags[*at];
        if parsed.digest().is_some() {
            return Found::Pinned { repository: repository.name.clone() };
        }
        let tag = parsed.tag().unwrap_or("latest");
        let exact = repository.tags.get(tag).map(|found| (found, None));
        let suffixed = || {
            let (tag, arch) = tag.rsplit_once('-').filter(|(_, arch)| ARCHITECTURES.contains(arch))?;
            repository.tags.get(tag).map(|found| (found, Some(arch.to_owned())))
        };
        match exact.or_else(suffixed) {
            Some(((node, true), _)) => Found::Moving { node: *node },
            Some(((node, false), arch)) => Found::Image { node: *node, arch },
            None => Found::UnknownTag {
                repository: repository.name.clone(),
                tag: tag.to_owned(),
                known: repository.order.clone(),
            },
        }
    }
}
