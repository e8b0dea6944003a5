//! GitHub: what it says has been done, and the calls that do more.
//!
//! [`GitHub::connect`] finds out who is asking; a [`Repository`] offers what the bot needs of one repository:
//! releases, pull requests, workflow runs, refs and commits, and the preflight of the token. Each call either gives what was asked
//! for or an [`Error`] with the server's own words. Calls that are the same twice as once are retried; one that
//! is not (opening a pull request, commenting) is made again only after looking whether it took effect.
//!
//! Nothing here decides what should be done, reads the environment, or prints. octocrab is used nowhere else.

mod auth;
mod call;
mod client;
mod comments;
mod commits;
mod connection;
mod ensure;
mod failure;
mod installation;
mod jobs;
mod marker;
mod notes;
mod preflight;
mod pulls;
mod releases;
mod retry;
mod rights;
mod runs;
mod settings;
mod statuses;
mod triage;

use secrecy::SecretString;

use crate::config::RepositoryName;
use crate::error::{Error, Result};
use crate::git::{Auth, Remote, origin};
use auth::Actor;
use call::{Call, encode};
use client::Client;

pub use commits::{BranchMove, FileChange, NewCommit, Written};
pub use ensure::{Action, Ensured, SetUp, Wanted, is_set_up, says};
pub use jobs::{FailedJob, QueuedJob};
pub use marker::Marker;
pub use notes::{between, defused};
pub use preflight::{Answer, Check, Needs, Preflight};
pub use pulls::{NewPullRequest, PullRequest, State};
pub use releases::UpstreamVersion;
pub use rights::Rights;
pub use runs::{Dispatched, Run, RunState};
pub use settings::{Credentials, Limits, Settings, api_url_of};
pub use statuses::{Status, StatusState};

/// A GitHub server and who is asking.
#[derive(Debug, Clone)]
pub struct GitHub {
    client: Client,
    actor: Actor,
    server_url: String,
}

impl GitHub {
    /// Sets up a client for work on `home`. A token is taken as it is, without a call; a GitHub App is asked for its
    /// installation on `home`, whose tokens reach that repository alone (and whatever is public), with no more than
    /// `rights`. They are renewed before they run out.
    ///
    /// Must be called within a tokio runtime, and the client used in the same one.
    ///
    /// # Errors
    /// Usage for a private key that is none; remote if the App is not installed there or GitHub cannot be reached.
    pub async fn connect(settings: &Settings, home: &RepositoryName, rights: &Rights) -> Result<Self> {
        let (client, actor) = auth::sign_in(settings, home, rights).await?;
        Ok(GitHub { client, actor, server_url: settings.server_url.clone() })
    }

    /// A handle for one repository. No call is made.
    pub fn repository(&self, name: &RepositoryName) -> Repository {
        let path = format!("/repos/{}/{}", encode(&name.owner), encode(&name.name));
        Repository { client: self.client.clone(), name: name.clone(), path }
    }

    /// What git may show to `remote`: the token, for this server's own address alone (scheme, host and port). That of an App
    /// lasts ten minutes at least: ask again for each piece of work.
    ///
    /// # Errors
    /// Remote, if an App gets none.
    pub async fn auth_for(&self, remote: &Remote) -> Result<Auth> {
        Ok(Auth { token: self.token_for(&remote.url()).await?, server: self.server_url.clone() })
    }

    /// The token that git may use for the URL `remote`, if it may use one.
    ///
    /// # Errors
    /// As [`GitHub::auth_for`].
    pub async fn token_for(&self, remote: &str) -> Result<Option<SecretString>> {
        match origin::same(&self.server_url, remote) && origin::keeps_secrets(remote) {
            true => Ok(self.client.token().await?),
            false => Ok(None),
        }
    }
}

/// One repository on the server.
#[derive(Debug, Clone)]
pub struct Repository {
    client: Client,
    name: RepositoryName,
    /// `/repos/owner/name`.
    path: String,
}

impl Repository {
    /// Its name.
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// Path of something below the repository; `rest` is encoded already.
    fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path)
    }

    /// GitHub answers 404 for a missing thing and for an invisible repository alike: this tells them apart.
    async fn ensure_visible(&self) -> Result<()> {
        let call = Call::get(format!("look at {}", self.name), &*self.path);
        self.client.send(&call).await.map(drop).map_err(Error::from)
    }
}
