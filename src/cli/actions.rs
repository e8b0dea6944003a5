//! `gs-release build` with engine `actions`: who is asked, on which branch, and what is left to do here.

use serde_json::Value;

use super::Global;
use super::account::Account;
use super::build::{Args, promotion, short};
use super::merged::Merged;
use super::place::home;
use super::prepared::Prepared;
use crate::build::actions::{Actions, Outcome, Pace};
use crate::build::engine::Elsewhere;
use crate::build::run::Works;
use crate::build::{BuildPlan, Promotion, observe};
use crate::error::{Error, Result};
use crate::github::{GitHub, Repository, Rights, Settings};
use crate::registry::Registry;
use crate::report::{self, Progress};

/// Has built what is due, sets the moving tags of what is published, and shows the result; where JSON is asked for, gives its
/// document instead.
pub async fn run(
    global: &Global,
    args: &Args,
    prepared: &Prepared,
    plan: &BuildPlan,
    only: Option<usize>,
    account: &Account,
) -> Result<Option<Value>> {
    let Prepared { config, desired, registry, commit, .. } = prepared;
    let settings = Settings::from_process()?;
    let remote = prepared.repository.remote_for(config.repository.as_ref(), &settings.server_url)?;
    let Some(home) = home(config, remote.as_ref())? else {
        return Err(Error::usage("engine `actions` needs to know the repository on GitHub")
            .hint("set `repository: owner/name` in release.yaml"));
    };
    if settings.credentials.is_none() {
        return Err(Error::remote(format!("runs of workflows of {home} are started with a token, and there is none"))
            .hint("set GITHUB_TOKEN (or GH_TOKEN) to one that may write actions, or take `--engine buildx`"));
    }
    let makes_tags = config.phases.iter().any(|phase| phase.trigger.tag.is_some());
    let server = GitHub::connect(&settings, &home, &Rights::build(makes_tags)).await?;
    let github = server.repository(&home);
    let branch = branch(&github, &args.look.reference, &config.base, &desired.commit).await?;
    let branch = branch.ok_or_else(|| {
        Error::refused(format!("commit {} is not on {} of {home}", short(*commit), config.base))
            .hint("push it first, or name the branch that has it with --ref")
    })?;
    let tags_start_nothing = makes_tags && server.is_actions_token().await == Some(true);
    let progress = account.begin(plan, Progress::new(global.quiet, global.verbose));
    let actions = Actions {
        github: &github,
        config,
        desired,
        registry: registry as &dyn Registry,
        branch: &branch,
        own_run: variable("GITHUB_RUN_ID").and_then(|id| id.parse().ok()),
        wait: !args.no_wait,
        retry: args.retry,
        tags_start_nothing,
        pace: Pace::default(),
        listener: &|event| progress.hear(event),
    };
    let outcome = match actions.carry_out(only).await {
        Ok(outcome) if branch == config.base => promote(prepared, only, progress).await.map(|rest| (outcome, rest)),
        Ok(outcome) => observe::plan(&prepared.registry, &prepared.desired).await.map(|rest| (outcome, rest)),
        Err(error) => Err(error),
    };
    progress.finish();
    let record = progress.record();
    let done = outcome.map(|(outcome, rest)| match outcome {
        Outcome::UnderWay { phase, url } => Some(format!("phase {phase} is under way: {url}")),
        Outcome::Settled if rest.is_settled() || only.is_some() => None,
        Outcome::Settled => Some(format!("the other phases are built when {branch} is merged")),
    });
    report::step::built(plan, &desired.graph, &record, done.as_ref().map(Option::as_deref));
    if branch == config.base
        && let Some(merged) = Merged::find(global, prepared).await
    {
        merged.tell_end(plan, &record, done.as_ref().map(Option::as_deref)).await;
    }
    let waits_for = done?;
    if global.is_json() {
        return report::build_json(plan, &record, Ok(waits_for.as_deref())).map(Some);
    }
    report::built(plan, &record, waits_for.as_deref());
    Ok(None)
}

/// Refuses what a run of a workflow cannot be told.
pub(super) fn check(args: &Args) -> Result<()> {
    let given = [
        ("--platform", args.platform.is_some()),
        ("--rebuild", !args.rebuild.is_empty()),
        ("--promote", args.promote),
        ("--jobs", args.jobs.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Error::usage(format!("{name} is for engine `buildx`")).hint("add --engine buildx")),
        None => Ok(()),
    }
}

/// The branch that runs are started on: the one that `reference` names, else the base if it has the commit, else the one
/// that this job of GitHub Actions runs on.
async fn branch(github: &Repository, reference: &str, base: &str, commit: &str) -> Result<Option<String>> {
    let is_name = reference != "HEAD" && !reference.bytes().all(|b| b.is_ascii_hexdigit());
    if is_name && github.branch(reference).await?.is_some() {
        return Ok(Some(reference.to_owned()));
    }
    let own = variable("GITHUB_REF").and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned));
    for branch in [base.to_owned()].into_iter().chain(own) {
        if github.is_on_branch(commit, &branch).await? {
            return Ok(Some(branch));
        }
    }
    Ok(None)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Sets the moving tags of every phase that is published, for what was built before the merge or by a run that was killed.
async fn promote(prepared: &Prepared, only: Option<usize>, progress: &Progress) -> Result<BuildPlan> {
    let Prepared { repository, commit, config, desired, registry, .. } = prepared;
    let plan = observe::plan(&prepared.registry, &prepared.desired).await?;
    let promotion = promotion(repository, config, *commit, false).await;
    let works = Works {
        desired,
        registry: registry as &dyn Registry,
        engine: &Elsewhere,
        tree: std::path::Path::new("."),
        parallel: 1,
        platform_tags: config.build.platform_tags && promotion == Promotion::Upwards,
        promotion,
        listener: &|event| progress.hear(event),
    };
    let settled = plan.phases.iter().take_while(|phase| phase.is_settled()).count();
    for number in (0..settled).filter(|number| only.is_none_or(|only| only == *number)) {
        works.carry_out(&plan, Some(number)).await?;
    }
    Ok(plan)
}
