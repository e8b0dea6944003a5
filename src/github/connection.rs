//! Sets octocrab up: who is asking, how long a call may take, certificates and proxies. Makes no call.
//!
//! Redirects are turned off here: following one could send the token elsewhere. Proxies come from the environment
//! (`HTTPS_PROXY`, `NO_PROXY`), certificates from the system or, on Linux, from `SSL_CERT_FILE`.

use octocrab::models::AppId;
use octocrab::{
    DefaultOctocrabBuilderConfig, NoAuth, NoSvc, NotLayerReady, Octocrab, OctocrabBuilder, auth::EncodingKey,
};
use secrecy::{ExposeSecret, SecretString};

use super::settings::Limits;
use crate::error::{Error, Result};
use crate::git::origin;

type Builder = OctocrabBuilder<NoSvc, DefaultOctocrabBuilderConfig, NoAuth, NotLayerReady>;

/// Asks without credentials.
pub(super) fn anonymous(base: &str, limits: &Limits) -> Result<Octocrab> {
    build(builder(base)?, limits)
}

/// Asks with a token.
pub(super) fn with_token(base: &str, limits: &Limits, token: &SecretString) -> Result<Octocrab> {
    keeps_secrets(base)?;
    // Unlike `personal_token`, this marks the header as sensitive.
    anonymous(base, limits)?.user_access_token(token.clone()).map_err(not_built)
}

/// Asks as the App itself, which can do little but find its installations.
pub(super) fn as_app(base: &str, limits: &Limits, id: u64, private_key: &SecretString) -> Result<Octocrab> {
    keeps_secrets(base)?;
    let key = EncodingKey::from_rsa_pem(private_key.expose_secret().as_bytes()).map_err(|error| {
        Error::usage("GS_RELEASE_APP_PRIVATE_KEY is not an RSA private key in PEM")
            .hint("it is the whole .pem file that GitHub offered for download, line breaks included")
            .because(error)
    })?;
    build(builder(base)?.app(AppId(id), key), limits)
}

fn builder(base: &str) -> Result<Builder> {
    let agent = concat!("gs-release/", env!("CARGO_PKG_VERSION")).to_owned();
    Octocrab::builder().add_header(http::header::USER_AGENT, agent).base_uri(base).map_err(not_built)
}

fn build(builder: Builder, limits: &Limits) -> Result<Octocrab> {
    // The process has one TLS stack; where it is installed already, this changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .timeout(limits.total)
        .build()
        .map_err(|error| {
            Error::remote(format!("cannot set up HTTPS for GitHub: {error}"))
                .hint("install the system's certificates (ca-certificates), or point SSL_CERT_FILE at a bundle")
                .because(error)
        })?;
    builder.build_with_reqwest(http).map_err(not_built)
}

fn keeps_secrets(base: &str) -> Result<()> {
    if origin::keeps_secrets(base) {
        return Ok(());
    }
    Err(Error::usage(format!("the token is not sent to {base}: anyone on the way could read it"))
        .hint("set GITHUB_API_URL to an address that starts with https://"))
}

fn not_built(error: octocrab::Error) -> Error {
    Error::remote("cannot set up a client for GitHub").because(error)
}
