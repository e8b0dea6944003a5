//! Who is asking: no one, a token of some kind, or an installation of a GitHub App.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::Rights;
use super::call::{Call, encode};
use super::client::Client;
use super::installation::Installation;
use super::settings::{Credentials, Settings};
use crate::config::RepositoryName;
use crate::error::{Error, Result};

/// Who is asking, as far as that decides what can be known about their rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Actor {
    Anonymous,
    /// A person's token, with scopes (`ghp_`, `gho_` and older ones without a prefix).
    Classic,
    /// A person's token for chosen repositories and permissions, of which no API tells.
    FineGrained,
    /// The token of some App's installation, `GITHUB_TOKEN` of Actions among them.
    InstallationToken,
    /// Our own App.
    App(Granted),
}

/// What an installation of our App may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Granted {
    /// Permissions, to `read`, `write` or `admin`.
    pub permissions: BTreeMap<String, String>,
    /// The page where they are accepted.
    pub page: String,
}

impl Actor {
    /// The kind of a token, by the prefix that GitHub gives it.
    fn of_token(token: &str) -> Self {
        match token.split_once('_') {
            Some(("ghs", _)) => Actor::InstallationToken,
            // A user token of an App has no scopes either, and the App's permissions are not told.
            Some(("github", _) | ("ghu", _)) => Actor::FineGrained,
            _ => Actor::Classic,
        }
    }
}

#[derive(Deserialize)]
struct RawInstallation {
    id: u64,
    html_url: String,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    suspended_at: Option<String>,
}

/// A client that speaks for the credentials of `settings`, and who that is. An App does with no more than `rights`.
pub(super) async fn sign_in(settings: &Settings, home: &RepositoryName, rights: &Rights) -> Result<(Client, Actor)> {
    let (id, key) = match &settings.credentials {
        None => return Ok((Client::with_token(settings, None)?, Actor::Anonymous)),
        Some(Credentials::Token(token)) => {
            return Ok((Client::with_token(settings, Some(token))?, Actor::of_token(token.expose_secret())));
        }
        Some(Credentials::App { id, private_key }) => (*id, private_key),
    };
    let app = Client::with_app(settings, id, key)?;
    let path = format!("/repos/{}/{}/installation", encode(&home.owner), encode(&home.name));
    let what = format!("find the installation of GitHub App {id} on {home}");
    let found: Option<RawInstallation> = app.find(&Call::get(what, path)).await?;
    let Some(found) = found else {
        return Err(Error::remote(format!("GitHub App {id} is not installed on {home}"))
            .hint("install it there, from the App's page, or check `repository:` in release.yaml"));
    };
    if let Some(when) = found.suspended_at {
        return Err(Error::remote(format!("the installation of GitHub App {id} on {home} is suspended since {when}"))
            .hint(format!("an owner of the organisation can lift that at {}", found.html_url)));
    }
    let granted = Granted { permissions: found.permissions, page: found.html_url };
    let what = format!("get a token of GitHub App {id} for {home}");
    let installation = Installation::new(app, found.id, what, &home.name, rights, &granted);
    Ok((Client::with_installation(settings, installation)?, Actor::App(granted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_by_their_prefix() {
        for (token, actor) in [
            ("ghp_0123", Actor::Classic),
            ("gho_0123", Actor::Classic),
            ("0123456789abcdef0123456789abcdef01234567", Actor::Classic),
            ("github_pat_0123_4567", Actor::FineGrained),
            ("ghu_0123", Actor::FineGrained),
            ("ghs_0123", Actor::InstallationToken),
        ] {
            assert_eq!(Actor::of_token(token), actor, "{token}");
        }
    }
}
