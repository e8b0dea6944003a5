//! How the workflow of a phase is started: what `build.actions` and the phase's `trigger` say of it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::build::Desired;
use crate::config::{self, ATTEMPTS, COMMIT, Config, PHASE, QUEUE_LIMIT, REQUEST, Template};
use crate::error::{Error, Result};

/// The workflow of a phase.
#[derive(Debug, Clone)]
pub struct Way<'a> {
    /// Its file name.
    pub workflow: &'a str,
    /// What starts it.
    pub start: Start<'a>,
    /// How often a phase is tried.
    pub attempts: u32,
    /// How long a job may wait for a runner.
    pub queue_limit: Duration,
}

/// What starts a workflow.
#[derive(Debug, Clone)]
pub enum Start<'a> {
    /// A dispatch with these inputs.
    Inputs(&'a [(String, Template)]),
    /// This tag.
    Tag(String),
}

impl<'a> Way<'a> {
    /// That of the phase at `phase`.
    ///
    /// # Errors
    /// Usage, if the config names no workflow.
    pub fn of(config: &'a Config, desired: &Desired, phase: usize) -> Result<Self> {
        let trigger: &config::Trigger = &config.phases[phase].trigger;
        let actions = config.build.actions.as_ref();
        let workflow = trigger.workflow.as_deref().or(actions.map(|actions| &*actions.workflow));
        let workflow = workflow.ok_or_else(|| {
            Error::usage(format!("release.yaml names no workflow that builds phase {}", config.phases[phase].name))
                .hint("add `actions: { workflow: build-images.yml }` under `build:`, or take `--engine buildx`")
        })?;
        let version = |name: &str| desired.versions.get(name).map(ToString::to_string);
        let start = match (&trigger.tag, &trigger.inputs, actions) {
            (Some(tag), ..) => Start::Tag(tag.render(version)),
            (None, Some(inputs), _) => Start::Inputs(inputs),
            (None, None, Some(actions)) => Start::Inputs(&actions.inputs),
            (None, None, None) => Start::Inputs(&[]),
        };
        // a phase may have a workflow without `build.actions`
        let (attempts, queue_limit) =
            actions.map_or((ATTEMPTS, QUEUE_LIMIT), |actions| (actions.attempts, actions.queue_limit));
        Ok(Way { workflow, start, attempts, queue_limit })
    }

    /// Whether a run can be found again by the request in its name.
    pub fn carries_request(&self) -> bool {
        self.carries(REQUEST)
    }

    /// Whether the workflow is told which commit to build; otherwise it builds the head of its branch.
    pub fn carries_commit(&self) -> bool {
        matches!(self.start, Start::Tag(_)) || self.carries(COMMIT)
    }

    fn carries(&self, place: &str) -> bool {
        match &self.start {
            Start::Inputs(inputs) => inputs.iter().any(|(_, value)| value.places().any(|name| name == place)),
            Start::Tag(_) => false,
        }
    }
}

/// `inputs`, filled in.
pub fn filled(
    inputs: &[(String, Template)],
    desired: &Desired,
    phase: &str,
    request: &str,
) -> BTreeMap<String, String> {
    let value = |name: &str| match name {
        PHASE => Some(phase.to_owned()),
        COMMIT => Some(desired.commit.clone()),
        REQUEST => Some(request.to_owned()),
        component => desired.versions.get(component).map(ToString::to_string),
    };
    inputs.iter().map(|(name, template)| (name.clone(), template.render(value))).collect()
}
