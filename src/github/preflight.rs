//! What can be known, before the first write, of whether the writes will be allowed.
//!
//! No API tells a token all its rights: each check says yes, no or unknown, and only a no refuses. What was unknown and
//! turns out as a no is explained by the error of the call itself.

use serde::Deserialize;
use serde_json::json;

use super::auth::Actor;
use super::call::{Call, Reply};
use super::failure::{Failure, grant};
use super::{GitHub, Repository};
use crate::config::RepositoryName;
use crate::error::{Error, Result};

/// What the work ahead will need.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// The branch that the pull request goes to.
    pub base: String,
    /// The fork that the branch is pushed to; `None`: the repository itself.
    pub push_to: Option<RepositoryName>,
    /// Files under `.github/workflows` change.
    pub workflow_files: bool,
    /// The milestone that the pull request goes into.
    pub milestone: Option<String>,
    /// The pull request is not there yet, and will be opened now.
    pub opens: bool,
    /// A team is asked for a review.
    pub teams: bool,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Preflight {
    /// In the order they were made.
    pub checks: Vec<Check>,
    /// What a person should know though nothing is wrong.
    pub notes: Vec<String>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about: `token`, `push to o/r`, `workflow files`.
    pub about: String,
    /// The answer.
    pub answer: Answer,
    /// Why, as half a sentence.
    pub reason: String,
    /// What to do about a no.
    pub remedy: Option<String>,
}

/// The answer to a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is fine.
    Yes,
    /// It will fail.
    No,
    /// GitHub does not tell.
    Unknown,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Unknown => "unknown",
        })
    }
}

impl Preflight {
    /// The error that holds the work back: every no, with what to do about it.
    pub fn refusal(&self) -> Option<Error> {
        let refused: Vec<&Check> = self.checks.iter().filter(|check| check.answer == Answer::No).collect();
        let reasons: Vec<String> = refused.iter().map(|check| format!("{}: {}", check.about, check.reason)).collect();
        let error = Error::remote(format!("nothing was written: {}", reasons.join("; ")));
        let remedies = refused.iter().filter_map(|check| check.remedy.clone());
        (!refused.is_empty()).then(|| remedies.fold(error, Error::hint))
    }

    fn add(&mut self, about: impl Into<String>, answer: Answer, reason: impl Into<String>, remedy: Option<&str>) {
        let check = Check { about: about.into(), answer, reason: reason.into(), remedy: remedy.map(str::to_owned) };
        self.checks.push(check);
    }
}

#[derive(Deserialize)]
struct RawRepository {
    private: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    disabled: bool,
    permissions: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    push: bool,
}

/// What one look at a repository says.
struct Looked {
    repository: RawRepository,
    /// Scopes of a classic token.
    scopes: Option<Vec<String>>,
}

/// What the right to do something is called by each kind of token.
struct Right {
    about: String,
    /// Permission of an App, which must be `write`.
    permission: &'static str,
    /// Whether these scopes of a classic token are enough.
    scopes: fn(&[String], private: bool) -> bool,
    scope_name: &'static str,
}

const MAKE_A_TOKEN: &str = "set GITHUB_TOKEN (or GH_TOKEN) to a token that may write contents and pull requests, \
    or set up a GitHub App with GS_RELEASE_APP_ID and GS_RELEASE_APP_PRIVATE_KEY";
const ACTIONS_LOGIN: &str = "github-actions[bot]";

impl GitHub {
    /// Looks at everything that can be looked at before the first write in `repository`. Nothing is changed: a token that does
    /// not tell its rights is tried with a pull request that cannot come about.
    ///
    /// # Errors
    /// Remote, where GitHub does not answer: that is no answer to any check.
    pub async fn preflight(&self, repository: &RepositoryName, needs: &Needs) -> Result<Preflight> {
        let mut found = Preflight::default();
        if self.actor == Actor::Anonymous {
            found.add("token", Answer::No, "there is none", Some(MAKE_A_TOKEN));
            return Ok(found);
        }
        let target = self.repository(repository);
        let Some(looked) = look(&target, &mut found).await? else { return Ok(found) };
        let is_actions = self.is_actions_token().await;
        match &needs.push_to {
            None => self.check_push(&target, &looked, &mut found),
            Some(fork) if matches!(self.actor, Actor::App(_)) || is_actions == Some(true) => {
                let remedy = "leave `push-to:` out, or use a personal token";
                let why = format!("the token reaches {repository} alone");
                found.add(format!("push to {fork}"), Answer::No, why, Some(remedy));
            }
            Some(fork) => {
                let fork = self.repository(fork);
                if let Some(looked) = look(&fork, &mut found).await? {
                    self.check_push(&fork, &looked, &mut found);
                }
            }
        }
        self.check_pull_requests(&target, &looked, needs, &mut found).await?;
        if needs.teams {
            self.check_teams(is_actions, &mut found);
        }
        if needs.workflow_files {
            self.check_workflow_files(&looked, is_actions, &mut found);
        }
        check_base(&target, &needs.base, &mut found).await?;
        if let Some(title) = &needs.milestone {
            check_milestone(&target, title, &mut found).await?;
        }
        if is_actions == Some(true) {
            found.notes.push(
                "pull requests made with GITHUB_TOKEN start no workflow until a person closes and reopens them or pushes: \
                 use a GitHub App or a personal token where checks must run unattended"
                    .into(),
            );
        }
        Ok(found)
    }

