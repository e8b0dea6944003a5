//! `gs-release bump <component> <version>`.

use super::Global;
use super::place::{Place, home};
use super::remotes::{self, PATIENT, Reach};
use super::working::{read_regular, write_all};
use crate::bump::propose::{Proposal, propose};
use crate::bump::publish::{Destination, Published};
use crate::bump::reconcile::Asker;
use crate::bump::upstream::{self, Quoted, Sources};
use crate::bump::{self, BumpPlan, branch};
use crate::config::{Component, Config, RepositoryName};
use crate::error::{Error, Result};
use crate::git::{Auth, Remote, Repository};
use crate::github::{Credentials, GitHub, Rights, Settings};
use crate::report;
use crate::version::{Request, Version};

/// Arguments of `bump`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A component of release.yaml.
    component: String,
    /// 0.24.2, v0.24.2, or a requirement for the newest release that satisfies it: 0.24, 0.x, latest.
    version: String,
    /// Commit on the local branch gs-release/<component>, push nothing.
    #[arg(long, conflicts_with = "write")]
    local: bool,
    /// Edit the working files, commit nothing.
    #[arg(long)]
    write: bool,
    /// Accept an older version than the current one.
    #[arg(long)]
    allow_downgrade: bool,
    /// Accept an ignored or unknown version, and replace commits of people on the branch.
    #[arg(long)]
    force: bool,
}

/// How far the command goes.
enum Mode {
    /// Show the plan.
    Plan,
    /// Edit working files.
    Write,
    /// Commit on the local branch; why no further.
    Local(&'static str),
    /// Push, and open the pull request in this repository.
    Publish(RepositoryName),
}

/// Plans the bump and carries it out as far as the arguments say.
pub async fn run(global: &Global, args: Args) -> Result<()> {
    let asked: Request = args.version.parse()?;
    let settings = Settings::from_process()?;
    let repository = Repository::open(&global.directory)?;
    let first = Place::read(global, &repository, None)?.config;
    let remote = repository.remote_for(first.repository.as_ref(), &settings.server_url)?;
    let home = home(&first, remote.as_ref())?;
    let mode = mode(global, &args, &settings, remote.as_ref(), home, &first)?;
    let github = match (&mode, &asked) {
        (Mode::Publish(home), _) => {
            Some(GitHub::connect(&settings, home, &Rights::propose(&first.pull_request)).await?)
        }
        (_, Request::Newest(_)) => Some(anonymously(&settings, &first, &args.component).await?),
        _ => None,
    };

    let auth = match (&mode, &github, &remote) {
        (Mode::Publish(_), Some(github), Some(remote)) => github.auth_for(remote).await?,
        (_, _, Some(remote)) => remotes::reading(&settings, remote, remotes::IMPATIENT).await,
        (.., None) => Auth::default(),
    };
    let publishing = matches!(mode, Mode::Publish(_));
    let head = match (&remote, &first.pull_request.push_to) {
        (Some(_), Some(fork)) if publishing => Some(remotes::fork_remote(&repository, fork, &settings)?),
        _ => remote.clone(),
    };
    if let (Some(remote), Some(head)) = (&remote, &head) {
        let reach = Reach { repository: &repository, remote, head, auth: &auth };
        reach.fetch(global, &first, std::iter::once(&*args.component), publishing)?;
    }
    let base = repository.base(remote.as_ref(), &first.base)?;
    let place = Place::read(global, &repository, Some(base))?;
    let config = &place.config;
    let component = bump::find_component(config, &args.component)?;
    let target = resolve(global, component, &asked, github.as_ref(), &mode, args.force).await?;

    let request =
        bump::Request { component: args.component, target, allow_downgrade: args.allow_downgrade, force: args.force };
    let plan = bump::plan(&repository, config, place.config_path.as_deref(), base, &request)?;
    if !global.quiet {
        report::notes(&plan);
    }
    if !global.is_json() {
        report::bump(&plan);
    }
    let compare = remotes::compare(&settings, component, &plan.from, &plan.to);
    let deed =
        Deed { global, repository: &repository, place: &place, component, request: &request, plan: &plan, compare };
    let done = match (&mode, &github, &remote, &head) {
        _ if plan.contents.is_empty() => {
            global.say("nothing to do");
            Done::default()
        }
        (Mode::Plan, ..) => Done::default(),
        (Mode::Write, ..) => deed.write()?,
        (Mode::Local(why), ..) => deed.keep_here(why)?,
        (Mode::Publish(home), Some(github), Some(remote), Some(head)) => {
            let to = Destination {
                git: &repository,
                home_remote: remote,
                remote: head,
                github,
                patience: PATIENT,
                home: github.repository(home),
                head: github.repository(config.pull_request.push_to.as_ref().unwrap_or(home)),
                settings: &config.pull_request,
                base: &config.base,
                asker: Asker::Person,
                force: request.force,
                allow_downgrade: request.allow_downgrade,
            };
            deed.publish(&to).await?
        }
        (Mode::Publish(_), ..) => return Err(Error::usage("there is no remote to push to")),
    };
    let pull_request = done.published.as_ref().map(|published| &published.pull_request);
    report::step::bumped(&plan, done.commit.as_deref(), pull_request);
    if global.is_json() {
        report::json(&report::bump_json(&plan, done.commit.as_deref(), pull_request)?);
    }
    Ok(())
}

/// What was done.
#[derive(Default)]
struct Done {
    commit: Option<String>,
    published: Option<Published>,
}

/// A plan, and all that it takes to carry it out.
struct Deed<'a> {
    global: &'a Global,
    repository: &'a Repository,
    place: &'a Place,
    component: &'a Component,
    request: &'a bump::Request,
    plan: &'a BumpPlan,
    /// The page that compares the two versions upstream.
    compare: Option<String>,
}

