//! A bump as data: which version, which edits, which commit message, which pull request. Observes and plans; carrying the
//! plan out is the caller's.

mod body;
pub mod branch;
pub mod policy;
pub mod propose;
pub mod proposed;
pub mod publish;
pub mod reconcile;
pub mod upstream;
pub mod watch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::{Component, Config, VersionSource};
use crate::edit::{EditPlan, FileScan, Place, Reading, Scanner, prove};
use crate::error::{Error, Result};
use crate::git::{Commit, File, History, MISSING_BLOB, Repository, Scanned};
use crate::version::{Version, find_versions};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The component's name.
    pub component: String,
    /// The version to go to.
    pub target: Version,
    /// Go down too.
    pub allow_downgrade: bool,
    /// Go to a version that the policy ignores, and over commits of people.
    pub force: bool,
}

/// Everything that a bump will do.
#[derive(Debug, Clone)]
pub struct BumpPlan {
    /// The component's name.
    pub component: String,
    /// Its version on the base branch.
    pub from: Version,
    /// Its version afterwards.
    pub to: Version,
    /// The base branch's commit.
    pub base: Commit,
    /// What changes.
    pub edits: EditPlan,
    /// New content by path.
    pub contents: BTreeMap<String, Vec<u8>>,
    /// Old content by path.
    pub originals: BTreeMap<String, Vec<u8>>,
    /// How many files could not be read, because a partial clone lacks them.
    pub unreadable: usize,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The commit message.
    pub message: String,
    /// Versions of all components afterwards, by name; one that cannot be read is not there.
    pub versions: BTreeMap<String, Version>,
}

/// Title and body of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestText {
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
}

/// The trailer that makes the bot's commits recognisable, whoever is named as their author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// The component.
    pub component: String,
    /// Its new version.
    pub version: String,
    /// The commit's only parent.
    pub base: String,
    /// The commit's tree.
    pub tree: String,
}

const TRAILER: &str = "Gs-Release: ";

impl Trailer {
    /// Reads the trailer of `message`.
    pub fn parse(message: &str) -> Option<Self> {
        let line = message.lines().rev().find_map(|line| line.strip_prefix(TRAILER))?;
        serde_json::from_str(line).ok()
    }
}

/// Whether `commit` is exactly what the bot wrote: its only parent and its tree are those of its trailer.
pub fn is_own(commit: &History) -> bool {
    Trailer::parse(&commit.message).is_some_and(|trailer| {
        trailer.tree == commit.commit.tree.to_string()
            && matches!(commit.parents.as_slice(), [parent] if parent.to_string() == trailer.base)
    })
}

/// Plans the bump that `request` asks for, on `base`. `config_path` is where the config stands in the tree.
pub fn plan(
    repository: &Repository,
    config: &Config,
    config_path: Option<&str>,
    base: Commit,
    request: &Request,
) -> Result<BumpPlan> {
    let component = find_component(config, &request.component)?;
    let from = current_version(repository, component, base)?;
    check_direction(component, &from, request)?;
    let to = request.target.clone();
    let config_name = config_path.unwrap_or("the config");

    let scanner = Scanner::new(config, component, &from, config_path);
    let again = Scanner::new(config, component, &to, config_path);
    let Rewritten { edits, contents, originals, unreadable } = rewrite_tree(repository, base, &scanner, &again, &to)?;
    edits.check_rules(component, config_name)?;

    let message = message(&title(&component.name, &from, &to), component, &to, base)?;
    let branch = format!("gs-release/{}", component.name);
    let others = config.components.iter().filter(|other| other.name != component.name);
    let mut versions: BTreeMap<String, Version> =
        others.filter_map(|other| Some((other.name.clone(), current_version(repository, other, base).ok()?))).collect();
    versions.insert(component.name.clone(), to.clone());
    let component = component.name.clone();
    Ok(BumpPlan { component, from, to, base, edits, contents, originals, unreadable, branch, message, versions })
}

/// What becomes of a tree.
struct Rewritten {
    edits: EditPlan,
    contents: BTreeMap<String, Vec<u8>>,
    originals: BTreeMap<String, Vec<u8>>,
    unreadable: usize,
}

