//! Staging an image: adopt what is staged or published under another tag already, build what is missing, join shares.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::future::try_join_all;

use super::annotations;
use super::desired::{Desired, Wanted, platform_tag};
use super::engine::{Engine, Job};
use super::event::{Event, Listener};
use super::observe::{State, forget, judge};
use crate::config::Platform;
use crate::error::{Error, Result};
use crate::image::graph::ContextFiles;
use crate::registry::{
    Annotations, ImageRef, IndexRequest, Registry, TagState, create_index, gone, tag_state, usual_spelling,
};
use crate::version::find_versions;

/// How many older tags are looked at for an image of the same inputs.
const OLDER: usize = 4;

/// What staging works with.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub desired: &'a Desired,
    pub registry: &'a dyn Registry,
    pub engine: &'a dyn Engine,
    /// The exported tree of the commit.
    pub tree: &'a Path,
    pub listener: Listener<'a>,
}

/// A staged image.
#[derive(Debug, Clone)]
pub(super) struct Staged {
    /// By digest.
    pub image: ImageRef,
    /// It was there before.
    pub adopted: bool,
}

impl Stage<'_> {
    /// Stages the image at `index` for all its platforms. `bases` are the images that it is built on, by digest; `again`
    /// builds it although it may be there.
    pub async fn whole(&self, index: usize, bases: &BTreeMap<usize, ImageRef>, again: bool) -> Result<Staged> {
        let wanted = &self.desired.images[index];
        let target = wanted.staging(None)?;
        if !again {
            if let Some(found) = self.complete(wanted, &target).await? {
                return Ok(Staged { image: found, adopted: true });
            }
            if let Some(twin) = self.twin(wanted).await? {
                return Ok(Staged { image: twin, adopted: true });
            }
        }
        let mut shares = Vec::new();
        let mut missing = Vec::new();
        for platform in &wanted.platforms {
            let share = wanted.staging(Some(platform))?;
            match self.look(&share).await?.filter(|state| !again && has(state, platform)) {
                Some(state) => shares.push(wanted.repository.digest(&state.digest)),
                None => missing.push(platform.clone()),
            }
        }
        let adopted = missing.is_empty();
        if missing == wanted.platforms && self.is_one_build(index) {
            self.build(index, &missing, &target, bases, again).await?;
            if self.complete(wanted, &target).await?.is_none() {
                // another build of it may have pushed over it a part of what it has; all steps are cached
                self.build(index, &missing, &target, bases, false).await?;
            }
        } else {
            let missing = missing.iter().map(|platform| self.share_of(index, platform, bases, again));
            shares.extend(try_join_all(missing).await?);
            let none = Annotations::new();
            let join = IndexRequest {
                target: &target,
                sources: &shares,
                annotations: &none,
                platforms: &wanted.platforms,
                adopt: &|_| false,
            };
            if let Err(error) = create_index(self.registry, &join).await {
                let image = self.released(wanted).await?.ok_or(error)?;
                return Ok(Staged { image, adopted: true });
            }
        }
        if let Some(image) = self.complete(wanted, &target).await? {
            return Ok(Staged { image, adopted });
        }
        let image = self.released(wanted).await?.ok_or_else(|| {
            Error::remote(format!("{target} was pushed, but does not have every platform of `{}`", wanted.name))
                .hint("run the command again; if it stays so, look at the builder's platforms with `gs-release doctor`")
        })?;
        Ok(Staged { image, adopted: true })
    }

    /// Stages the share of one platform, which may be part of a whole that is there already.
    pub async fn share(&self, index: usize, platform: &Platform, bases: &BTreeMap<usize, ImageRef>) -> Result<Staged> {
        let wanted = &self.desired.images[index];
        for tag in [wanted.staging(None)?, wanted.staging(Some(platform))?] {
            if let Some(state) = self.look(&tag).await?.filter(|state| has(state, platform)) {
                return Ok(Staged { image: wanted.repository.digest(&state.digest), adopted: true });
            }
        }
        let image = self.share_of(index, platform, bases, false).await?;
        Ok(Staged { image, adopted: false })
    }

    async fn share_of(
        &self,
        index: usize,
        platform: &Platform,
        bases: &BTreeMap<usize, ImageRef>,
        again: bool,
    ) -> Result<ImageRef> {
        let wanted = &self.desired.images[index];
        let share = wanted.staging(Some(platform))?;
        self.build(index, std::slice::from_ref(platform), &share, bases, again).await?;
        if let Some(state) = self.look(&share).await?.filter(|state| has(state, platform)) {
            return Ok(wanted.repository.digest(&state.digest));
        }
        self.released(wanted).await?.ok_or_else(|| {
            Error::remote(format!("{share} was pushed, but holds no image for {platform}"))
                .hint("look at the builder's platforms with `gs-release doctor`")
        })
    }

    /// What `tag` holds, but for platforms of which something was deleted behind it.
    async fn look(&self, tag: &ImageRef) -> Result<Option<TagState>> {
        let Some(mut state) = tag_state(self.registry, tag).await? else { return Ok(None) };
        let gone = gone(self.registry, &tag.repository, &state).await?;
        forget(&mut state, &gone);
        Ok(Some(state))
    }

    /// `tag` by digest, if it has every platform of `wanted`.
    async fn complete(&self, wanted: &Wanted, tag: &ImageRef) -> Result<Option<ImageRef>> {
        let state = self.look(tag).await?;
        let whole = state.filter(|state| wanted.platforms.iter().all(|platform| has(state, platform)));
        Ok(whole.map(|state| wanted.repository.digest(&state.digest)))
    }

    /// The release of the same inputs. A run beside this one may have published it, and removed the staging tags that
    /// this one has just written.
    async fn released(&self, wanted: &Wanted) -> Result<Option<ImageRef>> {
        for tag in wanted.releases()? {
            if let Some(state) = self.look(&tag).await?
                && judge(wanted, false, Some(&state)) == State::Current
            {
                return Ok(Some(wanted.repository.digest(&state.digest)));
            }
        }
        Ok(None)
    }

    /// An image of the same inputs under another tag: that of an earlier version, where nothing but the tag has changed.
    async fn twin(&self, wanted: &Wanted) -> Result<Option<ImageRef>> {
        let mut others = self.registry.tags(&wanted.repository).await?;
        let ends: Vec<String> = wanted.platforms.iter().map(|platform| platform_tag("", platform)).collect();
        others.retain(|tag| !tag.starts_with("gsr-") && !wanted.tags.contains(tag));
        others.retain(|tag| !ends.iter().any(|end| tag.ends_with(end.as_str())));
        others.sort_by_cached_key(|tag| std::cmp::Reverse(newest(tag)));
        let moving = wanted.moving.iter().filter(|tag| others.contains(tag)).cloned().collect::<Vec<_>>();
        others.retain(|tag| !moving.contains(tag));
        for tag in moving.into_iter().chain(others.into_iter().take(OLDER)) {
            let tag = wanted.repository.tag(&tag)?;
            let Some(state) = tag_state(self.registry, &tag).await? else { continue };
            if annotations::inputs(&state.annotations).as_ref() != Some(&wanted.inputs.fingerprint) {
                continue;
            }
            if let Some(twin) = self.complete(wanted, &tag).await? {
                return Ok(Some(twin));
            }
        }
        Ok(None)
    }

    /// Whether all platforms can be built at once: build args and named contexts are the same.
    fn is_one_build(&self, index: usize) -> bool {
        let builds = &self.desired.graph.nodes[index].builds;
        builds.iter().all(|build| build.args == builds[0].args && build.contexts == builds[0].contexts)
    }

    async fn build(
        &self,
        index: usize,
        platforms: &[Platform],
        push_to: &ImageRef,
        bases: &BTreeMap<usize, ImageRef>,
        again: bool,
    ) -> Result<()> {
        let node = &self.desired.graph.nodes[index];
        let image = &self.desired.images[index].name;
        let mut contexts = BTreeMap::new();
        let mut args = BTreeMap::new();
        for build in node.builds.iter().filter(|build| platforms.contains(&build.platform)) {
            args.clone_from(&build.args);
            contexts.extend(build.contexts.iter().map(|given| (given.name.clone(), self.written(&given.files))));
            for (used, internal) in build.reach.uses.iter().zip(&build.internal) {
                if let Some(base) = internal.and_then(|base| bases.get(&base)) {
                    contexts.insert(used.reference.clone(), format!("docker-image://{base}"));
                }
            }
        }
        let job = Job {
            image: image.clone(),
            dockerfile: self.tree.join(&node.dockerfile.path),
            context: self.tree.join(&node.context),
            target: node.target.clone(),
            platforms: platforms.to_vec(),
            args,
            contexts,
            push_to: push_to.clone(),
            no_cache: again,
        };
        let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
        (self.listener)(Event::Building { image: image.clone(), platforms: names.join(", ") });
        let on_step = |text: &str| (self.listener)(Event::Step { image: image.clone(), text: text.to_owned() });
        self.engine.build(&job, &on_step).await
    }
}

impl Stage<'_> {
    /// A named context as BuildKit reads it.
    fn written(&self, files: &ContextFiles) -> String {
        match files {
            ContextFiles::Directory(path) => self.tree.join(path).to_string_lossy().into_owned(),
            ContextFiles::Image(reference) => format!("docker-image://{reference}"),
            ContextFiles::Git(url) => url.clone(),
        }
    }
}

/// Whether `state` has an image for `platform`.
pub(super) fn has(state: &TagState, platform: &Platform) -> bool {
    state.platforms.contains(&usual_spelling(platform))
}

/// The highest version in `tag`, for an order.
fn newest(tag: &str) -> Option<crate::version::Version> {
    find_versions(tag.as_bytes()).into_iter().filter_map(|range| tag[range].parse().ok()).max()
}
