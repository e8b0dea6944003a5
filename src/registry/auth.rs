//! Answers to a registry's `WWW-Authenticate`: basic authentication, and the distribution project's tokens
//! (<https://distribution.github.io/distribution/spec/auth/token/>).
//!
//! Nothing is sent before a registry asks for it. What it asked for is remembered, so that later requests bring their
//! token along; tokens are kept by scope until shortly before they expire. Secrets go to the registry that the login is for
//! and to the token service that it names, and there over HTTPS only.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::credentials::{self, Login};
use crate::error::{Error, Result};
use crate::transport::{self, Answer, Failure, Subject, Transport};

/// How long a token lives whose service does not say (the token specification's default).
const DEFAULT_LIFE: Duration = Duration::from_secs(60);

/// What a request needs to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Access {
    /// The registry, as people write it.
    pub registry: String,
    /// Scopes such as `repository:graphscope/coordinator:pull,push`.
    pub scopes: Vec<String>,
}

/// How a registry wants to be asked.
#[derive(Debug, Clone)]
enum Challenge {
    Basic,
    Bearer { realm: Url, service: Option<String> },
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    expires: Option<Instant>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// Logins, and the tokens that they were exchanged for.
#[derive(Default)]
pub(super) struct Auth {
    docker_config: Option<PathBuf>,
    logins: Mutex<HashMap<String, Arc<OnceCell<Login>>>>,
    challenges: Mutex<HashMap<String, Challenge>>,
    tokens: Mutex<HashMap<Access, Slot>>,
}

impl Auth {
    /// Logins come from `docker_config`, the directory of Docker's client; without one access is anonymous.
    pub fn new(docker_config: Option<PathBuf>) -> Self {
        Auth { docker_config, ..Auth::default() }
    }

    /// The `Authorization` of a request, if the registry is known to ask for one.
    pub async fn header(
        &self,
        transport: &Transport,
        image: Subject<'_>,
        access: &Access,
    ) -> Result<Option<HeaderValue>, Failure> {
        let Some(challenge) = locked(&self.challenges).get(&access.registry).cloned() else { return Ok(None) };
        let slot = Arc::clone(locked(&self.tokens).entry(access.clone()).or_default());
        // held while a token is fetched: others with the same need wait for this one
        let mut slot = slot.lock().await;
        if let Some(token) = slot.as_ref().filter(|token| token.expires.is_none_or(|end| Instant::now() < end)) {
            return Ok(Some(token.header.clone()));
        }
        *slot = match challenge {
            Challenge::Basic => match self.login(&access.registry).await? {
                Login::Password { user, password } => Some(Token { header: basic(user, password), expires: None }),
                _ => None,
            },
            Challenge::Bearer { realm, service } => {
                Some(self.fetch(transport, image, access, &realm, service.as_deref()).await?)
            }
        };
        Ok(slot.as_ref().map(|token| token.header.clone()))
    }

    /// Takes note of a 401: what the registry asks for, and that `used` will not do any more.
    pub async fn challenged(&self, access: &Access, headers: &HeaderMap, used: Option<&HeaderValue>) -> Result<()> {
        if let Some(challenge) = challenge_of(headers)? {
            locked(&self.challenges).insert(access.registry.clone(), challenge);
        }
        let slot = locked(&self.tokens).get(access).cloned();
        if let Some(slot) = slot {
            slot.lock().await.take_if(|token| Some(&token.header) == used);
        }
        Ok(())
    }

    /// The error of a final 401 or 403, with how to log in.
    pub async fn denied(&self, image: Subject<'_>, access: &Access, answer: &Answer) -> Error {
        let registry = &access.registry;
        let who = match self.login(registry).await {
            Ok(Login::Anonymous) => "without a login".to_owned(),
            Ok(Login::Password { user, .. }) => format!("to the login `{user}`"),
            Ok(_) => "to the login of `docker login`".to_owned(),
            Err(error) => return error,
        };
        let said = transport::said(answer);
        Error::remote(format!("{image}: {registry} refuses access {who} ({}){said}", answer.status))
            .hint(format!("log in with `docker login {registry}` as someone who may do this"))
    }

    async fn login(&self, registry: &str) -> Result<Login> {
        let Some(dir) = &self.docker_config else { return Ok(Login::Anonymous) };
        let cell = Arc::clone(locked(&self.logins).entry(registry.to_owned()).or_default());
        cell.get_or_try_init(|| credentials::login(dir, registry)).await.cloned()
    }

