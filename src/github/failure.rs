//! What can go wrong with a call, and how that is told to a person.
//!
//! A [`Failure`] keeps what callers of this module decide by (the status, whether the call may have taken effect);
//! turned into an [`Error`] it becomes a message with the server's own words, and what to do.

use std::fmt::Write as _;

use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;

use crate::error::Error;

/// Longest text of a server that is repeated in a message, in characters.
const QUOTE: usize = 600;

/// A call that did not give what was asked for.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the call was for, after "cannot": `open the pull request`.
    pub what: String,
    /// Method and URL.
    pub call: String,
    pub cause: Cause,
}

/// Why.
#[derive(Debug)]
pub(super) enum Cause {
    /// No reply, or only a part of one.
    Transport {
        message: String,
        /// Whether the request may have reached the server.
        sent: bool,
        timed_out: bool,
    },
    /// A reply that says no.
    Status(Box<Refusal>),
    /// A reply that says yes, in words nobody understands.
    Unreadable { found: String, page: bool },
    /// A redirect that is not followed, since the token would go elsewhere.
    Redirect { to: String },
    /// GraphQL says no with status 200.
    Graphql { messages: Vec<String> },
}

/// A reply with an error status.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub status: u16,
    /// The server's message.
    pub message: String,
    /// Its faults by field, spelled out.
    pub faults: Vec<String>,
    /// The body was a page for people.
    pub page: bool,
    /// Until when the server wants to be left alone.
    pub limited_until: Option<Timestamp>,
    /// `X-Accepted-GitHub-Permissions`: what a fine-grained token or an App would need.
    pub accepted_permissions: Option<String>,
    /// `X-Accepted-OAuth-Scopes` of a classic token.
    pub accepted_scopes: Option<String>,
    /// `X-GitHub-SSO`, with the page that authorises the token for the organisation.
    pub sso: Option<String>,
    /// Who was refused.
    pub asker: Asker,
}

/// Who makes a call, as far as that decides what to do about a refusal.
#[derive(Debug, Default)]
pub(super) enum Asker {
    Nobody,
    #[default]
    Token,
    /// An App by its installation, whose permissions are on this page.
    App(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    message: String,
    #[serde(default)]
    errors: serde_json::Value,
}

impl Refusal {
    /// Reads a reply with an error status.
    pub fn read(status: u16, headers: &HeaderMap, body: &str, now: Timestamp) -> Self {
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let (message, faults, page) = match serde_json::from_str::<ErrorBody>(body) {
            Ok(found) => (quote(&found.message), field_faults(&found.errors), false),
            Err(_) => (String::new(), Vec::new(), is_page(headers, body)),
        };
        let mut refusal = Refusal {
            status,
            message,
            faults,
            page,
            limited_until: None,
            accepted_permissions: header("x-accepted-github-permissions"),
            // Only a classic token has scopes at all.
            accepted_scopes: header("x-oauth-scopes").and_then(|_| header("x-accepted-oauth-scopes")),
            sso: header("x-github-sso"),
            asker: Asker::default(),
        };
        refusal.limited_until = super::retry::limited_until(&refusal, header, now);
        refusal
    }
}

impl Failure {
    /// The status of the reply, if there was one that says no.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Status(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// Whether nobody can tell if the call was carried out.
    pub fn may_have_taken_effect(&self) -> bool {
        match &self.cause {
            Cause::Transport { sent, .. } => *sent,
            Cause::Status(refusal) => refusal.status >= 500,
            Cause::Unreadable { .. } => true,
            Cause::Redirect { .. } | Cause::Graphql { .. } => false,
        }
    }

    /// Whether the server wants to be left alone for a while, which says nothing about rights.
    pub fn is_limited(&self) -> bool {
        matches!(&self.cause, Cause::Status(refusal) if refusal.limited_until.is_some())
    }

