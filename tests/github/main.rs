//! The GitHub module against a GitHub of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod app;
mod commits;
#[path = "../support/github/mod.rs"]
mod fake;
mod faults;
mod preflight;
mod pull_requests;
mod secrets;
mod setting_up;
mod the_fake;
mod tls;
mod upstream;

use std::time::Duration;

use fake::{FakeGitHub, Token};
use gs_release::bump::reconcile::{Asker, Intent, choose};
use gs_release::config::{PullRequest, RepositoryName};
use gs_release::error::Error;
use gs_release::github::{
    Credentials, Ensured, GitHub, Limits, NewPullRequest, Repository, Rights, SetUp, Settings, Wanted,
};

const REPOSITORY: &str = "alibaba/GraphScope";
const BRANCH: &str = "gs-release/vineyard";
const TOKEN: &str = "ghp_octocat";
const PULLS: &str = "/repos/alibaba/GraphScope/pulls$";

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

/// Quick to give up, quick to try again.
fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(20),
        total: Duration::from_secs(20),
        attempts: 3,
        pause: Duration::from_millis(2),
        patience: Duration::from_secs(2),
    }
}

fn settings(fake: &FakeGitHub, credentials: Option<Credentials>) -> Settings {
    Settings { api_url: fake.api_url(), server_url: fake.server_url().to_owned(), credentials, limits: limits() }
}

/// What a bump needs that sets no label.
fn rights() -> Rights {
    Rights::propose(&PullRequest::default())
}

fn token(secret: &str) -> Option<Credentials> {
    Some(Credentials::Token(secret.into()))
}

/// A fake with the repository, a branch with a commit, and a token that may do everything.
fn ready() -> FakeGitHub {
    prepared(FakeGitHub::start())
}

fn prepared(fake: FakeGitHub) -> FakeGitHub {
    fake.add_repository(REPOSITORY);
    fake.commit(REPOSITORY, BRANCH, &[("V6D_VERSION", b"v0.24.2\n")]);
    fake.add_token(TOKEN, Token::classic("octocat", &["repo", "workflow"]));
    fake
}

async fn connect(fake: &FakeGitHub, credentials: Option<Credentials>) -> GitHub {
    GitHub::connect(&settings(fake, credentials), &name(REPOSITORY), &rights()).await.unwrap()
}

async fn repository(fake: &FakeGitHub) -> Repository {
    connect(fake, token(TOKEN)).await.repository(&name(REPOSITORY))
}

/// A client that does not try again.
async fn impatient(fake: &FakeGitHub, credentials: Option<Credentials>) -> Repository {
    let limits = Limits { attempts: 1, ..limits() };
    let settings = Settings { limits, ..settings(fake, credentials) };
    GitHub::connect(&settings, &name(REPOSITORY), &rights()).await.unwrap().repository(&name(REPOSITORY))
}

fn wanted(version: &str) -> Wanted {
    Wanted {
        pull_request: NewPullRequest {
            title: format!("chore: bump vineyard to {version}"),
            body: format!("What changes: {version}\n"),
            head_branch: BRANCH.into(),
            head_repository: None,
            base_branch: "main".into(),
            draft: false,
        },
        component: "vineyard".into(),
        version: version.parse().unwrap(),
        tree: format!("tree of {version}"),
        labels: vec!["release".into()],
        set_up: SetUp::default(),
    }
}

/// Looks which pull request it is, and brings it there.
async fn ensure(repository: &Repository, wanted: &Wanted) -> Result<Ensured, Error> {
    let new = &wanted.pull_request;
    let pulls = repository.pull_requests_from(new.head_repository.as_ref(), &new.head_branch).await?;
    let intent = Intent {
        component: &wanted.component,
        version: &wanted.version,
        tree: &wanted.tree,
        base: &new.base_branch,
        asker: Asker::Person,
        force: false,
        allow_downgrade: false,
    };
    let (step, superseded) = choose(&pulls, &intent);
    repository.ensure_pull_request(wanted, step.existing(), &superseded).await
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// Message and hints as one text.
fn told(error: &Error) -> String {
    format!("{}\n{}", error.message, error.hints.join("\n"))
}

/// Asserts that each part is told.
#[track_caller]
fn assert_told(error: &Error, parts: &[&str]) {
    let told = told(error);
    for part in parts {
        assert!(told.contains(part), "`{part}` is missing from: {told}");
    }
}
