//! What GitHub shows of a request: its runs, and what stands in its way.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::Attempt;
use super::request::RequestKey;
use super::way::{Start, Way};
use crate::error::{Error, Result};
use crate::github::{Repository, Run, RunState};

/// What starts a run that is asked for, in the API's words.
const DISPATCH: &str = "workflow_dispatch";

/// Where runs are looked for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub github: &'a Repository,
    /// The branch that is dispatched on.
    pub branch: &'a str,
    /// The commit that is built.
    pub commit: &'a str,
    /// The run that this process is part of: it has done what it could.
    pub own_run: Option<u64>,
}

/// What this process has started itself: the number of the attempt, and its run where GitHub has told it.
pub(super) type Started = BTreeMap<u32, Option<u64>>;

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// By number.
    pub attempts: Vec<Attempt>,
    /// A run that must end first.
    pub in_the_way: Option<Run>,
    /// Runs of the request that were started although there is one: two processes at the same moment.
    pub surplus: Vec<Run>,
    /// The runs of the request, also those that were surplus and have ended.
    known: BTreeSet<u64>,
}

/// A run of a workflow that nothing tells from others, beside those that were started before it.
pub(super) struct Before {
    /// The first of them that goes on.
    pub earliest: Option<Run>,
    /// Whether the run itself goes on.
    pub goes_on: bool,
}

impl Before {
    /// Whether two runs go on of which one must end.
    pub fn is_open(&self) -> bool {
        self.goes_on && self.earliest.is_some()
    }
}

impl Sight {
    /// Adds a run of attempt `number`. Of two, every process keeps the one that was started first.
    fn add(&mut self, number: u32, run: Run) {
        self.known.insert(run.id);
        let Some(known) = self.attempts.iter_mut().find(|attempt| attempt.number == number) else {
            return self.attempts.push(Attempt { number, run: Some(run) });
        };
        let (first, later) = match known.run.take() {
            None => (run, None),
            Some(other) if other.id < run.id => (other, Some(run)),
            Some(other) => (run, Some(other)),
        };
        known.run = Some(first);
        self.surplus.extend(later.filter(|run| run.state.is_active()));
    }

    /// Whether the run of that id is among what is seen.
    pub fn shows(&self, id: u64) -> bool {
        self.known.contains(&id)
    }
}

impl Place<'_> {
    /// Looks at the runs of `way`.
    ///
    /// # Errors
    /// Remote; refused, where the tag that starts the phase is on another commit.
    pub async fn look(&self, way: &Way<'_>, key: &RequestKey, started: &Started) -> Result<Sight> {
        let mut sight = match &way.start {
            Start::Tag(tag) => self.by_tag(way, tag).await?,
            Start::Inputs(_) if way.carries_request() => self.by_name(way, key).await?,
            Start::Inputs(_) => self.by_commit(way, started).await?,
        };
        for (number, id) in started {
            // a list may be behind
            let run = match id {
                Some(id) if sight.shows(*id) => continue,
                Some(id) => self.github.run(*id).await?,
                None => None,
            };
            let is_known = sight.attempts.iter().any(|attempt| attempt.number == *number);
            match run {
                Some(run) => sight.add(*number, run),
                None if is_known => {}
                None => sight.attempts.push(Attempt { number: *number, run: None }),
            }
        }
        sight.attempts.sort_by_key(|attempt| attempt.number);
        for run in sight.attempts.iter_mut().filter_map(|attempt| attempt.run.as_mut()) {
            if Some(run.id) == self.own_run {
                run.state = RunState::Ended("at its last job".into());
            }
        }
        Ok(sight)
    }

    /// What the runs of a way that carries the request show, by their names alone.
    ///
    /// # Errors
    /// Remote.
    pub async fn by_name(&self, way: &Way<'_>, key: &RequestKey) -> Result<Sight> {
        let is_first = |run: &Run| key.attempt_in(&run.title) == Some(1);
        let runs = self.github.runs(way.workflow, DISPATCH, self.branch, is_first).await?;
        let mut sight = Sight::default();
        for run in runs {
            let Some(number) = key.attempt_in(&run.title) else {
                let is_rival = run.state.is_active() && key.is_rival(&run.title) && Some(run.id) != self.own_run;
                sight.in_the_way = sight.in_the_way.or_else(|| is_rival.then_some(run));
                continue;
            };
            sight.add(number, run);
        }
        Ok(sight)
    }

    /// Runs that carry no request: those on the same commit count as attempts once they have ended, and while one goes on
    /// that this process has not started itself, nobody can tell whose it is.
    async fn by_commit(&self, way: &Way<'_>, started: &Started) -> Result<Sight> {
        let is_older = |run: &Run| !run.state.is_active() && run.head_sha != self.commit;
        let mut runs = self.github.runs(way.workflow, DISPATCH, self.branch, is_older).await?;
        runs.sort_by_key(|run| run.id);
        let mut sight = Sight::default();
        for run in runs {
            let is_ours = started.values().any(|id| *id == Some(run.id)) || Some(run.id) == self.own_run;
            if run.state.is_active() && !is_ours {
                sight.in_the_way = Some(run);
            } else if run.head_sha == self.commit || is_ours {
                sight.add(sight.attempts.len() as u32 + 1, run);
            }
        }
        Ok(sight)
    }

    async fn by_tag(&self, way: &Way<'_>, tag: &str) -> Result<Sight> {
        match self.github.tagged(tag).await? {
            None => return Ok(Sight::default()),
            Some(commit) if commit == self.commit => {}
            Some(commit) => {
                return Err(Error::refused(format!("tag {tag} of {} is on {commit} already", self.github.name()))
                    .hint(
                        "a version is released once: bump it, or build with `--engine buildx` what has changed since",
                    ));
            }
        }
        let mut sight = Sight::default();
        match self.pushed(way, tag).await? {
            Some(run) => sight.add(run.attempt, run),
            None => sight.attempts.push(Attempt { number: 1, run: None }),
        }
        Ok(sight)
    }

    /// The run that pushing `tag` has started.
    pub async fn pushed(&self, way: &Way<'_>, tag: &str) -> Result<Option<Run>> {
        let runs = self.github.runs(way.workflow, "push", tag, |run| run.head_sha == self.commit).await?;
        Ok(runs.into_iter().find(|run| run.head_sha == self.commit))
    }

    /// What was started before `run`; `None`: the list does not show `run` yet.
    pub async fn before(&self, way: &Way<'_>, run: &Run) -> Result<Option<Before>> {
        let mut runs = self.github.runs(way.workflow, DISPATCH, self.branch, |found| found.id < run.id).await?;
        let own = runs.iter().find(|found| found.id == run.id).map(|found| found.state.is_active());
        runs.retain(|found| found.id < run.id && found.state.is_active() && Some(found.id) != self.own_run);
        let earliest = runs.into_iter().min_by_key(|found| found.id);
        Ok(own.map(|goes_on| Before { earliest, goes_on }))
    }

    /// The run of `attempt`, whose id GitHub has not told; `known` are those that there were before.
    pub async fn find(&self, way: &Way<'_>, key: &RequestKey, attempt: u32, known: &[u64]) -> Result<Option<Run>> {
        let is_it = |run: &Run| match way.carries_request() {
            true => key.attempt_in(&run.title) == Some(attempt),
            false => run.state.is_active() && !known.contains(&run.id),
        };
        let runs = self.github.runs(way.workflow, DISPATCH, self.branch, is_it).await?;
        Ok(runs.into_iter().find(is_it))
    }
}
