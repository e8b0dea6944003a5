//! A registry and a way to put images there.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test file uses a part of it")]

use std::path::Path;
use std::time::Duration;

use gs_release::config::Platform;
use gs_release::error::Error;
use gs_release::registry::{
    Annotations, Content, Digest, ImageRef, IndexRequest, Limits, MemoryRegistry, OciRegistry, Published, Registry,
    Repository, create_index,
};

use crate::real::upload;

pub fn platform(arch: &str) -> Platform {
    Platform { os: "linux".into(), arch: arch.into(), variant: None }
}

/// A client that gives up and tries again sooner than usual.
pub fn client(docker_config: Option<&Path>) -> OciRegistry {
    let limits = Limits { backoff: Duration::from_millis(1), ..Limits::default() };
    OciRegistry::new(docker_config.map(Into::into), limits).unwrap()
}

/// Where images are.
pub enum Place {
    Memory(MemoryRegistry),
    Real { registry: Box<OciRegistry>, host: String },
}

impl Place {
    pub fn registry(&self) -> &dyn Registry {
        match self {
            Place::Memory(registry) => registry,
            Place::Real { registry, .. } => &**registry,
        }
    }

    pub fn repository(&self, path: &str) -> Repository {
        let host = match self {
            Place::Memory(_) => "registry.example.com",
            Place::Real { host, .. } => host,
        };
        format!("{host}/{path}").parse().unwrap()
    }

    /// The registry on `host`, with nobody's login.
    pub fn at(host: &str) -> Self {
        Place::Real { registry: Box::new(client(None)), host: host.to_owned() }
    }

    /// Pushes an image of one platform as a builder would.
    pub async fn push(&self, image: &ImageRef, arch: &str, content: &str) -> Digest {
        let made = MemoryRegistry::new();
        let memory = if let Place::Memory(memory) = self { memory } else { &made };
        let digest = memory.push_image(image, &platform(arch), content).await.unwrap();
        let Place::Real { registry, host } = self else { return digest };
        let manifest = made.manifest(image).await.unwrap().unwrap();
        let Content::Image(parts) = &manifest.content else { panic!("an image") };
        for blob in parts.layers.iter().chain([&parts.config]) {
            let bytes = made.blob(&image.repository, blob).await.unwrap();
            upload(host, image.repository.path(), bytes).await;
        }
        registry.put_manifest(image, &manifest).await.unwrap();
        digest
    }

    /// Joins `sources` as `target`, for both platforms.
    pub async fn join(&self, target: &ImageRef, sources: &[ImageRef], annotations: &Annotations) -> Published {
        self.try_join(target, sources, annotations).await.unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    pub async fn try_join(
        &self,
        target: &ImageRef,
        sources: &[ImageRef],
        annotations: &Annotations,
    ) -> Result<Published, Error> {
        let platforms = [platform("amd64"), platform("arm64")];
        let request = IndexRequest { target, sources, annotations, platforms: &platforms, adopt: &|_| false };
        create_index(self.registry(), &request).await
    }
}
