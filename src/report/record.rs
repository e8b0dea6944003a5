//! What has happened during a build, and when: the events of a build, added up. Pure; whoever hears an event says the time.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::build::{Event, ImagePlan};

/// What has happened, by image. Times are since the beginning.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Images, by name.
    pub images: BTreeMap<String, ImageRecord>,
    /// Phases that were verified.
    pub verified: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Workflow runs, in the order they were met.
    pub runs: Vec<RunRecord>,
}

/// What has become of a workflow run.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// The phase that it builds.
    pub phase: String,
    /// Its page.
    pub url: String,
    /// How far it was when it was looked at last.
    pub state: String,
}

/// What has happened to an image.
#[derive(Debug, Clone, Default)]
pub struct ImageRecord {
    /// When its build began; `None` if it was adopted.
    pub started: Option<Duration>,
    /// When it was in the registry, for others to be built on.
    pub staged: Option<Duration>,
    /// When it had its first tag, or failed; when it was staged, if that is all.
    pub ended: Option<Duration>,
    /// How long staging took.
    pub took: Option<Duration>,
    /// Tags, with what they point at now and pointed at before.
    pub tags: Vec<(String, String, Option<String>)>,
    /// Why it is not there.
    pub failure: Option<String>,
    /// The image that it needs and that is not there, for which it was not built.
    pub needs: Option<String>,
}

/// What has become of an image of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing had to be built.
    Unchanged,
    /// Its release tags are there, and were read back.
    Published,
    /// It is in the registry under its staging tag, or has a part of its release tags.
    Staged,
    /// It could not be built or published.
    Failed,
    /// It was not built, because an image that it needs is not there.
    Skipped,
    /// It was being built when the run ended.
    Building,
    /// Nothing was done about it here; with engine `actions` that is left to workflow runs.
    NotStarted,
}

impl ImageRecord {
    /// Whether it was built, not adopted.
    pub fn was_built(&self) -> bool {
        self.started.is_some() && self.staged.is_some()
    }
}

impl Record {
    /// Adds what happened at a time.
    pub fn add(&mut self, at: Duration, event: &Event) {
        match event {
            Event::Building { image, .. } => {
                self.image(image).started.get_or_insert(at);
            }
            Event::Staged { image, took, .. } => {
                let image = self.image(image);
                (image.took, image.staged, image.ended) = (Some(*took), Some(at), Some(at));
            }
            Event::Published { image, tag, digest, previous, .. } => {
                let previous = previous.as_ref().map(ToString::to_string);
                let image = self.image(image);
                if image.tags.is_empty() {
                    // tags that move come later, when the whole phase is verified
                    image.ended = Some(at);
                }
                image.tags.push((tag.clone(), digest.to_string(), previous));
            }
            Event::Failed { image, why } => {
                let image = self.image(image);
                (image.failure, image.ended) = (Some(why.clone()), Some(at));
            }
            Event::Skipped { image, needs } => {
                self.image(image).needs = Some(needs.clone());
            }
            Event::Verified { name } => self.verified.push(name.clone()),
            Event::Run { phase, url, state } => match self.runs.iter_mut().find(|run| run.url == *url) {
                Some(run) => run.state.clone_from(state),
                None => {
                    self.runs.push(RunRecord { phase: phase.clone(), url: url.clone(), state: state.clone() });
                }
            },
            Event::Note(text) => self.notes.push(text.clone()),
            Event::Phase { .. } | Event::Step { .. } => {}
        }
    }

    /// What has become of `image`, which is one of the phase called `phase`.
    pub fn outcome(&self, phase: &str, image: &ImagePlan) -> Outcome {
        let done = self.images.get(&image.image);
        let has_tag = |name: &String| {
            let tag = format!("{}:{name}", image.repository);
            done.is_some_and(|done| done.tags.iter().any(|(known, ..)| *known == tag))
        };
        match done {
            Some(done) if done.failure.is_some() => Outcome::Failed,
            Some(done) if done.needs.is_some() => Outcome::Skipped,
            _ if !image.build => Outcome::Unchanged,
            _ if self.verified.iter().any(|name| name == phase) || image.tags.iter().all(has_tag) => Outcome::Published,
            Some(done) if done.staged.is_some() => Outcome::Staged,
            Some(done) if done.started.is_some() => Outcome::Building,
            _ => Outcome::NotStarted,
        }
    }

    fn image(&mut self, name: &str) -> &mut ImageRecord {
        self.images.entry(name.to_owned()).or_default()
    }
}
