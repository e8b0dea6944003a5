//! Where versions are written in a repository that nobody has described yet, and whose they are.
//!
//! Evidence decides, never a list of known paths. Nothing here writes a file or asks a remote.
//!
//! - `scan` reads every version of a file, and what names each: `role` from its line, `routes` from the structure of the
//!   file, `parts` where its numbers stand apart; `kind` says what a file is for, `names` whether a key or an image says a
//!   component's name.
//! - `history` tells whether a place moved when its component did; `assign` puts the evidence together.
//! - `rules` makes few rules of many places, `trial` tries them as a bump would, `render` writes them down.
//! - `images` finds the images and phases in Makefiles and Dockerfiles.
//! - `propose` proposes components where none is named.
//! - [`mention::judge`] judges one number on one line, for whoever has found it.

mod assign;
mod history;
mod images;
pub mod kind;
pub mod mention;
pub mod names;
mod parts;
mod propose;
mod render;
pub mod role;
mod routes;
mod rules;
mod scan;
mod trial;

use std::collections::BTreeSet;

pub use assign::{Finding, Subject, Verdict};
pub use rules::{Form, Rule};
pub use scan::Occurrence;

use crate::config::{Config, Phase, RepositoryName, glob_of};
use crate::error::{Error, Result};
use crate::git::{Commit, File, Repository, Scanned};
use crate::version::Version;
use assign::Evidence;
use history::History;
use mention::Reason;
use names::Names;

/// A component that was named by whoever asks: `vineyard=0.24.2@v6d-io/v6d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its current version.
    pub version: Version,
    /// Where its releases are.
    pub upstream: Option<RepositoryName>,
}

impl std::str::FromStr for Named {
    type Err = Error;

    /// Reads `NAME=VERSION` or `NAME=VERSION@OWNER/REPO`.
    fn from_str(text: &str) -> Result<Self> {
        let (name, rest) = text.split_once('=').ok_or_else(|| {
            Error::usage(format!("`{text}` is no component: its version is missing"))
                .hint("write NAME=VERSION or NAME=VERSION@OWNER/REPO, such as vineyard=0.24.2@v6d-io/v6d")
        })?;
        let (version, upstream) = match rest.split_once('@') {
            Some((version, upstream)) => (version, Some(upstream.parse()?)),
            None => (rest, None),
        };
        Ok(Named { name: name.to_owned(), version: version.parse()?, upstream })
    }
}

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Request {
    /// The commit whose tree is surveyed.
    pub commit: Commit,
    /// The base branch, as `base:` will say it.
    pub base: String,
    /// The repository, where the remote tells it.
    pub repository: Option<RepositoryName>,
    /// The components; none where they are to be proposed.
    pub components: Vec<Named>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The components, those that were proposed included.
    pub subjects: Vec<Subject>,
    /// Whether nobody had named them.
    pub proposed: bool,
    /// Every version in the tree.
    pub places: Vec<Occurrence>,
    /// What was decided about those that have to do with a component, by place.
    pub findings: Vec<Finding>,
    /// Rules for the sites.
    pub rules: Vec<Rule>,
    /// The text of `release.yaml`.
    pub config: String,
    /// The phases in it, with their images.
    pub phases: Vec<Phase>,
    /// What builds an image and is none of the config, with the reason.
    pub no_images: Vec<String>,
}

impl Survey {
    /// The path of the file that is only the version of `subject`, if there is one.
    pub fn version_file(&self, subject: usize) -> Option<&str> {
        render::version_file(&self.places, &self.rules, subject)
    }

    /// The rule that finds the place at `place` for `subject`.
    pub fn rule_of(&self, subject: usize, place: usize) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.subject == subject && rule.places.contains(&place))
    }
}

/// Surveys the tree that `request` names.
///
/// # Errors
/// Usage: the repository cannot be read, or no component is named and none can be proposed.
pub fn survey(repository: &Repository, request: &Request) -> Result<Survey> {
    let files = repository.files(request.commit)?;
    let scanned =
        repository.scan(&files, |file| scan::worth(&file.path), |file, bytes| scan::read(&file.path, bytes))?;
    let mut places = Vec::new();
    for found in scanned {
        if let Scanned::Read(found) = found {
            places.extend(found);
        }
    }
    let proposed = request.components.is_empty();
    let mut subjects = match proposed {
        true => propose::propose(&places, request.repository.as_ref().map(|repository| repository.name.as_str())),
        false => request.components.iter().map(subject).collect(),
    };
    if subjects.is_empty() {
        return Err(Error::usage("no component can be proposed: the tree has no version file and no shared version")
            .hint("name one with --component NAME=VERSION, with @OWNER/REPO if it is released elsewhere"));
    }
    let mut findings = decide(repository, request.commit, &places, &mut subjects)?;
    let (rules, mut config) = settle(repository, request, &files, &subjects, &places, &mut findings)?;
    let known = images::Known {
        subjects: &subjects,
        places: &places,
        findings: &findings,
        config: &config,
        repository: request.repository.as_ref().map(ToString::to_string),
    };
    let section = images::section(repository, request.commit, &files, &known)?;
    if !section.text.is_empty() {
        config += &format!("\n{}", section.text);
    }
    let phases = Config::parse("release.yaml", config.as_bytes())?.phases;
    Ok(Survey { subjects, proposed, places, findings, rules, config, phases, no_images: section.doubts })
}

