//! The other side: which remote, fetching from it, pushing to it under a lease.

use std::cell::RefCell;
use std::time::Duration;

use git2::{CredentialType, ErrorClass, ErrorCode, Oid};
use secrecy::{ExposeSecret, SecretString};

use super::{Commit, Repository, failed};
use crate::config::RepositoryName;
use crate::error::{Error, Result};

/// A remote of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name in git's configuration.
    pub name: String,
    url: String,
}

/// What may be shown to a server. The token goes to `host` alone.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// The token, if there is one.
    pub token: Option<SecretString>,
    /// Host (with port, if any) that the token belongs to.
    pub host: String,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// The branch is where it should be.
    Done,
    /// Somebody moved the branch first.
    LeaseLost,
    /// The server refused, with this message.
    Rejected(String),
}

impl Remote {
    /// The remote-tracking reference of `branch`.
    pub fn tracking(&self, branch: &str) -> String {
        format!("refs/remotes/{}/{branch}", self.name)
    }

    /// The URL without credentials.
    pub fn url(&self) -> String {
        match (self.url.find("://"), self.url.rfind('@')) {
            (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &self.url[..scheme + 3], &self.url[at + 1..]),
            _ => self.url.clone(),
        }
    }

    /// `owner/name`, the last two parts of the URL's path, where it has a host.
    pub fn repository(&self) -> Option<RepositoryName> {
        self.host()?;
        let path = self.url.trim_end_matches('/').trim_end_matches(".git");
        let mut parts = path.rsplit(['/', ':']);
        let (name, owner) = (parts.next()?, parts.next()?);
        format!("{owner}/{name}").parse().ok()
    }

    /// Host and port; `None` for a path.
    pub fn host(&self) -> Option<&str> {
        let rest = match self.url.split_once("://") {
            Some(("file", _)) => return None,
            Some((_, rest)) => rest.split('/').next()?,
            // scp's form, `git@host:path`
            None => self.url.split_once(':').map(|(host, _)| host).filter(|host| !host.contains('/'))?,
        };
        Some(rest.rsplit('@').next().unwrap_or(rest))
    }
}

impl Repository {
    /// The remote whose URL names `wanted`, else `origin`, else none.
    pub fn remote_for(&self, wanted: Option<&RepositoryName>) -> Result<Option<Remote>> {
        let names = self.inner.remotes().map_err(|error| failed("cannot read the remotes", error))?;
        let remotes = names.iter().flatten().flatten().filter_map(|name| {
            let remote = self.inner.find_remote(name).ok()?;
            Some(Remote { name: name.to_owned(), url: remote.url().ok()?.to_owned() })
        });
        let remotes: Vec<Remote> = remotes.collect();
        let is_wanted = |remote: &&Remote| match (remote.repository(), wanted) {
            (Some(a), Some(b)) => a.to_string().eq_ignore_ascii_case(&b.to_string()),
            _ => false,
        };
        let chosen = remotes.iter().find(is_wanted).or_else(|| remotes.iter().find(|remote| remote.name == "origin"));
        Ok(chosen.cloned())
    }

    /// Brings the remote-tracking references of `branches` up to date; one that the remote does not have is removed here
    /// too. `limit` bounds the wait for the server.
    pub fn fetch(&self, remote: &Remote, branches: &[&str], auth: &Auth, limit: Duration) -> Result<()> {
        limit_waiting(limit)?;
        let fetch = || -> Result<(), git2::Error> {
            let mut git_remote = self.inner.find_remote(&remote.name)?;
            let connection = git_remote.connect_auth(git2::Direction::Fetch, Some(callbacks(auth)), Some(proxy()))?;
            let heads = connection.list()?.iter().map(|head| head.name().to_owned()).collect::<Vec<_>>();
            drop(connection);
            let (there, gone): (Vec<&str>, Vec<&str>) =
                branches.iter().partition(|branch| heads.contains(&format!("refs/heads/{branch}")));
            for branch in gone {
                if let Ok(mut stale) = self.inner.find_reference(&remote.tracking(branch)) {
                    stale.delete()?;
                }
            }
            let specs = there.iter().map(|branch| format!("+refs/heads/{branch}:{}", remote.tracking(branch)));
            let specs: Vec<String> = specs.collect();
            let mut options = git2::FetchOptions::new();
            options.remote_callbacks(callbacks(auth)).proxy_options(proxy()).download_tags(git2::AutotagOption::None);
            git_remote.fetch(&specs, Some(&mut options), None)
        };
        fetch().map_err(|error| explain(format!("cannot fetch from {}", remote.url()), error))
    }

