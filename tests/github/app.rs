//! A GitHub App instead of a token.

use gs_release::config::PullRequest;
use gs_release::error::Kind;
use gs_release::github::{Answer, Credentials, GitHub, Needs, Rights, SetUp};
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::fake::{App, Failure, FakeGitHub, Token};
use crate::{
    BRANCH, REPOSITORY, assert_told, connect, ensure, name, prepared, ready, rights, settings, strings, token, wanted,
};

/// A key made for these tests; it opens nothing.
const KEY: &str = include_str!("keys/app-key.pem");

fn app(id: u64) -> Option<Credentials> {
    Some(Credentials::App { id, private_key: KEY.into() })
}

fn installed(fake: FakeGitHub, permissions: &[(&str, &str)]) -> FakeGitHub {
    let app = App::on(REPOSITORY, permissions);
    fake.state().app = Some(App { repositories: vec![REPOSITORY.into(), "alibaba/other".into()], ..app });
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
    assert_told(
        &found.refusal().unwrap(),
        &[
            "pull_requests: read",
            "give the App the permission workflows: write (its settings, Permissions & events), and accept it at https",
        ],
    );
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
    let connect =
        async |home: &str, credentials| GitHub::connect(&settings(&fake, credentials), &name(home), &rights()).await;
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

/// Bodies of the calls that asked for a token.
fn asked(fake: &FakeGitHub) -> Vec<serde_json::Value> {
    let state = fake.state();
    let minting = state.requests.iter().filter(|request| request.path.ends_with("/access_tokens"));
    minting.map(|request| request.body.clone()).collect()
}

/// Every right that the work of this project can need.
const ALL: [(&str, &str); 9] = [
    ("actions", "write"),
    ("checks", "write"),
    ("contents", "write"),
    ("issues", "write"),
    ("members", "read"),
    ("metadata", "read"),
    ("pull_requests", "write"),
    ("statuses", "write"),
    ("workflows", "write"),
];

#[tokio::test]
async fn a_token_is_asked_for_the_one_repository_and_the_rights_that_the_work_needs() {
    let labelled = PullRequest { labels: strings(&["release"]), ..PullRequest::default() };
    for (rights, permissions) in [
        (Rights::look(), json!({ "actions": "read", "contents": "read", "metadata": "read", "pull_requests": "read" })),
        (Rights::comment(), json!({ "metadata": "read", "pull_requests": "write" })),
        (
            Rights::propose(&labelled),
            json!({ "contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write",
                    "workflows": "write" }),
        ),
        (
            Rights::build(false),
            json!({ "actions": "write", "checks": "read", "contents": "read", "metadata": "read",
                    "pull_requests": "write", "statuses": "write" }),
        ),
    ] {
        let fake = installed(ready(), &ALL);
        let github = GitHub::connect(&settings(&fake, app(7)), &name(REPOSITORY), &rights).await.unwrap();
        github.repository(&name(REPOSITORY)).branch("main").await.unwrap();
        assert_eq!(asked(&fake), [json!({ "repositories": ["GraphScope"], "permissions": permissions })]);
    }
}

#[tokio::test]
async fn nothing_is_asked_for_that_the_installation_was_not_granted() {
    let fake = installed(ready(), &[("contents", "write"), ("pull_requests", "read"), ("secrets", "write")]);
    let github = connect(&fake, app(7)).await;
    github.repository(&name(REPOSITORY)).branch("main").await.unwrap();
    let permissions = json!({ "contents": "write", "metadata": "read", "pull_requests": "read" });
    assert_eq!(asked(&fake)[0]["permissions"], permissions);
    // whoever takes a permission back while we work is told of
    let fake = installed(ready(), &ALL);
    let github = connect(&fake, app(7)).await;
    fake.state().app.as_mut().unwrap().permissions.clear();
    let error = github.repository(&name(REPOSITORY)).branch("main").await.unwrap_err();
    assert_told(&error, &["get a token of GitHub App 7 for alibaba/GraphScope", "not granted to this installation"]);
}

#[tokio::test]
async fn a_token_that_runs_out_soon_is_renewed_for_the_api_and_for_git() {
    let fake = installed(ready(), &ALL);
    fake.state().app.as_mut().unwrap().lasts = SignedDuration::from_mins(9);
    let github = connect(&fake, app(7)).await;
    let own = format!("{}/alibaba/GraphScope", fake.server_url());
    for nth in 1..=2 {
        let git = github.token_for(&own).await.unwrap().unwrap();
        assert_eq!(git.expose_secret(), format!("ghs_minted{nth}"));
    }
    github.repository(&name(REPOSITORY)).branch("main").await.unwrap();
    assert_eq!(fake.state().requests.last().unwrap().token.as_deref(), Some("ghs_minted3"));
    // one that lasts is kept
    fake.state().app.as_mut().unwrap().lasts = SignedDuration::from_mins(11);
    for _ in 0..2 {
        assert_eq!(github.token_for(&own).await.unwrap().unwrap().expose_secret(), "ghs_minted4");
    }
    assert!(asked(&fake).iter().all(|body| *body == asked(&fake)[0]));
}

#[tokio::test]
async fn a_token_that_is_refused_before_its_end_is_replaced_once() {
    for fake in [FakeGitHub::start(), FakeGitHub::start_enterprise()] {
        let fake = installed(prepared(fake), &ALL);
        let repository = connect(&fake, app(7)).await.repository(&name(REPOSITORY));
        repository.branch("main").await.unwrap();
        fake.state().tokens.remove("ghs_minted1");
        assert!(repository.comment_once(1, "a", "b").await.is_err_and(|error| error.message.contains("404")));
        assert_eq!(fake.state().app.as_ref().unwrap().minted, 2);
        for _ in 0..2 {
            fake.fail_next("GET", "/git/ref/", 1, Failure::Status(401, json!({ "message": "Bad credentials" })));
        }
        assert_told(&repository.branch("main").await.unwrap_err(), &["401", "Bad credentials"]);
        assert_eq!(fake.state().app.as_ref().unwrap().minted, 3);
    }
}

#[tokio::test]
async fn a_right_that_is_missing_after_all_is_told_with_where_it_is_granted() {
    let fake = installed(ready(), &[("contents", "write"), ("metadata", "read"), ("pull_requests", "read")]);
    let repository = connect(&fake, app(7)).await.repository(&name(REPOSITORY));
    let error = ensure(&repository, &wanted("0.24.2")).await.unwrap_err();
    assert_told(
        &error,
        &[
            "403 Forbidden: Resource not accessible by integration",
            "give the App the permission pull_requests=write (its settings, Permissions & events)",
            "accept it at https://github.com/organizations/",
        ],
    );
}

#[tokio::test]
async fn what_the_work_needs_is_enough_where_nothing_is_public() {
    let fake = installed(ready(), &ALL);
    fake.state().repo_mut(REPOSITORY).private = true;
    fake.state().repo_mut(REPOSITORY).milestones = strings(&["0.30"]);
    let github = connect(&fake, app(7)).await;
    let needs = Needs { base: "main".into(), workflow_files: true, milestone: Some("0.30".into()), ..Needs::default() };
    let found = github.preflight(&name(REPOSITORY), &needs).await.unwrap();
    assert!(found.checks.iter().all(|check| check.answer == Answer::Yes), "{found:?}");
    let repository = github.repository(&name(REPOSITORY));
    let mut wanted = wanted("0.24.2");
    wanted.set_up = SetUp { milestone: Some("0.30".into()), automerge: true, ..SetUp::default() };
    ensure(&repository, &wanted).await.unwrap();
    let comments = GitHub::connect(&settings(&fake, app(7)), &name(REPOSITORY), &Rights::comment()).await.unwrap();
    let comments = comments.repository(&name(REPOSITORY));
    comments.keep_comment(1, "build", "it is built").await.unwrap();
    assert_eq!(comments.pull_requests(None, BRANCH, "main").await.unwrap().len(), 1);
    assert_told(&comments.branch("main").await.unwrap_err(), &["give the App the permission contents=read"]);
}
