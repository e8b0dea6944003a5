//! Has phases built by workflow runs on GitHub: one run a phase, found again by the request in its name.
//!
//! - [`request`] makes the id of what is asked for;
//! - [`way`] says how a phase's workflow is started;
//! - `sight` looks at the runs there are, [`mod@decide`] says what follows from them, `start` starts one, and `queue` tells
//!   of one that no runner takes up.
//!
//! The registry decides whether a phase is done, never what a run says of itself. No record is kept: runs, their names and
//! the registry are all there is, so that this may be killed anywhere and called again. It is no [`super::Engine`]:
//! that builds an image, and inside of a run it is `buildx` which does so.

pub mod decide;
mod queue;
pub mod request;
mod sight;
mod start;
mod trouble;
pub mod way;

use std::collections::BTreeMap;

use jiff::Timestamp;
pub use start::Pace;

use super::{BuildPlan, Desired, Event, Listener, PhasePlan, observe};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::github::{Repository, Run, Status, StatusState};
use crate::registry::Registry;
use decide::{Attempt, Decision, decide};
use request::RequestKey;
use sight::{Place, Sight, Started};
use start::{Launch, TAG_OF_GITHUB_TOKEN};
use way::{Start, Way};

/// What the engine works with.
pub struct Actions<'a> {
    /// Where runs are started.
    pub github: &'a Repository,
    /// The config of the commit.
    pub config: &'a Config,
    /// What should be published.
    pub desired: &'a Desired,
    /// Where it is published.
    pub registry: &'a dyn Registry,
    /// The branch that has the commit: runs are started on it.
    pub branch: &'a str,
    /// The run that this process is part of, if it is.
    pub own_run: Option<u64>,
    /// Follow the runs to their end; otherwise start what is due and leave.
    pub wait: bool,
    /// Try once more what was tried often enough.
    pub retry: bool,
    /// The token is `GITHUB_TOKEN`, whose tags start nothing.
    pub tags_start_nothing: bool,
    /// How patient to be.
    pub pace: Pace,
    /// Who hears of it.
    pub listener: Listener<'a>,
}

/// Where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every phase that is due is published.
    Settled,
    /// A run of this phase goes on.
    UnderWay {
        /// The phase.
        phase: String,
        /// The page of the run.
        url: String,
    },
}

/// What this process remembers of the phase at hand.
#[derive(Default)]
struct Memory {
    started: BTreeMap<usize, Started>,
    allowed: BTreeMap<usize, u32>,
}

/// The last attempt at the phase at `phase`, on the base branch.
///
/// # Errors
/// As [`Actions::carry_out`] has them.
pub async fn last_attempt(
    github: &Repository,
    config: &Config,
    desired: &Desired,
    phase: usize,
) -> Result<Option<Attempt>> {
    let place = Place { github, branch: &config.base, commit: &desired.commit, own_run: None };
    let way = Way::of(config, desired, phase)?;
    let sight = place.look(&way, &RequestKey::of(desired, phase), &Started::default()).await?;
    Ok(sight.attempts.into_iter().next_back())
}

