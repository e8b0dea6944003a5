//! What `docker login` left behind: `config.json` and credential helpers.
//!
//! Docker's own order: `credHelpers` for the host, else `credsStore`, else `auths`. A login that a helper does not
//! know is looked up in `auths`; without any, access is anonymous. Secrets go to helpers and come from them through
//! pipes, and live in a [`SecretString`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde::Deserialize;

use crate::error::{Error, Kind, Result};
use crate::process::Command;

/// How long a credential helper may take; some ask a cloud for a token.
const HELPER_LIMIT: Duration = Duration::from_secs(30);
/// What Docker calls its own registry in `auths` and to helpers.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// How to log in to one registry.
#[derive(Debug, Clone)]
pub(super) enum Login {
    /// Not at all.
    Anonymous,
    /// User name and password, or an access token in place of the password.
    Password { user: String, password: SecretString },
    /// A refresh token, to be exchanged for access tokens.
    IdentityToken(SecretString),
    /// An access token to be sent as it is.
    RegistryToken(SecretString),
}

/// `config.json` of Docker's client, as far as logins go.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigFile {
    auths: HashMap<String, AuthEntry>,
    creds_store: Option<String>,
    cred_helpers: HashMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase", default)]
struct AuthEntry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl std::fmt::Debug for AuthEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthEntry(..)")
    }
}

/// What a credential helper answers (<https://github.com/docker/docker-credential-helpers>).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: SecretString,
}

/// The directory of Docker's client: `DOCKER_CONFIG`, else `.docker` in the home directory, if there is one.
pub fn docker_config_dir() -> Option<PathBuf> {
    match std::env::var_os("DOCKER_CONFIG").filter(|dir| !dir.is_empty()) {
        Some(dir) => Some(dir.into()),
        None => std::env::home_dir().map(|home| home.join(".docker")),
    }
}

/// The login for `registry` (host and port), from the directory of Docker's client. No such file: anonymous.
///
/// # Errors
/// A `config.json` that cannot be read, and a helper that fails; both named.
pub(super) async fn login(docker_config: &Path, registry: &str) -> Result<Login> {
    let path = docker_config.join("config.json");
    let unreadable = |why: String| Error::remote(format!("{} cannot be read: {why}", path.display()));
    let text = match tokio::fs::read(&path).await {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Login::Anonymous),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let config: ConfigFile = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;

    let key = if registry == "docker.io" { DOCKER_HUB_KEY } else { registry };
    let helper = config.cred_helpers.get(registry).or(config.cred_helpers.get(key)).or(config.creds_store.as_ref());
    if let Some(helper) = helper.filter(|name| !name.is_empty())
        && let Some(login) = ask_helper(helper, key).await?
    {
        return Ok(login);
    }
    let entry = config.auths.get(key).or_else(|| {
        // older clients wrote URLs
        config.auths.iter().find(|(name, _)| host_of(name) == registry).map(|(_, entry)| entry)
    });
    match entry {
        Some(entry) => entry.login().map_err(|why| unreadable(format!("`auths` of {registry}: {why}"))),
        None => Ok(Login::Anonymous),
    }
}

/// The host of a key of `auths`, which may be a URL: `https://registry.example.com/v1/`.
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
    bare.split('/').next().unwrap_or(bare)
}

impl AuthEntry {
    fn login(&self) -> Result<Login, &'static str> {
        if !self.registrytoken.is_empty() {
            return Ok(Login::RegistryToken(self.registrytoken.clone().into()));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Login::IdentityToken(self.identitytoken.clone().into()));
        }
        if self.auth.is_empty() {
            return Ok(match self.username.is_empty() {
                true => Login::Anonymous,
                false => Login::Password { user: self.username.clone(), password: self.password.clone().into() },
            });
        }
        let decoded = STANDARD.decode(self.auth.trim()).map_err(|_| "`auth` is not base64")?;
        let decoded = String::from_utf8(decoded).map_err(|_| "`auth` is not text")?;
        let (user, password) = decoded.split_once(':').ok_or("`auth` is not `user:password`")?;
        // Docker pads passwords with NUL bytes
        Ok(Login::Password { user: user.to_owned(), password: password.trim_end_matches('\0').into() })
    }
}

