//! The tokens of one installation of our App: minted for one repository and chosen permissions, kept, renewed in time.
//!
//! octocrab can mint tokens too, but none with chosen permissions.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::Rights;
use super::auth::Granted;
use super::call::Call;
use super::client::Client;
use super::failure::Failure;

/// How long before its end a token is renewed: so long it lasts at least, for whoever is given it.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// An installation, and its token at the moment.
#[derive(Debug)]
pub(super) struct Installation {
    /// Signs as the App.
    app: Client,
    /// The call that mints.
    mint: Call,
    /// Where the installation's permissions are shown to people.
    pub page: String,
    /// Locked while one is minted, so that calls at the same time share it.
    kept: Mutex<Option<Minted>>,
}

#[derive(Debug, Deserialize)]
struct Minted {
    token: SecretString,
    expires_at: Timestamp,
}

impl Minted {
    /// Whether it lasts long enough to be handed out at `now`.
    fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.duration_since(now) > MARGIN
    }
}

impl Installation {
    /// Installation `id` of `app`. Its tokens reach `repository` (a bare name) alone, with that part of `rights` that was
    /// `granted`. `what` says what minting one is for.
    pub fn new(app: Client, id: u64, what: String, repository: &str, rights: &Rights, granted: &Granted) -> Self {
        let body = json!({ "repositories": [repository], "permissions": rights.within(&granted.permissions) });
        let mint = Call::post(what, format!("/app/installations/{id}/access_tokens"), body).repeatable();
        Installation { app, mint, page: granted.page.clone(), kept: Mutex::default() }
    }

    /// A token that lasts ten minutes at least, if GitHub gives one that does.
    pub async fn token(&self) -> Result<SecretString, Failure> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref().filter(|minted| minted.is_good(Timestamp::now())) {
            Some(minted) => Ok(minted.token.clone()),
            None => self.mint(&mut kept).await,
        }
    }

    /// Another one than `refused`, which GitHub does not take any longer.
    pub async fn instead_of(&self, refused: &SecretString) -> Result<SecretString, Failure> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref().filter(|minted| minted.token.expose_secret() != refused.expose_secret()) {
            Some(minted) => Ok(minted.token.clone()),
            None => self.mint(&mut kept).await,
        }
    }

    async fn mint(&self, kept: &mut Option<Minted>) -> Result<SecretString, Failure> {
        let minted: Minted = self.app.send_signed(&self.mint).await?.json()?;
        Ok(kept.insert(minted).token.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_ten_minutes_before_it_runs_out() {
        let minted = Minted { token: "ghs_example".into(), expires_at: "2025-05-20T11:00:00Z".parse().unwrap() };
        for (now, good) in [
            ("2025-05-20T10:00:00Z", true),
            ("2025-05-20T10:49:59Z", true),
            ("2025-05-20T10:50:00Z", false),
            ("2025-05-20T12:00:00Z", false),
        ] {
            assert_eq!(minted.is_good(now.parse().unwrap()), good, "{now}");
        }
    }
}
