//! Where GitHub is, who is asking, and how patient to be: values handed in, never read from the process here.
//!
//! [`Settings::from_env`] knows the names of the environment variables; the caller supplies the lookup.

use std::time::Duration;

use secrecy::SecretString;

use super::call::encode;
use crate::config::RepositoryName;
use crate::error::{Error, Result};

const GITHUB: &str = "https://github.com";

/// Everything a client needs to know before its first call.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base of the REST API without a final slash: `https://api.github.com`, `https://github.example.com/api/v3`.
    pub api_url: String,
    /// Base of the pages people see, without a final slash: `https://github.com`.
    pub server_url: String,
    /// Who is asking; `None` asks anonymously, which can read public repositories.
    pub credentials: Option<Credentials>,
    /// Time limits.
    pub limits: Limits,
}

/// Who is asking.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A token of any kind.
    Token(SecretString),
    /// A GitHub App, which gets a token for its installation on one repository.
    App {
        /// The App's numeric id.
        id: u64,
        /// Its RSA private key in PEM.
        private_key: SecretString,
    },
}

/// How long a call may take, and how often it is tried.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the request to the last byte of its reply.
    pub total: Duration,
    /// How often a call is made at most, the first time included.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from there, with jitter.
    pub pause: Duration,
    /// How long a call may wait for a rate limit, all in all. A longer wait is an error that names its end.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(30),
            attempts: 4,
            pause: Duration::from_millis(250),
            patience: Duration::from_secs(90),
        }
    }
}

impl Settings {
    /// The page that compares two tags of `repository`.
    pub fn compare_url(&self, repository: &RepositoryName, from_tag: &str, to_tag: &str) -> String {
        format!("{}/{repository}/compare/{}...{}", self.server_url, encode(from_tag), encode(to_tag))
    }

    /// [`Settings::from_env`] of this process.
    ///
    /// # Errors
    /// As there.
    pub fn from_process() -> Result<Self> {
        Settings::from_env(|name| std::env::var(name).ok())
    }

    /// Reads `GITHUB_API_URL`, `GITHUB_SERVER_URL`, `GITHUB_TOKEN` or `GH_TOKEN`, `GS_RELEASE_APP_ID` and
    /// `GS_RELEASE_APP_PRIVATE_KEY` through `lookup`. An empty variable is an absent one. An App goes before a token:
    /// whoever sets it up means it, and Actions jobs often have a token beside it.
    ///
    /// # Errors
    /// Usage, for an address that is none, half an App, or a token that cannot be sent.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let value = |name: &str| lookup(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let address = |name: &str| value(name).map(|url| checked_url(name, &url)).transpose();
        let server_url = address("GITHUB_SERVER_URL")?.unwrap_or_else(|| GITHUB.into());
        let api_url = address("GITHUB_API_URL")?.unwrap_or_else(|| api_url_of(&server_url));
        let credentials = match (value("GS_RELEASE_APP_ID"), value("GS_RELEASE_APP_PRIVATE_KEY")) {
            (Some(id), Some(key)) => Some(app(&id, &key)?),
            (Some(_), None) => return Err(half_an_app("GS_RELEASE_APP_PRIVATE_KEY")),
            (None, Some(_)) => return Err(half_an_app("GS_RELEASE_APP_ID")),
            (None, None) => {
                let named = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().find_map(|name| Some((name, value(name)?)));
                named.map(|(name, token)| sendable(name, token)).transpose()?
            }
        };
        Ok(Settings { api_url, server_url, credentials, limits: Limits::default() })
    }
}

/// The REST API of the server at `server_url`: a host of its own for github.com and `*.ghe.com`, a path on GitHub Enterprise Server.
pub fn api_url_of(server_url: &str) -> String {
    match server_url.split_once("://") {
        Some((scheme, host)) if host == "github.com" || host.ends_with(".ghe.com") => format!("{scheme}://api.{host}"),
        _ => format!("{server_url}/api/v3"),
    }
}

fn checked_url(name: &str, url: &str) -> Result<String> {
    let bare = url.trim_end_matches('/');
    let fault = |why: &str| Error::usage(format!("{name} is not the address of a GitHub server: {why}"));
    let uri: http::Uri = bare.parse().map_err(|error| fault("it is no URL").because(error))?;
    let Some(authority) = uri.authority() else { return Err(fault("it has no host")) };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(fault("it must start with https://"));
    }
    // Not echoed: what stands before the `@` is a secret.
    if authority.as_str().contains('@') {
        return Err(fault("it carries a user name or password").hint("put the token in GITHUB_TOKEN"));
    }
    if uri.query().is_some() {
        return Err(fault("it has a query"));
    }
    Ok(bare.to_owned())
}

