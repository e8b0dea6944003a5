//! `gs-release build`, `plan` and `verify`.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use serde_json::Value;

use super::Global;
use super::account::Account;
use super::merged::Merged;
use super::prepared::{Look, Prepared, prepare, prepare_in_full};
use super::remotes::{self, IMPATIENT};
use super::runtime::wait_for;
use crate::build::run::{Works, findings};
use crate::build::{BuildPlan, Desired, Promotion, buildx::Buildx};
use crate::config::{Config, EngineKind, Platform};
use crate::error::{Error, Result};
use crate::git::{Auth, Commit, Repository};
use crate::github::Settings;
use crate::registry::Registry;
use crate::report::{self, Progress};

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    look: Look,
    /// Only this phase.
    #[arg(long)]
    phase: Option<String>,
}

/// Arguments of `build`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub look: Look,
    /// Who builds; default: `build.engine` of release.yaml.
    #[arg(long)]
    engine: Option<Engine>,
    /// Only this phase; those before it must be complete.
    #[arg(long)]
    phase: Option<String>,
    /// Stage the share of this platform and publish nothing: a plain build joins the shares.
    #[arg(long)]
    pub platform: Option<Platform>,
    /// Build this image, and what depends on it, although nothing has changed.
    #[arg(long, value_name = "IMAGE", conflicts_with = "platform")]
    pub rebuild: Vec<String>,
    /// Set moving tags whatever commit is built and whatever they carry.
    #[arg(long, conflicts_with = "platform")]
    pub promote: bool,
    /// Builds at the same time.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Engine actions: start what is due and leave; otherwise the runs are followed to their end.
    #[arg(long)]
    pub no_wait: bool,
    /// Engine actions: try a phase once more that was tried as often as release.yaml says.
    #[arg(long)]
    pub retry: bool,
}

impl Args {
    /// What is due of `commit`, as release.yaml says; where runs of workflows build it, one step.
    pub fn due(commit: Commit, engine: EngineKind) -> Self {
        Args {
            look: Look { reference: commit.id.to_string() },
            engine: None,
            phase: None,
            platform: None,
            rebuild: Vec::new(),
            promote: false,
            jobs: None,
            no_wait: engine == EngineKind::Actions,
            retry: false,
        }
    }
}

/// Who builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// BuildKit, through docker buildx.
    Buildx,
    /// Workflow runs on GitHub.
    Actions,
}

/// Builds at the same time where nothing says how many; BuildKit itself divides the machine among them.
const PARALLEL: usize = 8;

