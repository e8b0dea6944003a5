//! Release tags and moving tags: written from what was staged and verified, and by nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::annotations;
use super::desired::{Desired, Wanted, platform_tag};
use super::event::{Event, Listener};
use super::observe::judge;
use crate::error::{Error, Result};
use crate::registry::{
    Descriptor, Digest, ImageRef, IndexRequest, PlatformFields, Published, Registry, create_index, materials,
    usual_spelling,
};

/// What publishing works with.
#[derive(Clone, Copy)]
pub(super) struct Press<'a> {
    pub desired: &'a Desired,
    pub registry: &'a dyn Registry,
    pub listener: Listener<'a>,
}

impl Press<'_> {
    /// Points every release tag of the image at `index` at `staged`, annotated. `bases` are the images of the release that
    /// it was built on, by digest. A tag that another run has brought up to date is adopted, unless `again`.
    pub async fn release(
        &self,
        index: usize,
        staged: &ImageRef,
        bases: &BTreeMap<usize, ImageRef>,
        again: bool,
    ) -> Result<Digest> {
        let wanted = &self.desired.images[index];
        let keep = self.desired.phases[wanted.phase].keep;
        let annotations = annotations::of(self.desired, wanted, &self.digests(index, staged, bases).await?);
        let settled = |state: &crate::registry::TagState| !again && judge(wanted, keep, Some(state)).is_settled();
        let mut digest = None;
        for tag in wanted.releases()? {
            let request = IndexRequest {
                target: &tag,
                sources: std::slice::from_ref(staged),
                annotations: &annotations,
                platforms: &wanted.platforms,
                adopt: &settled,
            };
            let published = create_index(self.registry, &request).await?;
            self.tell(wanted, &tag, &published);
            digest.get_or_insert(published.digest);
        }
        digest.ok_or_else(|| Error::usage(format!("image `{}` has no tag with a version in it", wanted.name)))
    }

    /// The digest of everything that the image at `index` was built on, by the references of its Dockerfile: `bases` of the
    /// release, and of others what the provenance of `staged` attests. An image that its platforms were built on at
    /// different digests has no single one, and is left out.
    async fn digests(
        &self,
        index: usize,
        staged: &ImageRef,
        bases: &BTreeMap<usize, ImageRef>,
    ) -> Result<BTreeMap<String, Digest>> {
        let used = match self.registry.manifest(staged).await? {
            Some(manifest) => materials(self.registry, &staged.repository, &manifest).await?,
            None => BTreeSet::new(),
        };
        let external = |reference: &str| {
            let image = reference.parse::<ImageRef>().ok()?;
            let mut digests = used.iter().filter(|(name, _)| *name == image).map(|(_, digest)| digest);
            let digest = image.digest().or_else(|| digests.next())?;
            digests.next().is_none().then(|| digest.clone())
        };
        let all = self.desired.graph.nodes[index].bases.iter();
        let known = all.filter_map(|base| {
            let digest = match base.node {
                Some(node) => bases.get(&node)?.digest().cloned(),
                None => external(&base.reference),
            };
            Some((base.reference.clone(), digest?))
        });
        Ok(known.collect())
    }

    /// Points `tag-amd64` and the like at the images of each release tag of `wanted`. Done for what was published before,
    /// too: a run may have ended in between, or the config may not have asked for them then.
    pub async fn platform_tags(&self, wanted: &Wanted) -> Result<()> {
        for tag in wanted.releases()? {
            let Some(index) = self.registry.manifest(&tag).await? else { continue };
            for platform in &wanted.platforms {
                let fits = |fields: &PlatformFields| fields.platform() == usual_spelling(platform);
                let image = |child: &&Descriptor| !child.is_attestation() && child.platform.as_ref().is_some_and(fits);
                let Some(child) = index.children().iter().find(image) else { continue };
                let target = wanted.repository.tag(&platform_tag(tag.tag().unwrap_or_default(), platform))?;
                let request = IndexRequest {
                    target: &target,
                    sources: &[wanted.repository.digest(&child.digest)],
                    annotations: &index.annotations(),
                    platforms: std::slice::from_ref(platform),
                    adopt: &|_| false,
                };
                let published = create_index(self.registry, &request).await?;
                if published.changed {
                    self.tell(wanted, &target, &published);
                }
            }
        }
        Ok(())
    }

    /// Removes the staging tags of `wanted`, never what they point at. False: the registry cannot do that.
    pub async fn sweep(&self, wanted: &Wanted) -> Result<bool> {
        let mut tags = vec![wanted.staging(None)?];
        for platform in &wanted.platforms {
            tags.push(wanted.staging(Some(platform))?);
        }
        for tag in tags {
            if !self.registry.delete_tag(&tag).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn tell(&self, wanted: &Wanted, tag: &ImageRef, published: &Published) {
        (self.listener)(Event::Published {
            image: wanted.name.clone(),
            tag: tag.to_string(),
            digest: published.digest.clone(),
            previous: published.previous.clone(),
            unchanged: !published.changed,
        });
    }
}