    /// Whether a 422 says that the thing is there already.
    pub fn says_it_exists(&self) -> bool {
        match &self.cause {
            Cause::Status(refusal) if refusal.status == 422 => {
                let exists = |text: &String| text.contains("already exists") || text.contains("already_exists");
                exists(&refusal.message) || refusal.faults.iter().any(exists)
            }
            _ => false,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let Failure { what, call, cause } = failure;
        let told = |why: String| Error::remote(format!("cannot {what}: {call}: {why}"));
        match cause {
            Cause::Transport { message, timed_out: true, .. } => told(format!("no reply in time: {message}"))
                .hint("check the network and the proxy (HTTPS_PROXY, NO_PROXY), and https://www.githubstatus.com"),
            Cause::Transport { message, .. } => transport_hints(told(message.clone()), &message),
            Cause::Unreadable { found, page } => {
                let error = told(format!("the reply is not what GitHub's API sends: {found}"));
                if page { error.hint(WRONG_ADDRESS) } else { error }
            }
            Cause::Redirect { to } => told(format!("redirected to {to}; the token is not sent there"))
                .hint("set GITHUB_API_URL to the address that answers by itself"),
            Cause::Graphql { messages } => told(messages.join("; ")),
            Cause::Status(refusal) => refused(told(describe(&refusal)), &refusal),
        }
    }
}

const WRONG_ADDRESS: &str =
    "a web page came instead of JSON: check GITHUB_API_URL, and whether a proxy or login page stands in between";

/// `403 Forbidden: Resource not accessible by integration`.
fn describe(refusal: &Refusal) -> String {
    let reason = http::StatusCode::from_u16(refusal.status).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
    let mut text = format!("{} {reason}", refusal.status).trim_end().to_owned();
    if !refusal.message.is_empty() {
        let _ = write!(text, ": {}", refusal.message);
    } else if refusal.page {
        text.push_str(": a web page instead of JSON");
    }
    if !refusal.faults.is_empty() {
        let _ = write!(text, " ({})", refusal.faults.join("; "));
    }
    if let Some(until) = refusal.limited_until {
        let _ = write!(text, "; the limit is lifted at {}", until.strftime("%Y-%m-%d %H:%M:%S UTC"));
    }
    text
}

fn refused(error: Error, refusal: &Refusal) -> Error {
    if refusal.limited_until.is_some() {
        let error = error.hint("run the same command again then: it carries on where it stopped");
        return if matches!(refusal.asker, Asker::Nobody) {
            error.hint("set GITHUB_TOKEN: without one the limit is 60 calls an hour")
        } else {
            error
        };
    }
    if let Some(sso) = &refusal.sso {
        let page = sso.split_once("url=").map_or("the token's settings page", |(_, url)| url);
        return error.hint(format!("the organisation asks for single sign-on: authorise the token at {page}"));
    }
    if let Some(hint) = known_message(&refusal.message) {
        return error.hint(hint);
    }
    match refusal.status {
        401 if matches!(refusal.asker, Asker::Nobody) => error.hint("set GITHUB_TOKEN or GH_TOKEN"),
        401 => error.hint("the token is wrong, expired or revoked: set GITHUB_TOKEN (or GH_TOKEN) to a valid one"),
        403 | 404 if refusal.page => error.hint(WRONG_ADDRESS),
        403 => rights(error, refusal),
        404 if matches!(refusal.asker, Asker::Nobody) => error.hint(
            "GitHub also answers 404 for a private repository: check the name, or set GITHUB_TOKEN to a token that may look",
        ),
        404 => rights(error, refusal)
            .hint("GitHub also answers 404 where the token may not look: check the name, and that the token covers the repository"),
        _ if refusal.page && refusal.status < 500 => error.hint(WRONG_ADDRESS),
        500.. => error.hint("GitHub is in trouble: see https://www.githubstatus.com, then run the same command again"),
        _ => error,
    }
}

/// What the server says a token would need for the call.
fn rights(error: Error, refusal: &Refusal) -> Error {
    match (&refusal.accepted_scopes, &refusal.accepted_permissions) {
        (Some(scopes), _) => error.hint(format!("give the token one of these scopes: {scopes}")),
        (None, Some(permissions)) => {
            let spelled = permissions.replace("; ", ";").replace(';', " or ").replace(',', " and ");
            match &refusal.asker {
                Asker::App(page) => error.hint(grant(&spelled, page)),
                _ => error.hint(format!("give the token this permission: {spelled}")),
            }
        }
        (None, None) if refusal.status == 403 => error.hint("the token may not do this: give it the permission"),
        (None, None) => error,
    }
}

/// What to do about a permission that an App lacks; `page` is that of its installation.
pub(super) fn grant(permission: &str, page: &str) -> String {
    format!("give the App the permission {permission} (its settings, Permissions & events), and accept it at {page}")
}

/// Messages of GitHub that name the fault, but not the remedy.
fn known_message(message: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 6] = [
        (
            "not permitted to create or approve pull requests",
            "allow it under Settings > Actions > General > Workflow permissions, or use a GitHub App or a personal token",
        ),
        ("archived", "the repository is archived, so nothing can be written to it: unarchive it first"),
        ("Draft pull requests are not supported", "set `draft: false` under `pull-request:` in release.yaml"),
        ("IP allow list", "run this from an address on the organisation's allow list, or add this one"),
        (
            "Could not resolve to a node",
            "the token cannot see the team: a personal token needs the scope read:org, a GitHub App the permission members: read",
        ),
        (
            "only be requested from collaborators",
            "`reviewers:` and `assignees:` in release.yaml may only name people with access to the repository",
        ),
    ];
    KNOWN.iter().find(|(part, _)| message.contains(part)).map(|(_, hint)| *hint)
}

fn transport_hints(error: Error, message: &str) -> Error {
    let lower = message.to_lowercase();
    if lower.contains("certificate") || lower.contains("tls") {
        error.hint("if a proxy or a private authority signs certificates here, point SSL_CERT_FILE at its bundle")
    } else if lower.contains("dns") || lower.contains("lookup") {
        error.hint("the name does not resolve: check GITHUB_API_URL and the network")
    } else {
        error.hint("check the network, GITHUB_API_URL and the proxy (HTTPS_PROXY, NO_PROXY)")
    }
}

/// Spells out `errors` of a 422: objects with resource, field and code or message, or plain strings.
fn field_faults(errors: &serde_json::Value) -> Vec<String> {
    let list = match errors {
        serde_json::Value::Array(list) => list.as_slice(),
        serde_json::Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    list.iter().map(|fault| quote(&field_fault(fault))).collect()
}

fn field_fault(fault: &serde_json::Value) -> String {
    let text = |key: &str| fault.get(key).and_then(serde_json::Value::as_str).filter(|t| !t.is_empty());
    let place = match (text("resource"), text("field")) {
        (_, Some(field)) => Some(field),
        (resource, None) => resource,
    };
    let why = text("message").or_else(|| {
        Some(match text("code")? {
            "missing" => "does not exist",
            "missing_field" => "is required",
            "invalid" => "is invalid",
            "already_exists" => "already exists",
            "unprocessable" => "cannot be processed",
            "custom" => "is refused",
            other => other,
        })
    });
    match (place, why) {
        // A message is a sentence of its own, most often with the field in it.
        (Some(place), Some(why)) if text("message").is_none() => {
            let value = text("value").map(|v| format!(" `{v}`")).unwrap_or_default();
            format!("{place}{value} {why}")
        }
        (_, Some(why)) => why.to_owned(),
        _ => fault.as_str().map_or_else(|| fault.to_string(), str::to_owned),
    }
}

/// Whether a body that is no JSON is a page for people.
pub(super) fn is_page(headers: &HeaderMap, body: &str) -> bool {
    let html = headers.get(http::header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/html"));
    html || body.trim_start().get(..1).is_some_and(|c| c == "<")
}

/// A server's text on one line, without control characters, at a length that a terminal can bear.
pub(super) fn quote(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(QUOTE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
