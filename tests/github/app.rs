//! A GitHub App instead of a token.

use gs_release::error::Kind;
use gs_release::github::{Answer, Credentials, GitHub, Needs};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::fake::{App, Failure, FakeGitHub, Token, map};
use crate::{REPOSITORY, assert_told, connect, ensure, name, prepared, ready, settings, token, wanted};

/// A key made for these tests; it opens nothing.
const KEY: &str = include_str!("keys/app-key.pem");

fn app(id: u64) -> Option<Credentials> {
    Some(Credentials::App { id, private_key: KEY.into() })
}

fn installed(fake: FakeGitHub, permissions: &[(&str, &str)]) -> FakeGitHub {
    fake.state().app = Some(App {
        id: 7,
        installation: 70,
        repositories: vec![REPOSITORY.into(), "alibaba/other".into()],
        permissions: map(permissions),
        suspended: false,
        minted: 0,
    });
    fake
}

#[tokio::test]
async fn an_app_works_with_one_token_for_the_one_repository() {
    for fake in [FakeGitHub::start(), FakeGitHub::start_enterprise()] {
        let fake = installed(prepared(fake), &[("contents", "write"), ("pull_requests", "write")]);
        let github = connect(&fake, app(7)).await;
        let mut wanted = wanted("0.24.2");
        wanted.set_up.automerge = true;
        let made = ensure(&github.repository(&name(REPOSITORY)), &wanted).await.unwrap();
        assert_eq!(made.pull_request.author, "gs-release[bot]");
        let own = format!("{}/alibaba/GraphScope", fake.server_url());
        assert_eq!(github.token_for(&own).await.unwrap().unwrap().expose_secret(), "ghs_minted1");
        let state = fake.state();
        assert_eq!(state.app.as_ref().unwrap().minted, 1);
        assert_eq!(state.tokens["ghs_minted1"].reaches, Some(vec![REPOSITORY.to_owned()]));
        assert!(state.repo(REPOSITORY).unwrap().pull(1).automerge.is_some());
        let shown = format!("{github:?}");
        assert!(!shown.contains("ghs_minted1") && !shown.contains("BEGIN"), "{shown}");
    }
}

#[tokio::test]
async fn the_permissions_of_an_app_are_known_before_the_first_write() {
    let fake = installed(ready(), &[("contents", "write"), ("pull_requests", "read")]);
    let needs = Needs { base: "main".into(), workflow_files: true, ..Needs::default() };
    let found = connect(&fake, app(7)).await.preflight(&name(REPOSITORY), &needs).await.unwrap();
    let answer = |about: &str| found.checks.iter().find(|check| check.about == about).unwrap().answer;
    assert_eq!(answer("push to alibaba/GraphScope"), Answer::Yes);
    assert_eq!(answer("pull requests of alibaba/GraphScope"), Answer::No);
    assert_eq!(answer("workflow files"), Answer::No);
    assert_told(&found.refusal().unwrap(), &["pull_requests: read", "workflows: write, and accept it"]);
}

#[tokio::test]
async fn neither_an_app_nor_a_job_pushes_to_a_fork() {
    let fake = installed(ready(), &[("contents", "write"), ("pull_requests", "write")]);
    fake.add_repository("octocat/GraphScope");
    fake.add_token("ghs_job", Token::actions(&[("contents", "write"), ("pull_requests", "write")]));
    let needs = Needs { base: "main".into(), push_to: Some(name("octocat/GraphScope")), ..Needs::default() };
    for credentials in [app(7), token("ghs_job")] {
        let found = connect(&fake, credentials).await.preflight(&name(REPOSITORY), &needs).await.unwrap();
        let parts = ["push to octocat/GraphScope: the token reaches alibaba/GraphScope alone", "leave `push-to:` out"];
        assert_told(&found.refusal().unwrap(), &parts);
    }
}

#[tokio::test]
async fn a_minted_token_that_comes_back_shows_in_no_error() {
    let fake = installed(ready(), &[]);
    let message = json!({ "message": "what is ghs_minted1?" });
    fake.fail_next("GET", "/git/ref/", 1, Failure::Status(400, message));
    let error = connect(&fake, app(7)).await.repository(&name(REPOSITORY)).branch("main").await.unwrap_err();
    assert_told(&error, &["what is ***?"]);
}

#[tokio::test]
async fn an_app_that_cannot_be_used_says_why() {
    let fake = installed(ready(), &[]);
    let connect = async |home: &str, credentials| GitHub::connect(&settings(&fake, credentials), &name(home)).await;
    let error = connect("v6d-io/v6d", app(7)).await.unwrap_err();
    assert_told(&error, &["GitHub App 7 is not installed on v6d-io/v6d", "install it there"]);
    assert_told(&connect(REPOSITORY, app(8)).await.unwrap_err(), &["find the installation of GitHub App 8", "401"]);
    fake.state().app.as_mut().unwrap().suspended = true;
    assert_told(&connect(REPOSITORY, app(7)).await.unwrap_err(), &["is suspended since"]);
    let no_key = Some(Credentials::App { id: 7, private_key: "hunter2".into() });
    let error = connect(REPOSITORY, no_key).await.unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert_told(&error, &["GS_RELEASE_APP_PRIVATE_KEY is not an RSA private key"]);
    assert!(!format!("{error:?}").contains("hunter2"));
}