    /// Whether this is the `GITHUB_TOKEN` of an Actions job. It looks like the token of any App's installation, but is
    /// that of GitHub's own App, which GraphQL names. `None`: not told.
    pub async fn is_actions_token(&self) -> Option<bool> {
        if self.actor != Actor::InstallationToken {
            return Some(false);
        }
        let viewer = self.client.graphql("ask who the token is", "query { viewer { login } }", json!({}), true).await;
        Some(viewer.ok()?["viewer"]["login"].as_str()? == ACTIONS_LOGIN)
    }

    fn check_push(&self, target: &Repository, looked: &Looked, found: &mut Preflight) {
        let about = format!("push to {}", target.name);
        if looked.repository.archived || looked.repository.disabled {
            let why =
                if looked.repository.archived { "the repository is archived" } else { "the repository is disabled" };
            found.add(about, Answer::No, why, Some("unarchive it, or correct `repository:` in release.yaml"));
            return;
        }
        let person = matches!(self.actor, Actor::Classic | Actor::FineGrained);
        // For installations this says `false` whatever they may do.
        if person && looked.repository.permissions.as_ref().is_some_and(|permissions| !permissions.push) {
            let remedy =
                "ask for write access, or push to a fork with `push-to:` under `pull-request:` in release.yaml";
            found.add(about, Answer::No, "the token's account may not push there", Some(remedy));
            return;
        }
        self.check_right(
            Right {
                about,
                permission: "contents",
                scopes: |scopes, private| has(scopes, "repo") || (!private && has(scopes, "public_repo")),
                scope_name: "repo",
            },
            looked,
            found,
        );
    }

    async fn check_pull_requests(
        &self,
        target: &Repository,
        looked: &Looked,
        needs: &Needs,
        found: &mut Preflight,
    ) -> Result<()> {
        let about = format!("pull requests of {}", target.name);
        let what = format!("look for pull requests of {}", target.name);
        let read = Call::get(what, target.at("pulls")).query("per_page", "1");
        match self.client.send(&read).await {
            Ok(_) => {}
            Err(failure) if matches!(failure.status(), Some(403 | 404)) && !failure.is_limited() => {
                found.add(about, Answer::No, Error::from(failure).message, Some(MAKE_A_TOKEN));
                return Ok(());
            }
            Err(failure) => return Err(failure.into()),
        }
        if looked.repository.archived {
            return Ok(());
        }
        let told = matches!(self.actor, Actor::App(_)) || (self.actor == Actor::Classic && looked.scopes.is_some());
        if needs.opens
            && !told
            && let Some(error) = opening_refused(target, &needs.base).await?
        {
            found.add(about, Answer::No, error.message, error.hints.first().map(String::as_str));
            return Ok(());
        }
        self.check_right(
            Right {
                about,
                permission: "pull_requests",
                scopes: |scopes, private| has(scopes, "repo") || (!private && has(scopes, "public_repo")),
                scope_name: "repo",
            },
            looked,
            found,
        );
        Ok(())
    }

    fn check_teams(&self, is_actions: Option<bool>, found: &mut Preflight) {
        let about = "reviews by a team";
        if is_actions == Some(true) {
            let remedy = "use a GitHub App with the permission members: read, or leave the team out of `reviewers:`";
            found.add(about, Answer::No, "GITHUB_TOKEN cannot see teams", Some(remedy));
        } else if let Actor::App(granted) = &self.actor
            && !granted.permissions.contains_key("members")
        {
            let remedy = grant("members: read", &granted.page);
            found.add(about, Answer::No, "the App has members: none", Some(&remedy));
        }
    }

    fn check_workflow_files(&self, looked: &Looked, is_actions: Option<bool>, found: &mut Preflight) {
        if is_actions == Some(true) {
            let remedy =
                "use a GitHub App with the permission workflows: write, or a personal token with the scope workflow";
            let why = "GITHUB_TOKEN can never push changes of files under .github/workflows";
            found.add("workflow files", Answer::No, why, Some(remedy));
            return;
        }
        self.check_right(
            Right {
                about: "workflow files".into(),
                permission: "workflows",
                scopes: |scopes, _| has(scopes, "workflow"),
                scope_name: "workflow",
            },
            looked,
            found,
        );
    }

