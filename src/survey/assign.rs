//! Whose version stands at each place, and whether it is a site: the evidence of the whole tree put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::history::{History, Step, Thread};
use super::kind::{FileKind, is_manifest, is_program};
use super::mention::Reason;
use super::names::{Names, telling};
use super::role::Role;
use super::scan::Occurrence;
use crate::version::Version;

/// A component whose places are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its current version.
    pub version: Version,
    /// Where its releases are, as `owner/name`.
    pub upstream: Option<String>,
    /// What else it is called.
    pub names: Names,
}

/// What was decided about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It carries the component's version, or should.
    Site,
    /// It may; a person must look.
    Doubtful(Reason),
    /// It does not.
    Rejected(Reason),
}

/// A place, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Index of the occurrence.
    pub place: usize,
    /// Index of the component.
    pub subject: usize,
    /// The decision.
    pub verdict: Verdict,
}

/// What the places of one role in the tree have in common.
type Group = (Role, Option<String>);

/// The group of `occurrence`: its role in the whole tree, or in its file where the role's name says nothing.
pub fn group(occurrence: &Occurrence) -> Group {
    let role = &occurrence.role;
    let own = match role {
        Role::Path(_) | Role::Whole(_) => true,
        Role::Arg(_) | Role::Env(_) => false,
        role => telling(role.name()).is_empty(),
    };
    (role.clone(), own.then(|| occurrence.path.clone()))
}

/// Whether a place of this role can be a site at all.
fn is_pinning(role: &Role) -> bool {
    !matches!(role, Role::Artefact(_) | Role::Part(_) | Role::Requirement(_) | Role::Nightly | Role::Prose)
}

/// The evidence: who has how many places of each group.
pub struct Evidence<'a> {
    places: &'a [Occurrence],
    subjects: &'a [Subject],
    /// By group: of each subject the files that have its current version there, and in how many places.
    hits: HashMap<Group, BTreeMap<usize, (BTreeSet<&'a str>, usize)>>,
}

impl<'a> Evidence<'a> {
    /// Counts what `places` have.
    pub fn new(places: &'a [Occurrence], subjects: &'a [Subject]) -> Self {
        let mut hits: HashMap<Group, BTreeMap<usize, (BTreeSet<&str>, usize)>> = HashMap::new();
        for place in places.iter().filter(|place| is_pinning(&place.role) && is_code(place)) {
            for (index, _) in subjects.iter().enumerate().filter(|(_, subject)| subject.version == place.value) {
                let hit = hits.entry(group(place)).or_default().entry(index).or_default();
                hit.0.insert(&place.path);
                hit.1 += 1;
            }
        }
        Evidence { places, subjects, hits }
    }

    fn names(&self, subject: usize, place: &Occurrence) -> bool {
        let names = &self.subjects[subject].names;
        names.are_in(place.role.name()) || place.beside.as_deref().is_some_and(|image| names.are_in(image))
    }

    /// The component whose version the group of `place` carries: by its places with a current version, else by name.
    fn owner(&self, place: &Occurrence) -> Option<usize> {
        let subjects = 0..self.subjects.len();
        match self.hits.get(&group(place)) {
            Some(hits) => {
                let weight = |(subject, (_, count)): &(&usize, &(BTreeSet<&str>, usize))| {
                    (*count, self.names(**subject, place), std::cmp::Reverse(**subject))
                };
                hits.iter().max_by_key(weight).map(|(subject, _)| *subject)
            }
            None => {
                let mut named = subjects.filter(|subject| self.names(*subject, place));
                named.next().filter(|_| named.next().is_none())
            }
        }
    }