/// `gs-release build`. A failure and an interrupt are told with what was done before.
pub fn run(global: &Global, args: Args) -> Result<ExitCode> {
    let account = Account::default();
    let error = match wait_for(work(global, args, &account)) {
        Ok(document) => {
            print(document);
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => error,
    };
    match account.document(&error).filter(|_| global.is_json()) {
        Some(document) => report::failure_json(&document, &error),
        None => return Err(error),
    }
    Ok(ExitCode::from(error.kind.exit_code()))
}

/// Builds, and shows the result; where JSON is asked for, gives its document instead. `account` is kept up to date.
pub async fn work(global: &Global, args: Args, account: &Account) -> Result<Option<Value>> {
    let prepared = prepare(global, &args.look, &args.rebuild).await?;
    let Prepared { repository, commit, config, desired, registry, observed } = &prepared;
    let engine = args.engine.unwrap_or(match config.build.engine {
        EngineKind::Buildx => Engine::Buildx,
        EngineKind::Actions => Engine::Actions,
    });
    let rebuild = args.rebuild.iter().map(|name| desired.image(name)).collect::<Result<BTreeSet<usize>>>()?;
    let only = args.phase.as_deref().map(|name| desired.phase(name)).transpose()?;
    let plan = BuildPlan::new(desired, observed, &rebuild)?;
    match engine {
        Engine::Actions => super::actions::check(&args)?,
        Engine::Buildx if args.no_wait || args.retry => {
            return Err(Error::usage("--no-wait and --retry are for engine `actions`").hint("add --engine actions"));
        }
        Engine::Buildx => {}
    }
    if global.dry_run {
        plan.check_order(only)?;
        let plan = match &args.platform {
            Some(platform) => {
                desired.check_platform(platform)?;
                plan.share(platform, only)
            }
            None => with_moves(&prepared, only.into_iter().fold(plan, BuildPlan::of_phase), args.promote).await?,
        };
        return show(global, desired, &plan);
    }
    if engine == Engine::Actions {
        return super::actions::run(global, &args, &prepared, &plan, only, account).await;
    }
    let nowhere = |error: std::io::Error| Error::usage(format!("cannot make a temporary directory: {error}"));
    let (tree, scratch) = (tempfile::tempdir().map_err(nowhere)?, tempfile::tempdir().map_err(nowhere)?);
    if plan.phases.iter().any(|phase| phase.builds()) {
        repository.export(*commit, tree.path())?;
    }
    // the shares of other platforms are built meanwhile, and whoever joins them tells
    let merged = if args.platform.is_none() { Merged::find(global, &prepared).await } else { None };
    if let Some(merged) = &merged {
        merged.tell_begin(&plan).await;
    }
    let engine = Buildx::new(config.build.buildx.clone(), scratch.path().to_owned());
    let progress = account.begin(&plan, Progress::new(global.quiet, global.verbose));
    let works = Works {
        desired,
        registry: registry as &dyn Registry,
        engine: &engine,
        tree: tree.path(),
        parallel: args.jobs.map(NonZeroUsize::get).or(config.build.parallel).unwrap_or(PARALLEL),
        platform_tags: config.build.platform_tags,
        promotion: promotion(repository, config, *commit, args.promote).await,
        listener: &|event| progress.hear(event),
    };
    let done = match &args.platform {
        Some(platform) => works.stage_share(&plan, platform, only).await.map(Some),
        None => works.carry_out(&plan, only).await.map(|()| None),
    };
    progress.finish();
    let record = progress.record();
    report::step::built(&plan, &desired.graph, &record, done.as_ref().map(Option::as_deref));
    if let Some(merged) = &merged {
        merged.tell_end(&plan, &record, done.as_ref().map(Option::as_deref)).await;
    }
    let waits_for = done?;
    if global.is_json() {
        return report::build_json(&plan, &record, Ok(waits_for.as_deref())).map(Some);
    }
    report::built(&plan, &record, waits_for.as_deref());
    Ok(None)
}

fn print(document: Option<Value>) {
    document.iter().for_each(report::json);
}

/// `gs-release plan`.
pub async fn plan(global: &Global, args: PlanArgs) -> Result<()> {
    let prepared = prepare(global, &args.look, &[]).await?;
    let Prepared { desired, observed, .. } = &prepared;
    let only = args.phase.as_deref().map(|name| desired.phase(name)).transpose()?;
    let plan = BuildPlan::new(desired, observed, &BTreeSet::new())?;
    let plan = with_moves(&prepared, only.into_iter().fold(plan, BuildPlan::of_phase), false).await?;
    show(global, desired, &plan).map(print)
}

/// Adds the moving tags that are set; `always`: whatever commit is built and whatever they carry.
async fn with_moves(prepared: &Prepared, plan: BuildPlan, always: bool) -> Result<BuildPlan> {
    let Prepared { repository, config, commit, desired, registry, .. } = prepared;
    if plan.images().all(|image| image.moving_tags.is_empty()) {
        return Ok(plan);
    }
    let promotion = promotion(repository, config, *commit, always).await;
    plan.with_moves(desired, registry, &promotion).await
}

fn show(global: &Global, desired: &Desired, plan: &BuildPlan) -> Result<Option<Value>> {
    report::step::planned(plan, &desired.graph);
    if global.is_json() {
        return report::json_of(plan).map(Some);
    }
    report::plan(plan);
    Ok(None)
}

/// `gs-release verify`.
pub async fn verify(global: &Global, look: Look) -> Result<ExitCode> {
    let (prepared, gaps) = prepare_in_full(global, &look).await?;
    let plan = BuildPlan::new(&prepared.desired, &prepared.observed, &BTreeSet::new())?;
    let plan = with_moves(&prepared, plan, false).await?;
    let found = [findings(&plan), gaps.clone()].concat();
    report::step::verified(&plan, &prepared.desired.graph, &found);
    match global.is_json() {
        true => report::json(&report::verify_json(&plan, &found)?),
        false => report::verified(&plan, &gaps),
    }
    if found.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let (found, images) = (report::counted(found.len(), "finding"), report::counted(plan.images().count(), "image"));
    let mut error = Error::finding(format!("{found} in {images}"));
    // a plan believes what indexes say of themselves
    if gaps.is_empty() {
        error = error.hint("`gs-release plan` says what a build would do");
    }
    // the JSON document has it all
    if !global.is_json() {
        report::error(&error);
    }
    Ok(ExitCode::from(error.kind.exit_code()))
}

/// Whether moving tags move: only for the tip of the base branch, as far as it is known here or within two seconds.
pub async fn promotion(repository: &Repository, config: &Config, commit: Commit, always: bool) -> Promotion {
    if always {
        return Promotion::Always;
    }
    let settings = Settings::from_process();
    let server = settings.as_ref().map_or("https://github.com", |settings| &settings.server_url);
    let remote = repository.remote_for(config.repository.as_ref(), server).ok().flatten();
    if let Some(remote) = &remote {
        let auth = match &settings {
            Ok(settings) => remotes::reading(settings, remote, IMPATIENT).await,
            Err(_) => Auth::default(),
        };
        if let Err(error) = repository.fetch(remote, &[&config.base], &auth, IMPATIENT) {
            report::warn(&format!("{}; the base branch may have moved on", error.message));
        }
    }
    match repository.base(remote.as_ref(), &config.base) {
        Ok(tip) if tip == commit => Promotion::Upwards,
        Ok(tip) => Promotion::Never(format!(
            "{} is not the tip of {} ({}); --promote sets them all the same",
            short(commit),
            config.base,
            short(tip)
        )),
        Err(error) => Promotion::Never(error.message),
    }
}

pub fn short(commit: Commit) -> String {
    commit.id.to_string()[..9].to_owned()
}
