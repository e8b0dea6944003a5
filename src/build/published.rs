//! What is published of each image beyond its state: where it is, for what, and since when.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::desired::{Desired, Wanted};
use super::observe::Observed;
use crate::registry::{Content, ImageRef, Registry};

/// Images that are asked about at the same time.
const AT_ONCE: usize = 8;

/// An image as it is published.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Published {
    /// Its key in `images`.
    pub image: String,
    /// What its first release tag points at.
    pub digest: String,
    /// The platforms that are there.
    pub platforms: Vec<String>,
    /// When it was built, as its configuration says; none where builders leave that out.
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
}

/// Every image that is there, in the order of the file. Three requests an image, for its date; it only informs, and is left out
/// where it cannot be read.
pub async fn published(registry: &dyn Registry, desired: &Desired, observed: &Observed) -> Vec<Published> {
    let looks = desired.images.iter().map(async |wanted: &Wanted| {
        let tag = wanted.releases().ok()?.into_iter().next()?;
        let state = observed.get(&tag)?;
        Some(Published {
            image: wanted.name.clone(),
            digest: state.digest.to_string(),
            platforms: state.platforms.iter().map(ToString::to_string).collect(),
            created: created(registry, &tag).await,
        })
    });
    stream::iter(looks).buffered(AT_ONCE).filter_map(async |found| found).collect().await
}

/// When the first image behind `tag` was built.
async fn created(registry: &dyn Registry, tag: &ImageRef) -> Option<Timestamp> {
    let mut manifest = registry.manifest(tag).await.ok()??;
    if let Content::Index(_) = &manifest.content {
        let child = manifest.children().iter().find(|child| !child.is_attestation())?;
        manifest = registry.manifest(&tag.repository.digest(&child.digest)).await.ok()??;
    }
    let Content::Image(image) = &manifest.content else { return None };
    let config = registry.blob(&tag.repository, &image.config).await.ok()?;
    let config: serde_json::Value = serde_json::from_slice(&config).ok()?;
    let created: Timestamp = config["created"].as_str()?.parse().ok()?;
    // builders that leave the date out write the beginning of some epoch
    (created.as_second() > 0).then_some(created)
}
