//! Carries a build plan out: phase by phase, each image as soon as its bases are staged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use futures_util::future::{LocalBoxFuture, try_join_all};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::desired::Desired;
use super::engine::Engine;
use super::event::{Event, Listener};
use super::observe::Observed;
use super::plan::{BuildPlan, PhasePlan};
use super::promote::{self, Promotion};
use super::publish::Press;
use super::share::{Stage, Staged};
use crate::config::Platform;
use crate::error::{Error, Kind, Result};
use crate::registry::{ImageRef, Registry};

/// What a run works with.
pub struct Works<'a> {
    /// What should be published.
    pub desired: &'a Desired,
    /// Where it is published.
    pub registry: &'a dyn Registry,
    /// Who builds.
    pub engine: &'a dyn Engine,
    /// The exported tree of the commit.
    pub tree: &'a Path,
    /// Builds at the same time.
    pub parallel: usize,
    /// Also publish a tag for each platform.
    pub platform_tags: bool,
    /// When moving tags move.
    pub promotion: Promotion,
    /// Who hears of it.
    pub listener: Listener<'a>,
}

/// Why an image is not there after a phase.
enum Trouble {
    Failed(Error),
    Needs(usize),
}

/// The end of one piece of work.
enum Done {
    Staged(usize, Result<Staged>),
    Published(usize, Result<()>),
}

