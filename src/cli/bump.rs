//! `gs-release bump <component> <version>`.

use std::time::Duration;

use secrecy::SecretString;

use super::Global;
use crate::bump::{self, BumpPlan};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::git::{Auth, Commit, Patience, PushOutcome, Remote, Repository};
use crate::report;
use crate::version::Request;

/// Arguments of `bump`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A component of release.yaml.
    component: String,
    /// The version: 0.24.2 or v0.24.2.
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
    /// Accept an ignored version, and replace commits of people on the branch.
    #[arg(long)]
    force: bool,
}

/// How long `--dry-run` and `--local` wait for the remote before they use what is known here.
const IMPATIENT: Patience = Patience::Total(Duration::from_secs(2));
/// How long everything else waits for each sign of life of the remote.
const PATIENT: Patience = Patience::Silence(Duration::from_secs(60));
/// Observations of a branch that others move too.
const ATTEMPTS: usize = 5;

/// Plans the bump and carries it out as far as the arguments say.
pub fn run(global: &Global, args: Args) -> Result<()> {
    let target = match args.version.parse()? {
        Request::Exact(version) => version,
        Request::Newest(requirement) => {
            return Err(Error::usage(format!(
                "`{requirement}` is a requirement; this build takes exact versions only"
            ))
            .hint("name the version, such as 0.24.2"));
        }
    };
    let request =
        bump::Request { component: args.component, target, allow_downgrade: args.allow_downgrade, force: args.force };
    let repository = Repository::open(&global.directory)?;
    let first = load_config(global, &repository, None)?;
    let auth = Auth { token: token(), server: server() };
    let remote = repository.remote_for(first.0.repository.as_ref(), &auth.server)?;
    let only_here = global.dry_run || args.local || args.write || auth.token.is_none() || remote.is_none();
    if let Some(remote) = &remote {
        let branches = [first.0.base.as_str(), &format!("gs-release/{}", request.component)];
        let patience = if only_here { IMPATIENT } else { PATIENT };
        match repository.fetch(remote, &branches, &auth, patience) {
            Err(error) if only_here => report::warn(&format!("{}; using what is known here", error.message)),
            fetched => fetched?.require(&first.0.base)?,
        }
    }
    let base = repository.base(remote.as_ref(), &first.0.base)?;
    let (config, config_path) = load_config(global, &repository, Some(base))?;
    let plan = bump::plan(&repository, &config, config_path.as_deref(), base, &request)?;
    if !global.quiet {
        report::notes(&plan);
        if config.component(&plan.component).is_some_and(|component| component.upstream.is_some()) {
            report::say("an exact version: upstream was not asked whether it exists");
        }
    }
    if !global.is_json() {
        report::bump(&plan);
    }
    let commit = if global.dry_run || plan.contents.is_empty() {
        None
    } else if args.write {
        write(&repository, &plan)?;
        None
    } else {
        match remote.filter(|_| !only_here) {
            Some(remote) => Some(push(&repository, &remote, &auth, &plan, request.force)?),
            None => Some(commit_locally(&repository, &plan, request.force)?),
        }
    };
    if global.is_json() {
        report::json(&report::bump_json(&plan, commit.map(|commit| commit.id.to_string()).as_deref()));
    } else {
        tell(global, &plan, commit, only_here, args.local);
    }
    Ok(())
}

/// Says what was done, what was left out, and shows the pull request's text.
fn tell(global: &Global, plan: &BumpPlan, commit: Option<Commit>, only_here: bool, local: bool) {
    let Some(commit) = commit else {
        if plan.contents.is_empty() && !global.quiet {
            report::say("nothing to do");
        }
        return;
    };
    report::result(&format!("\nbranch {}, commit {}", plan.branch, commit.id));
    report::result(&format!("\npull request: {}\n\n{}", plan.pull_request.title, plan.pull_request.body));
    if !global.quiet {
        report::say(match (only_here, local) {
            (true, false) => "left out: the push and the pull request (set GITHUB_TOKEN to push the branch)",
            (true, true) => "left out, as asked: the push and the pull request",
            (false, _) => "left out: opening the pull request, which this build does not do yet",
        });
    }
}

