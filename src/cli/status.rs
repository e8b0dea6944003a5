//! `gs-release status`: components, pull requests, runs and images.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::Global;
use super::place::home;
use super::prepared::{Look, Prepared, prepare_what_is_known};
use super::remotes;
use crate::build::actions::last_attempt;
use crate::build::published::published;
use crate::build::{BuildPlan, PhasePlan};
use crate::bump::upstream::Sources;
use crate::bump::watch::look as look_upstream;
use crate::config::Component;
use crate::error::{Error, Result};
use crate::github::{GitHub, Repository, Rights, Settings, State};
use crate::report;
use crate::report::documents::{self, OpenPull};
use crate::report::status::{PhaseRun, Status, Upstream};

/// Shows it on one screen. What GitHub does not tell is left out, and said on stderr; images that the registry does not tell
/// of are shown as that, and the exit code is that of its failure.
pub async fn run(global: &Global, look: Look) -> Result<ExitCode> {
    let (prepared, failure) = prepare_what_is_known(global, &look).await?;
    let Prepared { desired, observed, registry, .. } = &prepared;
    let plan = BuildPlan::new(desired, observed, &BTreeSet::new())?;
    let mut status = Status::new(&desired.versions, &plan);
    status.published = published(registry, desired, observed).await;
    match connect(&prepared).await {
        Ok((github, repository)) => ask(global, &prepared, &github, &repository, &mut status).await,
        Err(error) => global.say(&format!("pull requests and runs are left out: {error}")),
    }
    report::step::status(&status, &desired.graph);
    status.error = failure.as_ref().map(documents::failure);
    match global.is_json() {
        true => report::json(&report::json_of(&status)?),
        false => report::status::show(&status, jiff::Timestamp::now()),
    }
    let Some(failure) = failure else { return Ok(ExitCode::SUCCESS) };
    match global.is_json() {
        true => report::step::annotate_error(&failure),
        false => report::error(&failure),
    }
    Ok(ExitCode::from(failure.kind.exit_code()))
}

async fn connect(prepared: &Prepared) -> Result<(GitHub, Repository)> {
    let settings = Settings::from_process()?;
    let remote = prepared.repository.remote_for(prepared.config.repository.as_ref(), &settings.server_url)?;
    let (Some(home), true) = (home(&prepared.config, remote.as_ref())?, settings.credentials.is_some()) else {
        return Err(Error::usage("they need a token and `repository:`"));
    };
    let github = GitHub::connect(&settings, &home, &Rights::look()).await?;
    let repository = github.repository(&home);
    Ok((github, repository))
}

/// Adds what GitHub knows. A failure leaves out what it is about.
async fn ask(global: &Global, prepared: &Prepared, github: &GitHub, repository: &Repository, status: &mut Status<'_>) {
    for component in &prepared.config.components {
        match open_pulls(prepared, repository, component).await {
            Ok(pulls) => status.pull_requests.extend(pulls),
            Err(error) => global.say(&format!("the pull request of {} is left out: {error}", component.name)),
        }
        match upstream(prepared, github, repository, component).await {
            Ok(found) => status.upstream.extend(found.map(|found| (component.name.clone(), found))),
            Err(error) => global.say(&format!("what is newer of {} is left out: {error}", component.name)),
        }
    }
    for (number, phase) in status.plan.phases.iter().enumerate() {
        match last_run(prepared, repository, number, phase).await {
            Ok(run) => status.runs.extend(run),
            Err(error) => global.say(&format!("the run of phase {} is left out: {error}", phase.name)),
        }
    }
}

async fn open_pulls(prepared: &Prepared, repository: &Repository, component: &Component) -> Result<Vec<OpenPull>> {
    let fork = prepared.config.pull_request.push_to.as_ref();
    let branch = format!("gs-release/{}", component.name);
    let pulls = repository.pull_requests(fork, &branch, &prepared.config.base).await?;
    let open = pulls.into_iter().filter(|pull| pull.state == State::Open).map(|pull| OpenPull {
        component: component.name.clone(),
        number: pull.number,
        title: pull.title,
        url: pull.url,
    });
    Ok(open.collect())
}

async fn upstream(
    prepared: &Prepared,
    github: &GitHub,
    repository: &Repository,
    component: &Component,
) -> Result<Option<Upstream>> {
    let Some(current) = prepared.desired.versions.get(&component.name) else { return Ok(None) };
    if component.upstream.is_none() {
        return Ok(None);
    }
    let now = jiff::Timestamp::now();
    let index = remotes::package_index();
    let sources = Sources { github, index: &index };
    let seen = look_upstream(sources, repository, &prepared.config, component, current, now).await?;
    Ok(Some(Upstream { decision: seen.decision, passed_over: seen.passed_over }))
}

/// The last run for `phase`, where a workflow builds it.
async fn last_run(
    prepared: &Prepared,
    repository: &Repository,
    number: usize,
    phase: &PhasePlan,
) -> Result<Option<PhaseRun>> {
    let config = &prepared.config;
    if config.build.actions.is_none() && config.phases[number].trigger.workflow.is_none() {
        return Ok(None);
    }
    let attempt = last_attempt(repository, config, &prepared.desired, number).await?;
    let Some((attempt, run)) = attempt.and_then(|attempt| Some((attempt.number, attempt.run?))) else {
        return Ok(None);
    };
    let queued = if run.state.is_active() { repository.queued_jobs(&run).await? } else { Vec::new() };
    let labels: BTreeSet<String> = queued.into_iter().flat_map(|job| job.labels).collect();
    Ok(Some(PhaseRun {
        phase: phase.name.clone(),
        attempt,
        state: run.state.to_string(),
        awaits: labels.into_iter().collect(),
        url: run.url,
        started: run.created_at,
    }))
}
