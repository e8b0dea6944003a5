//! A Python package index: which versions of a project can be installed from it.
//!
//! [`Index`] asks the simple repository API in its JSON form
//! (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>), one request a project. `page` reads the
//! answer, `settings` and `conf` what pip is configured with; where nothing is, pip itself says which index it uses. Nothing
//! here knows components, or decides which versions are wanted.

mod conf;
mod page;
mod settings;

use std::fmt;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use crate::transport::{self, Answer, Limits, Transport};

pub use page::Project;
pub use settings::Settings;

/// The JSON form, version 1 (PEP 691).
const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// The index that pip is configured with, looked for when it is first needed.
pub struct Configured {
    lookup: fn(&str) -> Option<String>,
    index: OnceCell<Index>,
}

impl Configured {
    /// `lookup` gives variables of the environment. Nothing is looked at yet.
    pub fn new(lookup: fn(&str) -> Option<String>) -> Self {
        Configured { lookup, index: OnceCell::new() }
    }

    /// The index.
    ///
    /// # Errors
    /// Usage, where pip is configured with none, and there is no pip to ask.
    pub async fn index(&self) -> Result<&Index> {
        self.index.get_or_try_init(|| async { Index::new(&Settings::find(self.lookup).await?) }).await
    }
}

/// A package index, and who is asking.
pub struct Index {
    transport: Transport,
    /// The base of the simple API, with a final slash and without a login.
    base: Url,
    login: Option<(String, SecretString)>,
}

impl fmt::Display for Index {
    /// Its address, without the login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl Index {
    /// Sets up a client for the index that `settings` name. No call is made.
    ///
    /// # Errors
    /// Usage, for an address or certificates that are none.
    pub fn new(settings: &Settings) -> Result<Self> {
        let (base, login) = settings.address()?;
        let bundle = settings.certificates()?;
        Ok(Index { transport: Transport::trusting(Limits::default(), bundle.as_deref())?, base, login })
    }

    /// The project called `name`, normalised (PEP 503). `None`: the index does not know it.
    ///
    /// # Errors
    /// Remote, where the index does not answer, or not in the JSON form.
    pub async fn project(&self, name: &str) -> Result<Option<Project>> {
        let url = self.base.join(&format!("{name}/"));
        let url = url.map_err(|error| Error::usage(format!("{self} has no page of `{name}`: {error}")))?;
        let about = format!("{name} on {self}");
        let ask = || async { transport::read(&about, transport::send(&about, self.request(url.clone())).await?).await };
        let answer = self.transport.repeat(&about, ask).await?;
        match answer.status.as_u16() {
            404 => Ok(None),
            200 if is_json(&answer) => page::read(name, &answer.body)
                .map(Some)
                .map_err(|why| Error::remote(format!("{about}: the answer cannot be read: {why}"))),
            200 => Err(Error::remote(format!("{about}: the index does not answer in the JSON form of the simple API"))
                .hint("set PIP_INDEX_URL to an index that does (PEP 691)")),
            401 | 403 => Err(transport::refused(&about, &answer)
                .hint("put the user name and password of the index into PIP_INDEX_URL or pip.conf")),
            _ => Err(transport::refused(&about, &answer)),
        }
    }

    fn request(&self, url: Url) -> RequestBuilder {
        let request = self.transport.request(Method::GET, url).header(ACCEPT, JSON);
        match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password.expose_secret())),
            None => request,
        }
    }
}

fn is_json(answer: &Answer) -> bool {
    let media_type = answer.headers.get(CONTENT_TYPE).map(HeaderValue::to_str);
    media_type.is_some_and(|text| text.is_ok_and(|text| text.split(';').next().is_some_and(|t| t.trim() == JSON)))
}
