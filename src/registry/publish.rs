//! The one writer of release tags: read the sources, verify, compose, look at the target, put, read back.
//!
//! A tag is written only when everything that it will point at is in its repository, and only when it does not point
//! there already. Killed at any moment, it leaves the tag as it was or as it should be.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Registry;
use super::index::{self, Entry};
use super::manifest::{Annotations, Content, Descriptor, Manifest, PlatformFields, usual_spelling};
use super::reference::{Digest, ImageRef, Repository};
use crate::config::Platform;
use crate::error::{Error, Result};

/// How many blobs of one image are copied at once.
const BLOBS_AT_ONCE: usize = 4;

/// How many manifests of one index are asked for at once.
const PARTS_AT_ONCE: usize = 4;

/// What to publish and where.
#[derive(Clone, Copy)]
pub struct IndexRequest<'a> {
    /// The tag to write.
    pub target: &'a ImageRef,
    /// Images and indexes to join. They may be in other repositories, also on other registries: what the target's
    /// repository lacks is copied there.
    pub sources: &'a [ImageRef],
    /// Annotations of the index. One source that is an index, and no annotations, means that very index: this is how
    /// a moving tag is set.
    pub annotations: &'a Annotations,
    /// Platforms that the result must have; it may have more.
    pub platforms: &'a [Platform],
    /// Whether what the tag points at now will do, although it is not the same. Whether it is all there is looked at, too.
    pub adopt: &'a (dyn Fn(&TagState) -> bool + Send + Sync),
}

/// What a tag points at after [`create_index`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The digest.
    pub digest: Digest,
    /// The platforms, sorted.
    pub platforms: Vec<Platform>,
    /// Whether the tag was written.
    pub changed: bool,
    /// What the tag pointed at before, if it existed.
    pub previous: Option<Digest>,
}

/// What a tag holds, as far as anyone asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagState {
    /// Digest of the index, or of the one image.
    pub digest: Digest,
    /// Platforms of its images, sorted, in their usual spelling.
    pub platforms: Vec<Platform>,
    /// Annotations of the index, or of the one image.
    pub annotations: Annotations,
    /// What the index lists; nothing for an image that is in none.
    pub parts: Vec<Part>,
}

/// A manifest that an index lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its digest.
    pub digest: Digest,
    /// The platform of the image, or of the image that the attestation is about; none where the index does not say.
    pub platform: Option<Platform>,
}

/// Looks at a tag or digest: one request for an index, one more for an image that is in none. `None` if it is not
/// there.
pub async fn tag_state(registry: &dyn Registry, image: &ImageRef) -> Result<Option<TagState>> {
    match registry.manifest(image).await? {
        Some(manifest) => state_of(registry, &image.repository, &manifest).await.map(Some),
        None => Ok(None),
    }
}

async fn state_of(registry: &dyn Registry, repository: &Repository, manifest: &Manifest) -> Result<TagState> {
    let mut platforms = match &manifest.content {
        Content::Index(_) => listed_platforms(manifest.children()),
        Content::Image(_) => vec![platform_of(registry, repository, manifest).await?.platform()],
    };
    platforms.sort();
    platforms.dedup();
    let parts = parts(manifest.children());
    Ok(TagState { digest: manifest.digest.clone(), platforms, annotations: manifest.annotations(), parts })
}

fn parts(listed: &[Descriptor]) -> Vec<Part> {
    let platform = |child: &Descriptor| {
        let subject = listed.iter().find(|other| child.attests() == Some(other.digest.as_str()));
        Some(subject.unwrap_or(child).platform.as_ref()?.platform())
    };
    listed.iter().map(|child| Part { digest: child.digest.clone(), platform: platform(child) }).collect()
}