impl Deed<'_> {
    /// Writes the edits into the working files: all of them, or none. What reads the new version already is done.
    fn write(self) -> Result<Done> {
        let root = self.repository.workdir().ok_or_else(|| {
            Error::usage("--write needs a working tree; this repository is bare")
                .hint("leave --write out, or use a clone")
        })?;
        let mut contents = Vec::new();
        for path in self.plan.edits.paths() {
            let bytes = read_regular(&root, path)?;
            let config_path = self.place.config_path.as_deref();
            let after = bump::rewrite(&self.place.config, config_path, self.plan, path, &bytes)?;
            contents.extend(after.map(|after| (root.join(path), after)));
        }
        if contents.is_empty() {
            self.global.say("nothing to do: the working files read this version already");
        }
        write_all(contents.iter().map(|(file, content)| (file.clone(), content.as_slice())))?;
        Ok(Done::default())
    }

    /// Commits on the local branch, and shows the pull request that there is not, for the reason `why`.
    fn keep_here(self, why: &str) -> Result<Done> {
        let commit = branch::commit_locally(self.repository, self.plan, self.request.force)?.id.to_string();
        let quoted = Quoted { compare: self.compare, ..Quoted::default() };
        let text = bump::describe(&self.place.config, self.plan, &quoted)?;
        if !self.global.is_json() {
            report::kept_here(self.plan, &commit, &text);
        }
        self.global.say(&format!("left out: the push and the pull request ({why})"));
        self.global.say(&format!("to take it here: git merge {}", self.plan.branch));
        Ok(Done { commit: Some(commit), published: None })
    }

    /// Pushes the branch and brings the pull request to what the plan says.
    async fn publish(self, to: &Destination<'_>) -> Result<Done> {
        let Deed { global, plan, .. } = self;
        let config = &self.place.config;
        let proposal = Proposal { plan, component: self.component, compare: self.compare, known: None };
        let published = propose(config, to, proposal, |event| global.hear(event)).await?;
        if !global.is_json() {
            report::published(&plan.branch, &published);
        }
        published.notes.iter().for_each(|note| global.say(note));
        let early = config.phases.iter().filter(|phase| phase.build_before_merge && phase.component == plan.component);
        for phase in early {
            let branch = &plan.branch;
            global.say(&format!("phase {} is built before the merge: gs-release build --ref {branch}", phase.name));
        }
        Ok(Done { commit: Some(published.commit.clone()), published: Some(published) })
    }
}

fn mode(
    global: &Global,
    args: &Args,
    settings: &Settings,
    remote: Option<&Remote>,
    home: Option<RepositoryName>,
    config: &Config,
) -> Result<Mode> {
    Ok(match (remote, home) {
        _ if global.dry_run => Mode::Plan,
        _ if args.write => Mode::Write,
        _ if args.local => Mode::Local("--local"),
        _ if settings.credentials.is_none() && report::step::is_in_actions() => {
            // the secret may be right, and the name wrong
            bump::find_component(config, &args.component)?;
            return Err(remotes::no_token());
        }
        _ if settings.credentials.is_none() => Mode::Local("there is no token: set GITHUB_TOKEN to have them"),
        (None, _) => Mode::Local("there is no remote"),
        (_, None) => Mode::Local("the remote is no repository of a GitHub server, and `repository:` names none"),
        (Some(_), Some(home)) => Mode::Publish(home),
    })
}

/// A client that looks for upstream's versions where nothing will be published.
async fn anonymously(settings: &Settings, config: &Config, component: &str) -> Result<GitHub> {
    let component = bump::find_component(config, component)?;
    let upstream = component.upstream.as_ref().and_then(|upstream| upstream.github.clone());
    let name = upstream.or_else(|| config.repository.clone());
    let name = name.map_or_else(|| "upstream/unknown".parse(), Ok)?;
    // an App's token reaches its own repositories; what upstream has released is public
    let credentials = settings.credentials.clone().filter(|credentials| matches!(credentials, Credentials::Token(_)));
    GitHub::connect(&Settings { credentials, ..settings.clone() }, &name, &Rights::look()).await
}

/// The version to go to, known to exist upstream where anybody may ask.
async fn resolve(
    global: &Global,
    component: &Component,
    asked: &Request,
    github: Option<&GitHub>,
    mode: &Mode,
    force: bool,
) -> Result<Version> {
    match (asked, github) {
        (Request::Newest(requirement), Some(github)) => {
            let sources = Sources { github, index: &remotes::package_index() };
            let (version, passed_over) =
                upstream::newest(sources, component, requirement, jiff::Timestamp::now()).await?;
            passed_over.iter().for_each(|why| global.say(&format!("passed over: {why}")));
            global.say(&format!("`{requirement}` is {version}"));
            Ok(version)
        }
        (Request::Newest(requirement), None) => {
            Err(Error::usage(format!("`{requirement}` needs GitHub to be looked up")))
        }
        (Request::Exact(version), Some(github)) if component.upstream.is_some() && !force => {
            upstream::require(Sources { github, index: &remotes::package_index() }, component, version).await?;
            Ok(version.clone())
        }
        (Request::Exact(version), _) => {
            if component.upstream.is_some() && !matches!(mode, Mode::Publish(_)) {
                global.say(&format!("{} {version} is taken as given: upstream was not asked", component.name));
            }
            Ok(version.clone())
        }
    }
}
