//! The GitHub module against a GitHub of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/github/mod.rs"]
mod fake;

use std::time::Duration;

use fake::{FakeGitHub, Token};
use gs_release::config::RepositoryName;
use gs_release::github::{Action, Credentials, GitHub, Limits, NewPullRequest, Repository, SetUp, Settings, Wanted};

const REPOSITORY: &str = "alibaba/GraphScope";
const BRANCH: &str = "gs-release/vineyard";
const TOKEN: &str = "ghp_octocat";

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

/// Quick to give up, quick to try again.
fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        total: Duration::from_secs(5),
        attempts: 3,
        pause: Duration::from_millis(2),
        patience: Duration::from_secs(2),
    }
}

fn settings(fake: &FakeGitHub, credentials: Option<Credentials>) -> Settings {
    Settings { api_url: fake.api_url(), server_url: fake.server_url().to_owned(), credentials, limits: limits() }
}

fn token(secret: &str) -> Option<Credentials> {
    Some(Credentials::Token(secret.into()))
}

/// A fake with the repository, a branch with a commit, and a token that may do everything.
fn ready() -> FakeGitHub {
    let fake = FakeGitHub::start();
    fake.add_repository(REPOSITORY);
    fake.commit(REPOSITORY, BRANCH, &[("V6D_VERSION", b"v0.24.2\n")]);
    fake.add_token(TOKEN, Token::classic("octocat", &["repo", "workflow"]));
    fake
}

async fn connect(fake: &FakeGitHub, secret: &str) -> GitHub {
    GitHub::connect(&settings(fake, token(secret)), &name(REPOSITORY)).await.unwrap()
}

async fn repository(fake: &FakeGitHub) -> Repository {
    connect(fake, TOKEN).await.repository(&name(REPOSITORY))
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

#[tokio::test]
async fn the_first_run_creates_the_second_touches_nothing_a_newer_version_updates_in_place() {
    let fake = ready();
    let repository = repository(&fake).await;
    let first = repository.ensure_pull_request(&wanted("0.24.2")).await.unwrap();
    assert_eq!((first.action, first.pull_request.number), (Action::Created, 1));
    assert_eq!(
        fake.take_writes(),
        ["POST /repos/alibaba/GraphScope/pulls", "POST /repos/alibaba/GraphScope/issues/1/labels"]
    );
    let second = repository.ensure_pull_request(&wanted("0.24.2")).await.unwrap();
    assert_eq!(second.action, Action::Unchanged);
    assert_eq!(fake.take_writes(), [""; 0]);
    let third = repository.ensure_pull_request(&wanted("0.24.3")).await.unwrap();
    assert_eq!((third.action, third.pull_request.number), (Action::Updated, 1));
    assert_eq!(fake.take_writes(), ["PATCH /repos/alibaba/GraphScope/pulls/1"]);
    let state = fake.state();
    let pull = state.repo(REPOSITORY).unwrap().pull(1);
    assert_eq!(pull.title, "chore: bump vineyard to 0.24.3");
    assert!(
        pull.body.contains("What changes: 0.24.3\n") && pull.body.contains("\"version\":\"0.24.3\""),
        "{}",
        pull.body
    );
    assert_eq!(pull.labels, ["release"]);
}
