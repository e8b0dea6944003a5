//! Starting an attempt, once: what GitHub does not confirm is looked for before it is asked again.

use std::time::{Duration, Instant};

use super::request::RequestKey;
use super::sight::{Before, Place, Sight, Started};
use super::trouble;
use super::way::{Start, Way, filled};
use crate::build::Desired;
use crate::error::{Error, Result};
use crate::github::{Dispatched, Run};

/// How patient to be.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The first pause between two looks; each is half as long again as the one before.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How long a run may take to be seen after it was asked for.
    pub appears: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Pace { first: seconds(5), longest: seconds(60), appears: seconds(120) }
    }
}

impl Pace {
    /// The pause after one of `pause`.
    pub fn next(&self, pause: Duration) -> Duration {
        (pause * 3 / 2).min(self.longest)
    }
}

/// What is started.
pub(super) struct Launch<'a> {
    pub place: Place<'a>,
    pub desired: &'a Desired,
    /// Index of the phase.
    pub phase: usize,
    pub way: &'a Way<'a>,
    pub key: &'a RequestKey,
    pub pace: Pace,
}

impl Launch<'_> {
    /// Starts attempt `number` and notes it in `started`. Gives its run; `None`: GitHub has taken it, and shows no run.
    /// `last` is the run of the attempt before, `known` are the runs that there are.
    ///
    /// # Errors
    /// Refused, for a commit that the run could not build; remote.
    pub async fn start(
        &self,
        number: u32,
        last: Option<&Run>,
        known: &[u64],
        started: &mut Started,
    ) -> Result<Option<Run>> {
        self.check_commit().await?;
        match &self.way.start {
            Start::Tag(tag) => self.by_tag(tag, number, last, started).await,
            Start::Inputs(inputs) => {
                let phase = &self.desired.phases[self.phase].name;
                let inputs = filled(inputs, self.desired, phase, &self.key.id(number));
                let github = self.place.github;
                let outcome = github.dispatch(self.way.workflow, self.place.branch, &inputs).await?;
                started.insert(number, None);
                let found = match outcome {
                    Dispatched::Run(id) => {
                        started.insert(number, Some(id));
                        let run = self.seen(async || github.run(id).await).await?;
                        match run {
                            Some(run) if !self.way.carries_request() => Some(self.alone(run).await?),
                            run => run,
                        }
                    }
                    Dispatched::Accepted => self.found(number, known).await?,
                    Dispatched::Lost => match self.found(number, known).await? {
                        Some(run) => Some(run),
                        None => {
                            started.remove(&number);
                            return Err(self.lost());
                        }
                    },
                };
                if let Some(run) = &found {
                    started.insert(number, Some(run.id));
                }
                Ok(found)
            }
        }
    }

    async fn by_tag(&self, tag: &str, number: u32, last: Option<&Run>, started: &mut Started) -> Result<Option<Run>> {
        let github = self.place.github;
        match last {
            Some(last) => github.rerun(last.id).await?,
            // false: it was there, or another process has made it meanwhile
            None => drop(github.make_tag(tag, self.place.commit).await?),
        }
        let run =
            self.seen(async || Ok(self.place.pushed(self.way, tag).await?.filter(|run| run.attempt >= number))).await?;
        let run = run.ok_or_else(|| {
            Error::remote(format!("tag {tag} of {} has started no run of {}", github.name(), self.way.workflow))
                .hint(TAG_OF_GITHUB_TOKEN)
                .hint("then delete the tag, and run the command again")
                .hint(format!("see that {} has `on: push: tags:` for it", self.way.workflow))
        })?;
        started.insert(number, Some(run.id));
        Ok(Some(run))
    }

    /// A run builds what is on GitHub.
    async fn check_commit(&self) -> Result<()> {
        let Place { github, branch, commit, .. } = self.place;
        if self.way.carries_commit() {
            if github.is_on_branch(commit, branch).await? {
                return Ok(());
            }
            return Err(Error::refused(format!("commit {commit} is not on {branch} of {}", github.name()))
                .hint("push it first, or name its branch with --ref"));
        }
        match github.branch(branch).await? {
            Some(head) if head == commit => Ok(()),
            _ => Err(Error::refused(format!(
                "{} can only build the head of {branch} of {}, which is not {commit}",
                self.way.workflow,
                github.name()
            ))
            .hint("give it an input for the commit, and put `{commit}` among the `inputs` in release.yaml")),
        }
    }

    /// Looks again after `run` was started: what another process has started at the same moment is in the sight, too. `None`:
    /// no run of that name shows itself.
    ///
    /// # Errors
    /// Remote.
    pub async fn look_again(&self, run: &Run) -> Result<Option<Sight>> {
        let look = async || {
            let sight = self.place.by_name(self.way, self.key).await?;
            // once the list shows this run, it shows what was started before it
            Ok(sight.shows(run.id).then_some(sight))
        };
        self.seen(look).await
    }

    /// `run`, which carries no request, unless another process has started one before it at the same moment. A concurrency
    /// group of the workflow may be about to end one of them, so that it takes patience to see which stays; where all of them
    /// do, the later ones give way.
    async fn alone(&self, run: Run) -> Result<Run> {
        let look = async || self.place.before(self.way, &run).await;
        let seen = self.seen(async || Ok(look().await?.filter(|before| !before.is_open()))).await?;
        let last = if seen.is_some() { seen } else { look().await? };
        match last {
            Some(Before { earliest: Some(earliest), goes_on }) => {
                if goes_on {
                    self.place.github.cancel_run(run.id).await?;
                }
                Err(trouble::gave_way(self.way, &earliest, &run))
            }
            _ => Ok(run),
        }
    }

    async fn found(&self, number: u32, known: &[u64]) -> Result<Option<Run>> {
        self.seen(async || self.place.find(self.way, self.key, number, known).await).await
    }

    /// Looks until there is something to see, or the time is over.
    async fn seen<T>(&self, look: impl AsyncFn() -> Result<Option<T>>) -> Result<Option<T>> {
        let until = Instant::now() + self.pace.appears;
        let mut pause = self.pace.first / 5;
        loop {
            let found = look().await?;
            if found.is_some() || Instant::now() >= until {
                return Ok(found);
            }
            tokio::time::sleep(pause).await;
            pause = self.pace.next(pause);
        }
    }

    fn lost(&self) -> Error {
        Error::remote(format!(
            "{} of {} was to be started; GitHub's answer was lost, and no run is to be seen",
            self.way.workflow,
            self.place.github.name()
        ))
        .hint("run the command again: it looks for the run before it starts one")
    }
}

/// GitHub's rule against workflows that start each other.
pub(super) const TAG_OF_GITHUB_TOKEN: &str = "a tag made with GITHUB_TOKEN starts nothing: use a GitHub App \
     (GS_RELEASE_APP_ID) or a personal token";
