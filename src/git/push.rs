//! Pushing one branch under a lease: it moves from where it was seen, or not at all.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use git2::{ErrorCode, Oid};

use super::fetch::proxy;
use super::worker::{self, Patience, Pulse};
use super::{Auth, Commit, Remote, Repository, failed, trouble};
use crate::error::{Error, Result};

/// A server may run hooks for a while without a word.
const PATIENCE: Patience = Patience::Silence(Duration::from_secs(120));
/// For the look at what became of a push that failed.
const LOOK: Patience = Patience::Total(Duration::from_secs(30));
/// Of a server's text, in characters.
const MOST_TEXT: usize = 2000;

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushOutcome {
    /// The branch is where it should be.
    Done,
    /// Somebody moved the branch first.
    LeaseLost,
}

/// How the talk with the server ended.
#[derive(Default)]
struct Report {
    /// The branch was not where it should have been before anything was sent.
    moved: bool,
    /// Why the server did not move the branch.
    refusal: Option<String>,
    /// What the server said beside.
    said: Vec<u8>,
    /// The talk broke off.
    broken: Option<git2::Error>,
}

impl Repository {
    /// Makes `branch` of `remote` point at `commit`, if it is still at `expected` (`None`: if it does not exist).
    ///
    /// # Errors
    ///
    /// Remote: the server cannot be reached, or refuses; its own words are in the message.
    pub fn push(
        &self,
        remote: &Remote,
        branch: &str,
        commit: Commit,
        expected: Option<Commit>,
        auth: &Auth,
    ) -> Result<PushOutcome> {
        let update = Update {
            remote: remote.name.clone(),
            branch: format!("refs/heads/{branch}"),
            id: commit.id,
            expected: expected.map_or(Oid::ZERO_SHA1, |old| old.id),
        };
        let own = auth.clone();
        let pushed = worker::run(self.inner.path(), PATIENCE, move |repository, pulse| {
            Ok(update
                .push(repository, own, pulse)
                .unwrap_or_else(|error| Report { broken: Some(error), ..Report::default() }))
        });
        let report = pushed.unwrap_or_else(|error| Report { broken: Some(error), ..Report::default() });
        if report.moved {
            return Ok(PushOutcome::LeaseLost);
        }
        let failure = match (report.broken, report.refusal) {
            (None, None) => {
                return self
                    .track(remote, branch, Some(commit.id))
                    .map(|()| PushOutcome::Done)
                    .map_err(|error| failed("cannot note what was pushed", error));
            }
            (Some(error), _) if error.code() == ErrorCode::Auth => {
                return Err(trouble::explain("push to", remote, auth, error));
            }
            (Some(error), _) => trouble::explain("push to", remote, auth, error),
            (None, Some(reason)) => rejection(remote, branch, &reason, &report.said),
        };
        // The branch may have moved between the server's list and the update, or the update may have been made and its
        // report lost: the server knows.
        let Ok(now) = self.list(remote, auth, LOOK) else { return Err(failure) };
        let now = now.branch(branch);
        if now == Some(commit.id) {
            self.track(remote, branch, now).map_err(|error| failed("cannot note what was pushed", error))?;
            return Ok(PushOutcome::Done);
        }
        match now == expected.map(|old| old.id) {
            true => Err(failure),
            false => Ok(PushOutcome::LeaseLost),
        }
    }
}

/// One update of one branch, in the worker's thread.
struct Update {
    remote: String,
    branch: String,
    id: Oid,
    expected: Oid,
}

impl Update {
    fn push(&self, repository: &git2::Repository, auth: Auth, pulse: &Pulse) -> Result<Report, git2::Error> {
        let report = Rc::new(RefCell::new(Report::default()));
        let mut callbacks = auth.callbacks(repository.path(), pulse.clone());
        let (refusal, lease, said) = (report.clone(), report.clone(), report.clone());
        let (sideband, transfer) = (pulse.clone(), pulse.clone());
        callbacks.push_update_reference(move |_, status| {
            refusal.borrow_mut().refusal = status.map(str::to_owned);
            Ok(())
        });
        let expected = self.expected;
        callbacks.push_negotiation(move |updates| {
            let moved = updates.iter().any(|update| update.src() != expected);
            lease.borrow_mut().moved = moved;
            if moved { Err(git2::Error::from_str("the branch has moved")) } else { Ok(()) }
        });
        callbacks.sideband_progress(move |text| {
            sideband.beat();
            let said = &mut said.borrow_mut().said;
            if said.len() < 4 * MOST_TEXT {
                said.extend_from_slice(text);
            }
            true
        });
        callbacks.push_transfer_progress(move |_, _, _| transfer.beat());
        let mut options = git2::PushOptions::new();
        options.remote_callbacks(callbacks).proxy_options(proxy());
        let pushed =
            repository.find_remote(&self.remote)?.push(&[format!("+{}:{}", self.id, self.branch)], Some(&mut options));
        drop(options);
        let mut report = report.take();
        report.broken = pushed.err().filter(|_| !report.moved && report.refusal.is_none());
        Ok(report)
    }
}

/// The server's refusal with everything that it said.
fn rejection(remote: &Remote, branch: &str, reason: &str, said: &[u8]) -> Error {
    let said = plain(said);
    let hint = trouble::rejection_hint(&format!("{reason}\n{said}"));
    let reason = plain(reason.as_bytes());
    let message = match said.is_empty() {
        true => format!("{} refused branch {branch}: {reason}", remote.url()),
        false => format!("{} refused branch {branch}: {reason}\n{said}", remote.url()),
    };
    Error::remote(message).hint(hint)
}

/// What a server said, without terminal control, empty lines, progress, and the word that every line starts with.
fn plain(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines = text.lines().filter_map(|line| {
        // what a carriage return overwrites is progress
        let line: String =
            line.rsplit('\r').find(|part| !part.is_empty())?.chars().filter(|c| !c.is_control()).collect();
        let line = line.trim().trim_start_matches("error: ").trim();
        (!line.is_empty()).then(|| line.to_owned())
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_text_is_shown_without_its_wrapping() {
        let said =
            b"Resolving deltas:  50%\rResolving deltas: 100%, done.\nerror: GH006: Protected branch update failed\n\n\
            \x1b[31merror: At least 1 approving review is required.\x1b[0m\n";
        assert_eq!(
            plain(said),
            "Resolving deltas: 100%, done.\nGH006: Protected branch update failed\n\
             [31merror: At least 1 approving review is required.[0m"
        );
        assert_eq!(plain("é".repeat(5000).as_bytes()).chars().count(), MOST_TEXT + 3);
    }
}
