//! One call to GitHub's API: sent, retried where that is safe, its reply read, its failure explained.
//!
//! octocrab sends requests and signs for Apps; it neither retries nor follows redirects here (its own retry repeats a POST
//! at once, whatever it did). This module knows no resource of the API.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::header::LOCATION;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use octocrab::Octocrab;
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::{Call, Reply};
use super::failure::{Asker, Cause, Failure, Refusal, quote};
use super::installation::Installation;
use super::settings::{Limits, Settings};
use super::{connection, retry};
use crate::error::Result;
use crate::git::origin;

/// Entries of a page; the most that GitHub gives.
const PAGE: usize = 100;
/// No list that is read here is longer than 10,000 entries; a server that always has one more page is broken.
const PAGES: usize = 100;
const REDIRECTS: usize = 3;

/// Every kind of token by the prefix that GitHub gives it. That of an App's installation changes while we work.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:gh[oprsu]|github_pat)_[\w.-]*\w").unwrap());

/// A connection to the API, and who is asking.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Speaks for `secret`; for an installation it is given a token with each call.
    octocrab: Arc<Octocrab>,
    /// As in [`Settings::api_url`].
    api_url: String,
    limits: Limits,
    secret: Secret,
}

/// What authenticates the calls, kept so that it can be struck out of messages and handed to git.
#[derive(Debug, Clone)]
enum Secret {
    None,
    Token(SecretString),
    /// The App itself: octocrab signs.
    App,
    Installation(Arc<Installation>),
}

impl Client {
    /// A client with a token, or without any.
    pub fn with_token(settings: &Settings, token: Option<&SecretString>) -> Result<Self> {
        let (base, limits) = (&settings.api_url, &settings.limits);
        Ok(match token {
            Some(token) => {
                Self::new(settings, connection::with_token(base, limits, token)?, Secret::Token(token.clone()))
            }
            None => Self::new(settings, connection::anonymous(base, limits)?, Secret::None),
        })
    }

    /// A client of the App itself.
    pub fn with_app(settings: &Settings, id: u64, private_key: &SecretString) -> Result<Self> {
        let octocrab = connection::as_app(&settings.api_url, &settings.limits, id, private_key)?;
        Ok(Self::new(settings, octocrab, Secret::App))
    }

    /// A client of one installation of an App.
    pub fn with_installation(settings: &Settings, installation: Installation) -> Result<Self> {
        let octocrab = connection::anonymous(&settings.api_url, &settings.limits)?;
        Ok(Self::new(settings, octocrab, Secret::Installation(installation.into())))
    }

    fn new(settings: &Settings, octocrab: Octocrab, secret: Secret) -> Self {
        Client { octocrab: octocrab.into(), api_url: settings.api_url.clone(), limits: settings.limits, secret }
    }

    /// The token that authenticates git at the moment.
    pub async fn token(&self) -> Result<Option<SecretString>, Failure> {
        match &self.secret {
            Secret::None | Secret::App => Ok(None),
            Secret::Token(token) => Ok(Some(token.clone())),
            Secret::Installation(installation) => installation.token().await.map(Some),
        }
    }

    /// How many times a loop that looks before it tries again goes round, and what it pauses in between.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a call, again where that is safe, and gives the first reply that says yes.
    pub async fn send(&self, call: &Call) -> Result<Reply, Failure> {
        self.send_to(&self.octocrab, &self.api_url, call).await
    }

    /// The same for the App itself, which needs no token.
    pub async fn send_signed(&self, call: &Call) -> Result<Reply, Failure> {
        self.send_through(&self.octocrab, &self.api_url, call).await
    }

