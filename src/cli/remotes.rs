//! The remotes of a command that works on bump branches: which they are, what is shown to them, and what they have.

use std::time::Duration;

use super::Global;
use crate::config::{Component, Config, RepositoryName};
use crate::error::{Error, Result};
use crate::git::{Auth, Patience, Remote, Repository, origin};
use crate::github::{Credentials, GitHub, Rights, Settings};
use crate::pypi;
use crate::report;
use crate::version::Version;

/// How long a command that publishes nothing waits for the remote before it uses what is known here.
pub const IMPATIENT: Patience = Patience::Total(Duration::from_secs(2));
/// How long everything else waits for each sign of life of the remote.
pub const PATIENT: Patience = Patience::Silence(Duration::from_secs(60));

/// The refusal to go on without a token where nobody can be asked for one.
pub fn no_token() -> Error {
    let way = match report::step::is_in_actions() {
        true => "pass one in the step's environment: GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}",
        false => "set GITHUB_TOKEN (or GH_TOKEN) to a token that may write contents and pull requests",
    };
    Error::remote("there is no token to look at pull requests, push branches and open pull requests with")
        .hint(way)
        .hint("a GitHub App (GS_RELEASE_APP_ID, GS_RELEASE_APP_PRIVATE_KEY) also starts the pull request's checks")
}

/// What is shown to `remote`, which is only read. An App that gets no token while `patience` lasts is warned about: what is
/// public can be read without.
pub async fn reading(settings: &Settings, remote: &Remote, patience: Patience) -> Auth {
    let server = settings.server_url.clone();
    let token = match (&settings.credentials, remote.repository()) {
        (Some(Credentials::Token(token)), _) => Some(token.clone()),
        (Some(Credentials::App { .. }), Some(name)) if origin::same(&server, &remote.url()) => {
            let token =
                async { GitHub::connect(settings, &name, &Rights::look()).await?.token_for(&remote.url()).await };
            let token = match patience {
                Patience::Silence(_) => token.await,
                Patience::Total(limit) => tokio::time::timeout(limit, token).await.unwrap_or_else(|_| {
                    Err(Error::remote(format!("{} gave the App no token in time", settings.api_url)))
                }),
            };
            token.unwrap_or_else(|error| {
                report::warn(&error.to_string());
                None
            })
        }
        _ => None,
    };
    Auth { token, server }
}

/// The remote of the fork that the bump branch is pushed to.
///
/// # Errors
/// Usage: this clone has no such remote.
pub fn fork_remote(repository: &Repository, fork: &RepositoryName, settings: &Settings) -> Result<Remote> {
    let found = repository.remote_for(Some(fork), &settings.server_url)?;
    let is_fork =
        |remote: &Remote| remote.repository().is_some_and(|r| r.to_string().eq_ignore_ascii_case(&fork.to_string()));
    found.filter(is_fork).ok_or_else(|| {
        Error::usage(format!("`push-to:` names {fork}, but no remote of this clone is that"))
            .hint(format!("git remote add fork {}/{fork}", settings.server_url))
    })
}

/// Where base and bump branches are.
pub struct Reach<'a> {
    /// The clone.
    pub repository: &'a Repository,
    /// The remote with the base branch.
    pub remote: &'a Remote,
    /// The remote with the bump branches.
    pub head: &'a Remote,
    /// What may be shown to them.
    pub auth: &'a Auth,
}

impl Reach<'_> {
    /// Fetches the base branch and the bump branches of `components`. Where nothing is `publishing`, a remote that does not
    /// answer is only warned about.
    ///
    /// # Errors
    /// Remote; usage, if the remote has no such base branch.
    pub fn fetch<'c>(
        &self,
        global: &Global,
        config: &Config,
        components: impl Iterator<Item = &'c str>,
        publishing: bool,
    ) -> Result<()> {
        let bump_branches: Vec<String> = components.map(|name| format!("gs-release/{name}")).collect();
        let bump_branches: Vec<&str> = bump_branches.iter().map(String::as_str).collect();
        let own_head = self.head != self.remote;
        let mut branches = vec![&*config.base];
        if !own_head {
            branches.extend(&bump_branches);
        }
        global.detail(&format!("fetching {} from {}", branches.join(" and "), self.remote.url()));
        let patience = if publishing { PATIENT } else { IMPATIENT };
        match self.repository.fetch(self.remote, &branches, self.auth, patience) {
            Err(error) if !publishing => report::warn(&format!("{}; using what is known here", error.message)),
            fetched => fetched?.require(&config.base)?,
        }
        if own_head {
            self.repository.fetch(self.head, &bump_branches, self.auth, patience)?;
        }
        Ok(())
    }
}

/// The package index that pip is configured with, should anything ask for it.
pub fn package_index() -> pypi::Configured {
    pypi::Configured::new(|name| std::env::var(name).ok())
}

/// The page that compares two versions of `component` upstream, if they are two.
pub fn compare(settings: &Settings, component: &Component, from: &Version, to: &Version) -> Option<String> {
    let upstream = component.upstream.as_ref()?.github.as_ref().filter(|_| from != to)?;
    Some(settings.compare_url(upstream, &component.tag.render(from), &component.tag.render(to)))
}