/// The config and its path in the tree: from the tree of `base` (of HEAD while the base is not known yet), or from a file
/// that the tree does not have, which then has no path in it.
fn load_config(global: &Global, repository: &Repository, base: Option<Commit>) -> Result<(Config, Option<String>)> {
    let path = global.config.to_string_lossy().into_owned();
    let commit = match base {
        Some(base) => Some(base),
        None => repository.tip("HEAD")?,
    };
    let in_tree = match commit.filter(|_| global.config.is_relative()) {
        Some(commit) => repository.read(commit, &path)?,
        None => None,
    };
    if let Some(bytes) = in_tree {
        return Ok((Config::parse(&path, &bytes)?, Some(path)));
    }
    let beside = repository.workdir().map(|root| root.join(&global.config)).filter(|file| file.is_file());
    let file = beside.unwrap_or_else(|| global.config.clone());
    let bytes = std::fs::read(&file).map_err(|error| {
        Error::usage(format!("cannot read the config {}: {error}", file.display()))
            .hint("the repository needs a release.yaml at its root, or name a config with --config FILE")
    })?;
    Ok((Config::parse(&path, &bytes)?, None))
}

fn token() -> Option<SecretString> {
    let given = ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| std::env::var(name).ok().filter(|t| !t.is_empty()));
    given.map(SecretString::from)
}

fn server() -> String {
    std::env::var("GITHUB_SERVER_URL").unwrap_or_else(|_| "https://github.com".into())
}

/// The commit that is on the branch already, if it has this very content.
fn standing(repository: &Repository, plan: &BumpPlan, tip: Option<Commit>, force: bool) -> Result<Option<Commit>> {
    let Some(tip) = tip else { return Ok(None) };
    let history = repository.history(plan.base.id, tip.id, bump::is_own)?;
    if !force && history.iter().any(|commit| !commit.clean_merge && !bump::is_own(commit)) {
        return Err(Error::refused(format!("branch {} holds commits that are not gs-release's", plan.branch))
            .hint("merge or move them elsewhere, or replace them with --force"));
    }
    let Some(newest) = history.first() else { return Ok(None) };
    let planned = repository.commit(plan.base, &plan.contents, &plan.message)?;
    let same = newest.commit.tree == planned.tree && newest.parents == [plan.base.id];
    Ok(same.then_some(newest.commit))
}

fn commit_locally(repository: &Repository, plan: &BumpPlan, force: bool) -> Result<Commit> {
    let tip = repository.tip(&format!("refs/heads/{}", plan.branch))?;
    if let Some(commit) = standing(repository, plan, tip, force)? {
        return Ok(commit);
    }
    let commit = repository.commit(plan.base, &plan.contents, &plan.message)?;
    repository.set_branch(&plan.branch, commit, tip)?;
    Ok(commit)
}

fn push(repository: &Repository, remote: &Remote, auth: &Auth, plan: &BumpPlan, force: bool) -> Result<Commit> {
    for _ in 0..ATTEMPTS {
        let tip = repository.tip(&remote.tracking(&plan.branch))?;
        if let Some(commit) = standing(repository, plan, tip, force)? {
            return Ok(commit);
        }
        let commit = repository.commit(plan.base, &plan.contents, &plan.message)?;
        match repository.push(remote, &plan.branch, commit, tip, auth)? {
            PushOutcome::Done => return Ok(commit),
            PushOutcome::LeaseLost => drop(repository.fetch(remote, &[&plan.branch], auth, PATIENT)?),
        }
    }
    Err(Error::remote(format!("branch {} moved {ATTEMPTS} times while it was being pushed", plan.branch))
        .hint("run the command again"))
}

/// Writes the edits into the working files: all of them, or none.
fn write(repository: &Repository, plan: &BumpPlan) -> Result<()> {
    let root = repository.workdir().ok_or_else(|| {
        Error::usage("--write needs a working tree; this repository is bare").hint("leave --write out, or use a clone")
    })?;
    let mut contents = Vec::new();
    for path in plan.edits.paths() {
        let file = root.join(path);
        let found = std::fs::symlink_metadata(&file).and_then(|meta| match meta.is_file() {
            true => std::fs::read(&file),
            false => Err(std::io::Error::other("not a regular file")),
        });
        let bytes = found.map_err(|error| {
            Error::refused(format!("cannot edit {path}: {error}")).hint("bring the file back, or leave --write out")
        })?;
        contents.push((file, plan.edits.apply(path, &bytes)?));
    }
    for (file, content) in contents {
        std::fs::write(&file, content)
            .map_err(|error| Error::usage(format!("cannot write {}: {error}", file.display())))?;
    }
    Ok(())
}
