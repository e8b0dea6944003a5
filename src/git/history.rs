//! Commits as they lie on a branch, for judging whose work is there.

use std::collections::{BTreeSet, VecDeque};

use git2::{ErrorCode, Oid};

use super::shallow::written_parents;
use super::{Commit, Repository, failed};
use crate::error::Result;

/// What is known of a commit for judging whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The commit.
    pub commit: Commit,
    /// The parents that it was made with, also where a shallow clone does not have them.
    pub parents: Vec<Oid>,
    /// Its message.
    pub message: String,
    /// It merges a commit of the base branch, and holds exactly what that merge gives by itself: nobody's work.
    pub clean_merge: bool,
}

impl Repository {
    /// Commits that `tip` has and `base` has not, a child before its parents; what lies behind one that `is_end` knows is
    /// not looked at, so that a shallow clone need not have it. The first one is `tip`.
    pub fn history(&self, base: Oid, tip: Oid, is_end: impl Fn(&History) -> bool) -> Result<Vec<History>> {
        let cannot = |error| failed("cannot read the branch's history", error);
        let base = Ancestry::new(&self.inner, base);
        let mut commits = Vec::new();
        let mut seen = BTreeSet::new();
        let mut queue = VecDeque::from([tip]);
        while let Some(id) = queue.pop_front() {
            if !seen.insert(id) || base.holds(id).map_err(cannot)? {
                continue;
            }
            let commit = match self.inner.find_commit(id) {
                Ok(commit) => commit,
                // beyond the end of a shallow clone; the child that is known was judged
                Err(error) if error.code() == ErrorCode::NotFound && self.inner.is_shallow() => continue,
                Err(error) => return Err(cannot(error)),
            };
            let parents = written_parents(&commit);
            let entry = History {
                commit: Commit { id, tree: commit.tree_id() },
                clean_merge: self.is_clean_merge(&commit, &parents, &base).map_err(cannot)?,
                parents,
                message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
            };
            if !is_end(&entry) {
                queue.extend(&entry.parents);
            }
            commits.push(entry);
        }
        Ok(commits)
    }

    /// A merge with conflicts, or of a history that this clone does not have, is not.
    fn is_clean_merge(
        &self,
        merge: &git2::Commit<'_>,
        parents: &[Oid],
        base: &Ancestry<'_>,
    ) -> Result<bool, git2::Error> {
        let [ours, theirs] = *parents else { return Ok(false) };
        if !base.holds(theirs)? || self.inner.merge_base(ours, theirs).is_err() {
            return Ok(false);
        }
        let (ours, theirs) = (self.inner.find_commit(ours)?, self.inner.find_commit(theirs)?);
        let mut index = self.inner.merge_commits(&ours, &theirs, None)?;
        Ok(!index.has_conflicts() && index.write_tree_to(&self.inner)? == merge.tree_id())
    }
}

/// The base branch's history, as far as this clone has it.
struct Ancestry<'r> {
    repository: &'r git2::Repository,
    tip: Oid,
    /// All of it, where the clone is shallow: a fetch may have brought commits from beyond its end, which libgit2 does
    /// not connect.
    shallow: Option<BTreeSet<Oid>>,
}

impl<'r> Ancestry<'r> {
    fn new(repository: &'r git2::Repository, tip: Oid) -> Self {
        let shallow = repository.is_shallow().then(|| {
            let mut all = BTreeSet::new();
            let mut queue = vec![tip];
            while let Some(id) = queue.pop() {
                if all.insert(id)
                    && let Ok(commit) = repository.find_commit(id)
                {
                    queue.extend(written_parents(&commit));
                }
            }
            all
        });
        Ancestry { repository, tip, shallow }
    }

