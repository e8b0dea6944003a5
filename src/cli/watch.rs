//! `gs-release watch`.

use std::process::ExitCode;

use super::account::Account;
use super::place::{Place, home};
use super::remotes::{self, PATIENT, Reach};
use super::{Global, build};
use crate::bump::policy::Decision;
use crate::bump::propose::{Proposal, propose};
use crate::bump::publish::Destination;
use crate::bump::reconcile::Asker;
use crate::bump::upstream::Sources;
use crate::bump::watch::look;
use crate::bump::{self, current_version};
use crate::config::{Component, RepositoryName};
use crate::error::{Error, Result};
use crate::git::{Commit, Remote, Repository};
use crate::github::{GitHub, Rights, Settings};
use crate::pypi::Configured;
use crate::report;
use crate::report::watch::{Outcome, Row};

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Afterwards build what is due at the base branch's tip: with engine actions one step, without waiting for it.
    #[arg(long)]
    build: bool,
}

/// Everything that the components share.
struct Desk {
    settings: Settings,
    repository: Repository,
    place: Place,
    github: GitHub,
    index: Configured,
    home: RepositoryName,
    remote: Remote,
    head: Remote,
    base: Commit,
    now: jiff::Timestamp,
}

/// Looks at every component, and bumps what may be bumped. The exit code is that of the most serious failure.
pub async fn run(global: &Global, args: Args) -> Result<ExitCode> {
    let desk = Desk::set_up(global).await?;
    let mut rows = Vec::new();
    for component in &desk.place.config.components {
        global.detail(&format!("looking at {}", component.name));
        rows.push(desk.row(global, component).await);
    }
    report::step::watched(&rows);
    if !global.is_json() {
        report::watch::table(&rows);
    }
    let account = Account::default();
    let due = match args.build && !desk.place.config.phases.is_empty() {
        true => {
            let due = build::Args::due(desk.base, desk.place.config.build.engine);
            Some(build::work(global, due, &account).await)
        }
        false => None,
    };
    let failures = rows.iter().filter_map(|row| row.outcome.as_ref().err());
    let failures = failures.chain(due.as_ref().and_then(|due| due.as_ref().err()));
    let worst = failures.map(|error| error.kind.exit_code()).max();
    match due {
        _ if global.is_json() => {
            let due = due.map(|due| match due {
                Ok(document) => (document, None),
                Err(error) => (account.document(&error), Some(error)),
            });
            report::json(&report::watch::json(&desk.base.id.to_string(), &rows, due.as_ref())?);
        }
        Some(Err(error)) => report::error(&error),
        _ => {}
    }
    Ok(ExitCode::from(worst.unwrap_or(0)))
}

impl Desk {
    async fn set_up(global: &Global) -> Result<Self> {
        let settings = Settings::from_process()?;
        // what is public can be looked at without
        if settings.credentials.is_none() && !global.dry_run {
            return Err(remotes::no_token());
        }
        let repository = Repository::open(&global.directory)?;
        let first = Place::read(global, &repository, None)?.config;
        let remote = repository.remote_for(first.repository.as_ref(), &settings.server_url)?;
        let (Some(home), Some(remote)) = (home(&first, remote.as_ref())?, remote) else {
            return Err(Error::usage("there is no repository of a GitHub server to open pull requests in")
                .hint("name it with `repository:` in release.yaml, and add it as a remote of this clone"));
        };
        let github = GitHub::connect(&settings, &home, &Rights::propose(&first.pull_request)).await?;
        let auth = github.auth_for(&remote).await?;
        let fork = first.pull_request.push_to.as_ref();
        let head =
            fork.map_or_else(|| Ok(remote.clone()), |fork| remotes::fork_remote(&repository, fork, &settings))?;
        let reach = Reach { repository: &repository, remote: &remote, head: &head, auth: &auth };
        reach.fetch(global, &first, first.components.iter().map(|component| &*component.name), !global.dry_run)?;
        let base = repository.base(Some(&remote), &first.base)?;
        let place = Place::read(global, &repository, Some(base))?;
        let (index, now) = (remotes::package_index(), jiff::Timestamp::now());
        Ok(Desk { settings, repository, place, github, index, home, remote, head, base, now })
    }

    /// One component's row of the table; its failure is a part of it.
    async fn row(&self, global: &Global, component: &Component) -> Row {
        let mut row = Row::new(&component.name);
        row.outcome = self.tend(global, component, &mut row).await;
        row
    }

    async fn tend(&self, global: &Global, component: &Component, row: &mut Row) -> Result<Outcome> {
        let config = &self.place.config;
        let current = current_version(&self.repository, component, self.base)?;
        row.current = Some(current.clone());
        let home = self.github.repository(&self.home);
        let sources = Sources { github: &self.github, index: &self.index };
        let seen = look(sources, &home, config, component, &current, self.now).await?;
        row.decision = Some(seen.decision.clone());
        row.passed_over = seen.passed_over;
        let Decision::Bump { version } = seen.decision else { return Ok(Outcome::None) };

        let name = component.name.clone();
        let request = bump::Request { component: name, target: version, allow_downgrade: false, force: false };
        let config_path = self.place.config_path.as_deref();
        let plan = bump::plan(&self.repository, config, config_path, self.base, &request)?;
        if global.dry_run {
            return Ok(Outcome::Planned { places: plan.edits.edits.len(), files: plan.contents.len() });
        }
        let to = Destination {
            git: &self.repository,
            home_remote: &self.remote,
            remote: &self.head,
            github: &self.github,
            patience: PATIENT,
            head: self.github.repository(config.pull_request.push_to.as_ref().unwrap_or(&self.home)),
            home,
            settings: &config.pull_request,
            base: &config.base,
            asker: Asker::Schedule,
            force: false,
            allow_downgrade: false,
        };
        let compare = remotes::compare(&self.settings, component, &plan.from, &plan.to);
        let proposal = Proposal { plan: &plan, component, compare, known: seen.pulls.as_deref() };
        let hear = |event: bump::propose::Event| global.hear(event.of(&component.name));
        let published = propose(config, &to, proposal, hear).await?;
        published.notes.iter().for_each(|note| global.say(&format!("{}: {note}", component.name)));
        Ok(Outcome::Published(Box::new(published)))
    }
}