    /// Makes `branch` of `remote` point at `commit`, if it is still at `expected` (`None`: if it does not exist).
    pub fn push(
        &self,
        remote: &Remote,
        branch: &str,
        commit: Commit,
        expected: Option<Commit>,
        auth: &Auth,
    ) -> Result<PushOutcome> {
        let target = format!("refs/heads/{branch}");
        // libgit2 pushes references only; this one is ours, and one left behind by a killed run is simply replaced
        let temporary = format!("refs/gs-release/push/{branch}");
        let rejected = RefCell::new(None);
        let lost = RefCell::new(false);
        let push = || -> Result<(), git2::Error> {
            self.inner.reference(&temporary, commit.id, true, "gs-release push")?;
            let mut callbacks = callbacks(auth);
            callbacks.push_update_reference(|_, status| {
                *rejected.borrow_mut() = status.map(str::to_owned);
                Ok(())
            });
            callbacks.push_negotiation(|updates| {
                let observed = expected.map_or(Oid::ZERO_SHA1, |old| old.id);
                let moved = updates.iter().any(|update| update.src() != observed);
                *lost.borrow_mut() = moved;
                if moved { Err(git2::Error::from_str("the branch has moved")) } else { Ok(()) }
            });
            let mut options = git2::PushOptions::new();
            options.remote_callbacks(callbacks).proxy_options(proxy());
            let mut git_remote = self.inner.find_remote(&remote.name)?;
            git_remote.push(&[format!("+{temporary}:{target}")], Some(&mut options))
        };
        let pushed = push();
        if let Ok(mut reference) = self.inner.find_reference(&temporary) {
            reference.delete().map_err(|error| failed(format!("cannot remove {temporary}"), error))?;
        }
        if lost.into_inner() {
            return Ok(PushOutcome::LeaseLost);
        }
        pushed.map_err(|error| explain(format!("cannot push to {}", remote.url()), error))?;
        match rejected.into_inner() {
            Some(message) => Ok(PushOutcome::Rejected(message)),
            None => {
                let tracked = self.inner.reference(&remote.tracking(branch), commit.id, true, "gs-release push");
                tracked.map_err(|error| failed("cannot note what was pushed", error))?;
                Ok(PushOutcome::Done)
            }
        }
    }
}

/// Sets libgit2's limits for connecting and for each answer; they are global to the process.
#[allow(unsafe_code, reason = "libgit2 offers these limits only as process-wide options")]
fn limit_waiting(limit: Duration) -> Result<()> {
    let milliseconds = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the options are plain integers, written here while no other thread of the process talks to a server
    let limits = unsafe {
        git2::opts::set_server_connect_timeout_in_milliseconds(milliseconds)
            .and_then(|()| git2::opts::set_server_timeout_in_milliseconds(milliseconds))
    };
    limits.map_err(|error| failed("cannot limit the time of a fetch", error))
}

fn proxy() -> git2::ProxyOptions<'static> {
    let mut proxy = git2::ProxyOptions::new();
    proxy.auto();
    proxy
}

/// Credentials: the token for its own host, git's helpers for any other, the agent for ssh; each is tried once.
fn callbacks(auth: &Auth) -> git2::RemoteCallbacks<'_> {
    let mut tried = false;
    let mut callbacks = git2::RemoteCallbacks::new();
    callbacks.credentials(move |url, user, allowed| {
        if std::mem::replace(&mut tried, true) {
            return Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Http, "the server refused the credentials"));
        }
        if allowed.contains(CredentialType::SSH_KEY) {
            return git2::Cred::ssh_key_from_agent(user.unwrap_or("git"));
        }
        let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        match &auth.token {
            Some(token) if host.eq_ignore_ascii_case(&auth.host) => {
                git2::Cred::userpass_plaintext("x-access-token", token.expose_secret())
            }
            _ => git2::Cred::credential_helper(&git2::Config::open_default()?, url, user),
        }
    });
    callbacks
}

fn explain(what: String, error: git2::Error) -> Error {
    let hint = match error.code() {
        ErrorCode::Auth => "set GITHUB_TOKEN to a token that may read and write this repository's contents",
        _ => "check the remote's URL and the network",
    };
    Error::remote(format!("{what}: {}", error.message())).because(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_recognised_however_its_url_is_written() {
        for (url, repository, host) in [
            ("https://github.com/alibaba/GraphScope.git", Some("alibaba/GraphScope"), Some("github.com")),
            ("https://x:secret@github.com/alibaba/GraphScope", Some("alibaba/GraphScope"), Some("github.com")),
            ("git@github.com:alibaba/GraphScope.git", Some("alibaba/GraphScope"), Some("github.com")),
            ("ssh://git@github.com:22/alibaba/GraphScope", Some("alibaba/GraphScope"), Some("github.com:22")),
            ("/srv/git/alibaba/GraphScope", None, None),
            ("file:///srv/git/alibaba/GraphScope", None, None),
        ] {
            let remote = Remote { name: "origin".into(), url: url.into() };
            assert_eq!(remote.repository().map(|r| r.to_string()).as_deref(), repository, "{url}");
            assert_eq!(remote.host(), host, "{url}");
            assert!(!remote.url().contains("secret"));
        }
    }
}
