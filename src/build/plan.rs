//! The plan of a build: desired compared with observed. Pure.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::desired::Desired;
use super::observe::{Observed, State};
use crate::config::Platform;
use crate::error::{Error, Result};

/// What a build would do, phase by phase.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BuildPlan {
    /// The commit that is built.
    pub commit: String,
    /// In order.
    pub phases: Vec<PhasePlan>,
    /// What a person should know, such as why moving tags stay.
    pub notes: Vec<String>,
}

/// A phase of the plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PhasePlan {
    /// Its name.
    pub name: String,
    /// In the order of the file.
    pub images: Vec<ImagePlan>,
}

/// An image of the plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImagePlan {
    /// Its key in `images`.
    pub image: String,
    /// Its index in [`Desired::images`].
    #[serde(skip)]
    pub index: usize,
    /// Where it is published.
    pub repository: String,
    /// Tags that name a version.
    pub tags: Vec<String>,
    /// Tags that move.
    pub moving_tags: Vec<String>,
    /// What it is built for.
    pub platforms: Vec<String>,
    /// The fingerprint of its inputs.
    pub inputs: String,
    /// What is published now.
    #[serde(flatten)]
    pub state: State,
    /// Whether it is built, or adopted where it was staged.
    pub build: bool,
    /// Build it without cache although nothing has changed.
    pub again: bool,
    /// The images of the release that it is built on.
    pub bases: Vec<String>,
    /// The moving tags that are set once its phase is verified, where that was looked at.
    pub moves: Vec<TagMove>,
}

/// A moving tag that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TagMove {
    /// Its name.
    pub tag: String,
    /// The digest that it points at now, if it is there.
    pub from: Option<String>,
    /// The digest that it is pointed at; none where the image is built first.
    pub to: Option<String>,
}

impl BuildPlan {
    /// Compares `desired` with `observed`. `rebuild` are images to build although they are current; what depends on them
    /// is built, too.
    ///
    /// # Errors
    /// Usage, for a tag that cannot be one.
    pub fn new(desired: &Desired, observed: &Observed, rebuild: &BTreeSet<usize>) -> Result<Self> {
        let mut again = rebuild.clone();
        again.extend(rebuild.iter().flat_map(|index| desired.graph.dependants(*index)));
        let mut phases = Vec::new();
        for (number, phase) in desired.phases.iter().enumerate() {
            let mut images = Vec::new();
            for index in desired.of_phase(number) {
                let wanted = &desired.images[index];
                let state = observed.state(desired, wanted)?;
                images.push(ImagePlan {
                    image: wanted.name.clone(),
                    index,
                    repository: wanted.repository.to_string(),
                    tags: wanted.tags.clone(),
                    moving_tags: wanted.moving.clone(),
                    platforms: wanted.platforms.iter().map(ToString::to_string).collect(),
                    inputs: wanted.inputs.fingerprint.to_string(),
                    build: again.contains(&index) || !(state.is_settled() || state == State::Unknown),
                    again: again.contains(&index),
                    state,
                    bases: wanted.needs.iter().map(|base| desired.images[*base].name.clone()).collect(),
                    moves: Vec::new(),
                });
            }
            phases.push(PhasePlan { name: phase.name.clone(), images });
        }
        Ok(BuildPlan { commit: desired.commit.clone(), phases, notes: Vec::new() })
    }

    /// Whether everything is published as it should be.
    pub fn is_settled(&self) -> bool {
        self.phases.iter().all(PhasePlan::is_settled)
    }

    /// The plan of the phase at `index` alone.
    pub fn of_phase(mut self, index: usize) -> Self {
        self.phases = self.phases.into_iter().skip(index).take(1).collect();
        self
    }

    /// The phase at `only`, or the first that has something to do.
    pub fn open(&self, only: Option<usize>) -> Option<&PhasePlan> {
        match only {
            Some(only) => self.phases.get(only),
            None => self.phases.iter().find(|phase| !phase.is_settled() || phase.builds()),
        }
    }

    /// The part of it that is staged for `platform` alone: what is built for it of the phase that [`BuildPlan::open`] gives.
    pub fn share(mut self, platform: &Platform, only: Option<usize>) -> Self {
        let platform = platform.to_string();
        self.phases = self.open(only).cloned().into_iter().collect();
        for phase in &mut self.phases {
            phase.images.retain(|image| image.build && image.platforms.contains(&platform));
            phase.images.iter_mut().for_each(|image| image.platforms = vec![platform.clone()]);
        }
        self
    }

    /// The platforms that something is built for, each once.
    pub fn platforms_to_build(&self) -> BTreeSet<&str> {
        self.images().filter(|image| image.build).flat_map(|image| &image.platforms).map(String::as_str).collect()
    }

    /// Refuses `only` (the index of a phase) while a phase before it is not complete.
    ///
    /// # Errors
    /// Refused.
    pub fn check_order(&self, only: Option<usize>) -> Result<()> {
        let Some(only) = only else { return Ok(()) };
        let Some(open) = self.phases[..only].iter().find(|phase| !phase.is_settled()) else { return Ok(()) };
        let first = open.images.iter().find(|image| !image.state.is_settled());
        let why = first.map(|image| format!("{} is {}", image.image, image.state)).unwrap_or_default();
        Err(Error::refused(format!(
            "phase {} cannot be built before phase {} is complete: {why}",
            self.phases[only].name, open.name
        ))
        .hint("leave --phase out: phases are built in their order"))
    }

    /// All images, in order.
    pub fn images(&self) -> impl Iterator<Item = &ImagePlan> {
        self.phases.iter().flat_map(|phase| &phase.images)
    }
}

impl PhasePlan {
    /// Whether every image of it is published as it should be.
    pub fn is_settled(&self) -> bool {
        self.images.iter().all(|image| image.state.is_settled())
    }

    /// Whether something of it is built.
    pub fn builds(&self) -> bool {
        self.images.iter().any(|image| image.build)
    }
}
