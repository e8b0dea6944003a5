//! Requests to image registries and package indexes: time limits, a bound on how many run at once, retries, and errors in
//! words. What is asked and what an answer means is not known here.
//!
//! Every request that goes this way may be repeated: reading is harmless, a manifest is stored by its content, and a blob
//! that was uploaded twice is one blob. So whatever may be temporary (429, 5xx, a dropped connection) is tried again,
//! after the time that the server asks for or after a jittered backoff, within one overall limit.

use std::fmt::Display;
use std::hash::BuildHasher;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::error::{Error, Result};

/// Limits of everything that is asked of one kind of server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// To establish a connection.
    pub connect: Duration,
    /// One request and its answer.
    pub request: Duration,
    /// One operation with all its retries; copying a blob has as much again for every MiB of it.
    pub overall: Duration,
    /// How often a request is tried.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles for each further one.
    pub backoff: Duration,
    /// Requests at the same time.
    pub concurrent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            overall: Duration::from_secs(120),
            attempts: 5,
            backoff: Duration::from_millis(400),
            concurrent: 8,
        }
    }
}

/// The longest answer that is read into memory: the distribution specification's limit of a manifest.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// What a request is about, as errors name it.
pub(crate) type Subject<'a> = &'a (dyn Display + Sync);

/// A failed attempt.
pub(crate) enum Failure {
    /// Trying again does not help.
    Final(Error),
    /// It may help, but not before the time that the server asked for.
    Temporary { error: Error, after: Option<Duration> },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The HTTP client and its limits.
pub(crate) struct Transport {
    /// For the world.
    remote: reqwest::Client,
    /// For this machine: no proxy.
    local: reqwest::Client,
    permits: Semaphore,
    limits: Limits,
}

impl Transport {
    /// Trusts the system's certificates, or those of `SSL_CERT_FILE`, and uses the proxy of the environment.
    pub fn new(limits: Limits) -> Result<Self> {
        Self::trusting(limits, None)
    }

    /// As [`Transport::new`], but trusts the authorities of `bundle` (PEM) alone, where there is one.
    pub fn trusting(limits: Limits, bundle: Option<&[u8]>) -> Result<Self> {
        use_ring();
        let bundle = bundle.map(reqwest::Certificate::from_pem_bundle).transpose();
        let bundle = bundle.map_err(|error| Error::usage(format!("these are no certificates: {}", root_of(&error))))?;
        let build = |builder: reqwest::ClientBuilder| {
            let builder = match &bundle {
                Some(certificates) => builder.tls_certs_only(certificates.clone()),
                None => builder,
            };
            let builder = builder.connect_timeout(limits.connect).redirect(redirects());
            builder
                .user_agent(concat!("gs-release/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| Error::remote(format!("HTTPS cannot be set up: {}", root_of(&error))))
        };
        Ok(Transport {
            remote: build(reqwest::Client::builder())?,
            local: build(reqwest::Client::builder().no_proxy())?,
            permits: Semaphore::new(limits.concurrent),
            limits,
        })
    }

    /// Starts a request. Its time limit is that of one request; whoever sends a large body sets another.
    pub fn request(&self, method: reqwest::Method, url: Url) -> RequestBuilder {
        let client = if is_loopback(&url) { &self.local } else { &self.remote };
        client.request(method, url).timeout(self.limits.request)
    }

    /// The time to move `size` bytes through one request.
    pub fn transfer_limit(&self, size: u64) -> Duration {
        self.limits.overall.saturating_mul(u32::try_from(1 + size / (1 << 20)).unwrap_or(u32::MAX))
    }

    /// Runs `once` until it succeeds, fails for good, or the limits are reached. `image` is named in errors.
    pub async fn repeat<T, F>(&self, image: Subject<'_>, once: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.repeat_within(self.limits.overall, image, once).await
    }

    /// As [`Transport::repeat`], with an overall limit of its own.
    pub async fn repeat_within<T, F>(&self, overall: Duration, image: Subject<'_>, once: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut left = overall;
        let mut last = None;
        for attempt in 1.. {
            // waiting for others is not this operation's time; the semaphore is never closed
            let permit = self.permits.acquire().await;
            let begun = Instant::now();
            let outcome = tokio::time::timeout(left, once()).await;
            drop(permit);
            let (mut error, after) = match outcome {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(Failure::Final(error))) => return Err(error),
                Ok(Err(Failure::Temporary { error, after })) => (error, after),
                Err(_) => break,
            };
            let pause = after.unwrap_or_else(|| self.backoff(attempt));
            left = left.saturating_sub(begun.elapsed().saturating_add(pause));
            if attempt == self.limits.attempts || left.is_zero() {
                error.message += &match after {
                    Some(after) if left.is_zero() => format!("; it asks to wait {} s", after.as_secs()),
                    _ => format!(" (tried {attempt} times)"),
                };
                return Err(error);
            }
            last = Some(error);
            tokio::time::sleep(pause).await;
        }
        let too_long = || Error::remote(format!("{image}: not done within {} s", overall.as_secs_f64()));
        Err(last.unwrap_or_else(too_long))
    }

    fn backoff(&self, attempt: u32) -> Duration {
        let full = self.limits.backoff.saturating_mul(1 << (attempt - 1).min(8));
        // a fresh RandomState is random enough to keep clients apart
        let random = std::hash::RandomState::new().hash_one(attempt) as f64 / u64::MAX as f64;
        full.mul_f64(0.5 + random / 2.0)
    }
}

/// Redirects are followed (large registries keep blobs elsewhere, without the login: `reqwest` drops it on the way to
/// another host), but never to plain HTTP, and never from another machine to this one.
fn redirects() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let to_this_machine = is_loopback(attempt.url()) && !attempt.previous().iter().all(is_loopback);
        match is_allowed(attempt.url()) && !to_this_machine {
            true if attempt.previous().len() < 5 => attempt.follow(),
            true => attempt.error("too many redirects"),
            false => attempt.error("refused to follow a redirect to plain HTTP or to this machine"),
        }
    })
}

