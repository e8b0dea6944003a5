//! From a plan to its open pull request, for whoever made the plan: look whether it is there, check the rights, write the
//! text, publish. `bump` and `watch` go this way alike.

use super::publish::{self, Destination, Look, Published};
use super::upstream::{self, Quoted};
use super::{BumpPlan, describe};
use crate::config::{Component, Config};
use crate::error::Result;
use crate::github::{Needs, PullRequest};

/// What is proposed.
pub struct Proposal<'a> {
    /// The plan; it has something to change.
    pub plan: &'a BumpPlan,
    /// Its component.
    pub component: &'a Component,
    /// The page that compares the two versions upstream.
    pub compare: Option<String>,
    /// The pull requests of the branch, where they were looked up a moment ago.
    pub known: Option<&'a [PullRequest]>,
}

/// What a person may want to know on the way.
pub enum Event {
    /// Worth saying.
    Note(String),
    /// For whoever wants to know everything.
    Detail(String),
}

impl Event {
    /// The same with the name of the component before it.
    pub fn of(self, component: &str) -> Self {
        match self {
            Event::Note(text) => Event::Note(format!("{component}: {text}")),
            Event::Detail(text) => Event::Detail(format!("{component}: {text}")),
        }
    }
}

/// Brings branch and pull request to what the plan says. Where they are there already, nothing is asked but the pull requests.
///
/// # Errors
/// Remote, also for rights that are missing, before anything is written; refused, after one comment, if the branch holds
/// commits of people.
pub async fn propose(
    config: &Config,
    to: &Destination<'_>,
    proposal: Proposal<'_>,
    hear: impl Fn(Event),
) -> Result<Published> {
    let Proposal { plan, component, compare, known } = proposal;
    let opens = match publish::look(to, plan, known).await? {
        Look::Settled(published) => return Ok(*published),
        Look::Due { opens } => opens,
    };
    preflight(config, to, plan, opens, &hear).await?;
    let notes = upstream::quote(to.github, component, &plan.from, &plan.to).await.unwrap_or_else(|error| {
        hear(Event::Note(format!("the release notes are left out: {error}")));
        String::new()
    });
    let text = describe(config, plan, &Quoted { compare, notes })?;
    hear(Event::Detail(format!("pushing to {}", to.remote.url())));
    publish::publish(to, plan, &text).await
}

async fn preflight(
    config: &Config,
    to: &Destination<'_>,
    plan: &BumpPlan,
    opens: bool,
    hear: &impl Fn(Event),
) -> Result<()> {
    let needs = Needs {
        base: config.base.clone(),
        push_to: config.pull_request.push_to.clone(),
        workflow_files: plan.contents.keys().any(|path| path.starts_with(".github/workflows/")),
        milestone: config.pull_request.milestone.clone(),
        opens,
        teams: opens && config.pull_request.asks_teams(),
    };
    let found = to.github.preflight(to.home.name(), &needs).await?;
    for check in &found.checks {
        hear(Event::Detail(format!("preflight: {}: {} ({})", check.about, check.answer, check.reason)));
    }
    found.notes.iter().for_each(|note| hear(Event::Note(note.clone())));
    found.refusal().map_or(Ok(()), Err)
}
