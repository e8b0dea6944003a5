//! What GitHub and the network do to a call, and what is made of it.

use std::time::Duration;

use gs_release::error::{Error, Kind};
use gs_release::github::{GitHub, Limits, Settings};
use serde_json::json;

use crate::fake::{Failure, FakeGitHub, Token};
use crate::{
    BRANCH, PULLS, REPOSITORY, assert_told, connect, ensure, limits, name, ready, repository, rights, settings, token,
    wanted,
};

/// Looks for pull requests while `failure` happens to the first look; the error, and how many looks it took.
async fn look_under(fake: &FakeGitHub, failure: Failure) -> (Option<Error>, usize) {
    fake.fail_next("GET", PULLS, 1, failure);
    fake.take_writes();
    let error = repository(fake).await.pull_requests(None, BRANCH, "main").await.err();
    (error, fake.calls().len())
}

#[tokio::test]
async fn a_read_is_made_again_after_a_passing_failure() {
    for failure in [
        Failure::Html(502),
        Failure::Status(503, json!({ "message": "Unicorn!" })),
        Failure::CloseBeforeAnswer,
        Failure::RateLimit { retry_after: Duration::ZERO },
    ] {
        let fake = ready();
        let (error, looks) = look_under(&fake, failure.clone()).await;
        assert!(error.is_none(), "{failure:?}: {error:?}");
        assert_eq!(looks, 2, "{failure:?}");
    }
}

#[tokio::test]
async fn a_failure_that_does_not_pass_is_an_error_after_a_bounded_number_of_attempts() {
    let fake = ready();
    for _ in 0..3 {
        fake.fail_next("GET", PULLS, 1, Failure::Html(502));
    }
    let error = repository(&fake).await.pull_requests(None, BRANCH, "main").await.unwrap_err();
    assert_eq!((error.kind, fake.calls().len()), (Kind::Remote, 3));
    let call = format!("GET {}/repos/alibaba/GraphScope/pulls?", fake.api_url());
    assert_told(
        &error,
        &["cannot look for pull requests of alibaba/GraphScope", &call, "502 Bad Gateway", "githubstatus.com"],
    );
}

#[tokio::test]
async fn a_limit_beyond_patience_is_an_error_that_names_its_end_and_asks_no_more() {
    let fake = ready();
    let (error, looks) = look_under(&fake, Failure::RateLimit { retry_after: Duration::from_secs(3600) }).await;
    assert_eq!(looks, 1);
    assert_told(
        &error.unwrap(),
        &["429", "secondary rate limit", "the limit is lifted at 2", "run the same command again"],
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let fake = ready();
    fake.fail_next("GET", PULLS, 1, Failure::Hang);
    let limits = Limits { total: Duration::from_millis(300), attempts: 1, ..limits() };
    let settings = Settings { limits, ..settings(&fake, token(crate::TOKEN)) };
    let repository =
        GitHub::connect(&settings, &name(REPOSITORY), &rights()).await.unwrap().repository(&name(REPOSITORY));
    let error = repository.pull_requests(None, BRANCH, "main").await.unwrap_err();
    assert_told(&error, &["no reply in time", "HTTPS_PROXY"]);
}

#[tokio::test]
async fn a_web_page_instead_of_json_points_at_the_address() {
    let fake = ready();
    let (error, looks) = look_under(&fake, Failure::Html(200)).await;
    assert_eq!(looks, 1);
    assert_told(&error.unwrap(), &["not what GitHub's API sends: a web page", "check GITHUB_API_URL"]);
}

#[tokio::test]
async fn nothing_listening_is_a_clear_error() {
    let gone = FakeGitHub::start().api_url();
    let settings = Settings { api_url: gone.clone(), ..settings(&FakeGitHub::start(), None) };
    let repository =
        GitHub::connect(&settings, &name(REPOSITORY), &rights()).await.unwrap().repository(&name(REPOSITORY));
    let error = repository.branch("main").await.unwrap_err();
    assert_eq!(error.kind, Kind::Remote);
    assert_told(&error, &["cannot look for branch main", &gone, "refused", "check the network"]);
}

#[tokio::test]
async fn each_kind_of_missing_right_is_told_with_what_would_help() {
    let fake = ready();
    fake.add_token("ghp_noscope", Token::classic("octocat", &["gist"]));
    fake.add_token("github_pat_read", Token::fine_grained("octocat", &[("pull_requests", "read")]));
    fake.add_token("ghs_actions", Token::actions(&[("pull_requests", "write")]));
    fake.state().repo_mut(REPOSITORY).actions_may_open_pulls = false;
    for (credentials, parts) in [
        (None, &["401", "set GITHUB_TOKEN or GH_TOKEN"][..]),
        (token("ghp_wrong"), &["401", "Bad credentials", "wrong, expired or revoked"]),
        (token("ghp_noscope"), &["404", "one of these scopes: repo", "the token covers the repository"]),
        (token("github_pat_read"), &["403", "Resource not accessible by personal access token", "pull_requests=write"]),
        (token("ghs_actions"), &["403", "not permitted to create", "Settings > Actions > General"]),
    ] {
        let repository = connect(&fake, credentials).await.repository(&name(REPOSITORY));
        let error = ensure(&repository, &wanted("0.24.2")).await.unwrap_err();
        assert_eq!(error.kind, Kind::Remote);
        assert_told(&error, parts);
    }
}

#[tokio::test]
async fn an_archived_repository_is_named_as_such() {
    let fake = ready();
    fake.state().repo_mut(REPOSITORY).archived = true;
    let error = ensure(&repository(&fake).await, &wanted("0.24.2")).await.unwrap_err();
    assert_told(&error, &["403", "archived", "unarchive it first"]);
}

#[tokio::test]
async fn a_renamed_repository_is_followed_for_reads_and_writes() {
    for fake in [FakeGitHub::start(), FakeGitHub::start_enterprise()] {
        let fake = crate::prepared(fake);
        fake.state().repo_mut(REPOSITORY).former_name = Some("alibaba/libvineyard".into());
        let former = connect(&fake, token(crate::TOKEN)).await.repository(&name("alibaba/libvineyard"));
        assert!(former.branch("main").await.unwrap().is_some());
        let made = ensure(&former, &wanted("0.24.2")).await.unwrap();
        assert_eq!(made.pull_request.number, 1);
        assert_eq!(fake.state().repo(REPOSITORY).unwrap().pull(1).labels, ["release"]);
    }
}
