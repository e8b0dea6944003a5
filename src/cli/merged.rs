//! The merged pull request that a build belongs to, and what it is told of the build. No build fails for it.

use super::Global;
use super::place::home;
use super::prepared::Prepared;
use crate::build::BuildPlan;
use crate::bump::current_version;
use crate::bump::proposed::version_of;
use crate::error::{Error, Result};
use crate::github::{GitHub, PullRequest, Repository, Rights, Settings, State};
use crate::report::comment::{Stage, comment, is_final};
use crate::report::{self, Record};

/// What the comment is found by.
const KEY: &str = "build";

/// A merged pull request.
pub struct Merged {
    github: Repository,
    number: u64,
}

impl Merged {
    /// Looks for the pull request by which the commit came to have what is built of it. `None` where there is none, or no
    /// token; what goes wrong is a warning.
    pub async fn find(global: &Global, prepared: &Prepared) -> Option<Self> {
        match look(global, prepared).await {
            Ok(found) => found,
            Err(error) => {
                report::warn(&format!("no pull request is told of this build: {error}"));
                None
            }
        }
    }

    /// Tells that the build has begun, if anything is built.
    pub async fn tell_begin(&self, plan: &BuildPlan) {
        if plan.images().any(|image| image.build) {
            self.tell(plan, &Record::default(), Stage::Building).await;
        }
    }

    /// Tells how the build has ended. Where there was nothing to build, it is told what an earlier one did not come to tell.
    pub async fn tell_end(&self, plan: &BuildPlan, record: &Record, result: Result<Option<&str>, &Error>) {
        let stage = result.map_or_else(Stage::Failed, Stage::Ended);
        if plan.images().all(|image| !image.build) && matches!(stage, Stage::Ended(_)) {
            match self.github.kept_comment(self.number, KEY).await {
                Ok(Some(told)) if is_final(&told) => return,
                // begun by a job that was killed, perhaps before it could tell anything
                Ok(_) => {}
                Err(error) => return self.warn(&error),
            }
        }
        self.tell(plan, record, stage).await;
    }

    async fn tell(&self, plan: &BuildPlan, record: &Record, stage: Stage<'_>) {
        let text = comment(plan, record, stage, run_url().as_deref());
        if let Err(error) = self.github.keep_comment(self.number, KEY, &text).await {
            self.warn(&error);
        }
    }

    fn warn(&self, error: &Error) {
        report::warn(&format!("#{} is not told of this build: {error}", self.number));
    }
}

/// The page of the workflow run that this is, under GitHub Actions.
fn run_url() -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
    Some(format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?))
}

async fn look(global: &Global, prepared: &Prepared) -> Result<Option<Merged>> {
    let Prepared { repository, commit, config, .. } = prepared;
    let settings = Settings::from_process()?;
    let remote = repository.remote_for(config.repository.as_ref(), &settings.server_url)?;
    let (Some(home), true) = (home(config, remote.as_ref())?, settings.credentials.is_some()) else {
        global.detail("no pull request is told of this build: there is no token, or no repository on GitHub");
        return Ok(None);
    };
    let base = repository.base(remote.as_ref(), &config.base)?;
    if !repository.history(base.id, commit.id, |_| true)?.is_empty() {
        global.detail(&format!("no pull request is told of this build: {} does not have the commit", config.base));
        return Ok(None);
    }
    let github = GitHub::connect(&settings, &home, &Rights::comment()).await?.repository(&home);
    let mut found: Option<PullRequest> = None;
    for component in &config.components {
        let version = current_version(repository, component, *commit)?;
        let branch = format!("gs-release/{}", component.name);
        let pulls = github.pull_requests(config.pull_request.push_to.as_ref(), &branch, &config.base).await?;
        let brought_it = |pull: &PullRequest| {
            pull.state == State::Merged && version_of(pull, &component.name).as_ref() == Some(&version)
        };
        // the last one that was merged has started this build
        found = found.into_iter().chain(pulls.into_iter().find(brought_it)).max_by_key(|pull| pull.number);
    }
    Ok(found.map(|pull| Merged { github, number: pull.number }))
}
