//! Fetching: what the remote has, and the remote-tracking references of a few branches.

use std::collections::BTreeMap;

use git2::{ErrorCode, Oid};

pub use super::worker::Patience;
use super::worker::{self, Pulse};
use super::{Auth, Remote, Repository, failed, lock, shallow, trouble};
use crate::error::{Error, Result};

/// How many commits of a branch a shallow clone asks for: the bot's own, and a few of people.
const SHALLOW_DEPTH: i32 = 8;

/// The branches of a remote, as it told them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advertised {
    branches: BTreeMap<String, Oid>,
}

impl Advertised {
    /// The commit that `branch` points at, if the remote has it.
    pub fn branch(&self, branch: &str) -> Option<Oid> {
        self.branches.get(branch).copied()
    }

    /// Makes sure that the remote has `branch`.
    ///
    /// # Errors
    ///
    /// Usage, naming the nearest branches there are.
    pub fn require(&self, branch: &str) -> Result<()> {
        if self.branches.contains_key(branch) {
            return Ok(());
        }
        let mut near: Vec<&str> = self.branches.keys().map(String::as_str).collect();
        near.sort_by(|a, b| strsim::jaro_winkler(branch, b).total_cmp(&strsim::jaro_winkler(branch, a)));
        let error = Error::usage(format!("the remote has no branch `{branch}`"));
        Err(match near.is_empty() {
            true => error.hint("the remote has no branch at all; push one first"),
            false => error
                .hint(format!("it has {}", near[..near.len().min(3)].join(", ")))
                .hint("name the base branch with `base:` in release.yaml"),
        })
    }
}

impl Repository {
    /// Brings the remote-tracking references of `branches` up to date; one that the remote does not have is removed here
    /// too. Nothing else is fetched. A shallow clone stays shallow.
    ///
    /// # Errors
    ///
    /// Remote, when the server cannot be reached while `patience` lasts, or refuses.
    pub fn fetch(&self, remote: &Remote, branches: &[&str], auth: &Auth, patience: Patience) -> Result<Advertised> {
        let talk = Talk { remote: remote.clone(), auth: auth.clone() };
        let wanted: Vec<String> = branches.iter().map(|branch| (*branch).to_owned()).collect();
        let fetched =
            worker::run(self.inner.path(), patience, move |repository, pulse| talk.fetch(repository, &wanted, pulse));
        let advertised = fetched.map_err(|error| trouble::explain("fetch from", remote, auth, error))?;
        for branch in branches {
            self.track(remote, branch, advertised.branch(branch))
                .map_err(|error| failed(format!("cannot note where {branch} of {} is", remote.url()), error))?;
        }
        Ok(advertised)
    }

    /// What the remote has now. No reference moves.
    pub(super) fn list(&self, remote: &Remote, auth: &Auth, patience: Patience) -> Result<Advertised, git2::Error> {
        let talk = Talk { remote: remote.clone(), auth: auth.clone() };
        worker::run(self.inner.path(), patience, move |repository, pulse| talk.fetch(repository, &[], pulse))
    }

    /// Notes that `branch` of `remote` is at `id`, or is gone. Another process that is noting it is waited for.
    pub(super) fn track(&self, remote: &Remote, branch: &str, id: Option<Oid>) -> Result<(), git2::Error> {
        let name = remote.tracking(branch);
        lock::wait(lock::LIMIT, || match (id, self.inner.find_reference(&name)) {
            (Some(id), Ok(known)) if known.target() == Some(id) => Ok(()),
            (Some(id), _) => self.inner.reference(&name, id, true, "gs-release fetch").map(drop),
            (None, Ok(mut stale)) => stale.delete(),
            (None, Err(error)) if error.code() == ErrorCode::NotFound => Ok(()),
            (None, Err(error)) => Err(error),
        })
    }
}

/// One talk with a server, in the worker's thread.
struct Talk {
    remote: Remote,
    auth: Auth,
}

impl Talk {
    /// Asks what the remote has, and downloads what `wanted` names.
    fn fetch(
        &self,
        repository: &git2::Repository,
        wanted: &[String],
        pulse: &Pulse,
    ) -> Result<Advertised, git2::Error> {
        let shallow = repository.is_shallow();
        let mut remote = repository.find_remote(&self.remote.name)?;
        let callbacks = self.auth.clone().callbacks(repository.path(), pulse.clone());
        let mut connection = remote.connect_auth(git2::Direction::Fetch, Some(callbacks), Some(proxy()))?;
        pulse.beat();
        let heads = connection.list()?.iter();
        let heads = heads.filter_map(|head| Some((head.name().strip_prefix("refs/heads/")?.to_owned(), head.oid())));
        let advertised = Advertised { branches: heads.collect() };
        let is_missing = |branch: &&String| {
            advertised.branch(branch).is_some_and(|id| match shallow {
                // a killed fetch may have left the commit without the note of where its history ends
                true => repository.refname_to_id(&self.remote.tracking(branch)).ok() != Some(id),
                false => repository.find_commit(id).is_err(),
            })
        };
        let missing: Vec<&String> = wanted.iter().filter(is_missing).collect();
        // an empty list of refspecs would fetch everything
        if missing.is_empty() {
            return Ok(advertised);
        }
        let specs: Vec<String> =
            missing.iter().map(|branch| format!("+refs/heads/{branch}:{}", self.remote.tracking(branch))).collect();
        let roots = shallow::roots(repository);
        connection.remote().download(&specs, Some(&mut self.options(repository, pulse, shallow)?))?;
        if shallow {
            shallow::keep_history(repository, &roots);
        }
        Ok(advertised)
    }

    fn options(
        &self,
        repository: &git2::Repository,
        pulse: &Pulse,
        shallow: bool,
    ) -> Result<git2::FetchOptions<'static>, git2::Error> {
        let mut callbacks = self.auth.clone().callbacks(repository.path(), pulse.clone());
        let (progress, sideband) = (pulse.clone(), pulse.clone());
        callbacks.transfer_progress(move |_| {
            progress.beat();
            true
        });
        callbacks.sideband_progress(move |_| {
            sideband.beat();
            true
        });
        let mut options = git2::FetchOptions::new();
        options.remote_callbacks(callbacks).proxy_options(proxy()).download_tags(git2::AutotagOption::None);
        if shallow {
            options.depth(SHALLOW_DEPTH);
        }
        Ok(options)
    }
}

/// The proxy that git's configuration or the environment names.
pub(super) fn proxy() -> git2::ProxyOptions<'static> {
    let mut proxy = git2::ProxyOptions::new();
    proxy.auto();
    proxy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_branch_that_the_remote_lacks_is_an_error_that_names_the_nearest() {
        let named = |names: &[&str]| {
            let branches = names.iter().map(|name| ((*name).to_owned(), Oid::ZERO_SHA1)).collect();
            Advertised { branches }
        };
        assert!(named(&["main"]).require("main").is_ok());
        let error = named(&["docs", "master", "release-0.31", "v2", "main"]).require("mian").unwrap_err();
        assert_eq!((error.kind.exit_code(), error.message.as_str()), (2, "the remote has no branch `mian`"));
        assert!(error.hints[0].starts_with("it has main, "), "{:?}", error.hints);
        assert!(named(&[]).require("main").unwrap_err().hints[0].contains("no branch at all"));
    }
}
