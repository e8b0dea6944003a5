//! What a server may be shown: the token for its own server, git's credential helpers, the ssh agent, ssh's key files.

use std::path::{Path, PathBuf};

use git2::{CredentialType, ErrorClass, ErrorCode};
use secrecy::{ExposeSecret, SecretString};

use super::worker::Pulse;
use super::{Remote, helper, origin};

/// What may be shown to a server. The token goes to `server` alone.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// The token, if there is one.
    pub token: Option<SecretString>,
    /// URL of the server that the token belongs to, such as `https://github.com`.
    pub server: String,
}

impl Auth {
    /// The token, where it may be sent to `url`: scheme, host and port are the server's, and nobody listens on the way.
    fn token_for(&self, url: &str) -> Option<&SecretString> {
        self.token.as_ref().filter(|_| origin::same(&self.server, url) && origin::keeps_secrets(url))
    }

    /// Whether the token may be sent to `remote`.
    pub(super) fn is_for(&self, remote: &Remote) -> bool {
        self.token_for(&remote.location).is_some()
    }

    /// The answers to a server that asks who is there. Every means is tried once: libgit2 asks again after a refusal.
    /// Credential helpers are those of the repository at `directory`.
    pub(super) fn callbacks(self, directory: &Path, pulse: Pulse) -> git2::RemoteCallbacks<'static> {
        let (mut tried, directory) = (Tried::default(), directory.to_owned());
        let mut callbacks = git2::RemoteCallbacks::new();
        callbacks.credentials(move |url, user, allowed| {
            pulse.beat();
            self.answer(&directory, &mut tried, url, user, allowed)
        });
        callbacks
    }

    fn answer(
        &self,
        directory: &Path,
        tried: &mut Tried,
        url: &str,
        user: Option<&str>,
        allowed: CredentialType,
    ) -> Result<git2::Cred, git2::Error> {
        let once = |flag: &mut bool| !std::mem::replace(flag, true);
        // an ssh URL without a user: asked before anything else, and not an attempt to log in
        if allowed.contains(CredentialType::USERNAME) && once(&mut tried.user) {
            return git2::Cred::username(user.unwrap_or("git"));
        }
        if allowed.contains(CredentialType::SSH_KEY) {
            // without an agent libgit2 gives up, instead of asking for the next key
            if std::env::var_os("SSH_AUTH_SOCK").is_some() && once(&mut tried.agent) {
                return git2::Cred::ssh_key_from_agent(user.unwrap_or("git"));
            }
            while let Some(key) = tried.keys.get_or_insert_with(key_files).pop() {
                // a passphrase is the agent's business
                if let Ok(credentials) = git2::Cred::ssh_key(user.unwrap_or("git"), None, &key, None) {
                    return Ok(credentials);
                }
            }
        }
        if allowed.contains(CredentialType::USER_PASS_PLAINTEXT) {
            if let Some(token) = self.token_for(url)
                && once(&mut tried.token)
            {
                return git2::Cred::userpass_plaintext("x-access-token", token.expose_secret());
            }
            if once(&mut tried.helper)
                && let Some((user, password)) = helper::ask(directory, url, user)
            {
                return git2::Cred::userpass_plaintext(&user, &password);
            }
        }
        let message = match (tried.token, &tried.keys) {
            (true, _) => "the server refused the token",
            (_, Some(_)) => "the server refused the keys of the ssh agent and those in ~/.ssh",
            _ => "the server asks for credentials, and there are none for it",
        };
        Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Callback, message))
    }
}

/// What was shown already, or is still to be.
#[derive(Default)]
struct Tried {
    user: bool,
    agent: bool,
    /// The key files that are left.
    keys: Option<Vec<PathBuf>>,
    token: bool,
    helper: bool,
}

/// The key files that ssh itself looks for, the first one last.
fn key_files() -> Vec<PathBuf> {
    let home = std::env::home_dir().unwrap_or_default().join(".ssh");
    let files = ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| home.join(name));
    files.into_iter().filter(|file| file.exists()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(server: &str) -> Auth {
        Auth { token: Some(SecretString::from("example")), server: server.into() }
    }

    #[test]
    fn the_token_goes_to_its_server_alone_and_never_in_the_clear() {
        for (server, url, sent) in [
            ("https://github.com", "https://github.com/alibaba/GraphScope.git", true),
            ("https://github.com", "https://x@github.com:443/alibaba/GraphScope", true),
            ("https://github.com", "http://github.com/alibaba/GraphScope", false),
            ("https://github.com", "https://github.com:8443/alibaba/GraphScope", false),
            ("https://github.com", "https://github.com.example.com/alibaba/GraphScope", false),
            ("http://github.example.com", "http://github.example.com/a/b", false),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/a/b", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3001/a/b", false),
            ("", "https://github.com/alibaba/GraphScope", false),
        ] {
            assert_eq!(auth(server).token_for(url).is_some(), sent, "{server} {url}");
        }
    }

    #[test]
    fn every_means_is_tried_once_in_its_turn() {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(directory.path()).unwrap();
        repository
            .config()
            .unwrap()
            .set_str("credential.https://github.com.helper", "!printf 'username=a\\npassword=b\\n' #")
            .unwrap();
        let auth = auth("https://github.com");
        let mut tried = Tried::default();
        let mut ask = |allowed| {
            let answer = auth.answer(directory.path(), &mut tried, "https://github.com/a/b", None, allowed);
            answer.map(|credentials| CredentialType::from_bits_truncate(credentials.credtype()))
        };
        assert_eq!(ask(CredentialType::USERNAME).unwrap(), CredentialType::USERNAME);
        for _ in ["the token", "the helper"] {
            assert_eq!(ask(CredentialType::USER_PASS_PLAINTEXT).unwrap(), CredentialType::USER_PASS_PLAINTEXT);
        }
        let refused = ask(CredentialType::USER_PASS_PLAINTEXT).unwrap_err();
        assert_eq!((refused.code(), refused.message()), (ErrorCode::Auth, "the server refused the token"));
    }
}
