//! Which index is asked, and which certificates are trusted: what pip is configured with.
//!
//! No address is known here. Where neither the environment nor a file of pip's names an index, pip itself is asked for the
//! one that it uses.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::conf;
use crate::error::{Error, Result};
use crate::process::Command;
use crate::transport::is_loopback;

/// How long pip may take to print its help.
const PATIENCE: Duration = Duration::from_secs(30);

/// What pip is configured with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The base of the simple API; it may hold a user name and a password.
    index_url: SecretString,
    /// A file with the certificate authorities to trust, in PEM; `None`: those of the system.
    cert: Option<PathBuf>,
}

impl Settings {
    /// Reads `PIP_INDEX_URL` and `PIP_CERT` through `lookup`, then pip's configuration files as `pip install` does, then asks
    /// pip.
    ///
    /// # Errors
    /// Usage, where nothing names an index and there is no pip to ask.
    pub async fn find(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        // pip passes over files that are not there or cannot be read, too
        let files =
            conf::files(lookup, |file| file.exists()).into_iter().filter_map(|file| std::fs::read_to_string(file).ok());
        let texts: Vec<String> = files.collect();
        let configured =
            |variable: &str, key: &str| lookup(variable).or_else(|| conf::value(&texts, key).map(str::to_owned));
        let index_url = match configured("PIP_INDEX_URL", "index-url") {
            Some(url) => url,
            None => ask_pip().await?,
        };
        let cert = configured("PIP_CERT", "cert").map(PathBuf::from);
        Ok(Settings { index_url: index_url.trim().to_owned().into(), cert })
    }

    /// The base of the simple API with a final slash, and the login that was in it.
    pub(super) fn address(&self) -> Result<(Url, Option<(String, SecretString)>)> {
        // Not echoed: what stands before the `@` is a secret.
        let fault = |why: &str| Error::usage(format!("pip's index-url is not the address of a package index: {why}"));
        let mut url = Url::parse(self.index_url.expose_secret()).map_err(|error| fault(&error.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(fault("it must start with https://").hint("set PIP_INDEX_URL to a package index"));
        }
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some((percent_decoded(user), percent_decoded(password.unwrap_or_default()).into())),
        };
        if login.is_some() && url.scheme() == "http" && !is_loopback(&url) {
            return Err(fault("it has a password, which anyone on the way could read").hint("use https://"));
        }
        // an address with a scheme that has hosts takes both
        let _always_possible = (url.set_username(""), url.set_password(None));
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok((url, login))
    }

    /// The certificate authorities to trust, in PEM.
    pub(super) fn certificates(&self) -> Result<Option<Vec<u8>>> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|error| {
                Error::usage(format!("cannot read the certificates that pip trusts, {}: {error}", path.display()))
                    .hint("mend PIP_CERT, or `cert` in pip.conf")
            })
        };
        self.cert.as_ref().map(read).transpose()
    }
}

/// The index that pip uses where nobody says otherwise, from its own help.
async fn ask_pip() -> Result<String> {
    // so wide that no address is broken over two lines
    let asked = Command::new("python3").args(["-m", "pip", "install", "--help"]).env("COLUMNS", "500");
    let output = asked.time_limit(PATIENCE).run().await;
    let help = output.ok().filter(|output| output.success()).map(|output| output.stdout).unwrap_or_default();
    default_in(&String::from_utf8_lossy(&help)).map(str::to_owned).ok_or_else(|| {
        Error::usage("no package index is configured, and there is no pip to ask for its own")
            .hint("set PIP_INDEX_URL to the simple API of the index, or install pip")
    })
}

/// The default that the help names beside `--index-url`.
fn default_in(help: &str) -> Option<&str> {
    let line = help.lines().find(|line| line.contains("--index-url"))?;
    let (_, rest) = line.split_once("(default ")?;
    rest.split_once(')').map(|(url, _)| url.trim()).filter(|url| !url.is_empty())
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = || u8::from_str_radix(std::str::from_utf8(tail.get(..2)?).ok()?, 16).ok();
        match (first, hex()) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<(String, Option<(String, String)>)> {
        let settings = Settings { index_url: url.to_owned().into(), cert: None };
        let (url, login) = settings.address()?;
        Ok((url.into(), login.map(|(user, password)| (user, password.expose_secret().to_owned()))))
    }

    #[test]
    fn a_login_is_taken_out_of_the_address() {
        let login = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        for (given, url, expected) in [
            ("https://pypi.example.com/simple", "https://pypi.example.com/simple/", None),
            ("http://pypi.example.com/simple/", "http://pypi.example.com/simple/", None),
            ("https://me:p%40ss@pypi.example.com/simple", "https://pypi.example.com/simple/", login("me", "p@ss")),
            ("https://t0ken@pypi.example.com", "https://pypi.example.com/", login("t0ken", "")),
            ("http://me:x@127.0.0.1:1/simple", "http://127.0.0.1:1/simple/", login("me", "x")),
        ] {
            assert_eq!(address(given).unwrap(), (url.to_owned(), expected), "{given}");
        }
    }

    #[test]
    fn an_address_that_cannot_work_is_refused_without_showing_it() {
        for url in ["hunter2", "file:///hunter2", "http://me:hunter2@pypi.example.com/simple", "https://hunter2@"] {
            let error = address(url).unwrap_err();
            assert_eq!(error.kind.exit_code(), 2);
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn the_default_is_read_from_the_help() {
        let help = "Package Index Options:\n  -i, --index-url <url>  Base URL of the index \
                    (default https://pypi.example.com/simple). This should\n  --no-index  Ignore\n";
        assert_eq!(default_in(help), Some("https://pypi.example.com/simple"));
        assert_eq!(default_in("  --index-url <url>  Base URL\n"), None);
    }

    #[test]
    fn percent_signs_are_decoded_where_they_mean_something() {
        assert_eq!(percent_decoded("a%40b%zz%"), "a@b%zz%");
    }
}
