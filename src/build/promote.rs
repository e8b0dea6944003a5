//! Moving tags (`latest` and the like): which of them a release sets, and setting them once its phase is verified.

use std::sync::Mutex;

use futures_util::future::try_join_all;

use super::annotations;
use super::desired::{Desired, Wanted};
use super::event::Event;
use super::observe::{State, judge};
use super::plan::{BuildPlan, ImagePlan, TagMove};
use super::publish::Press;
use crate::error::Result;
use crate::registry::{Annotations, ImageRef, IndexRequest, Registry, TagState, create_index, plan_index, tag_state};

/// When moving tags move, once the phase is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promotion {
    /// Not at all, and why.
    Never(String),
    /// Unless they carry a higher version.
    Upwards,
    /// Always.
    Always,
}

impl BuildPlan {
    /// Adds the moving tags that are set when each phase is verified, and why others stay.
    ///
    /// # Errors
    /// Remote.
    pub async fn with_moves(
        mut self,
        desired: &Desired,
        registry: &dyn Registry,
        promotion: &Promotion,
    ) -> Result<Self> {
        if let Promotion::Never(why) = promotion {
            if self.images().any(|image| !image.moving_tags.is_empty()) {
                self.notes.push(stay(why));
            }
            return Ok(self);
        }
        let always = *promotion == Promotion::Always;
        let notes = Mutex::new(Vec::new());
        let listener = |event| {
            if let (Event::Note(text), Ok(mut notes)) = (event, notes.lock()) {
                notes.push(text);
            }
        };
        let press = Press { desired, registry, listener: &listener };
        let found = try_join_all(self.images().map(|image| press.planned(image, always))).await?;
        let images = self.phases.iter_mut().flat_map(|phase| &mut phase.images);
        images.zip(found).for_each(|(image, moves)| image.moves = moves);
        let mut notes = notes.into_inner().unwrap_or_default();
        // they were heard in no order
        notes.sort();
        self.notes.extend(notes);
        Ok(self)
    }
}

/// Says that no moving tag is set, and why.
pub(super) fn stay(why: &str) -> String {
    format!("moving tags stay: {why}")
}

impl Press<'_> {
    /// Points the moving tags of `wanted` at its release, unless they carry a higher version (`always` does so all the
    /// same).
    pub async fn promote(&self, wanted: &Wanted, always: bool) -> Result<()> {
        for (target, source) in self.moves(wanted, always).await? {
            let published = create_index(self.registry, &moving(wanted, &target, &source)).await?;
            self.tell(wanted, &target, &published);
        }
        Ok(())
    }

    /// What [`Press::promote`] would do once `image` is published as planned.
    async fn planned(&self, image: &ImagePlan, always: bool) -> Result<Vec<TagMove>> {
        let wanted = &self.desired.images[image.index];
        let name = |target: &ImageRef| target.tag().unwrap_or_default().to_owned();
        let mut moves = Vec::new();
        if image.build {
            for (target, there) in self.free(wanted, always).await? {
                moves.push(TagMove { tag: name(&target), from: there.map(|there| there.digest.to_string()), to: None });
            }
            return Ok(moves);
        }
        for (target, source) in self.moves(wanted, always).await? {
            let plan = plan_index(self.registry, &moving(wanted, &target, &source)).await?.published;
            if plan.changed {
                let from = plan.previous.map(|digest| digest.to_string());
                moves.push(TagMove { tag: name(&target), from, to: Some(plan.digest.to_string()) });
            }
        }
        Ok(moves)
    }

    /// Every moving tag of `wanted` that is this release's to set, and the release by its digest.
    async fn moves(&self, wanted: &Wanted, always: bool) -> Result<Vec<(ImageRef, ImageRef)>> {
        if wanted.moving.is_empty() {
            return Ok(Vec::new());
        }
        let Some(release) = wanted.releases()?.into_iter().next() else { return Ok(Vec::new()) };
        let Some(state) = tag_state(self.registry, &release).await? else { return Ok(Vec::new()) };
        // a kept image is of other inputs, but of this version all the same
        if matches!(judge(wanted, true, Some(&state)), State::Missing | State::Incomplete { .. }) {
            return Ok(Vec::new());
        }
        let source = wanted.repository.digest(&state.digest);
        let free = self.free(wanted, always).await?.into_iter();
        Ok(free.map(|(target, _)| (target, source.clone())).collect())
    }

    /// The moving tags of `wanted` that do not carry a higher version, with what they hold.
    async fn free(&self, wanted: &Wanted, always: bool) -> Result<Vec<(ImageRef, Option<TagState>)>> {
        let component = &self.desired.phases[wanted.phase].component;
        let ours = self.desired.versions.get(component);
        let mut free = Vec::new();
        for name in &wanted.moving {
            let target = wanted.repository.tag(name)?;
            let there = tag_state(self.registry, &target).await?;
            let theirs = there.as_ref().and_then(|there| annotations::version(&there.annotations, component));
            match (ours, &theirs) {
                (Some(ours), Some(theirs)) if theirs > ours && !always => {
                    (self.listener)(Event::Note(format!("{target} stays at {theirs}, which is higher than {ours}")))
                }
                _ => free.push((target, there)),
            }
        }
        Ok(free)
    }
}

fn moving<'a>(wanted: &'a Wanted, target: &'a ImageRef, source: &'a ImageRef) -> IndexRequest<'a> {
    static NONE: Annotations = Annotations::new();
    IndexRequest {
        target,
        sources: std::slice::from_ref(source),
        annotations: &NONE,
        platforms: &wanted.platforms,
        adopt: &|_| false,
    }
}