    /// Asks the token service for a token of this scope.
    async fn fetch(
        &self,
        transport: &Transport,
        image: Subject<'_>,
        access: &Access,
        realm: &Url,
        service: Option<&str>,
    ) -> Result<Token, Failure> {
        let mut fields: Vec<(&str, &str)> = service.map(|service| ("service", service)).into_iter().collect();
        let scopes = access.scopes.iter().map(|scope| ("scope", &**scope));
        let all_scopes = access.scopes.join(" ");
        let request = match self.login(&access.registry).await? {
            Login::RegistryToken(token) => return Ok(Token { header: bearer(&token), expires: None }),
            Login::IdentityToken(token) => {
                fields.extend([
                    ("scope", &*all_scopes),
                    ("grant_type", "refresh_token"),
                    ("client_id", "gs-release"),
                    ("refresh_token", token.expose_secret()),
                ]);
                transport.request(Method::POST, realm.clone()).form(&fields)
            }
            Login::Password { user, password } => {
                fields.extend(scopes.chain([("account", &*user)]));
                let request = transport.request(Method::GET, realm.clone()).query(&fields);
                request.header(AUTHORIZATION, basic(user, password))
            }
            Login::Anonymous => {
                fields.extend(scopes);
                transport.request(Method::GET, realm.clone()).query(&fields)
            }
        };
        let answer = transport::read(image, transport::send(image, request).await?).await?;
        match answer.status.as_u16() {
            200 => token_of(&answer.body).map_err(|why| {
                let host = realm.host_str().unwrap_or_default();
                Error::remote(format!("{image}: the token service {host} {why}")).into()
            }),
            400 | 401 | 403 => Err(self.denied(image, access, &answer).await.into()),
            _ => Err(transport::refused(image, &answer).into()),
        }
    }
}

/// A panic while one of these was held left nothing half done: each change is one insertion.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The challenge to answer; a token before a password.
fn challenge_of(headers: &HeaderMap) -> Result<Option<Challenge>> {
    let mut basic = None;
    for header in headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()) {
        // a header that cannot be read asks for nothing that could be answered
        for challenge in http_auth::parse_challenges(header).unwrap_or_default() {
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let field = |name: &str| {
                    let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped())
                };
                let realm = field("realm").unwrap_or_default();
                let url = Url::parse(&realm).ok().filter(transport::is_allowed).ok_or_else(|| {
                    Error::remote(format!("a registry sends logins to `{realm}`, which is no HTTPS address"))
                })?;
                return Ok(Some(Challenge::Bearer { realm: url, service: field("service") }));
            }
        }
    }
    Ok(basic)
}

/// Reads a token service's answer; the error has no part of it, since it may hold the token.
fn token_of(body: &[u8]) -> Result<Token, &'static str> {
    #[derive(Deserialize)]
    struct Granted {
        token: Option<SecretString>,
        access_token: Option<SecretString>,
        expires_in: Option<u64>,
    }
    let granted: Granted = serde_json::from_slice(body).map_err(|_| "gave an answer that is not JSON")?;
    let token = granted.token.or(granted.access_token).ok_or("gave an answer without a token")?;
    let life = granted.expires_in.map_or(DEFAULT_LIFE, Duration::from_secs);
    // a tenth of its life is left for the request that it is for
    Ok(Token { header: bearer(&token), expires: Instant::now().checked_add(life.mul_f64(0.9)) })
}

fn bearer(token: &SecretString) -> HeaderValue {
    secret_header(format!("Bearer {}", token.expose_secret()))
}

fn basic(user: String, password: SecretString) -> HeaderValue {
    secret_header(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose_secret()))))
}

/// A header that never shows in logs. One with a control character in it is sent empty, and refused as such.
fn secret_header(text: String) -> HeaderValue {
    let mut header = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(headers: &[&'static str]) -> Result<Option<Challenge>> {
        let headers = headers.iter().map(|value| (WWW_AUTHENTICATE, HeaderValue::from_static(value)));
        challenge_of(&headers.collect())
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let bearer = r#"Bearer realm="https://auth.example.com/token",service="registry.example.com""#;
        for headers in [&[bearer][..], &[r#"Basic realm="x""#, bearer], &["Negotiate", bearer]] {
            let Ok(Some(Challenge::Bearer { realm, service })) = challenge(headers) else { panic!("{headers:?}") };
            assert_eq!(realm.as_str(), "https://auth.example.com/token");
            assert_eq!(service.as_deref(), Some("registry.example.com"));
        }
        assert!(matches!(challenge(&[r#"basic realm="x""#]), Ok(Some(Challenge::Basic))));
        assert!(matches!(challenge(&["Negotiate"]), Ok(None)));
    }

    #[test]
    fn logins_are_never_sent_over_plain_http_to_another_machine() {
        let error = challenge(&[r#"Bearer realm="http://auth.example.com/token""#]).unwrap_err();
        assert!(error.message.contains("no HTTPS address"), "{error}");
    }

    #[test]
    fn a_token_answer_is_read_and_never_shown() {
        let token = token_of(br#"{"access_token": "secret", "expires_in": 300}"#).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(token.header, "Bearer secret");
        assert!(!format!("{:?}", token.header).contains("secret"));
        assert!(token_of(b"{}").is_err() && token_of(b"<html>").is_err());
    }
}
