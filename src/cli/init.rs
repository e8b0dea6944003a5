//! `gs-release init`.

use std::io::Write;
use std::path::PathBuf;

use super::Global;
use crate::error::{Error, Result};
use crate::git::{Commit, Remote, Repository};
use crate::github::Settings;
use crate::report;
use crate::survey::{self, Named};

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A component, its current version, and where it is released if not here: vineyard=0.24.2@v6d-io/v6d.
    ///
    /// Give it once for each. Without it components are proposed.
    #[arg(long = "component", value_name = "NAME=VERSION[@OWNER/REPO]")]
    components: Vec<Named>,
    /// Where the config is written; `-` is stdout. Default: release.yaml in the repository's root.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
    /// The commit that is looked at: a branch, a tag or an id. Default: the base branch.
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
}

/// Where the config goes.
enum Output {
    Stdout,
    File(PathBuf),
    /// Nowhere: it is only shown.
    None,
}

/// Surveys the base branch and writes what it found as a config.
pub fn run(global: &Global, args: Args) -> Result<()> {
    let repository = Repository::open(&global.directory)?;
    let output = output(global, &args, &repository)?;
    let settings = Settings::from_process()?;
    let remote = repository.remote_for(None, &settings.server_url)?;
    let (base, commit) = base(&repository, remote.as_ref(), args.reference.as_deref())?;
    let request = survey::Request {
        commit,
        base,
        repository: remote.as_ref().and_then(Remote::repository),
        components: args.components,
    };
    let survey = survey::survey(&repository, &request)?;
    let written = match &output {
        Output::File(file) => {
            write(file, &survey.config, args.force)?;
            Some(file.display().to_string())
        }
        Output::Stdout | Output::None => None,
    };
    match (global.is_json(), &output) {
        (true, _) => report::json(&report::survey_json(&survey, written.as_deref())?),
        (false, Output::Stdout | Output::None) => {
            report::survey(&survey, report::say);
            report::result(survey.config.trim_end());
        }
        (false, Output::File(file)) => {
            report::survey(&survey, report::result);
            report::result(&format!("written: {}", file.display()));
            global.say(&next(&survey));
        }
    }
    Ok(())
}

/// What to do with a config that was written.
fn next(survey: &survey::Survey) -> String {
    let bump = survey.subjects.first().map(|subject| format!(", gs-release bump-{} <version> --dry-run", subject.name));
    format!("next: read it, its comments too; gs-release check{}; then commit it", bump.unwrap_or_default())
}

/// The base branch's name and the commit to look at: of the remote where it is known here, else HEAD's.
fn base(repository: &Repository, remote: Option<&Remote>, reference: Option<&str>) -> Result<(String, Commit)> {
    let head = repository.head_branch();
    let tracked = remote.and_then(|remote| {
        let names = ["main", "master"].into_iter().map(str::to_owned).chain(head.clone());
        names.into_iter().find(|name| matches!(repository.tip(&remote.tracking(name)), Ok(Some(_))))
    });
    let name = tracked.clone().or(head).unwrap_or_else(|| "main".to_owned());
    let commit = match (reference, &tracked) {
        (Some(reference), _) => repository.resolve(reference)?,
        (None, Some(branch)) => repository.base(remote, branch)?,
        (None, None) => repository.resolve("HEAD")?,
    };
    Ok((name, commit))
}

fn output(global: &Global, args: &Args, repository: &Repository) -> Result<Output> {
    let file = match &args.output {
        Some(file) if file.as_os_str() == "-" => return Ok(Output::Stdout),
        _ if global.dry_run => return Ok(Output::None),
        Some(file) => file.clone(),
        None => {
            let root = repository.workdir().ok_or_else(|| {
                Error::usage("a bare repository has no working tree to write release.yaml to")
                    .hint("name a file with --output, or --output - for stdout")
            })?;
            root.join("release.yaml")
        }
    };
    match file.exists() && !args.force {
        true => Err(exists(&file)),
        false => Ok(Output::File(file)),
    }
}

fn exists(file: &std::path::Path) -> Error {
    Error::refused(format!("{} is there already", file.display()))
        .hint("--force replaces it; --output - writes to stdout instead")
}

fn write(file: &std::path::Path, text: &str, force: bool) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    let written = options.open(file).and_then(|mut open| open.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(file),
        _ => Error::usage(format!("cannot write {}: {error}", file.display())),
    })
}