/// Sends a request and looks at the status: what may be temporary is told from the rest.
pub(crate) async fn send(image: Subject<'_>, request: RequestBuilder) -> Result<Response, Failure> {
    let response = request.send().await.map_err(|error| network(image, &error))?;
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() {
        let after = response.headers().get(RETRY_AFTER).and_then(|value| wait_of(value.to_str().ok()?));
        let answer = read(image, response).await?;
        return Err(Failure::Temporary { error: refused(image, &answer), after });
    }
    Ok(response)
}

/// Reads an answer to its end.
pub(crate) async fn read(image: Subject<'_>, mut response: Response) -> Result<Answer, Failure> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| network(image, &error))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            let limit = LONGEST_ANSWER >> 20;
            return Err(Error::remote(format!("{image}: the answer is longer than {limit} MiB")).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// The error of a request that got no answer, or no whole one.
pub(crate) fn network(image: Subject<'_>, error: &reqwest::Error) -> Failure {
    let host = error.url().and_then(Url::host_str).unwrap_or("the server").to_owned();
    let why = root_of(error);
    let what = if error.is_timeout() {
        format!("{host} did not answer in time")
    } else if error.is_connect() {
        format!("{host} cannot be reached: {why}")
    } else if error.is_body() || error.is_decode() {
        format!("the answer of {host} broke off: {why}")
    } else {
        format!("{host}: {why}")
    };
    let told = Error::remote(format!("{image}: {what}"));
    if why.contains("invalid peer certificate") {
        return Failure::Final(told.hint("add the certificate authority of the server to SSL_CERT_FILE"));
    }
    if error.is_builder() || error.is_redirect() {
        return Failure::Final(told);
    }
    let told = match error.is_connect() {
        true => told.hint("check the name of the host, the network, and HTTPS_PROXY and NO_PROXY"),
        false => told,
    };
    Failure::Temporary { error: told, after: None }
}

/// The error of an answer that says no, with the server's own words.
pub(crate) fn refused(image: Subject<'_>, answer: &Answer) -> Error {
    let (status, said) = (answer.status, said(answer));
    Error::remote(format!("{image}: the server answered {status}{said}"))
}

/// What a server says in its answer: the messages of the distribution specification's error format, or the start of
/// any other text; with `: ` before it.
pub(crate) fn said(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        errors: Vec<One>,
        #[serde(default)]
        details: Option<String>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    if is_html(&answer.headers, &answer.body) {
        return " with an HTML page: this is another kind of server, or something stands before it".to_owned();
    }
    let text = match serde_json::from_slice::<Said>(&answer.body) {
        Ok(Said { errors, .. }) if !errors.is_empty() => {
            let errors = errors.iter().map(|one| match (&*one.code, &*one.message) {
                (code, "") => code.to_owned(),
                ("", message) => message.to_owned(),
                (code, message) => format!("{message} ({code})"),
            });
            errors.collect::<Vec<_>>().join("; ")
        }
        // token services
        Ok(Said { details: Some(details), .. }) => details,
        _ => String::from_utf8_lossy(&answer.body).trim().chars().take(200).collect(),
    };
    if text.is_empty() { text } else { format!(": {text}") }
}

/// Whether an answer is a page for people.
pub(crate) fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.starts_with("text/html") || body.trim_ascii_start().starts_with(b"<")
}

/// The pause that `Retry-After` asks for: seconds, or a date (RFC 9110, 10.2.3).
fn wait_of(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?;
    Some(date.timestamp().duration_since(jiff::Timestamp::now()).try_into().unwrap_or_default())
}

/// What is at the bottom of an error; what `reqwest` wraps around it says nothing more.
fn root_of(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}

/// Whether the host of `url` is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host_str().unwrap_or_default() {
        "localhost" => true,
        host => {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Whether `url` may be spoken to: HTTPS, or plain HTTP on this machine.
pub(crate) fn is_allowed(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

/// Makes ring the process's cryptography, so that there is one TLS implementation; a second call changes nothing.
fn use_ring() {
    let _already_set = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(wait_of("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert!(wait_of("Sat, 06 Nov 2094 08:49:37 GMT").is_some_and(|wait| wait > Duration::from_secs(1_000_000)));
        assert_eq!(wait_of("soon"), None);
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (url, allowed) in [
            ("http://127.0.0.1:5000/v2/", true),
            ("http://127.8.9.1/v2/", true),
            ("http://localhost:5000/v2/", true),
            ("http://[::1]:5000/v2/", true),
            ("http://registry.example.com/v2/", false),
            ("http://127.0.0.1.example.com/v2/", false),
            ("http://10.0.0.1/v2/", false),
            ("https://registry.example.com/v2/", true),
            ("ftp://localhost/", false),
        ] {
            assert_eq!(is_allowed(&url.parse().unwrap()), allowed, "{url}");
        }
    }

    #[test]
    fn the_servers_own_words_are_kept() {
        let answer = |body: &str| Answer {
            status: StatusCode::BAD_REQUEST,
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        };
        for (body, text) in [
            (r#"{"errors":[{"code":"DENIED","message":"no push"},{"code":"X"}]}"#, ": no push (DENIED); X"),
            (r#"{"details":"incorrect username or password"}"#, ": incorrect username or password"),
            ("page not found\n", ": page not found"),
            ("", ""),
        ] {
            assert_eq!(said(&answer(body)), text);
        }
        assert!(said(&answer("<html><body>hello</body>")).contains("HTML page"));
    }
}
