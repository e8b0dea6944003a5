//! Who may do what: tokens of every kind, and GitHub's answers to those who may not.

use std::collections::BTreeMap;

use serde_json::json;

use super::serve::{Answer, Request};
use super::state::Repo;

/// A token.
#[derive(Debug, Clone)]
pub struct Token {
    /// Whose it is.
    pub login: String,
    pub kind: Kind,
    /// The account may push to the repositories.
    pub push: bool,
    /// Full names of the repositories it reaches; `None`: all.
    pub reaches: Option<Vec<String>>,
}

/// What decides about its rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Scopes.
    Classic(Vec<String>),
    /// Permissions; `contents` to `write`.
    FineGrained(BTreeMap<String, String>),
    /// The same, of an App.
    Installation(BTreeMap<String, String>),
    /// `GITHUB_TOKEN`.
    Actions(BTreeMap<String, String>),
}

impl Token {
    /// A person's token with scopes.
    pub fn classic(login: &str, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Token { login: login.into(), kind: Kind::Classic(scopes), push: true, reaches: None }
    }

    /// A person's token with permissions.
    pub fn fine_grained(login: &str, permissions: &[(&str, &str)]) -> Self {
        Token { login: login.into(), kind: Kind::FineGrained(map(permissions)), push: true, reaches: None }
    }

    /// `GITHUB_TOKEN` of a job.
    pub fn actions(permissions: &[(&str, &str)]) -> Self {
        let login = "github-actions[bot]".into();
        Token { login, kind: Kind::Actions(map(permissions)), push: false, reaches: None }
    }

    /// GitHub signs the commits of machines.
    pub fn is_machine(&self) -> bool {
        matches!(self.kind, Kind::Installation(_) | Kind::Actions(_))
    }

    fn may(&self, permission: &str, private: bool) -> bool {
        match &self.kind {
            Kind::Classic(scopes) if permission == "workflows" => scopes.iter().any(|scope| scope == "workflow"),
            Kind::Classic(scopes) => scopes.iter().any(|scope| scope == "repo" || (!private && scope == "public_repo")),
            // Never granted, whatever the workflow file says.
            Kind::Actions(_) if permission == "workflows" => false,
            Kind::FineGrained(permissions) | Kind::Installation(permissions) | Kind::Actions(permissions) => {
                permissions.get(permission).is_some_and(|level| level == "write" || level == "admin")
            }
        }
    }
}

pub fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The answer to a request that may not be made, if it may not.
pub(super) fn refusal(request: &Request, repo: Option<&Repo>) -> Option<Answer> {
    let token = match (&request.token, &request.secret) {
        (None, Some(_)) => return Some(Answer::error(401, "Bad credentials")),
        (token, _) => token.as_ref(),
    };
    let Some(repo) = repo else { return Some(Answer::error(404, "Not Found")) };
    let reaches = |t: &Token| t.reaches.as_ref().is_none_or(|names| names.contains(&repo.full_name));
    let sees = token.is_some_and(|t| reaches(t) && (t.kind != Kind::Classic(Vec::new())));
    if repo.private && !sees {
        return Some(Answer::error(404, "Not Found"));
    }
    if request.method == "GET" {
        return unread(request, token).filter(|_| repo.private);
    }
    let Some(token) = token else { return Some(Answer::error(401, "Requires authentication")) };
    if repo.archived {
        return Some(Answer::error(403, "Repository was archived so is read-only."));
    }
    let permissions = permissions_for(request);
    let missing = permissions.iter().any(|permission| !token.may(permission, repo.private));
    let needed: Vec<String> = permissions.iter().map(|permission| format!("{permission}=write")).collect();
    match &token.kind {
        // GitHub does not say 403 here.
        Kind::Classic(_) if missing => Some(Answer::error(404, "Not Found").header("x-accepted-oauth-scopes", "repo")),
        Kind::Classic(_) if !token.push => Some(Answer::error(403, "Must have push access to repository")),
        Kind::FineGrained(_) if missing || !reaches(token) || !token.push => Some(
            Answer::error(403, "Resource not accessible by personal access token")
                .header("x-accepted-github-permissions", &needed.join(",")),
        ),
        Kind::Installation(_) | Kind::Actions(_) if missing || !reaches(token) => Some(
            Answer::error(403, "Resource not accessible by integration")
                .header("x-accepted-github-permissions", &needed.join(",")),
        ),
        Kind::Actions(_) if request.is("POST", "/pulls") && !repo.actions_may_open_pulls => {
            Some(Answer::error(403, "GitHub Actions is not permitted to create or approve pull requests."))
        }
        _ => None,
    }
}

/// The answer to a look at what a machine may not see. What is public anybody may see.
fn unread(request: &Request, token: Option<&Token>) -> Option<Answer> {
    let Kind::Installation(permissions) = &token?.kind else { return None };
    let parts = [
        (&["/git/", "/compare/", "/commits/", "/releases", "/tags"][..], "contents"),
        (&["/actions/"], "actions"),
        (&["/check-runs/"], "checks"),
        (&["/pulls", "/issues", "/milestones"], "pull_requests"),
    ];
    let is_about = |parts: &[&str]| parts.iter().any(|part| request.path.contains(part));
    let permission = match request.path.ends_with("/statuses") {
        true => "statuses",
        false => parts.iter().find(|(parts, _)| is_about(parts))?.1,
    };
    let needed = format!("{permission}=read");
    (!permissions.contains_key(permission)).then(|| {
        Answer::error(403, "Resource not accessible by integration").header("x-accepted-github-permissions", &needed)
    })
}

fn permissions_for(request: &Request) -> Vec<&'static str> {
    let path = &request.path;
    if path.contains("/git/") {
        let paths = request.body["tree"].as_array().into_iter().flatten().filter_map(|entry| entry["path"].as_str());
        let workflows = paths.into_iter().any(|path| path.starts_with(".github/workflows/"));
        return if workflows { vec!["contents", "workflows"] } else { vec!["contents"] };
    }
    if path.contains("/actions/") {
        return vec!["actions"];
    }
    if path.contains("/statuses/") {
        return vec!["statuses"];
    }
    vec!["pull_requests"]
}

/// What GitHub says of a token beside every reply.
pub(super) fn headers(token: Option<&Token>) -> Vec<(&'static str, String)> {
    match token.map(|token| &token.kind) {
        Some(Kind::Classic(scopes)) => vec![("x-oauth-scopes", scopes.join(", "))],
        _ => Vec::new(),
    }
}

/// What the repository says of the asker's rights; `false` for machines, whatever they may do.
pub(super) fn shown(token: Option<&Token>) -> serde_json::Value {
    let push = token.is_some_and(|token| token.push && !token.is_machine());
    json!({ "admin": false, "maintain": false, "push": push, "triage": push, "pull": true })
}