    /// What the history of a place is held against, the surest first: files that are only the version and places that
    /// carry it by their number, then places that only have the name.
    fn leaders(&self, subject: usize) -> [Vec<Thread>; 2] {
        let current = &self.subjects[subject].version;
        let mut leaders = [BTreeSet::new(), BTreeSet::new()];
        for place in self.places.iter().filter(|place| is_pinning(&place.role) && is_code(place)) {
            if self.owner(place) != Some(subject) {
                continue;
            }
            let hits = self.hits.get(&group(place)).and_then(|hits| hits.get(&subject));
            let rank = match hits {
                Some(_) if matches!(place.role, Role::Whole(_)) && place.value == *current => 0,
                Some((_, count)) if self.names(subject, place) || *count > 2 => 0,
                None if self.names(subject, place) => 1,
                _ => continue,
            };
            leaders[rank].insert((place.path.clone(), place.role.clone()));
        }
        leaders.map(|threads| threads.into_iter().collect())
    }

    /// Files whose history tells something: those with a place that may be a site.
    pub fn worth_following(&self) -> Vec<&'a str> {
        let may_be = |place: &&Occurrence| {
            let current = self.subjects.iter().any(|subject| subject.version == place.value);
            let older = self.subjects.iter().any(|subject| subject.version > place.value);
            let says = telling(place.role.name()).is_empty()
                || matches!(place.role, Role::Path(_))
                || self.owner(place).is_some();
            let known = self.hits.contains_key(&group(place));
            is_pinning(&place.role) && (current || is_code(place) && older && (says || known))
        };
        let files: BTreeSet<&str> = self.places.iter().filter(may_be).map(|place| place.path.as_str()).collect();
        files.into_iter().collect()
    }

    /// What is decided about every place that has to do with a component.
    pub fn decide(&self, history: &History) -> Vec<Finding> {
        let leaders: Vec<_> = (0..self.subjects.len()).map(|subject| self.leaders(subject)).collect();
        let court = Court { evidence: self, history, leaders };
        let first: Vec<_> = self.places.iter().map(|place| court.about_current(place)).collect();
        let sites: BTreeSet<(usize, String, &Role)> = first
            .iter()
            .zip(self.places)
            .filter_map(|(found, place)| match found {
                Some((subject, Verdict::Site)) => Some((*subject, base(&place.path).to_owned(), &place.role)),
                _ => None,
            })
            .collect();
        let all =
            first.into_iter().zip(self.places).map(|(found, place)| found.or_else(|| court.about_older(place, &sites)));
        let all =
            all.enumerate().filter_map(|(place, found)| found.map(|(subject, verdict)| (place, subject, verdict)));
        all.map(|(place, subject, verdict)| Finding { place, subject, verdict }).collect()
    }

    /// Names that the places of `findings` give their components: `V6D_VERSION` calls its component `v6d`.
    pub fn aliases(&self, findings: &[Finding]) -> Vec<(usize, String)> {
        let mut found = BTreeSet::new();
        for finding in findings.iter().filter(|finding| finding.verdict == Verdict::Site) {
            let place = &self.places[finding.place];
            let is_key =
                matches!(place.role, Role::Key(_) | Role::Arg(_) | Role::Env(_) | Role::Flag(_) | Role::Whole(_));
            let mut words = telling(place.role.name());
            let (Some(word), true) = (words.pop(), words.is_empty() && is_key && is_code(place)) else { continue };
            let others = self.subjects.iter().enumerate().filter(|(index, _)| *index != finding.subject);
            let taken = others.into_iter().any(|(_, other)| other.names.are_in(&word));
            if word.len() > 2 && !taken && !self.subjects[finding.subject].names.are_in(&word) {
                found.insert((finding.subject, word));
            }
        }
        found.into_iter().collect()
    }
}

fn is_code(place: &Occurrence) -> bool {
    FileKind::of(&place.path) == FileKind::Code
}