/// Edits every file of `base` that has a site: `scanner` finds the sites, `again` finds them in what was edited, where each
/// must read `to`.
fn rewrite_tree(
    repository: &Repository,
    base: Commit,
    scanner: &Scanner<'_>,
    again: &Scanner<'_>,
    to: &Version,
) -> Result<Rewritten> {
    let files = repository.files(base)?;
    let worth = |file: &File| scanner.worth(&file.path);
    let scans = repository.scan(&files, worth, |file, bytes| {
        let scan = scanner.scan(&file.path, bytes)?;
        let worth_keeping = !scan.places.is_empty() || !scan.leftovers.is_empty();
        Ok::<_, Error>(worth_keeping.then(|| (scan, bytes.to_owned())))
    })?;

    let mut edits = EditPlan::new(scanner);
    let (mut contents, mut originals) = (BTreeMap::new(), BTreeMap::new());
    let mut unreadable = 0;
    for (file, scan) in files.iter().zip(scans) {
        let path = file.path.as_str();
        let scan = match scan {
            Scanned::Read(scan) => scan?,
            Scanned::Skipped => None,
            Scanned::Missing if scanner.selects(path) => {
                return Err(Error::usage(format!("{path}: its content is not in this clone")).hint(MISSING_BLOB));
            }
            Scanned::Missing => {
                unreadable += 1;
                None
            }
        };
        let Some((scan, bytes)) = scan else { continue };
        let places = versions_in(&scan);
        edits.add(scanner, to, path, &bytes, scan)?;
        if edits.edits_of(path).next().is_some() {
            let after = edits.apply(path, &bytes)?;
            prove(again, to, path, places, &after)?;
            contents.insert(path.to_owned(), after);
            originals.insert(path.to_owned(), bytes);
        }
    }
    Ok(Rewritten { edits, contents, originals, unreadable })
}

/// The commit message, whose trailer names the tree when that is known.
fn message(title: &str, component: &Component, to: &Version, base: Commit) -> Result<String> {
    let trailer = Trailer {
        component: component.name.clone(),
        version: to.to_string(),
        base: base.id.to_string(),
        tree: "{tree}".into(),
    };
    let trailer = serde_json::to_string(&trailer).map_err(|error| Error::usage(error.to_string()))?;
    Ok(format!("{title}\n\n{TRAILER}{trailer}\n"))
}

/// Title and body of the pull request that brings `plan`. `quoted` is what it says of upstream.
///
/// # Errors
/// Usage, if the text cannot be made of it.
pub fn describe(config: &Config, plan: &BumpPlan, quoted: &upstream::Quoted) -> Result<PullRequestText> {
    let title = title(&plan.component, &plan.from, &plan.to);
    Ok(PullRequestText { title, body: body::render(config, plan, quoted)? })
}

/// The first line of the commit, and the pull request's title.
fn title(component: &str, from: &Version, to: &Version) -> String {
    match from == to {
        true => format!("chore: bring {component} in line with {to}"),
        false => format!("chore: bump {component} from {from} to {to}"),
    }
}

/// The content of the working file at `path`, edited as `plan` says; `None` if nothing is left to edit in it. Its sites are
/// located in `bytes` anew; one that reads the target already is done.
///
/// # Errors
/// Refused, if they are not those of the base branch.
pub fn rewrite(
    config: &Config,
    config_path: Option<&str>,
    plan: &BumpPlan,
    path: &str,
    bytes: &[u8],
) -> Result<Option<Vec<u8>>> {
    let component = find_component(config, &plan.component)?;
    let scanner = Scanner::new(config, component, &plan.from, config_path);
    let again = Scanner::new(config, component, &plan.to, config_path);
    let original = plan.originals.get(path).map(Vec::as_slice).unwrap_or_default();
    let base = versions_read(&scanner.scan(path, original)?, original, &plan.to);
    // only with the target as the current version is a done place found among other versions of its line
    let now = versions_read(&again.scan(path, bytes)?, bytes, &plan.to);
    let same_rules = |now: &[Read]| now.iter().map(|read| read.rule).eq(base.iter().map(|read| read.rule));
    if same_rules(&now) && now.iter().all(|read| read.text == read.wanted) {
        return Ok(None);
    }
    let scan = scanner.scan(path, bytes)?;
    let now = versions_read(&scan, bytes, &plan.to);
    let expected = now.iter().zip(&base).all(|(now, base)| now.text == base.text || now.text == now.wanted);
    if !same_rules(&now) || !expected {
        return Err(Error::refused(format!("{path} has other places in the working tree than on the base branch"))
            .hint("commit or put aside what was changed there, or leave --write out"));
    }
    let places = now.len();
    let mut edits = EditPlan::new(&scanner);
    edits.add(&scanner, &plan.to, path, bytes, scan)?;
    let after = edits.apply(path, bytes)?;
    prove(&again, &plan.to, path, places, &after)?;
    Ok(Some(after))
}

