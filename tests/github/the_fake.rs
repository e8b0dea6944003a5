//! The fake itself: what violates GitHub's description fails the test, whatever the client makes of the reply.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::fake::{FakeGitHub, Token};
use crate::{REPOSITORY, TOKEN, connect, name, ready, token};

/// What the fake says when it is dropped.
fn complaint(fake: FakeGitHub) -> String {
    let complaint = catch_unwind(AssertUnwindSafe(move || drop(fake))).unwrap_err();
    complaint.downcast_ref::<String>().cloned().unwrap_or_default()
}

async fn send(fake: &FakeGitHub, method: reqwest::Method, path: &str, body: Option<&str>) {
    let request = reqwest::Client::new().request(method, format!("{}{path}", fake.api_url())).bearer_auth(TOKEN);
    let request = match body {
        Some(body) => request.body(body.to_owned()),
        None => request,
    };
    request.send().await.unwrap();
}

#[tokio::test]
async fn a_call_that_the_description_does_not_have_fails_the_test() {
    // Sets up TLS for the bare client below.
    let fake = ready();
    connect(&fake, token(TOKEN)).await;
    for (method, path, body, complaint_part) in [
        (reqwest::Method::GET, "/repos/alibaba/GraphScope/pull", None, "the description has no such operation"),
        (reqwest::Method::GET, "/repos/alibaba/GraphScope/pulls?status=all", None, "has no query parameter `status`"),
        (reqwest::Method::GET, "/repos/alibaba/GraphScope/pulls?state=any", None, "?state"),
        (
            reqwest::Method::POST,
            "/repos/alibaba/GraphScope/pulls",
            Some(r#"{"base":"main"}"#),
            "\"head\" is a required property",
        ),
        (
            reqwest::Method::POST,
            "/repos/alibaba/GraphScope/pulls",
            Some(r#"{"base":"main","head":"gs-release/vineyard","title":"t","labels":["x"]}"#),
            "has no body parameter `labels`",
        ),
    ] {
        let fake = ready();
        send(&fake, method, path, body).await;
        let complaint = complaint(fake);
        assert!(complaint.contains(complaint_part), "{path}: {complaint}");
    }
}

#[tokio::test]
async fn a_reply_that_github_would_not_give_fails_the_test() {
    let fake = ready();
    fake.add_token(TOKEN, Token::classic("octocat", &["repo"]));
    fake.state().repo_mut(REPOSITORY).releases =
        vec![crate::fake::Release { tag: "v1.0.0".into(), published_at: "yesterday".into(), ..Default::default() }];
    let repository = connect(&fake, token(TOKEN)).await.repository(&name(REPOSITORY));
    let template = gs_release::config::TagTemplate { prefix: "v".into(), suffix: String::new() };
    assert!(repository.list_versions(&template).await.is_err());
    let complaint = complaint(fake);
    assert!(complaint.contains("GET /repos/{owner}/{repo}/releases reply 200: /0/published_at"), "{complaint}");
}