fn subject(named: &Named) -> Subject {
    let mut names = Names::new([named.name.as_str()]);
    if let Some(upstream) = &named.upstream {
        names.add(&upstream.name);
    }
    let upstream = named.upstream.as_ref().map(ToString::to_string);
    Subject { name: named.name.clone(), version: named.version.clone(), upstream, names }
}

/// Decides about all places; a second time if the first teaches more names.
fn decide(
    repository: &Repository,
    commit: Commit,
    places: &[Occurrence],
    subjects: &mut [Subject],
) -> Result<Vec<Finding>> {
    let evidence = Evidence::new(places, subjects);
    let history = History::read(repository, commit, &evidence.worth_following())?;
    let findings = evidence.decide(&history);
    let aliases = evidence.aliases(&findings);
    if aliases.is_empty() {
        return Ok(findings);
    }
    aliases.iter().for_each(|(subject, name)| subjects[*subject].names.add(name));
    Ok(Evidence::new(places, subjects).decide(&history))
}

/// How often rules are mended: each time places are given up, so it ends anyhow.
const MOST_TRIALS: usize = 20;

/// Rules that a bump accepts, and the config with them. Places that no rule can have become doubtful.
fn settle(
    repository: &Repository,
    request: &Request,
    files: &[File],
    subjects: &[Subject],
    places: &[Occurrence],
    findings: &mut [Finding],
) -> Result<(Vec<Rule>, String)> {
    let mut rules = rules::rules(places, findings);
    for _ in 0..MOST_TRIALS {
        let text = render::config(request, subjects, places, findings, &rules);
        let config = Config::parse("release.yaml", text.as_bytes())?;
        let (mut changed, mut stale) = (false, None);
        for (index, subject) in subjects.iter().enumerate() {
            let Some(component) = config.component(&subject.name) else { continue };
            let target = next(&subject.version)?;
            let trial = trial::run(repository, files, &config, component, &subject.version, &target)?;
            let own = |rule: &&mut Rule| rule.subject == index;
            let expected: BTreeSet<(String, usize)> = rules
                .iter()
                .filter(|rule| rule.subject == index)
                .flat_map(|rule| &rule.places)
                .flat_map(|place| sites_of(&places[*place]))
                .collect();
            let broken = trial.broken.iter().map(|(path, _)| path);
            let strange = trial.found.difference(&expected).map(|(path, _)| path);
            let wrong: BTreeSet<&String> = broken.chain(strange).collect();
            let missed: BTreeSet<_> =
                expected.difference(&trial.found).filter(|(path, _)| !wrong.contains(path)).collect();
            for rule in rules.iter_mut().filter(own) {
                // what is too much is told by its places, once no count is demanded
                changed |= trial.stale.is_some() && rule.expect.take().is_some();
                changed |= give_up(rule, places, |place| {
                    wrong.contains(&place.path) || sites_of(place).iter().any(|site| missed.contains(site))
                });
                for path in &wrong {
                    changed |= exclude(rule, path);
                }
            }
            stale = stale.or(trial.stale);
        }
        if !changed {
            return match stale {
                None => Ok((rules, text)),
                Some(error) => Err(error),
            };
        }
        rules.retain(|rule| !rule.places.is_empty());
        let kept: BTreeSet<(usize, usize)> =
            rules.iter().flat_map(|rule| rule.places.iter().map(|place| (*place, rule.subject))).collect();
        for finding in findings.iter_mut().filter(|finding| finding.verdict == Verdict::Site) {
            if !kept.contains(&(finding.place, finding.subject)) {
                finding.verdict = Verdict::Doubtful(Reason::NoRule);
            }
        }
    }
    Err(Error::usage("no rules can be found that a bump accepts").hint("write release.yaml by hand, and report this"))
}

/// The path of `place`, with each byte at which a rule finds it.
fn sites_of(place: &Occurrence) -> Vec<(String, usize)> {
    place.starts().into_iter().map(|start| (place.path.clone(), start)).collect()
}

/// A version after `version`.
fn next(version: &Version) -> Result<Version> {
    let text = version.to_string();
    let release = text.split('-').next().unwrap_or(&text);
    match release.rsplit_once('.').map(|(series, patch)| (series, patch.parse::<u64>())) {
        Some((series, Ok(patch))) => format!("{series}.{}", patch + 1).parse(),
        _ => Err(Error::usage(format!("`{text}` cannot be counted up"))),
    }
}

/// Takes the places that `is_lost` from `rule`. Whether there were any.
fn give_up(rule: &mut Rule, places: &[Occurrence], is_lost: impl Fn(&Occurrence) -> bool) -> bool {
    let before = rule.places.len();
    rule.places.retain(|place| !is_lost(&places[*place]));
    if rule.places.len() == before {
        return false;
    }
    rule.expect = rule.expect.map(|_| rule.count(places));
    let still: BTreeSet<String> = rule.places.iter().map(|place| glob_of(&places[*place].path)).collect();
    rule.files.retain(|file| file.contains('*') || file.starts_with('!') || still.contains(file));
    true
}

/// Keeps `rule` out of the file at `path`. Whether it was in.
fn exclude(rule: &mut Rule, path: &str) -> bool {
    let is_in = crate::config::FileGlobs::new(rule.files.clone()).is_ok_and(|globs| globs.matches(path));
    if is_in {
        let only = glob_of(path);
        rule.files.retain(|file| *file != only);
        if rule.files.iter().any(|file| file.contains('*')) {
            rule.files.push(format!("!{only}"));
        }
    }
    is_in
}