/// Asks `docker-credential-<name>` for the login of `key`; `None` if it has none.
async fn ask_helper(name: &str, key: &str) -> Result<Option<Login>> {
    let program = format!("docker-credential-{name}");
    let remote = |mut error: Error| {
        error.kind = Kind::Remote;
        error.hint(format!("Docker's config.json names the helper `{name}` for {key}"))
    };
    let output = Command::new(&program).arg("get").stdin(key).time_limit(HELPER_LIMIT).run().await.map_err(remote)?;
    if !output.success() {
        // helpers say this on standard output, by convention in these words
        let said = String::from_utf8_lossy(&output.stdout);
        let said = if said.trim().is_empty() { output.stderr.trim() } else { said.trim() };
        return match said.contains("credentials not found") {
            true => Ok(None),
            false => Err(remote(Error::remote(format!("`{program} get` failed for {key}: {said}")))),
        };
    }
    // the answer holds the secret: its text must not get into the error
    let answer: HelperAnswer = serde_json::from_slice(&output.stdout)
        .map_err(|_| remote(Error::remote(format!("`{program} get` gave no valid answer for {key}"))))?;
    Ok(Some(match &*answer.username {
        "<token>" => Login::IdentityToken(answer.secret),
        _ => Login::Password { user: answer.username, password: answer.secret },
    }))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    async fn login_with(config: &str, registry: &str) -> Result<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        Ok(match login(dir.path(), registry).await? {
            Login::Anonymous => "anonymous".into(),
            Login::Password { user, password } => format!("{user}/{}", password.expose_secret()),
            Login::IdentityToken(token) => format!("identity {}", token.expose_secret()),
            Login::RegistryToken(token) => format!("token {}", token.expose_secret()),
        })
    }

    #[tokio::test]
    async fn logins_are_found_as_docker_writes_them() {
        let auth = STANDARD.encode("me:se:cret");
        let config = format!(
            r#"{{"auths": {{
                "registry.example.com": {{"auth": "{auth}"}},
                "https://old.example.com/v1/": {{"username": "a", "password": "b"}},
                "https://index.docker.io/v1/": {{"auth": "{auth}", "identitytoken": "refresh"}},
                "token.example.com": {{"registrytoken": "access"}},
                "helper-only.example.com": {{}}
            }}}}"#
        );
        for (registry, expected) in [
            ("registry.example.com", "me/se:cret"),
            ("old.example.com", "a/b"),
            ("docker.io", "identity refresh"),
            ("token.example.com", "token access"),
            ("helper-only.example.com", "anonymous"),
            ("other.example.com", "anonymous"),
        ] {
            assert_eq!(login_with(&config, registry).await.unwrap(), expected, "{registry}");
        }
    }

    #[tokio::test]
    async fn without_a_config_access_is_anonymous() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(login(dir.path(), "registry.example.com").await.unwrap(), Login::Anonymous));
    }

    #[tokio::test]
    async fn a_broken_config_is_named_without_its_secrets() {
        for config in ["{", r#"{"auths": {"a.example.com": {"auth": "c2VjcmV0"}}}"#] {
            let error = login_with(config, "a.example.com").await.unwrap_err();
            assert!(error.message.contains("config.json cannot be read"), "{error}");
            assert!(!error.message.contains("secret") && !error.message.contains("c2VjcmV0"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_is_not_installed_is_named() {
        let config = r#"{"credHelpers": {"a.example.com": "gs-release-test-none"}}"#;
        let error = login_with(config, "a.example.com").await.unwrap_err();
        assert!(error.message.contains("`docker-credential-gs-release-test-none` cannot be started"), "{error}");
        assert_eq!(error.kind, Kind::Remote);
    }
}
