//! A registry in memory, which behaves like a real one: content by digest, tags that point at it, and no manifest
//! whose parts are unknown.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::Registry;
use super::manifest::{Content, Descriptor, Manifest, OCI_MANIFEST};
use super::reference::{Digest, ImageRef, Repository, Target};
use crate::config::Platform;
use crate::error::{Error, Result};

/// All registries of the world, in memory.
#[derive(Debug, Default)]
pub struct MemoryRegistry {
    repositories: Mutex<HashMap<Repository, Contents>>,
}

#[derive(Debug, Default)]
struct Contents {
    blobs: HashMap<Digest, Vec<u8>>,
    manifests: HashMap<Digest, Manifest>,
    tags: BTreeMap<String, Digest>,
}

impl MemoryRegistry {
    /// One without any image.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores a blob.
    pub fn put_blob(&self, repository: &Repository, content: &[u8]) -> Digest {
        let digest = Digest::of(content);
        self.lock().entry(repository.clone()).or_default().blobs.insert(digest.clone(), content.to_vec());
        digest
    }

    /// Stores an image of `platform`, whose one layer is `content`, under `image` as a builder would push it; returns
    /// its digest.
    ///
    /// # Errors
    /// Those of [`Registry::put_manifest`].
    pub async fn push_image(&self, image: &ImageRef, platform: &Platform, content: &str) -> Result<Digest> {
        let config = serde_json::json!({
            "architecture": platform.arch, "os": platform.os, "variant": platform.variant,
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(content.as_bytes())]},
        })
        .to_string();
        let described = |media_type: &str, content: &str| {
            let digest = self.put_blob(&image.repository, content.as_bytes());
            serde_json::json!({"mediaType": media_type, "digest": digest, "size": content.len()})
        };
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": described("application/vnd.oci.image.config.v1+json", &config),
            "layers": [described("application/vnd.oci.image.layer.v1.tar", content)],
        });
        let manifest = Manifest::parse(None, manifest.to_string().into_bytes()).map_err(Error::remote)?;
        self.put_manifest(image, &manifest).await?;
        Ok(manifest.digest)
    }

    /// Forgets a manifest, whatever refers to it, as the clean-up of a registry does.
    pub fn forget(&self, repository: &Repository, digest: &Digest) {
        if let Some(contents) = self.lock().get_mut(repository) {
            contents.manifests.remove(digest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Repository, Contents>> {
        self.repositories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn digest_of(&self, target: &Target) -> Option<Digest> {
        match target {
            Target::Tag(tag) => self.tags.get(tag).cloned(),
            Target::Digest(digest) => Some(digest.clone()),
        }
    }

    /// A part of `manifest` that is not here.
    fn lacks<'a>(&self, manifest: &'a Manifest) -> Option<&'a Digest> {
        match &manifest.content {
            Content::Image(image) => {
                let parts = image.layers.iter().chain([&image.config]).map(|blob| &blob.digest);
                parts.into_iter().find(|digest| !self.blobs.contains_key(digest))
            }
            Content::Index(index) => {
                index.manifests.iter().map(|child| &child.digest).find(|digest| !self.manifests.contains_key(digest))
            }
        }
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>> {
        let repositories = self.lock();
        let Some(contents) = repositories.get(&image.repository) else { return Ok(None) };
        Ok(contents.digest_of(&image.target).and_then(|digest| contents.manifests.get(&digest).cloned()))
    }

    async fn put_manifest(&self, image: &ImageRef, manifest: &Manifest) -> Result<()> {
        let mut repositories = self.lock();
        let contents = repositories.entry(image.repository.clone()).or_default();
        if let Some(lacking) = contents.lacks(manifest) {
            return Err(Error::remote(format!("{image}: the registry does not have {lacking}")));
        }
        match &image.target {
            Target::Tag(tag) => drop(contents.tags.insert(tag.clone(), manifest.digest.clone())),
            Target::Digest(digest) if *digest == manifest.digest => {}
            Target::Digest(_) => return Err(Error::remote(format!("{image}: the manifest has another digest"))),
        }
        contents.manifests.insert(manifest.digest.clone(), manifest.clone());
        Ok(())
    }

    async fn delete_tag(&self, image: &ImageRef) -> Result<bool> {
        let Some(tag) = image.tag() else { return Err(Error::usage(format!("{image} is not a tag"))) };
        if let Some(contents) = self.lock().get_mut(&image.repository) {
            contents.tags.remove(tag);
        }
        Ok(true)
    }

    async fn tags(&self, repository: &Repository) -> Result<Vec<String>> {
        Ok(self.lock().get(repository).map(|contents| contents.tags.keys().cloned().collect()).unwrap_or_default())
    }

    async fn blob(&self, repository: &Repository, blob: &Descriptor) -> Result<Vec<u8>> {
        let found = self.lock().get(repository).and_then(|contents| contents.blobs.get(&blob.digest).cloned());
        found.ok_or_else(|| Error::remote(format!("{}: no such blob", repository.digest(&blob.digest))))
    }

    async fn copy_blob(&self, from: &Repository, to: &Repository, blob: &Descriptor) -> Result<()> {
        let content = self.blob(from, blob).await?;
        self.put_blob(to, &content);
        Ok(())
    }

    async fn check_push(&self, _repository: &Repository) -> Result<()> {
        Ok(())
    }
}
