//! `gs-release check`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::Global;
use super::place::Place;
use super::working::{read_regular, write_all};
use crate::bump::{find_component, version_in};
use crate::check::{self, Mended, Report, Subject};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::git::{Repository, Snapshot};
use crate::report;
use crate::version::Version;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The version that the sites should read, instead of the component's own: 0.24.2, or vineyard=0.24.2 where there are
    /// several components. May be given once for each.
    #[arg(long, value_name = "[COMPONENT=]VERSION")]
    against: Vec<String>,
    /// Bring drifted sites in line, in the working files.
    #[arg(long)]
    fix: bool,
    /// Check this commit: a branch, a tag or an id. Without it, the files of the checkout that git tracks are checked, as
    /// they are now; in a bare repository, HEAD.
    #[arg(long = "ref", value_name = "REF", conflicts_with = "fix")]
    reference: Option<String>,
}

/// Examines the tree, mends what it may, and exits with 1 if an error or a warning is left.
pub fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let repository = Repository::open(&global.directory)?;
    let (mut report, plan) = examine(global, &repository, args)?;
    let mut mended = plan.unwrap_or_default();
    if !mended.contents.is_empty() && !global.dry_run {
        let root = root(&repository)?;
        write_all(mended.contents.iter().map(|(path, content)| (root.join(path), content.as_slice())))?;
        // what is left is what a second look finds
        (report, _) = examine(global, &repository, args)?;
    } else {
        mended.contents.clear();
    }
    show(global, &report, &mended)?;
    Ok(ExitCode::from(if report.is_clean() { 0 } else { Kind::Finding.exit_code() }))
}

fn root(repository: &Repository) -> Result<std::path::PathBuf> {
    repository.workdir().ok_or_else(|| {
        Error::usage("--fix needs a working tree; this repository is bare").hint("leave --fix out, or use a clone")
    })
}

/// What is wrong, and with `--fix` what would mend it.
fn examine(global: &Global, repository: &Repository, args: &Args) -> Result<(Report, Option<Mended>)> {
    let to_mend = args.fix.then(|| root(repository)).transpose()?;
    let commit = match &args.reference {
        Some(reference) => Some(repository.resolve(reference)?),
        None if repository.workdir().is_none() => Some(repository.resolve("HEAD")?),
        None => None,
    };
    let (snapshot, place) = match commit {
        Some(commit) => (Snapshot::of_commit(repository, commit)?, Place::read(global, repository, Some(commit))?),
        None => {
            let snapshot = Snapshot::of_checkout(repository)?;
            let place = Place::read_checkout(global, repository, &snapshot)?;
            (snapshot, place)
        }
    };
    let components = place.config.components.iter();
    let versions = components.map(|c| Ok((c.name.clone(), version_in(c, |path| snapshot.read(path))?)));
    let versions = versions.collect::<Result<BTreeMap<_, _>>>()?;
    let against = against(&place.config, &args.against)?;
    if args.fix {
        refuse_downgrade(&versions, &against)?;
    }
    let (path, text) = place.source();
    let subject = Subject {
        config: &place.config,
        path,
        text,
        in_tree: place.config_path.as_deref(),
        versions: &versions,
        against: &against,
    };
    let report = check::examine(&subject, &snapshot)?;
    let plan = to_mend.map(|root| check::mend(&subject, &report, |path| read_regular(&root, path))).transpose()?;
    Ok((report, plan))
}

/// The version that each component is held against, by the words of `--against`.
fn against(config: &Config, words: &[String]) -> Result<BTreeMap<String, Version>> {
    let mut versions = BTreeMap::new();
    for word in words {
        let (name, version) = match (word.split_once('='), &config.components[..]) {
            (Some((name, version)), _) => (find_component(config, name)?.name.clone(), version),
            (None, [only]) => (only.name.clone(), word.as_str()),
            (None, components) => {
                let first = components.first().map_or("vineyard", |component| &component.name);
                return Err(Error::usage(format!("--against {word} does not say of which component"))
                    .hint(format!("there are several: write --against {first}={word}")));
            }
        };
        if versions.insert(name.clone(), version.parse()?).is_some() {
            return Err(Error::usage(format!("--against is given twice for {name}")));
        }
    }
    Ok(versions)
}

/// Refuses to write a lower version than a component has: that is no mending.
fn refuse_downgrade(versions: &BTreeMap<String, Version>, against: &BTreeMap<String, Version>) -> Result<()> {
    for (name, wanted) in against {
        if let Some(current) = versions.get(name).filter(|current| wanted < *current) {
            return Err(Error::refused(format!("--fix would take {name} from {current} down to {wanted}"))
                .hint(format!("leave --fix out to look, or run gs-release bump {name} {wanted} --allow-downgrade")));
        }
    }
    Ok(())
}

fn show(global: &Global, report: &Report, mended: &Mended) -> Result<()> {
    if report.unreadable > 0 {
        report::warn(&format!("{} files are not in this partial clone and were not searched", report.unreadable));
    }
    report::annotate_findings(report);
    if global.is_json() {
        report::json(&report::check_json(report, mended)?);
    } else {
        report::check(report, mended);
    }
    Ok(())
}
