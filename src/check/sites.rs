//! Findings about the sites of one file, and about rules over all files. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::finding::{Excerpt, Text};
use super::{Finding, Mend, Subject, neighbours};
use crate::config::{Code, Component, Config, Image, SiteForm};
use crate::edit::{Cover, Reading, Scanner};
use crate::error::Error;
use crate::git::MISSING_BLOB;
use crate::survey::mention::{Judgement, Reason, judge};
use crate::survey::names::Names;
use crate::version::Version;

/// A component, and what its sites should read.
pub(super) struct Watch<'a> {
    pub component: &'a Component,
    pub scanner: Scanner<'a>,
    /// What the component is called, and what carries its version.
    names: Names,
}

impl<'a> Watch<'a> {
    pub fn new(config: &'a Config, component: &'a Component, version: &Version, in_tree: Option<&str>) -> Self {
        let scanner = Scanner::new(config, component, version, in_tree);
        Watch { component, scanner, names: names(config, component) }
    }
}

/// The names that a mention of the version of `component` may stand beside: its own, its upstream's, its images'.
fn names(config: &Config, component: &Component) -> Names {
    let mut names = Names::new([component.name.as_str()]);
    if let Some(upstream) = &component.upstream {
        if let Some(github) = &upstream.github {
            names.add(&github.name);
            names.add(&github.to_string());
        }
        upstream.pypi.iter().for_each(|project| names.add(project));
    }
    for site in &component.sites {
        if let SiteForm::Image(image) = &site.form {
            names.add(image);
        }
    }
    let images = config.phases.iter().flat_map(|phase| &phase.images);
    let carries = |image: &&Image| image.tags.iter().any(|tag| tag.places().any(|place| place == component.name));
    images.filter(carries).for_each(|image| names.add(&image.repository));
    names
}

/// What was found in one file.
#[derive(Default)]
pub(super) struct Found {
    pub findings: Vec<Finding>,
    /// Places, by component and rule.
    places: Vec<(usize, usize)>,
    /// Rules that could not be applied, by component.
    obstructed: Vec<(usize, usize)>,
}

impl Found {
    /// Whether there is anything to keep.
    pub fn is_something(&self) -> bool {
        !self.findings.is_empty() || !self.places.is_empty() || !self.obstructed.is_empty()
    }
}

/// A place that reads a version, of some component.
struct Claim {
    watch: usize,
    rule: usize,
    range: Range<usize>,
    /// What should stand there.
    expected: String,
}

