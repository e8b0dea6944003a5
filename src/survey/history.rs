//! What the places of some files read at earlier commits: whether a place moved when its component did.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::role::Role;
use super::scan;
use crate::error::Result;
use crate::git::{Commit, Repository, Scanned};
use crate::version::Version;

/// How many commits are looked at: some years of a busy project.
const MOST_COMMITS: usize = 2500;
/// Of a file that changes all the time, so many contents tell enough.
const MOST_CONTENTS: usize = 150;
/// A bump may come in several commits, before or after that of the place.
const NEAR: usize = 12;

/// One role in one file: what is followed through the commits.
pub type Thread = (String, Role);

/// What a role in a file read, and during which commits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    /// Commits back from the newest: the last one and the first one.
    steps: (usize, usize),
    values: BTreeSet<Version>,
}

/// The past of some files.
#[derive(Debug, Default)]
pub struct History {
    threads: HashMap<Thread, Vec<Span>>,
}

/// How a place came to read what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It read the component's version before, and moved with it.
    Followed,
    /// It was written when the component had that version.
    Together,
    /// It moved with the component before, but what it reads now was written when the component had another version.
    Strayed,
    /// It was written when the component had another version.
    Apart,
    /// The history does not tell.
    Unknown,
}

impl History {
    /// Reads the past of the files at `paths`, from `newest` back.
    ///
    /// # Errors
    /// Usage, where the repository cannot be read.
    pub fn read(repository: &Repository, newest: Commit, paths: &[&str]) -> Result<Self> {
        let (past, steps) = repository.past(newest, paths, MOST_COMMITS)?;
        let mut spans = Vec::new();
        let mut files = Vec::new();
        for contents in past {
            for (index, content) in contents.iter().take(MOST_CONTENTS).enumerate() {
                let end = contents.get(index + 1).map_or(steps, |older| older.step);
                if let Some(file) = &content.file {
                    spans.push((content.step, end - 1));
                    files.push(file.clone());
                }
            }
        }
        let values = repository.scan(
            &files,
            |_| scan::LARGEST,
            |file, bytes| {
                let mut values: BTreeMap<Role, BTreeSet<Version>> = BTreeMap::new();
                for occurrence in scan::read(&file.path, bytes) {
                    values.entry(occurrence.role).or_default().insert(occurrence.value);
                }
                values
            },
        )?;
        let mut history = History::default();
        for ((steps, file), values) in spans.into_iter().zip(&files).zip(values) {
            let Scanned::Read(values) = values else { continue };
            for (role, values) in values {
                history.add((file.path.clone(), role), Span { steps, values });
            }
        }
        Ok(history)
    }

    fn add(&mut self, thread: Thread, span: Span) {
        let spans = self.threads.entry(thread).or_default();
        match spans.last_mut() {
            Some(last) if last.values == span.values && last.steps.1 + 1 == span.steps.0 => last.steps.1 = span.steps.1,
            _ => spans.push(span),
        }
    }

    /// How `thread` came to read `value`, held against what surely is the component's: the first of the sets of `leaders`
    /// that has another thread at that time.
    pub fn step(&self, thread: &Thread, value: &Version, leaders: &[Vec<Thread>]) -> Step {
        let Some(spans) = self.threads.get(thread) else { return Step::Unknown };
        let Some(first) = spans.iter().position(|span| span.values.contains(value)) else { return Step::Unknown };
        let (written, mut at) = Self::written(spans, first, value);
        let led = |set: &&Vec<Thread>| set.iter().any(|l| l != thread && self.is_there(l, written));
        let set = leaders.iter().find(|set| led(set) || set.contains(thread));
        let Some(leaders) = set.filter(led) else { return Step::Unknown };
        let others = || leaders.iter().filter(|leader| *leader != thread);
        let had = |value: &Version, step: usize| others().any(|leader| self.reads_near(leader, value, step));
        // an earlier value that was the component's when it was written: the place has moved with it before
        let mut followed = false;
        while let Some(older) = spans.get(at).filter(|_| !followed) {
            let was = older.values.iter().find(|old| *old < value);
            followed = was.is_some_and(|old| had(old, Self::written(spans, at, old).0));
            at += 1;
        }
        match (had(value, written), followed) {
            (true, true) => Step::Followed,
            (true, false) => Step::Together,
            (false, true) => Step::Strayed,
            (false, false) => Step::Apart,
        }
    }

    /// The commit in which `value`, which the span at `first` has, was written, and the index of the span before.
    fn written(spans: &[Span], first: usize, value: &Version) -> (usize, usize) {
        let mut last = first;
        while spans
            .get(last + 1)
            .is_some_and(|older| older.values.contains(value) && older.steps.0 == spans[last].steps.1 + 1)
        {
            last += 1;
        }
        (spans[last].steps.1, last + 1)
    }

    fn reads_near(&self, thread: &Thread, value: &Version, step: usize) -> bool {
        let near = (step.saturating_sub(NEAR), step + NEAR);
        self.spans(thread).any(|span| span.steps.0 <= near.1 && near.0 <= span.steps.1 && span.values.contains(value))
    }

    fn is_there(&self, thread: &Thread, step: usize) -> bool {
        self.spans(thread).any(|span| span.steps.0 <= step && step <= span.steps.1)
    }

    fn spans(&self, thread: &Thread) -> impl Iterator<Item = &Span> {
        self.threads.get(thread).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(path: &str) -> Thread {
        (path.to_owned(), Role::Key("x".into()))
    }

    /// From and to which commit a place reads what.
    type Told<'t> = &'t [(usize, usize, &'t str)];

    fn history(threads: &[(&str, Told<'_>)]) -> History {
        let mut history = History::default();
        for (path, spans) in threads {
            for (from, to, value) in *spans {
                let values = BTreeSet::from([value.parse().unwrap()]);
                history.add(thread(path), Span { steps: (*from, *to), values });
            }
        }
        history
    }

    #[test]
    fn a_place_that_moved_with_its_component_is_told_from_one_that_happens_to_be_equal() {
        let history = history(&[
            ("VERSION", &[(0, 99, "0.31.0"), (100, 199, "0.29.0"), (200, 499, "0.28.0")]),
            ("chart", &[(0, 98, "0.31.0"), (99, 199, "0.29.0")]),
            ("stale", &[(0, 199, "0.29.0"), (200, 300, "0.28.0")]),
            ("late", &[(0, 50, "0.30.0"), (51, 199, "0.29.0")]),
            ("new", &[(0, 150, "0.29.0")]),
            ("other", &[(0, 400, "0.31.0")]),
            ("old", &[(0, 999, "0.31.0")]),
        ]);
        let leaders = [vec![thread("VERSION")], vec![thread("other")]];
        let step = |path: &str, value: &str| history.step(&thread(path), &value.parse().unwrap(), &leaders);
        assert_eq!(step("chart", "0.31.0"), Step::Followed);
        assert_eq!(step("stale", "0.29.0"), Step::Followed);
        assert_eq!(step("late", "0.30.0"), Step::Strayed);
        assert_eq!(step("new", "0.29.0"), Step::Together);
        assert_eq!(step("other", "0.31.0"), Step::Apart);
        assert_eq!(step("old", "0.31.0"), Step::Unknown);
        assert_eq!(step("none", "0.31.0"), Step::Unknown);
    }
}
