//! The share of one platform: staged on a machine of that platform, and joined with the others by a plain build.

use std::collections::BTreeSet;

use super::event::Event;
use super::observe::Observed;
use super::plan::BuildPlan;
use super::run::Works;
use super::share::has;
use crate::config::Platform;
use crate::error::Result;
use crate::registry::ImageRef;

impl Works<'_> {
    /// Stages the share of `platform` of the first phase that is not complete, and returns what it waits for.
    ///
    /// # Errors
    /// As [`Works::carry_out`]; usage, if no image is built for `platform`.
    pub async fn stage_share(&self, plan: &BuildPlan, platform: &Platform, only: Option<usize>) -> Result<String> {
        plan.check_order(only)?;
        self.desired.check_platform(platform)?;
        let Some(phase) = plan.open(only) else { return Ok("nothing: everything is published".into()) };
        let todo: BTreeSet<usize> = phase.images.iter().filter(|image| image.build).map(|image| image.index).collect();
        let mine: BTreeSet<usize> =
            todo.iter().copied().filter(|index| self.desired.images[*index].platforms.contains(platform)).collect();
        (self.listener)(Event::Phase { name: phase.name.clone(), images: mine.len() });
        self.work(phase, &mine, Some(platform)).await?;
        let awaited = self.awaited(&todo, platform).await?;
        Ok(match awaited.is_empty() {
            true => format!("phase {} waits for `gs-release build` to publish it", phase.name),
            false => format!(
                "phase {} waits for the shares of {}, and for `gs-release build` to join them",
                phase.name,
                awaited.join(", ")
            ),
        })
    }

    /// The platforms other than `mine` that some image of `todo` is not staged for yet.
    async fn awaited(&self, todo: &BTreeSet<usize>, mine: &Platform) -> Result<Vec<String>> {
        let mut shares = Vec::new();
        for wanted in todo.iter().map(|index| &self.desired.images[*index]) {
            for platform in wanted.platforms.iter().filter(|platform| *platform != mine) {
                shares.push((platform, [wanted.staging(None)?, wanted.staging(Some(platform))?]));
            }
        }
        let tags: BTreeSet<_> = shares.iter().flat_map(|(_, tags)| tags.clone()).collect();
        let now = Observed::look(self.registry, tags).await?;
        let is_staged = |platform: &Platform, tag: &ImageRef| now.get(tag).is_some_and(|state| has(state, platform));
        shares.retain(|(platform, tags)| !tags.iter().any(|tag| is_staged(platform, tag)));
        let awaited: BTreeSet<String> = shares.iter().map(|(platform, _)| platform.to_string()).collect();
        Ok(awaited.into_iter().collect())
    }
}