/// What stands at a place.
struct Read {
    /// The rule that selected it.
    rule: usize,
    text: Vec<u8>,
    /// What the target puts there.
    wanted: Vec<u8>,
}

/// The versions, and parts of versions, that `scan` found in `bytes`.
fn versions_read(scan: &FileScan, bytes: &[u8], target: &Version) -> Vec<Read> {
    let version = |(rule, place): &(usize, Place)| {
        let (range, wanted) = place.reading.carries(target)?;
        Some(Read { rule: *rule, text: bytes[range].to_vec(), wanted: wanted.into_bytes() })
    };
    scan.places.iter().filter_map(version).collect()
}

fn versions_in(scan: &FileScan) -> usize {
    scan.places.iter().filter(|(_, place)| matches!(place.reading, Reading::Version(_) | Reading::Part(..))).count()
}

/// The component called `name`.
///
/// # Errors
/// Usage, with the nearest name there is.
pub fn find_component<'a>(config: &'a Config, name: &str) -> Result<&'a Component> {
    config.component(name).ok_or_else(|| {
        let names: Vec<&str> = config.components.iter().map(|c| c.name.as_str()).collect();
        let error = Error::usage(format!("there is no component `{name}`"));
        match crate::config::nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("components: {}", names.join(", "))),
        }
    })
}

/// The component's version on `base`.
pub fn current_version(repository: &Repository, component: &Component, base: Commit) -> Result<Version> {
    version_in(component, |path| repository.read(base, path))
}

/// The component's version in the tree whose files `read` gives.
///
/// # Errors
/// Usage: its file is not there, or holds no version.
pub fn version_in(component: &Component, read: impl FnOnce(&str) -> Result<Option<Vec<u8>>>) -> Result<Version> {
    match &component.version {
        VersionSource::Inline(version) => Ok(version.clone()),
        VersionSource::File(path) => {
            let content = read(path)?.ok_or_else(|| {
                Error::usage(format!("version file {path} of `{}` is not in the tree", component.name))
                    .hint("mend `version-file:`; a symlink is not followed")
            })?;
            let text = String::from_utf8_lossy(&content);
            text.trim_start_matches('\u{feff}')
                .trim()
                .parse()
                .map_err(|error: Error| Error::usage(format!("{path}:1: {}", error.message)))
        }
    }
}

fn check_direction(component: &Component, from: &Version, request: &Request) -> Result<()> {
    let to = &request.target;
    let text = to.to_string();
    if find_versions(text.as_bytes()).first() != Some(&(0..text.len())) {
        return Err(Error::usage(format!("{to} is not a version that can be found again in the files")).hint(
            "write a pre-release as -rc.1, -beta.2 and the like: anything else is taken for an affix, as `-amd64` is",
        ));
    }
    if to < from && !request.allow_downgrade && !request.force {
        return Err(Error::refused(format!("{} {to} is older than the current {from}", component.name))
            .hint("--allow-downgrade does it all the same"));
    }
    if component.update.ignore.contains(to) && !request.force {
        return Err(Error::refused(format!("{} {to} is ignored by `update.ignore`", component.name))
            .hint("--force takes it all the same"));
    }
    Ok(())
}