fn app(id: &str, key: &str) -> Result<Credentials> {
    let id = id.parse().map_err(|error| {
        Error::usage("GS_RELEASE_APP_ID is not a number")
            .hint("it is the App ID on the App's settings page, not its client ID or name")
            .because(error)
    })?;
    // Settings that cannot hold line breaks hold `\n` in their place.
    Ok(Credentials::App { id, private_key: key.replace("\\n", "\n").into() })
}

fn half_an_app(missing: &str) -> Error {
    Error::usage(format!(
        "a GitHub App needs both GS_RELEASE_APP_ID and GS_RELEASE_APP_PRIVATE_KEY; {missing} is not set"
    ))
}

fn sendable(name: &str, token: String) -> Result<Credentials> {
    if token.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(Credentials::Token(token.into()));
    }
    Err(Error::usage(format!("{name} is not a token: it holds blanks or characters that no token has")))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings> {
        Settings::from_env(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn github_com_without_a_token_is_the_default() {
        let found = settings(&[("GITHUB_TOKEN", ""), ("GITHUB_API_URL", " ")]).unwrap();
        assert_eq!((&*found.api_url, &*found.server_url), ("https://api.github.com", "https://github.com"));
        assert!(found.credentials.is_none());
    }

    #[test]
    fn the_api_follows_from_the_server() {
        for (server, api) in [
            ("https://github.com", "https://api.github.com"),
            ("https://octocorp.ghe.com", "https://api.octocorp.ghe.com"),
            ("https://github.example.com", "https://github.example.com/api/v3"),
        ] {
            assert_eq!(settings(&[("GITHUB_SERVER_URL", server)]).unwrap().api_url, api);
        }
        let both = [("GITHUB_SERVER_URL", "https://github.example.com"), ("GITHUB_API_URL", "http://127.0.0.1:1/")];
        assert_eq!(settings(&both).unwrap().api_url, "http://127.0.0.1:1");
    }

    #[test]
    fn an_app_goes_before_a_token_and_github_token_before_gh_token() {
        let tokens = [("GH_TOKEN", "second"), ("GITHUB_TOKEN", "first\n")];
        let Some(Credentials::Token(token)) = settings(&tokens).unwrap().credentials else { panic!("a token") };
        assert_eq!(token.expose_secret(), "first");
        let app = [("GITHUB_TOKEN", "t"), ("GS_RELEASE_APP_ID", "7"), ("GS_RELEASE_APP_PRIVATE_KEY", "a\\nb")];
        let Some(Credentials::App { id: 7, private_key }) = settings(&app).unwrap().credentials else {
            panic!("an app")
        };
        assert_eq!(private_key.expose_secret(), "a\nb");
    }

    #[test]
    fn a_setting_that_cannot_work_is_a_usage_error_that_keeps_secrets() {
        for (pairs, why) in [
            (&[("GITHUB_API_URL", "api.github.com")][..], "must start with https://"),
            (&[("GITHUB_API_URL", "ftp://example.com")], "must start with https://"),
            (&[("GITHUB_API_URL", "https://me:hunter2@example.com")], "carries a user name"),
            (&[("GITHUB_API_URL", "https://example.com/?a=hunter2")], "has a query"),
            (&[("GITHUB_TOKEN", "hunter2 hunter2")], "is not a token"),
            (&[("GS_RELEASE_APP_ID", "7")], "GS_RELEASE_APP_PRIVATE_KEY is not set"),
            (&[("GS_RELEASE_APP_PRIVATE_KEY", "hunter2")], "GS_RELEASE_APP_ID is not set"),
            (&[("GS_RELEASE_APP_ID", "x"), ("GS_RELEASE_APP_PRIVATE_KEY", "hunter2")], "not a number"),
        ] {
            let error = settings(pairs).unwrap_err();
            assert_eq!(error.kind.exit_code(), 2);
            assert!(error.message.contains(why), "{}", error.message);
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let shown = format!("{:?}", settings(&[("GITHUB_TOKEN", "hunter2")]).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