/// Looks at the file at `path` for all components.
pub(super) fn examine(watches: &[Watch<'_>], path: &str, bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let text = Text::new(path, bytes);
    let mut claims: Vec<Claim> = Vec::new();
    let mut covered: Vec<Range<usize>> = Vec::new();
    let mut mentions: Vec<(usize, Range<usize>)> = Vec::new();
    for (index, watch) in watches.iter().enumerate() {
        let (scan, faults) = watch.scanner.examine(path, bytes);
        covered.extend(scan.places.iter().map(|(_, place)| place.at.clone()));
        mentions.extend(scan.leftovers.into_iter().map(|range| (index, range)));
        for (rule, fault) in faults {
            found.obstructed.push((index, rule));
            found.findings.push(unreadable(path, bytes, fault));
        }
        for (rule, place) in scan.places {
            found.places.push((index, rule));
            let site = watch.scanner.site(rule);
            if let Some((range, expected)) = place.reading.carries(watch.scanner.current()) {
                claims.push(Claim { watch: index, rule, range, expected });
                continue;
            }
            match place.reading {
                Reading::Version(_) | Reading::Part(..) => {}
                Reading::Pinned(range) => {
                    let message =
                        format!("{site} is pinned by digest, so a bump of {} is refused", watch.component.name);
                    let range = range.unwrap_or(place.at);
                    let finding = text.finding(Code::PinnedSite, range, message);
                    found.findings.push(finding.help("drop the digest: a build pins its bases by digest itself"));
                }
                Reading::Left(reason) => {
                    let code = match reason {
                        "a floating value" | "no tag" => Code::FloatingSite,
                        _ => Code::LeftAlone,
                    };
                    let message = format!("a bump of {} leaves this alone: {reason} ({site})", watch.component.name);
                    found.findings.push(text.finding(code, place.at, message));
                }
            }
        }
    }
    let mut owners: HashMap<(usize, usize), BTreeSet<usize>> = HashMap::new();
    for Claim { watch, range, .. } in &claims {
        owners.entry((range.start, range.end)).or_default().insert(*watch);
    }
    let mut told = HashSet::new();
    for claim in &claims {
        let owners = &owners[&(claim.range.start, claim.range.end)];
        // rules of one component may select the same place
        if told.insert(claim.range.clone()) {
            found.findings.extend(match owners.len() {
                1 => drift(&watches[claim.watch], &text, claim),
                _ => Some(shared_site(watches, &text, claim, owners)),
            });
        }
    }
    let cover = Cover::new(covered.into_iter());
    mentions.retain(|(_, range)| !cover.meets(range));
    let untracked = mentions.into_iter().filter_map(|(index, range)| untracked(&watches[index], &text, range));
    found.findings.extend(untracked);
    found
}

/// A mention of the version at `range`, if it looks like a site.
fn untracked(watch: &Watch<'_>, text: &Text<'_>, range: Range<usize>) -> Option<Finding> {
    let line = Excerpt::around(text.bytes, range.clone());
    match judge(text.path, &line.source, line.marker.clone(), &watch.names) {
        Judgement::Site => {}
        Judgement::Doubtful(Reason::Unnamed)
            if neighbours::name(&watch.names, text.path, text.bytes, range.clone(), &line.source, line.marker) => {}
        _ => return None,
    }
    let name = &watch.component.name;
    let message = format!("this looks like the version of {name}, and no rule covers it");
    let help = format!("add a rule to the sites of {name}, or ignore it with a reason");
    Some(text.finding(Code::Untracked, range, message).help(help))
}

fn unreadable(path: &str, bytes: &[u8], error: Error) -> Finding {
    let help = error.hints.into_iter().next();
    match error.faults.into_iter().next() {
        Some(fault) => Finding { help, ..Finding::of_fault(Code::Unreadable, fault) },
        None => Finding { help, ..Finding::at(Code::Unreadable, path, bytes, 0..0, error.message) },
    }
}

fn drift(watch: &Watch<'_>, text: &Text<'_>, claim: &Claim) -> Option<Finding> {
    let Watch { component, scanner, .. } = watch;
    let expected = &claim.expected;
    let old = String::from_utf8_lossy(&text.bytes[claim.range.clone()]).into_owned();
    if old == *expected {
        return None;
    }
    let site = scanner.site(claim.rule);
    let message = format!("{} is {}, but this reads {old} ({site})", component.name, scanner.current());
    let mut finding = text.finding(Code::Drift, claim.range.clone(), message);
    finding.help = Some(format!("`--fix` writes {expected} here"));
    let (component, range) = (component.name.clone(), claim.range.clone());
    finding.mend = Some(Mend { component, site, old, new: expected.clone(), range });
    Some(finding)
}

fn shared_site(watches: &[Watch<'_>], text: &Text<'_>, claim: &Claim, owners: &BTreeSet<usize>) -> Finding {
    let names: Vec<&str> = owners.iter().map(|watch| watches[*watch].component.name.as_str()).collect();
    let message = format!("this version is a site of {}", names.join(" and of "));
    let finding = text.finding(Code::SharedSite, claim.range.clone(), message);
    finding.help("narrow the rules until one component has it")
}

/// How many places each rule finds, over all files.
pub(super) struct Counts {
    /// By component and rule: the places; `None` once a file could not be read.
    places: Vec<Vec<Option<usize>>>,
}

impl Counts {
    pub fn new(watches: &[Watch<'_>]) -> Self {
        Counts { places: watches.iter().map(|watch| vec![Some(0); watch.scanner.rules()]).collect() }
    }

    /// Takes in what was found in one file.
    pub fn add(&mut self, found: &Found) {
        for &(watch, rule) in &found.obstructed {
            self.places[watch][rule] = None;
        }
        for &(watch, rule) in &found.places {
            self.places[watch][rule] = self.places[watch][rule].map(|count| count + 1);
        }
    }

    /// Takes in that the content of the file at `path` is not here. It is a finding where a rule selects it.
    pub fn missing(&mut self, watches: &[Watch<'_>], path: &str) -> Option<Finding> {
        let mut is_selected = false;
        for (watch, counts) in watches.iter().zip(&mut self.places) {
            for (rule, count) in watch.component.sites.iter().zip(counts) {
                if rule.files.matches(path) {
                    is_selected = true;
                    *count = None;
                }
            }
        }
        let finding = || Finding::at(Code::Unreadable, path, b"", 0..0, "its content is not in this clone");
        is_selected.then(|| finding().help(MISSING_BLOB))
    }

    /// The rules that find nothing, or not what `expect` says.
    pub fn findings(&self, subject: &Subject<'_>, watches: &[Watch<'_>]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (watch, counts) in watches.iter().zip(&self.places) {
            for (rule, count) in watch.component.sites.iter().zip(counts) {
                let Some(count) = *count else { continue };
                let on_rule =
                    |code, message: String| Finding::on_line(code, subject.path, subject.text, rule.line, message);
                match rule.expect {
                    Some(expected) if expected != count => {
                        let message = format!("the rule finds {count} places, not {expected}");
                        let help = "look at the places, then mend the rule or its `expect`";
                        findings.push(on_rule(Code::WrongCount, message).help(help));
                    }
                    None if count == 0 => {
                        let message = format!("the rule `{}` finds nothing", rule.form);
                        let help = "mend it or remove it (symlinks are never followed)";
                        findings.push(on_rule(Code::StaleRule, message).help(help));
                    }
                    _ => {}
                }
            }
        }
        findings
    }
}
