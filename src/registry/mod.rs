//! What is published: manifests, their platforms and annotations, and the one writer of release tags.
//!
//! [`Registry`] is what the rest of the crate knows of a registry. [`OciRegistry`] speaks the distribution protocol
//! (<https://github.com/opencontainers/distribution-spec>) to a real one; [`MemoryRegistry`] is one in memory.
//! [`create_index`] joins images into one index under a tag; [`tag_state`] says what a tag holds. What the index
//! looks like is decided in [`index`], which does no input or output.
//!
//! Inside: `reference` has the names, `manifest` the formats, `provenance` what attestations say, `auth` the answers to a registry's challenges, `credentials` what Docker knows about logins.
//!
//! Nothing here knows phases, components or fingerprints.

mod auth;
mod credentials;
pub mod index;
mod manifest;
mod memory;
mod oci;
mod provenance;
mod publish;
mod reference;

use async_trait::async_trait;

pub use crate::transport::Limits;
pub use credentials::docker_config_dir;
pub use manifest::{
    Annotations, Content, DOCKER_LIST, DOCKER_MANIFEST, Descriptor, ImageManifest, Index, Manifest, OCI_INDEX,
    OCI_MANIFEST, PlatformFields, usual_spelling,
};
pub use memory::MemoryRegistry;
pub use oci::OciRegistry;
pub use provenance::{Material, materials};
pub use publish::{IndexPlan, IndexRequest, Part, Published, TagState, create_index, gone, plan_index, tag_state};
pub use reference::{Digest, ImageRef, Repository, Target};

use crate::error::Result;

/// A place that holds images. Every error names the image and the registry, and is of kind `Remote`.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The manifest that `image` names, `None` where there is none. One request.
    ///
    /// The bytes have the digest that was asked for or announced; anything else is an error.
    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>>;

    /// Stores `manifest` under `image`: a tag, or the manifest's own digest.
    ///
    /// The registry refuses one whose blobs or children it does not have in that repository.
    async fn put_manifest(&self, image: &ImageRef, manifest: &Manifest) -> Result<()>;

    /// Removes a tag, never what it points at. False where the registry cannot do that; a tag that is not there
    /// counts as removed. A digest is refused.
    async fn delete_tag(&self, image: &ImageRef) -> Result<bool>;

    /// The tags of a repository, sorted; none where there is no such repository.
    async fn tags(&self, repository: &Repository) -> Result<Vec<String>>;

    /// A small blob, such as an image's configuration: 4 MiB at most. Its bytes have the descriptor's digest.
    async fn blob(&self, repository: &Repository, blob: &Descriptor) -> Result<Vec<u8>>;

    /// Makes a blob of the repository `from`, of any size, one of `to`; nothing if it is there already.
    async fn copy_blob(&self, from: &Repository, to: &Repository, blob: &Descriptor) -> Result<()>;

    /// Whether the login allows a push, without leaving anything behind: the error says why not.
    async fn check_push(&self, repository: &Repository) -> Result<()>;
}