    /// What each kind of token tells of a right.
    fn check_right(&self, right: Right, looked: &Looked, found: &mut Preflight) {
        let Right { about, permission, scopes, scope_name } = right;
        match (&self.actor, &looked.scopes) {
            (Actor::App(granted), _) => {
                let level = granted.permissions.get(permission).map_or("none", String::as_str);
                if matches!(level, "write" | "admin") {
                    found.add(about, Answer::Yes, format!("the App has {permission}: {level}"), None);
                } else {
                    let remedy = grant(&format!("{permission}: write"), &granted.page);
                    found.add(about, Answer::No, format!("the App has {permission}: {level}"), Some(&remedy));
                }
            }
            (Actor::Classic, Some(present)) if scopes(present, looked.repository.private) => {
                found.add(about, Answer::Yes, format!("the token's scopes are {}", present.join(", ")), None);
            }
            (Actor::Classic, Some(present)) => {
                let shown = if present.is_empty() { "none".to_owned() } else { present.join(", ") };
                let remedy = format!("give the token the scope {scope_name}");
                found.add(about, Answer::No, format!("the token's scopes are {shown}"), Some(&remedy));
            }
            _ => found.add(about, Answer::Unknown, "GitHub does not tell what a token of this kind may do", None),
        }
    }
}

/// Looks at a repository; `None`: it cannot be seen, which is said in `found`.
async fn look(target: &Repository, found: &mut Preflight) -> Result<Option<Looked>> {
    let name = &target.name;
    let reply = target.client.send(&Call::get(format!("look at {name}"), &*target.path)).await;
    let reply: Reply = match reply {
        Ok(reply) => reply,
        Err(failure) => return told(failure, name, found).map(|()| None),
    };
    let repository: RawRepository = reply.json()?;
    let scopes =
        reply.headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok()).map(|value| {
            value.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect()
        });
    if !found.checks.iter().any(|check| check.about == "token") {
        found.add("token", Answer::Yes, "GitHub accepts it", None);
    }
    found.add(format!("repository {name}"), Answer::Yes, "the token can see it", None);
    Ok(Some(Looked { repository, scopes }))
}

/// The statuses that answer a check; any other failure is one.
fn told(failure: Failure, name: &RepositoryName, found: &mut Preflight) -> Result<()> {
    let status = failure.status().filter(|_| !failure.is_limited());
    let error = Error::from(failure);
    let remedy = error.hints.first().cloned();
    match status {
        Some(401) => found.add("token", Answer::No, error.message, remedy.as_deref()),
        Some(403 | 404 | 451) => found.add(format!("repository {name}"), Answer::No, error.message, remedy.as_deref()),
        _ => return Err(error),
    }
    Ok(())
}

/// Asks for a pull request from `base` to itself: GitHub answers 422, since there is nothing in it, unless the token may open
/// none at all. Gives that refusal.
async fn opening_refused(target: &Repository, base: &str) -> Result<Option<Error>> {
    let body = json!({ "title": "Nothing", "head": base, "base": base });
    let call = Call::post(format!("open pull requests in {}", target.name), target.at("pulls"), body).repeatable();
    match target.client.send(&call).await {
        Err(failure) if matches!(failure.status(), Some(403 | 404)) && !failure.is_limited() => {
            Ok(Some(failure.into()))
        }
        Err(failure) if failure.status() != Some(422) => Err(failure.into()),
        _ => Ok(None),
    }
}

async fn check_base(target: &Repository, base: &str, found: &mut Preflight) -> Result<()> {
    let about = format!("base branch {base}");
    match target.branch(base).await? {
        Some(_) => found.add(about, Answer::Yes, "it exists", None),
        None => {
            let remedy = "set `base:` in release.yaml to the branch that pull requests go to";
            found.add(about, Answer::No, format!("{} has no such branch", target.name), Some(remedy));
        }
    }
    Ok(())
}

async fn check_milestone(target: &Repository, title: &str, found: &mut Preflight) -> Result<()> {
    let about = format!("milestone {title}");
    match target.milestone(title).await {
        Ok(_) => found.add(about, Answer::Yes, "it is open", None),
        Err(error) if error.kind == crate::error::Kind::Usage => {
            found.add(about, Answer::No, error.message, error.hints.first().map(String::as_str));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn has(scopes: &[String], wanted: &str) -> bool {
    scopes.iter().any(|scope| scope == wanted)
}