    /// Makes a call and reads its reply.
    pub async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        self.send(call).await?.json()
    }

    /// Like [`Client::read`], for something that may not be there: 404 is `None`.
    pub async fn find<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>, Failure> {
        match self.read(call).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if failure.status() == Some(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// All entries of a list, page by page. Pages are asked for by number, so that no address comes from the server.
    pub async fn list<T: DeserializeOwned>(&self, call: Call) -> Result<Vec<T>, Failure> {
        self.list_until(call, |_| false).await
    }

    /// Like [`Client::list`], but the page with an entry that is `enough` is the last.
    pub async fn list_until<T: DeserializeOwned>(
        &self,
        call: Call,
        enough: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, Failure> {
        let call = call.query("per_page", &PAGE.to_string());
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let call = if page == 1 { call.clone() } else { call.clone().query("page", &page.to_string()) };
            let reply = self.send(&call).await?;
            let entries = reply.json::<Vec<T>>()?;
            let last = !reply.has_next() || entries.iter().any(&enough);
            all.extend(entries);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// Makes a GraphQL call and gives its `data`. On Enterprise Server GraphQL lives beside the REST API, not below it.
    pub async fn graphql(&self, what: &str, query: &str, variables: Value, repeatable: bool) -> Result<Value, Failure> {
        let (base, path) = match self.api_url.strip_suffix("/api/v3") {
            Some(host) => (host, "/api/graphql"),
            None => (&*self.api_url, "/graphql"),
        };
        let failed = |message: String| Failure {
            what: what.to_owned(),
            call: format!("POST {base}{path}"),
            cause: Cause::Unreadable { found: message, page: false },
        };
        let body = serde_json::json!({ "query": query, "variables": variables });
        let call = Call { repeatable, ..Call::post(what, path, body) };
        // A base of its own needs an octocrab of its own.
        let beside = || {
            let built = match &self.secret {
                Secret::Token(token) => connection::with_token(base, &self.limits, token),
                _ => connection::anonymous(base, &self.limits),
            };
            built.map_err(|error| failed(error.message))
        };
        let reply = match base == self.api_url {
            true => self.send(&call).await?,
            false => self.send_to(&beside()?, base, &call).await?,
        };
        let mut answer: Value = reply.json()?;
        let messages: Vec<String> = answer["errors"]
            .as_array()
            .map(|errors| errors.iter().filter_map(|e| e["message"].as_str()).map(quote).collect())
            .unwrap_or_default();
        if messages.is_empty() {
            return Ok(answer["data"].take());
        }
        Err(Failure { what: what.to_owned(), call: reply.call, cause: Cause::Graphql { messages } })
    }

    /// Makes a call, with a token of the installation if it is one. Where GitHub does not take it any longer, whatever it has
    /// said of its end, one more is minted: a call with a bad token was not carried out.
    async fn send_to(&self, octocrab: &Octocrab, base: &str, call: &Call) -> Result<Reply, Failure> {
        let Secret::Installation(installation) = &self.secret else {
            return self.send_through(octocrab, base, call).await;
        };
        let with = |token: &SecretString| {
            let bearing = octocrab.user_access_token(token.clone());
            bearing.map_err(|error| self.failure(base, call, self.cause_of(error)))
        };
        let token = installation.token().await?;
        match self.send_through(&with(&token)?, base, call).await {
            Err(failure) if failure.status() == Some(401) => {
                let token = installation.instead_of(&token).await?;
                self.send_through(&with(&token)?, base, call).await
            }
            reply => reply,
        }
    }

    async fn send_through(&self, octocrab: &Octocrab, base: &str, call: &Call) -> Result<Reply, Failure> {
        let mut waited = Duration::ZERO;
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(octocrab, base, call).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let now = Timestamp::now();
            match retry::pause_before_next(&failure, call.repeatable, attempt, waited, &self.limits, now) {
                Some(pause) => {
                    tokio::time::sleep(pause.wait).await;
                    waited += if pause.limited { pause.wait } else { Duration::ZERO };
                    attempt += 1;
                }
                None => return Err(failure),
            }
        }
    }

    /// One attempt, with the redirects that stay on the API's host: a renamed repository answers so.
    async fn attempt(&self, octocrab: &Octocrab, base: &str, call: &Call) -> Result<Reply, Failure> {
        // octocrab puts the base's own path in front, unless it is there already, as in a redirect.
        let mut path = call.path.clone();
        for _ in 0..=REDIRECTS {
            let (status, headers, body) = match self.exchange(octocrab, call, &path).await {
                Ok(reply) => reply,
                Err(error) => return Err(self.failure(base, call, self.cause_of(error))),
            };
            match status {
                200..=299 => {
                    let call_text = format!("{} {base}{}", call.method, call.path);
                    return Ok(Reply { headers, body, what: call.what.clone(), call: call_text });
                }
                // 301 and 302 would turn a POST into a GET; GitHub sends 307 and 308 for what is not a GET.
                301 | 302 | 307 | 308 => {
                    let to = headers.get(LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
                    match path_within(base, to) {
                        Some(next) if call.method == Method::GET || status >= 307 => path = next,
                        _ => return Err(self.failure(base, call, Cause::Redirect { to: quote(&self.censored(to)) })),
                    }
                }
                _ => {
                    let mut refusal = Refusal::read(status, &headers, &self.censored(&body), Timestamp::now());
                    refusal.asker = match &self.secret {
                        Secret::None => Asker::Nobody,
                        Secret::Token(_) | Secret::App => Asker::Token,
                        Secret::Installation(installation) => Asker::App(installation.page.clone()),
                    };
                    return Err(self.failure(base, call, Cause::Status(Box::new(refusal))));
                }
            }
        }
        Err(self.failure(base, call, Cause::Redirect { to: format!("{path} after {REDIRECTS} redirects") }))
    }

    async fn exchange(
        &self,
        octocrab: &Octocrab,
        call: &Call,
        path: &str,
    ) -> octocrab::Result<(u16, HeaderMap, String)> {
        let request = http::Request::builder()
            .method(call.method.clone())
            .uri(path)
            .header(http::header::ACCEPT, "application/vnd.github+json");
        let request = octocrab.build_request(request, call.body.as_ref())?;
        let mut response = octocrab.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        Ok((status, headers, octocrab.body_to_string(response).await?))
    }

    fn failure(&self, base: &str, call: &Call, cause: Cause) -> Failure {
        Failure { what: call.what.clone(), call: format!("{} {base}{}", call.method, call.path), cause }
    }

    /// Why octocrab has no reply.
    fn cause_of(&self, error: octocrab::Error) -> Cause {
        let chain: Vec<&(dyn std::error::Error + 'static)> =
            std::iter::successors(Some(&error as &(dyn std::error::Error + 'static)), |e| e.source()).collect();
        let low = chain.iter().find_map(|e| e.downcast_ref::<reqwest::Error>());
        // The innermost says why (`Connection refused`); those above it repeat each other.
        let message = quote(&self.censored(&chain.last().map(ToString::to_string).unwrap_or_default()));
        match low {
            Some(low) => {
                Cause::Transport { message, sent: !low.is_connect() && !low.is_builder(), timed_out: low.is_timeout() }
            }
            None => Cause::Unreadable { found: message, page: false },
        }
    }

    /// `text` without the token, or anything that looks like one, should a server or a proxy send it back.
    fn censored(&self, text: &str) -> String {
        let text = TOKEN.replace_all(text, "***");
        match &self.secret {
            Secret::Token(token) if !token.expose_secret().is_empty() => text.replace(token.expose_secret(), "***"),
            _ => text.into_owned(),
        }
    }
}

/// Path and query of `to`, if it is on the origin of `base`; a path alone always is.
fn path_within(base: &str, to: &str) -> Option<String> {
    let here = to.starts_with('/') && !to.starts_with("//");
    let uri: http::Uri = to.parse().ok()?;
    (here || origin::same(base, to)).then(|| uri.path_and_query().map(ToString::to_string))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_on_its_origin() {
        for (to, expected) in [
            ("https://github.example.com:443/api/v3/repositories/7?a=b", Some("/api/v3/repositories/7?a=b")),
            ("/api/v3/repositories/7", Some("/api/v3/repositories/7")),
            ("//example.com/x", None),
            ("https://example.com/api/v3/x", None),
            ("http://github.example.com/api/v3/x", None),
            ("", None),
        ] {
            assert_eq!(path_within("https://github.example.com/api/v3", to).as_deref(), expected, "{to}");
        }
    }
}
