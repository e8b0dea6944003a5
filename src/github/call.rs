//! A call to GitHub's API as a value, and the reply to it. Nothing is sent here.

use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::{Cause, Failure, is_page};

/// A call, before it is made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// What it is for, after "cannot": `open the pull request`.
    pub what: String,
    pub method: Method,
    /// Path below the API's base, percent-encoded, with its query.
    pub path: String,
    pub body: Option<Value>,
    /// Making it twice is the same as making it once.
    pub repeatable: bool,
}

/// The reply to a call.
#[derive(Debug)]
pub(super) struct Reply {
    pub headers: HeaderMap,
    pub body: String,
    /// As in [`Call`].
    pub what: String,
    /// Method and URL.
    pub call: String,
}

impl Call {
    /// Reads something.
    pub fn get(what: impl Into<String>, path: impl Into<String>) -> Self {
        Call { what: what.into(), method: Method::GET, path: path.into(), body: None, repeatable: true }
    }

    /// Makes something anew each time it is made.
    pub fn post(what: impl Into<String>, path: impl Into<String>, body: Value) -> Self {
        Call { method: Method::POST, body: Some(body), repeatable: false, ..Call::get(what, path) }
    }

    /// Sets something: twice is the same as once.
    pub fn patch(what: impl Into<String>, path: impl Into<String>, body: Value) -> Self {
        Call { method: Method::PATCH, body: Some(body), ..Call::get(what, path) }
    }

    /// Takes something away: twice is the same as once.
    pub fn delete(what: impl Into<String>, path: impl Into<String>) -> Self {
        Call { method: Method::DELETE, ..Call::get(what, path) }
    }

    /// Says that making this call twice is the same as making it once.
    pub fn repeatable(self) -> Self {
        Call { repeatable: true, ..self }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(&format!("{name}={}", encode(value)));
        self
    }
}

impl Reply {
    /// The body as `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.body).map_err(|error| {
            let page = is_page(&self.headers, &self.body);
            let found = if page { "a web page".to_owned() } else { format!("{error}") };
            Failure { what: self.what.clone(), call: self.call.clone(), cause: Cause::Unreadable { found, page } }
        })
    }

    /// Whether there is no body, as with status 204.
    pub fn is_empty(&self) -> bool {
        self.body.trim().is_empty()
    }

    /// The value of a header, if it is text and not empty.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
    }

    /// Whether the `Link` header (RFC 8288) knows a next page.
    pub fn has_next(&self) -> bool {
        self.header("link").is_some_and(|link| link.contains("rel=\"next\""))
    }
}

/// Percent-encodes `text` for a path or a query; slashes stay, as the names of branches have them.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