impl Works<'_> {
    /// Brings every phase of `plan` (or `only` the one of that index) to what it should be.
    ///
    /// # Errors
    /// Refused, if `only` needs a phase that is not complete; build or remote, once everything that does not depend on
    /// what failed is done.
    pub async fn carry_out(&self, plan: &BuildPlan, only: Option<usize>) -> Result<()> {
        plan.check_order(only)?;
        for (number, phase) in plan.phases.iter().enumerate() {
            if only.is_some_and(|only| only != number) {
                continue;
            }
            self.phase(number, phase).await?;
        }
        Ok(())
    }

    async fn phase(&self, number: usize, phase: &PhasePlan) -> Result<()> {
        let todo: BTreeSet<usize> = phase.images.iter().filter(|image| image.build).map(|image| image.index).collect();
        (self.listener)(Event::Phase { name: phase.name.clone(), images: todo.len() });
        self.work(phase, &todo, None).await?;
        if !todo.is_empty() {
            self.verify(number).await?;
        }
        (self.listener)(Event::Verified { name: phase.name.clone() });
        let press = self.press();
        if self.platform_tags {
            try_join_all(phase.images.iter().map(|image| press.platform_tags(&self.desired.images[image.index])))
                .await?;
        }
        match &self.promotion {
            Promotion::Never(why) if phase.images.iter().any(|image| !image.moving_tags.is_empty()) => {
                (self.listener)(Event::Note(promote::stay(why)));
            }
            Promotion::Never(_) => {}
            promotion => {
                let always = *promotion == Promotion::Always;
                let images = phase.images.iter().map(|image| &self.desired.images[image.index]);
                try_join_all(images.map(|wanted| press.promote(wanted, always))).await?;
            }
        }
        for index in todo {
            if !press.sweep(&self.desired.images[index]).await? {
                break;
            }
        }
        Ok(())
    }

    /// Reads every tag of the phase back.
    async fn verify(&self, number: usize) -> Result<()> {
        let mut tags = Vec::new();
        for index in self.desired.of_phase(number) {
            tags.extend(self.desired.images[index].releases()?);
        }
        let mut now = Observed::look(self.registry, tags).await?;
        now.look_inside(self.registry, self.desired).await?;
        for index in self.desired.of_phase(number) {
            let wanted = &self.desired.images[index];
            let state = now.state(self.desired, wanted)?;
            if !state.is_settled() {
                return Err(Error::remote(format!("{} was published, but reads as {state}", wanted.name))
                    .hint("something else writes these tags; run the command again"));
            }
        }
        Ok(())
    }

    fn press(&self) -> Press<'_> {
        Press { desired: self.desired, registry: self.registry, listener: self.listener }
    }

    /// Stages and publishes the images of `todo`, or stages the share of one platform of each.
    pub(super) async fn work(&self, phase: &PhasePlan, todo: &BTreeSet<usize>, share: Option<&Platform>) -> Result<()> {
        let again: BTreeSet<usize> = phase.images.iter().filter(|image| image.again).map(|image| image.index).collect();
        let mut staged: BTreeMap<usize, ImageRef> = self.published(todo).await?;
        let mut troubles: BTreeMap<usize, Trouble> = BTreeMap::new();
        let mut waiting: BTreeSet<usize> = todo.clone();
        let mut building = 0;
        let mut running: FuturesUnordered<LocalBoxFuture<'_, Done>> = FuturesUnordered::new();
        loop {
            self.skip(&mut waiting, &mut troubles);
            let ready = |index: &usize| self.desired.images[*index].needs.iter().all(|base| staged.contains_key(base));
            let next: Vec<usize> =
                waiting.iter().copied().filter(ready).take(self.parallel.max(1) - building).collect();
            for index in next {
                waiting.remove(&index);
                building += 1;
                running
                    .push(self.stage(index, self.bases(index, &staged), again.contains(&index), share).boxed_local());
            }
            match running.next().await {
                None => break,
                Some(Done::Staged(index, outcome)) => {
                    building -= 1;
                    match outcome {
                        Ok(found) => {
                            staged.insert(index, found.image.clone());
                            if share.is_none() {
                                let bases = self.bases(index, &staged);
                                running.push(self.publish(index, found, bases, again.contains(&index)).boxed_local());
                            }
                        }
                        Err(error) => self.failed(index, error, &mut troubles),
                    }
                }
                Some(Done::Published(_, Ok(()))) => {}
                Some(Done::Published(index, Err(error))) => self.failed(index, error, &mut troubles),
            }
        }
        match troubles.is_empty() {
            true => Ok(()),
            false => Err(self.summary(phase, &troubles)),
        }
    }

    /// The bases of `todo` that are not built with it, as they are published now, by digest.
    async fn published(&self, todo: &BTreeSet<usize>) -> Result<BTreeMap<usize, ImageRef>> {
        let needs: BTreeSet<usize> =
            todo.iter().flat_map(|index| &self.desired.images[*index].needs).copied().collect();
        let mut tags = BTreeMap::new();
        for index in needs.difference(todo) {
            if let Some(tag) = self.desired.images[*index].releases()?.into_iter().next() {
                tags.insert(*index, tag);
            }
        }
        let observed = Observed::look(self.registry, tags.values().cloned()).await?;
        let by_digest =
            |(index, tag): (usize, ImageRef)| Some((index, tag.repository.digest(&observed.get(&tag)?.digest)));
        Ok(tags.into_iter().filter_map(by_digest).collect())
    }

    fn bases(&self, index: usize, staged: &BTreeMap<usize, ImageRef>) -> BTreeMap<usize, ImageRef> {
        let needs = self.desired.images[index].needs.iter();
        needs.filter_map(|base| Some((*base, staged.get(base)?.clone()))).collect()
    }

    /// Gives up on what waits for something that will not come.
    fn skip(&self, waiting: &mut BTreeSet<usize>, troubles: &mut BTreeMap<usize, Trouble>) {
        loop {
            let lost = waiting.iter().find_map(|index| {
                let needs = self.desired.images[*index].needs.iter();
                Some((*index, *needs.into_iter().find(|base| troubles.contains_key(base))?))
            });
            let Some((index, base)) = lost else { return };
            waiting.remove(&index);
            let name = |index: usize| self.desired.images[index].name.clone();
            (self.listener)(Event::Skipped { image: name(index), needs: name(base) });
            troubles.insert(index, Trouble::Needs(base));
        }
    }

    fn failed(&self, index: usize, error: Error, troubles: &mut BTreeMap<usize, Trouble>) {
        let image = self.desired.images[index].name.clone();
        (self.listener)(Event::Failed { image, why: error.to_string() });
        troubles.insert(index, Trouble::Failed(error));
    }

    async fn stage(
        &self,
        index: usize,
        bases: BTreeMap<usize, ImageRef>,
        again: bool,
        share: Option<&Platform>,
    ) -> Done {
        let start = Instant::now();
        let stage = Stage {
            desired: self.desired,
            registry: self.registry,
            engine: self.engine,
            tree: self.tree,
            listener: self.listener,
        };
        let outcome = match share {
            None => stage.whole(index, &bases, again).await,
            Some(platform) => stage.share(index, platform, &bases).await,
        };
        if let Ok(staged) = &outcome {
            let image = self.desired.images[index].name.clone();
            (self.listener)(Event::Staged { image, took: start.elapsed(), adopted: staged.adopted });
        }
        Done::Staged(index, outcome)
    }

    async fn publish(&self, index: usize, staged: Staged, bases: BTreeMap<usize, ImageRef>, again: bool) -> Done {
        Done::Published(index, self.press().release(index, &staged.image, &bases, again).await.map(drop))
    }

    /// One error for everything that went wrong in a phase.
    fn summary(&self, phase: &PhasePlan, troubles: &BTreeMap<usize, Trouble>) -> Error {
        let name = |index: &usize| self.desired.images[*index].name.as_str();
        let failed = troubles.iter().filter_map(|(index, trouble)| match trouble {
            Trouble::Failed(error) => Some((name(index), error)),
            Trouble::Needs(_) => None,
        });
        let failed: Vec<(&str, &Error)> = failed.collect();
        let skipped = troubles.iter().filter_map(|(index, trouble)| match trouble {
            Trouble::Needs(base) => Some(format!("{} (needs {})", name(index), name(base))),
            Trouble::Failed(_) => None,
        });
        let skipped: Vec<String> = skipped.collect();
        let mut message = format!("phase {} is not complete", phase.name);
        for (image, error) in &failed {
            message.push_str(&format!("; {image}: {error}"));
        }
        if !skipped.is_empty() {
            message.push_str(&format!("; not built: {}", skipped.join(", ")));
        }
        let only_remote = failed.iter().all(|(_, error)| error.kind == Kind::Remote);
        let error = if only_remote { Error::remote(message) } else { Error::build(message) };
        let hints: BTreeSet<&String> = failed.iter().flat_map(|(_, error)| &error.hints).collect();
        hints
            .into_iter()
            .fold(error, |error, hint| error.hint(hint))
            .hint("mend it and run the command again: what is published is not built again")
    }
}

/// Whether any image of `plan` is not what it should be, in words, for `verify`; moving tags, where they were looked at.
pub fn findings(plan: &BuildPlan) -> Vec<String> {
    let wrong = plan.images().filter(|image| !image.state.is_settled());
    let wrong = wrong.map(|image| format!("{}:{} is {}", image.repository, image.tags.join(", "), image.state));
    let moves = plan.images().flat_map(|image| image.moves.iter().map(move |moved| (image, moved)));
    // where the release itself is missing, that is said
    let overdue = moves.filter(|(_, moved)| moved.to.is_some());
    let overdue =
        overdue.map(|(image, moved)| format!("{}:{} does not point at the release", image.repository, moved.tag));
    wrong.chain(overdue).collect()
}