    fn holds(&self, id: Oid) -> Result<bool, git2::Error> {
        match &self.shallow {
            Some(all) => Ok(all.contains(&id)),
            None => Ok(id == self.tip || self.repository.graph_descendant_of(self.tip, id)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;
    use super::*;

    /// The commits of `base..tip`, behind none of `ends`, each with whether it is a clean merge.
    fn listed(repository: &Repository, base: Commit, tip: Commit, ends: &[Commit]) -> Vec<(Commit, bool)> {
        let is_end = |commit: &History| ends.contains(&commit.commit);
        let history = repository.history(base.id, tip.id, is_end).unwrap();
        history.into_iter().map(|commit| (commit.commit, commit.clean_merge)).collect()
    }

    #[test]
    fn what_the_base_has_and_what_lies_behind_an_end_is_not_listed() {
        let (_directory, repository) = empty();
        let file = |content| [("V", 0o100644, content)];
        let old = repository.grow(&[], &file("1"));
        let base = repository.grow(&[old], &file("2"));
        let bot = repository.grow(&[old], &file("3"));
        let person = repository.grow(&[bot], &file("4"));
        assert_eq!(listed(&repository, base, base, &[]), []);
        assert_eq!(listed(&repository, base, person, &[]), [(person, false), (bot, false)]);
        assert_eq!(listed(&repository, base, person, &[person]), [(person, false)]);
    }

    #[test]
    fn only_a_merge_of_the_base_that_adds_nothing_is_clean() {
        let (_directory, repository) = empty();
        let old = repository.grow(&[], &[("V", 0o100644, "1"), ("other", 0o100644, "1")]);
        let base = repository.grow(&[old], &[("V", 0o100644, "1"), ("other", 0o100644, "2")]);
        let bot = repository.grow(&[old], &[("V", 0o100644, "2"), ("other", 0o100644, "1")]);
        let both = [("V", 0o100644, "2"), ("other", 0o100644, "2")];
        let clean = repository.grow(&[bot, base], &both);
        assert_eq!(listed(&repository, base, clean, &[bot]), [(clean, true), (bot, false)]);
        let edited = repository.grow(&[bot, base], &[("V", 0o100644, "2"), ("other", 0o100644, "3")]);
        assert_eq!(listed(&repository, base, edited, &[bot]), [(edited, false), (bot, false)]);
        let ours = repository.wrap(&[bot, base], bot.tree);
        assert_eq!(listed(&repository, base, ours, &[bot]), [(ours, false), (bot, false)]);
        let person = repository.grow(&[old], &[("V", 0o100644, "1"), ("other", 0o100644, "4")]);
        let foreign = repository.grow(&[bot, person], &[("V", 0o100644, "2"), ("other", 0o100644, "4")]);
        let expected = [(foreign, false), (bot, false), (person, false)];
        assert_eq!(listed(&repository, base, foreign, &[bot]), expected);
    }

    #[test]
    fn parents_are_known_where_a_shallow_history_ends() {
        let (directory, repository) = empty();
        let file = |content| [("V", 0o100644, content)];
        let old = repository.grow(&[], &file("1"));
        let base = repository.grow(&[old], &file("2"));
        let bot = repository.grow(&[old], &file("3"));
        std::fs::write(directory.path().join(".git/shallow"), format!("{}\n{}\n", base.id, bot.id)).unwrap();
        // libgit2 keeps the commits that it has read
        let repository = Repository::open(directory.path()).unwrap();
        assert!(repository.inner.is_shallow());
        assert_eq!(listed(&repository, base, old, &[]), [], "the base's parent was fetched with another branch");
        let lost = old.id.to_string();
        std::fs::remove_file(directory.path().join(".git/objects").join(&lost[..2]).join(&lost[2..])).unwrap();
        let history = repository.history(base.id, bot.id, |_| false).unwrap();
        let expected = History { commit: bot, parents: vec![old.id], message: "x".into(), clean_merge: false };
        assert_eq!(history, [expected]);
    }

    #[test]
    fn a_merge_with_conflicts_is_somebodys_work() {
        let (_directory, repository) = empty();
        let old = repository.grow(&[], &[("V", 0o100644, "1")]);
        let base = repository.grow(&[old], &[("V", 0o100644, "2")]);
        let bot = repository.grow(&[old], &[("V", 0o100644, "3")]);
        let merge = repository.wrap(&[bot, base], bot.tree);
        assert_eq!(listed(&repository, base, merge, &[bot]), [(merge, false), (bot, false)]);
    }
}
