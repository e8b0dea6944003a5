//! What to do when a server says no, or nothing.

use git2::{ErrorClass, ErrorCode};

use super::{Auth, Remote};
use crate::error::Error;

/// A failed talk with `remote`, with a hint for each cause that can be told.
pub(super) fn explain(what: &str, remote: &Remote, auth: &Auth, error: git2::Error) -> Error {
    let url = remote.url();
    let hint = match (http_status(&error), error.code()) {
        (Some(401), _) | (_, ErrorCode::Auth) => refused(remote, auth),
        (Some(403), _) => format!(
            "the credentials may not do this: the token needs write access to the contents of {url}, and single sign-on \
             where the organisation asks for it"
        ),
        (Some(404), _) => format!(
            "{url} does not exist, or the credentials may not see it; check the URL (`git remote -v`) and the token's \
             repositories"
        ),
        (Some(500..), _) => "the server is in trouble; run the command again later".into(),
        (_, ErrorCode::Timeout) => "check the network, the proxy and the remote's URL (`git remote -v`)".into(),
        (_, ErrorCode::Certificate) if remote.is_ssh() => {
            "the server's key is not in ~/.ssh/known_hosts; connect once with `ssh`, and compare the key with the one that \
             the server's owner publishes"
                .into()
        }
        (_, ErrorCode::Certificate) => "the server's certificate is not trusted here; SSL_CERT_FILE names more".into(),
        _ if error.class() == ErrorClass::Indexer => format!(
            "a partial clone lacks what the server builds on; run `git fetch {}`, then the command again",
            remote.name
        ),
        _ if error.class() == ErrorClass::Ssh => "check the ssh agent (`ssh-add -l`) and the known hosts".into(),
        _ => "check the remote's URL (`git remote -v`) and the network".into(),
    };
    Error::remote(format!("cannot {what} {url}: {}", error.message())).because(error).hint(hint)
}

fn refused(remote: &Remote, auth: &Auth) -> String {
    if remote.is_ssh() {
        return "add a key that the server knows to the ssh agent (`ssh-add`), or set GITHUB_TOKEN and an https URL"
            .into();
    }
    match (&auth.token, auth.is_for(remote)) {
        (Some(_), true) => "GITHUB_TOKEN has expired, was revoked or is for another server; set a new one".into(),
        (Some(_), false) => format!(
            "the token is sent to {} alone; GITHUB_SERVER_URL names another server, and a git credential helper any",
            auth.server
        ),
        (None, _) => "set GITHUB_TOKEN to a token that may read and write this repository's contents, or configure a \
                      git credential helper; GitHub asks for credentials too where there is no such repository"
            .into(),
    }
}

/// libgit2 puts the status into the text alone.
fn http_status(error: &git2::Error) -> Option<u16> {
    error.message().strip_prefix("unexpected http status code: ")?.trim().parse().ok()
}

/// What to do about a server that refused an update, from what it `said`.
pub(super) fn rejection_hint(said: &str) -> &'static str {
    let said = said.to_ascii_lowercase();
    if said.contains("refusing to allow") && said.contains("workflow") {
        "the bump changes a file under .github/workflows: the token needs the `workflows` permission (a GitHub App), or \
         the `workflow` scope (a personal token); GITHUB_TOKEN of GitHub Actions can never have it"
    } else if said.contains("gh006") || said.contains("gh013") || said.contains("protected branch") {
        "a branch protection rule or ruleset covers the bot's branch; let it pass `gs-release/*`, or let the token's \
         owner bypass it"
    } else if said.contains("gh009") || said.contains("push declined due to repository rule") {
        "a ruleset of the repository refuses the commit; let the token's owner bypass it"
    } else {
        "the token needs write access to contents, and to workflows where a workflow file changes"
    }
}