/// Whether tools give this version to every new package, so that two that have it need not belong together.
fn is_first(version: &Version) -> bool {
    ["0.0.1", "0.1.0", "1.0.0"].contains(&version.to_string().as_str())
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

struct Court<'e, 'a> {
    evidence: &'e Evidence<'a>,
    history: &'e History,
    /// By subject.
    leaders: Vec<[Vec<Thread>; 2]>,
}

impl Court<'_, '_> {
    fn step(&self, subject: usize, place: &Occurrence) -> Step {
        let thread = (place.path.clone(), place.role.clone());
        self.history.step(&thread, &place.value, &self.leaders[subject])
    }

    /// About a place that has the current version of a component, or that says something about one.
    fn about_current(&self, place: &Occurrence) -> Option<(usize, Verdict)> {
        let subjects = self.evidence.subjects;
        let has = |subject: &usize| subjects[*subject].version == place.value;
        let named = |subject: &usize| self.evidence.names(*subject, place);
        if matches!(place.role, Role::Requirement(_) | Role::Nightly) {
            let (reason, about): (_, &dyn Fn(&usize) -> bool) = match place.role {
                Role::Nightly => (Reason::Nightly, &|subject| subjects[*subject].names.are_in(&place.text)),
                _ => (Reason::Requirement, &named),
            };
            let subject = (0..subjects.len()).filter(|subject| about(subject)).max_by_key(|subject| has(subject))?;
            return Some((subject, Verdict::Rejected(reason)));
        }
        let owner = self.evidence.owner(place).filter(has);
        let subject = owner.or_else(|| (0..subjects.len()).filter(has).max_by_key(|subject| named(subject)))?;
        Some((subject, self.verdict(subject, place)))
    }

    fn verdict(&self, subject: usize, place: &Occurrence) -> Verdict {
        let kind = FileKind::of(&place.path);
        let names = &self.evidence.subjects[subject].names;
        let named = self.evidence.names(subject, place);
        let other = || Reason::OtherSoftware(place.role.name().to_owned());
        match (kind, &place.role) {
            (FileKind::Licence, _) => return Verdict::Rejected(Reason::Licence),
            (FileKind::Changelog, _) => return Verdict::Rejected(Reason::Changelog),
            (FileKind::Lock, _) => return Verdict::Rejected(Reason::Lock),
            (_, Role::Prose) if names.are_in(&place.text) => return Verdict::Doubtful(Reason::Prose),
            (_, Role::Prose) => return Verdict::Rejected(Reason::Unnamed),
            (FileKind::Docs, Role::Part(_)) => return Verdict::Doubtful(Reason::Example),
            // that three numbers are those of the component is no chance
            (_, Role::Part(_)) if named => return Verdict::Site,
            (_, Role::Part(name)) if !telling(name).is_empty() => return Verdict::Rejected(other()),
            (_, Role::Part(_)) if is_first(&place.value) => return Verdict::Doubtful(Reason::Unnamed),
            (_, Role::Part(_)) => return Verdict::Site,
            (_, Role::Artefact(_)) if named => return Verdict::Doubtful(Reason::Artefact),
            (_, Role::Artefact(_)) => return Verdict::Rejected(other()),
            (FileKind::Docs, Role::Source(_)) if named => return Verdict::Doubtful(Reason::Example),
            _ => {}
        }
        let step = self.step(subject, place);
        let says_nothing = telling(place.role.name()).is_empty();
        match (&place.role, step) {
            (_, Step::Followed | Step::Strayed) => Verdict::Site,
            (_, Step::Apart) if named => Verdict::Doubtful(Reason::Apart),
            (_, Step::Apart) => Verdict::Rejected(if says_nothing { Reason::Apart } else { other() }),
            (Role::Whole(_), _) => Verdict::Site,
            _ if named => Verdict::Site,
            (Role::Path(_), _) if is_first(&place.value) => Verdict::Doubtful(Reason::Unnamed),
            (Role::Flag(_) | Role::Image(_), _) if says_nothing => Verdict::Site,
            _ if kind == FileKind::Docs => Verdict::Doubtful(Reason::Example),
            _ if says_nothing => Verdict::Site,
            (Role::Path(_), Step::Together) => Verdict::Site,
            (Role::Image(_), _) if step == Step::Together || self.agrees(subject, place) => Verdict::Site,
            (Role::Path(_) | Role::Image(_), _) => Verdict::Doubtful(Reason::Unnamed),
            (Role::Package(_), _) => Verdict::Rejected(other()),
            (_, Step::Together) => Verdict::Doubtful(Reason::Unnamed),
            _ => Verdict::Rejected(other()),
        }
    }

    /// Whether other places of the same role have the component's version too.
    fn agrees(&self, subject: usize, place: &Occurrence) -> bool {
        let hits = self.evidence.hits.get(&group(place)).and_then(|hits| hits.get(&subject));
        hits.is_some_and(|(files, count)| files.len() > 1 || *count > 2)
    }

    fn is_image_tag(place: &Occurrence) -> bool {
        // `@scope/name` is a package of npm
        place.beside.as_deref().is_some_and(|image| image.contains('/') && !image.starts_with('@'))
    }

    /// About a place that has an older version: it may have been forgotten. `sites` are the roles of those that were not.
    fn about_older(&self, place: &Occurrence, sites: &BTreeSet<(usize, String, &Role)>) -> Option<(usize, Verdict)> {
        if !is_pinning(&place.role) || !is_code(place) {
            return None;
        }
        let subjects = self.evidence.subjects;
        let older = |subject: &usize| place.value < subjects[*subject].version;
        let shared = self.evidence.hits.contains_key(&group(place));
        // what moved with a component says more than whose name it has
        let moved = |subject: &usize| older(subject) && self.step(*subject, place) == Step::Followed;
        let named = self.evidence.owner(place);
        let with = (0..subjects.len()).filter(|_| !shared && !named.is_some_and(|named| moved(&named))).find(moved);
        let owner = with.or(named);
        if let Some(subject) = owner.filter(|subject| !older(subject)) {
            // a bump may lead below it: a person must say what is right
            let followed = matches!(self.step(subject, place), Step::Followed | Step::Together);
            return (shared || followed).then_some((subject, Verdict::Doubtful(Reason::Ahead)));
        }
        if let Some(subject) = owner {
            let named = self.evidence.names(subject, place);
            // what only has the name may be an example of that time, so may an image in the help text of a program
            let is_config = match place.role {
                Role::Image(_) => !is_program(&place.path),
                // and a package may have got its first number from the component, and gone on alone
                Role::Path(_) => !is_manifest(&place.path),
                _ => matches!(place.role, Role::Arg(_) | Role::Env(_) | Role::Whole(_)),
            };
            let verdict = match self.step(subject, place) {
                Step::Followed => Verdict::Site,
                // a package that once went with the component may have a number of its own now; an image has not
                Step::Strayed if !matches!(place.role, Role::Path(_)) || Self::is_image_tag(place) => Verdict::Site,
                Step::Strayed => Verdict::Doubtful(Reason::Apart),
                Step::Together if shared || is_config => Verdict::Site,
                Step::Together => Verdict::Doubtful(Reason::Behind),
                Step::Unknown if shared => Verdict::Site,
                Step::Apart if shared && named && !matches!(place.role, Role::Path(_)) => Verdict::Site,
                Step::Apart => Verdict::Doubtful(Reason::Apart),
                Step::Unknown => Verdict::Doubtful(Reason::Behind),
            };
            return Some((subject, verdict));
        }
        let generic = telling(place.role.name()).is_empty() || matches!(place.role, Role::Path(_));
        (0..subjects.len()).filter(|_| generic).filter(older).find_map(|subject| {
            let kin = || sites.contains(&(subject, base(&place.path).to_owned(), &place.role));
            match self.step(subject, place) {
                Step::Followed => Some((subject, Verdict::Site)),
                Step::Together if kin() => Some((subject, Verdict::Site)),
                Step::Together => Some((subject, Verdict::Doubtful(Reason::Behind))),
                Step::Strayed => Some((subject, Verdict::Doubtful(Reason::Apart))),
                Step::Apart | Step::Unknown => None,
            }
        })
    }
}
