//! Where a token goes, and where it never shows.

use gs_release::error::Kind;
use gs_release::github::{GitHub, Settings};
use serde_json::json;

use crate::fake::{Failure, FakeGitHub};
use crate::{BRANCH, PULLS, REPOSITORY, TOKEN, assert_told, connect, name, ready, repository, rights, settings, token};

#[tokio::test]
async fn a_redirect_to_another_host_or_port_is_not_followed() {
    let (fake, other) = (ready(), FakeGitHub::start());
    for to in [format!("{}/repos/x/y/pulls", other.api_url()), "https://example.com/".into(), "//example.com/".into()] {
        fake.fail_next("GET", PULLS, 1, Failure::Redirect(307, to.clone()));
        let error = repository(&fake).await.pull_requests(None, BRANCH, "main").await.unwrap_err();
        assert_told(&error, &[&format!("redirected to {to}; the token is not sent there")]);
    }
    assert_eq!(other.calls(), [""; 0]);
}

#[tokio::test]
async fn redirects_that_lead_in_a_circle_come_to_an_end() {
    let fake = ready();
    for _ in 0..10 {
        fake.fail_next("GET", PULLS, 1, Failure::Redirect(302, "/repos/alibaba/GraphScope/pulls".into()));
    }
    let error = repository(&fake).await.pull_requests(None, BRANCH, "main").await.unwrap_err();
    assert_told(&error, &["after 3 redirects"]);
}

#[tokio::test]
async fn the_token_shows_in_no_error_and_in_no_debug_output() {
    let fake = ready();
    fake.fail_next("GET", PULLS, 1, Failure::Status(400, json!({ "message": format!("what is {TOKEN}?") })));
    let settings = settings(&fake, token(TOKEN));
    let github = GitHub::connect(&settings, &name(REPOSITORY), &rights()).await.unwrap();
    let repository = github.repository(&name(REPOSITORY));
    let error = repository.pull_requests(None, BRANCH, "main").await.unwrap_err();
    assert_told(&error, &["what is ***?"]);
    for shown in [format!("{error:?}"), format!("{settings:?}"), format!("{github:?}"), format!("{repository:?}")] {
        assert!(!shown.contains(TOKEN), "{shown}");
    }
    assert_eq!(fake.state().requests[0].token.as_deref(), Some(TOKEN));
}

#[tokio::test]
async fn without_credentials_no_authorization_is_sent() {
    let fake = ready();
    connect(&fake, None).await.repository(&name(REPOSITORY)).branch("main").await.unwrap();
    assert_eq!(fake.state().requests[0].token, None);
}

#[tokio::test]
async fn the_token_goes_over_plain_http_to_this_machine_alone() {
    let settings = |credentials| Settings {
        api_url: "http://github.example.com/api/v3".into(),
        ..settings(&FakeGitHub::start(), credentials)
    };
    let error = GitHub::connect(&settings(token(TOKEN)), &name(REPOSITORY), &rights()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert_told(&error, &["the token is not sent to http://github.example.com/api/v3", "starts with https://"]);
    assert!(GitHub::connect(&settings(None), &name(REPOSITORY), &rights()).await.is_ok());
}

#[tokio::test]
async fn git_gets_the_token_for_the_server_itself_and_for_no_other_address() {
    let fake = ready();
    let github = connect(&fake, token(TOKEN)).await;
    let own = format!("{}/alibaba/GraphScope.git", fake.server_url());
    assert!(github.token_for(&own).await.unwrap().is_some());
    for other in ["https://github.com/alibaba/GraphScope", "git@github.com:alibaba/GraphScope", "/srv/GraphScope"] {
        assert!(github.token_for(other).await.unwrap().is_none(), "{other}");
    }
    assert!(connect(&fake, None).await.token_for(&own).await.unwrap().is_none());
}