impl Actions<'_> {
    /// Has every phase built that is due (or `only` the one of that index), one after the other.
    ///
    /// On another branch than the base only phases that are built before the merge are due, unless one is named.
    ///
    /// # Errors
    /// Refused: the commit is not on the branch, a run that cannot be told apart goes on, or `only` needs an earlier phase.
    /// Build: a phase was tried as often as the config allows. Remote: GitHub or the registry.
    pub async fn carry_out(&self, only: Option<usize>) -> Result<Outcome> {
        let mut memory = Memory::default();
        loop {
            let plan = self.observe().await?;
            let Some(number) = self.due(&plan, only) else {
                self.tell_settled(&plan).await;
                return Ok(Outcome::Settled);
            };
            plan.check_order(Some(number))?;
            if let Some(run) = self.step(number, &plan.phases[number], &mut memory).await? {
                return Ok(Outcome::UnderWay { phase: plan.phases[number].name.clone(), url: run.url });
            }
        }
    }

    async fn observe(&self) -> Result<BuildPlan> {
        observe::plan(self.registry, self.desired).await
    }

    fn is_base(&self) -> bool {
        self.branch == self.config.base
    }

    fn due(&self, plan: &BuildPlan, only: Option<usize>) -> Option<usize> {
        let is_asked_for = |number: usize| match only {
            Some(only) => only == number,
            None => self.is_base() || self.config.phases[number].build_before_merge,
        };
        (0..plan.phases.len()).find(|number| is_asked_for(*number) && !plan.phases[*number].is_settled())
    }

    /// Takes one step towards `phase`. A run: it goes on, and nobody waits for it here.
    async fn step(&self, number: usize, phase: &PhasePlan, memory: &mut Memory) -> Result<Option<Run>> {
        let way = Way::of(self.config, self.desired, number)?;
        let key = RequestKey::of(self.desired, number);
        let place = self.place();
        let started = memory.started.entry(number).or_default();
        let sight = place.look(&way, &key, started).await?;
        self.cancel_surplus(phase, &sight).await?;
        let tried = sight.attempts.last().map_or(0, |attempt| attempt.number);
        let one_more = if self.retry { tried + 1 } else { 0 };
        let allowed = *memory.allowed.entry(number).or_insert(way.attempts.max(one_more));
        let decision = decide(&sight.attempts, sight.in_the_way.as_ref(), allowed);
        let tries_again = matches!(decision, Decision::Start(number) if number > 1);
        if (tries_again || matches!(decision, Decision::GiveUp(_))) && self.observe().await?.phases[number].is_settled()
        {
            // a run has ended between the look at the registry and the look at the runs
            return Ok(None);
        }
        match decision {
            Decision::Join(run) => self.follow(phase, &way, run).await,
            Decision::WaitFor(run) if !way.carries_request() => Err(trouble::cannot_tell(&way, run)),
            Decision::WaitFor(run) => {
                self.note(format!("phase {} waits for a run of something else: {}", phase.name, run.url));
                self.follow(phase, &way, run).await
            }
            Decision::Start(attempt) => {
                if self.tags_start_nothing
                    && let (Start::Tag(tag), 1) = (&way.start, attempt)
                {
                    let what = format!("tag {tag}, which starts phase {}, is not made with this token", phase.name);
                    return Err(Error::refused(what).hint(TAG_OF_GITHUB_TOKEN));
                }
                if let Some(last) = sight.attempts.last() {
                    self.note(trouble::told(self.github, phase, last).await);
                }
                let launch =
                    Launch { place, desired: self.desired, phase: number, way: &way, key: &key, pace: self.pace };
                let runs: Vec<&Run> = sight.attempts.iter().filter_map(|attempt| attempt.run.as_ref()).collect();
                let known: Vec<u64> = runs.iter().map(|run| run.id).collect();
                let found = launch.start(attempt, runs.last().copied(), &known, started).await?;
                match found {
                    Some(run) => {
                        self.say_run(phase, &run, "started");
                        let run = self.settle(phase, &launch, attempt, run).await?;
                        started.insert(attempt, Some(run.id));
                        self.follow(phase, &way, &run).await
                    }
                    None if self.wait => Ok(None),
                    None => Err(trouble::unseen(&way, self.pace.appears)),
                }
            }
            Decision::GiveUp(last) => {
                let error = trouble::gave_up(self.github, phase, last).await;
                let url = last.run.as_ref().map(|run| run.url.clone());
                self.tell(phase, StatusState::Failure, &format!("failed {} times", last.number), url).await;
                Err(error)
            }
        }
    }

    /// Looks again after `run` was started: where another process has started the same at the same moment, the earlier run
    /// stays for both, and the later one is cancelled before its concurrency group lets it begin.
    async fn settle(&self, phase: &PhasePlan, launch: &Launch<'_>, attempt: u32, run: Run) -> Result<Run> {
        if !launch.way.carries_request() {
            return Ok(run);
        }
        let Some(sight) = launch.look_again(&run).await? else {
            self.note(trouble::nameless(launch.way, &run));
            return Ok(run);
        };
        self.cancel_surplus(phase, &sight).await?;
        let first = sight.attempts.into_iter().find(|known| known.number == attempt);
        Ok(first.and_then(|first| first.run).unwrap_or(run))
    }

    async fn cancel_surplus(&self, phase: &PhasePlan, sight: &Sight) -> Result<()> {
        for run in &sight.surplus {
            self.note(format!("{} was started twice at the same moment: run {} is cancelled", phase.name, run.url));
            self.github.cancel_run(run.id).await?;
        }
        Ok(())
    }

    fn place(&self) -> Place<'_> {
        Place { github: self.github, branch: self.branch, commit: &self.desired.commit, own_run: self.own_run }
    }

    /// Waits until `run` has ended or is gone; gives it back at once where nobody waits. A run that waits for a runner for too
    /// long is an error, now and at each later look.
    async fn follow(&self, phase: &PhasePlan, way: &Way<'_>, run: &Run) -> Result<Option<Run>> {
        self.tell(phase, StatusState::Pending, "images are being built", Some(run.url.clone())).await;
        self.say_run(phase, run, &run.state.to_string());
        let mut run = run.clone();
        let mut pause = self.pace.first;
        loop {
            queue::check(self.github, &phase.name, way, &run, Timestamp::now()).await?;
            if !self.wait {
                return Ok(Some(run));
            }
            tokio::time::sleep(pause).await;
            pause = self.pace.next(pause);
            let Some(now) = self.github.run(run.id).await? else {
                self.note(format!("run {} of phase {} is gone", run.url, phase.name));
                return Ok(None);
            };
            if now.state != run.state {
                self.say_run(phase, &now, &now.state.to_string());
            }
            if !now.state.is_active() {
                return Ok(None);
            }
            run = now;
        }
    }

    /// Tells the commit of a bump that its images are there.
    async fn tell_settled(&self, plan: &BuildPlan) {
        for phase in plan.phases.iter().filter(|phase| phase.is_settled()) {
            self.tell(phase, StatusState::Success, "every image is published", None).await;
        }
    }

    /// Gives the commit of a pull request a status. It only informs: a token that may not do it goes on without.
    async fn tell(&self, phase: &PhasePlan, state: StatusState, description: &str, url: Option<String>) {
        let is_due = self.config.phases.iter().any(|known| known.name == phase.name && known.build_before_merge);
        if self.is_base() || !is_due {
            return;
        }
        let context = format!("gs-release/{}", phase.name);
        let status = Status { context, state, description: description.to_owned(), url };
        if let Err(error) = self.github.set_status(&self.desired.commit, &status).await {
            let hint = error.hints.first().map_or("", String::as_str);
            self.note(format!("{error}: {hint}"));
        }
    }

    fn say_run(&self, phase: &PhasePlan, run: &Run, state: &str) {
        (self.listener)(Event::Run { phase: phase.name.clone(), url: run.url.clone(), state: state.to_owned() });
    }

    fn note(&self, text: String) {
        (self.listener)(Event::Note(text));
    }
}