/// What an index lists and the registry does not have: deleted behind its back. One request a part.
///
/// # Errors
/// Remote.
pub async fn gone(registry: &dyn Registry, repository: &Repository, state: &TagState) -> Result<Vec<Part>> {
    let asked = state.parts.iter().map(async |part: &Part| {
        let there = registry.manifest(&repository.digest(&part.digest)).await?.is_some();
        Ok::<_, Error>((!there).then(|| part.clone()))
    });
    let found: Vec<Option<Part>> = stream::iter(asked).buffered(PARTS_AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

fn listed_platforms(children: &[Descriptor]) -> Vec<Platform> {
    let images = children.iter().filter(|child| !child.is_attestation());
    images.filter_map(|child| Some(child.platform.as_ref()?.platform())).filter(|p| p.os != "unknown").collect()
}

/// What [`create_index`] is going to do.
#[derive(Debug)]
pub struct IndexPlan {
    manifest: Manifest,
    /// The repositories that hold what the manifest refers to.
    sources: Vec<Repository>,
    /// What the tag will point at.
    pub published: Published,
}

/// Publishes one index as `request.target`, unless the tag is that already: [`plan_index`], carried out.
///
/// # Errors
/// A source that is not there, a platform that is missing or there twice, a registry that fails, and a tag that reads
/// otherwise than it was written.
pub async fn create_index(registry: &dyn Registry, request: &IndexRequest<'_>) -> Result<Published> {
    plan_index(registry, request).await?.carry_out(registry, request).await
}

/// Reads the sources and the target, and changes nothing.
///
/// # Errors
/// As [`create_index`].
pub async fn plan_index(registry: &dyn Registry, request: &IndexRequest<'_>) -> Result<IndexPlan> {
    let target = request.target;
    if target.tag().is_none() {
        return Err(Error::usage(format!("{target} cannot be written: it is not a tag")));
    }
    let (manifest, sources) = wanted(registry, request).await?;
    let state = state_of(registry, &target.repository, &manifest).await?;
    let platforms = state.platforms;
    let missing: Vec<Platform> =
        request.platforms.iter().map(usual_spelling).filter(|platform| !platforms.contains(platform)).collect();
    if !missing.is_empty() {
        let (missing, there) = (list(&missing), list(&platforms));
        return Err(Error::refused(format!("{target} is not written: no source has {missing} (they have {there})")));
    }
    let published = match tag_state(registry, target).await? {
        None => Published { digest: state.digest, platforms, changed: true, previous: None },
        Some(now) => {
            let previous = Some(now.digest.clone());
            let will_do = (request.adopt)(&now) && gone(registry, &target.repository, &now).await?.is_empty();
            match now.digest == state.digest || will_do {
                true => Published { digest: now.digest, platforms: now.platforms, changed: false, previous },
                false => Published { digest: state.digest, platforms, changed: true, previous },
            }
        }
    };
    Ok(IndexPlan { manifest, sources, published })
}

impl IndexPlan {
    /// Copies what the target's repository lacks, writes the tag and reads it back; nothing for a tag that is right.
    ///
    /// # Errors
    /// As [`create_index`].
    pub async fn carry_out(self, registry: &dyn Registry, request: &IndexRequest<'_>) -> Result<Published> {
        if !self.published.changed {
            return Ok(self.published);
        }
        let target = request.target;
        let children = self.manifest.children().iter();
        try_join_all(children.map(|child| provide(registry, &self.sources, &target.repository, child))).await?;
        registry.put_manifest(target, &self.manifest).await?;
        match tag_state(registry, target).await? {
            // someone else may have written as good a one since
            Some(now) if now.digest == self.manifest.digest || (request.adopt)(&now) => {
                Ok(Published { digest: now.digest, platforms: now.platforms, ..self.published })
            }
            now => {
                let found = now.map_or("nothing".to_owned(), |state| state.digest.to_string());
                Err(Error::remote(format!("{target} was written as {}, but reads as {found}", self.manifest.digest))
                    .hint("something else writes this tag at the same time, or a cache is in between; run this again"))
            }
        }
    }
}

fn list(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// The manifest to publish, and the repositories that hold what it refers to.
async fn wanted(registry: &dyn Registry, request: &IndexRequest<'_>) -> Result<(Manifest, Vec<Repository>)> {
    if request.sources.is_empty() {
        return Err(Error::usage(format!("{} cannot be made of no source", request.target)));
    }
    let mut read = try_join_all(request.sources.iter().map(|source| required(registry, source))).await?;
    let manifest = match is_to_be_kept(&read, request.annotations) {
        true => read.swap_remove(0),
        false => {
            let sources = read.into_iter().zip(request.sources);
            let entries = sources.map(|(manifest, source)| flatten(registry, source, manifest));
            let entries = try_join_all(entries).await?.into_iter().flatten().collect();
            index::compose(entries, request.annotations)?
        }
    };
    let mut repositories: Vec<Repository> = request.sources.iter().map(|source| source.repository.clone()).collect();
    repositories.sort();
    repositories.dedup();
    Ok((manifest, repositories))
}

/// Whether the sources are one plain index with nothing to add: it is published byte for byte.
fn is_to_be_kept(sources: &[Manifest], annotations: &Annotations) -> bool {
    let [only] = sources else { return false };
    annotations.is_empty() && !only.children().is_empty() && !only.children().iter().any(Descriptor::is_index)
}

/// The manifest of `image`, which must be there.
async fn required(registry: &dyn Registry, image: &ImageRef) -> Result<Manifest> {
    registry.manifest(image).await?.ok_or_else(|| Error::remote(format!("{image} is not in the registry")))
}

/// The images and attestations of one source, with nested indexes opened.
async fn flatten(registry: &dyn Registry, source: &ImageRef, manifest: Manifest) -> Result<Vec<Entry>> {
    let repository = &source.repository;
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![manifest];
    while let Some(manifest) = open.pop() {
        let children = match &manifest.content {
            Content::Index(index) => index.manifests.clone(),
            Content::Image(_) => {
                let descriptor = described(registry, repository, &manifest).await?;
                entries.push(Entry { source: source.clone(), descriptor });
                continue;
            }
        };
        for child in children.into_iter().filter(|child| seen.insert(child.digest.clone())) {
            if child.is_attestation() || child.platform.is_some() && !child.is_index() {
                entries.push(Entry { source: source.clone(), descriptor: child });
            } else {
                open.push(required(registry, &repository.digest(&child.digest)).await?);
            }
        }
    }
    Ok(entries)
}

/// The descriptor of an image manifest, its platform read from the image's configuration.
async fn described(registry: &dyn Registry, repository: &Repository, image: &Manifest) -> Result<Descriptor> {
    Ok(Descriptor {
        media_type: image.media_type.clone(),
        digest: image.digest.clone(),
        size: image.bytes.len() as u64,
        platform: Some(platform_of(registry, repository, image).await?),
        annotations: None,
        other: Default::default(),
    })
}

async fn platform_of(registry: &dyn Registry, repository: &Repository, image: &Manifest) -> Result<PlatformFields> {
    let name = repository.digest(&image.digest);
    let Content::Image(content) = &image.content else {
        return Err(Error::remote(format!("{name} is an index, not an image")));
    };
    let config = registry.blob(repository, &content.config).await?;
    let fields: PlatformFields = serde_json::from_slice(&config).map_err(|error| {
        Error::remote(format!("{name} does not say its platform: its configuration is `{}`", content.config.media_type))
            .because(error)
    })?;
    // the rest of the configuration is not about the platform
    let other = fields.other.into_iter().filter(|(name, _)| name == "os.features").collect();
    Ok(PlatformFields { other, ..fields })
}

/// Makes sure that `child` is in the repository `to`, copying it from one of `sources` if it is not.
async fn provide(registry: &dyn Registry, sources: &[Repository], to: &Repository, child: &Descriptor) -> Result<()> {
    let image = to.digest(&child.digest);
    if registry.manifest(&image).await?.is_some() {
        return Ok(());
    }
    for from in sources.iter().filter(|from| *from != to) {
        let Some(manifest) = registry.manifest(&from.digest(&child.digest)).await? else { continue };
        if let Content::Image(content) = &manifest.content {
            let blobs = content.layers.iter().filter(|layer| !is_foreign(layer)).chain([&content.config]);
            stream::iter(blobs.map(|blob| registry.copy_blob(from, to, blob)))
                .buffer_unordered(BLOBS_AT_ONCE)
                .try_collect::<()>()
                .await?;
        }
        return registry.put_manifest(&image, &manifest).await;
    }
    Err(Error::remote(format!("{image} is not in the registry, although an index refers to it"))
        .hint("the image was deleted behind its index: build it again"))
}

/// Layers that are fetched from elsewhere and never pushed (Windows base layers).
fn is_foreign(layer: &Descriptor) -> bool {
    layer.media_type.contains("nondistributable") || layer.media_type.contains(".foreign.")
}
