//! `gs-release doctor`: what this machine and its logins can and cannot do; `--fix` sets up builder and emulation.

use std::process::ExitCode;
use std::time::Duration;

use super::Global;
use super::place::{Place, home};
use crate::config::{Config, EngineKind, Platform};
use crate::doctor::{self, Check, Home, Needs, Repair};
use crate::error::{Kind, Result};
use crate::git::Repository;
use crate::github::{self, Settings};
use crate::registry::{self, Limits, OciRegistry, docker_config_dir};
use crate::report;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Set up what can be set up: a builder for several platforms, and emulation.
    #[arg(long)]
    fix: bool,
}

/// A remote that does not answer is a finding too, and a person waits for it.
const IMPATIENT: Limits = Limits {
    connect: Duration::from_secs(5),
    request: Duration::from_secs(10),
    overall: Duration::from_secs(15),
    attempts: 2,
    backoff: Duration::from_millis(400),
    concurrent: 8,
};

/// Looks at everything, mends what it may, and exits with 1 if something needed is missing.
pub async fn run(global: &Global, args: Args) -> Result<ExitCode> {
    let env = |name: &str| std::env::var(name).ok();
    let settings = Settings::from_env(env)?;
    let registry = OciRegistry::new(docker_config_dir(), IMPATIENT)?;
    let (mut checks, found) = here(global);
    let config = found.as_ref().map(|found| &found.config);
    let (platforms, repositories) =
        config.map(|config| targets(config, global.registry.as_deref())).transpose()?.unwrap_or_default();
    let needs = Needs {
        builds_here: config.is_none_or(|config| config.build.engine == EngineKind::Buildx),
        builder: config.and_then(|config| config.build.buildx.builder.as_deref()),
        platforms: &platforms,
        repositories: &repositories,
        home: found.as_ref().and_then(|found| found.home(&settings)),
    };
    let mut examined = doctor::examine(&needs, &registry).await;
    let mut repaired = Vec::new();
    if args.fix && !global.dry_run {
        // one thing that was mended can uncover the next: an engine's builder, then its platforms
        while let Some(repair) = next_repair(&examined, &repaired) {
            global.say(&format!("setting up: {repair}"));
            for command in repair.carry_out().await? {
                global.say(&format!("done: {command}"));
            }
            repaired.push(repair);
            examined = doctor::examine(&needs, &registry).await;
        }
    }
    checks.extend(examined);
    let healthy = !checks.iter().any(Check::is_blocking);
    if global.is_json() {
        let repairs = repaired.iter().map(ToString::to_string).collect();
        report::json(&report::json_of(&report::documents::Doctor { healthy, checks: &checks, repairs })?);
    } else {
        report::doctor(&checks);
        let can_be_mended = checks.iter().any(|check| check.repair.is_some());
        if can_be_mended && !args.fix {
            global.say("`gs-release doctor --fix` sets up builder and emulation");
        }
    }
    Ok(ExitCode::from(if healthy { 0 } else { Kind::Finding.exit_code() }))
}

/// The first repair that has not been tried.
fn next_repair(checks: &[Check], tried: &[Repair]) -> Option<Repair> {
    checks.iter().filter_map(|check| check.repair.clone()).find(|repair| !tried.contains(repair))
}

/// What was found in the repository.
struct Found {
    config: Config,
    repository: Repository,
}

/// The checks of the repository itself, and what they found.
fn here(global: &Global) -> (Vec<Check>, Option<Found>) {
    let missing = |about: &str, error: crate::error::Error| {
        let check = Check::missing(about, true, error.message);
        match error.hints.into_iter().next() {
            Some(hint) => check.remedy(hint),
            None => check,
        }
    };
    let repository = match Repository::open(&global.directory) {
        Ok(repository) => repository,
        Err(error) => return (vec![missing("repository", error)], None),
    };
    let identity = match repository.author() {
        Ok(author) => Check::ok("git identity", true, format!("commits are by {author}")),
        Err(error) => missing("git identity", error),
    };
    match Place::read(global, &repository, None) {
        Ok(place) => {
            let config = Check::ok("config", true, global.config.display().to_string());
            (vec![config, identity], Some(Found { config: place.config, repository }))
        }
        Err(error) => (vec![missing("config", error), identity], None),
    }
}

impl Found {
    /// Where pull requests go, if the config or a remote says so.
    fn home<'a>(&self, settings: &'a Settings) -> Option<Home<'a>> {
        let remote = self.repository.remote_for(self.config.repository.as_ref(), &settings.server_url).ok()?;
        let pull_request = &self.config.pull_request;
        Some(Home {
            repository: home(&self.config, remote.as_ref()).ok()??,
            settings,
            needs: github::Needs {
                base: self.config.base.clone(),
                push_to: pull_request.push_to.clone(),
                workflow_files: self.changes_workflows(),
                milestone: pull_request.milestone.clone(),
                opens: false,
                teams: pull_request.asks_teams(),
            },
            needed: self.config.build.engine == EngineKind::Actions,
        })
    }

    /// Whether some site may be in a workflow file.
    fn changes_workflows(&self) -> bool {
        let commit = self.repository.tip("HEAD").ok().flatten();
        let files = commit.and_then(|commit| self.repository.files(commit).ok()).unwrap_or_default();
        let sites = || self.config.components.iter().flat_map(|component| &component.sites);
        files
            .iter()
            .filter(|file| file.path.starts_with(".github/workflows/"))
            .any(|file| sites().any(|site| site.files.matches(&file.path)))
    }
}

/// The platforms that images are built for and the repositories that they are pushed to, each once.
fn targets(config: &Config, registry: Option<&str>) -> Result<(Vec<Platform>, Vec<registry::Repository>)> {
    let images = || config.phases.iter().flat_map(|phase| &phase.images);
    let mut platforms: Vec<Platform> = images().flat_map(|image| image.platforms.clone()).collect();
    platforms.sort();
    platforms.dedup();
    let mut repositories = Vec::new();
    if let Some(registry) = registry.or(config.registry.as_deref()) {
        for image in images() {
            repositories.push(format!("{registry}/{}", image.repository).parse()?);
        }
    }
    repositories.sort();
    repositories.dedup();
    Ok((platforms, repositories))
}
