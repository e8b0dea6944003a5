//! What is known of the token before the first write.

use gs_release::error::Kind;
use gs_release::github::{Answer, Credentials, Needs, Preflight};
use serde_json::json;

use crate::fake::{Failure, FakeGitHub, Token};
use crate::{REPOSITORY, TOKEN, assert_told, connect, name, ready, strings, token};

async fn preflight(fake: &FakeGitHub, credentials: Option<Credentials>, needs: &Needs) -> Preflight {
    connect(fake, credentials).await.preflight(&name(REPOSITORY), needs).await.unwrap()
}

fn needs() -> Needs {
    Needs { base: "main".into(), workflow_files: true, ..Needs::default() }
}

/// `token: yes`, line by line.
fn answers(found: &Preflight) -> Vec<String> {
    let answer = |answer| match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unknown => "unknown",
    };
    found.checks.iter().map(|check| format!("{}: {}", check.about, answer(check.answer))).collect()
}

#[tokio::test]
async fn a_token_with_every_scope_passes_every_check_without_a_write() {
    let fake = ready();
    fake.state().repo_mut(REPOSITORY).milestones = strings(&["v0.29"]);
    let needs = Needs { milestone: Some("v0.29".into()), ..needs() };
    let found = preflight(&fake, token(TOKEN), &needs).await;
    assert_eq!(
        answers(&found),
        [
            "token: yes",
            "repository alibaba/GraphScope: yes",
            "push to alibaba/GraphScope: yes",
            "pull requests of alibaba/GraphScope: yes",
            "workflow files: yes",
            "base branch main: yes",
            "milestone v0.29: yes",
        ]
    );
    assert!(found.refusal().is_none() && found.notes.is_empty());
    assert_eq!(fake.take_writes(), [""; 0]);
}

#[tokio::test]
async fn what_github_does_not_tell_is_unknown_and_refuses_nothing() {
    let fake = ready();
    fake.add_token("github_pat_1", Token::fine_grained("octocat", &[]));
    let found = preflight(&fake, token("github_pat_1"), &needs()).await;
    let unknown = [
        "push to alibaba/GraphScope: unknown",
        "pull requests of alibaba/GraphScope: unknown",
        "workflow files: unknown",
    ];
    assert_eq!(answers(&found)[2..5], unknown);
    assert!(found.refusal().is_none());
}

#[tokio::test]
async fn the_token_of_a_job_can_never_push_workflow_files_and_starts_no_workflow() {
    let fake = ready();
    fake.add_token("ghs_job", Token::actions(&[("contents", "write"), ("pull_requests", "write")]));
    let found = preflight(&fake, token("ghs_job"), &needs()).await;
    assert!(found.notes[0].contains("start no workflow"), "{:?}", found.notes);
    let refusal = found.refusal().unwrap();
    assert_eq!(refusal.kind, Kind::Remote);
    assert_told(&refusal, &["nothing was written: workflow files: GITHUB_TOKEN can never push", "workflows: write"]);
    let found = preflight(&fake, token("ghs_job"), &Needs { workflow_files: false, ..needs() }).await;
    assert!(found.refusal().is_none());
}

#[tokio::test]
async fn every_no_says_why_and_what_to_do() {
    let fake = ready();
    fake.add_repository("octocat/GraphScope");
    fake.add_token("ghp_gist", Token::classic("octocat", &["gist"]));
    fake.add_token("ghp_reader", Token { push: false, ..Token::classic("octocat", &["repo", "workflow"]) });
    let fork = Some(name("octocat/gone"));
    for (credentials, needs, parts) in [
        (None, needs(), &["token: there is none", "set GITHUB_TOKEN"][..]),
        (token("ghp_wrong"), needs(), &["401", "wrong, expired or revoked"]),
        (token("ghp_gist"), needs(), &["the token's scopes are gist", "the scope repo", "the scope workflow"]),
        (token("ghp_reader"), needs(), &["may not push there", "`push-to:`"]),
        (token(TOKEN), Needs { base: "trunk".into(), ..needs() }, &["has no such branch", "set `base:`"]),
        (token(TOKEN), Needs { push_to: fork, ..needs() }, &["repository octocat/gone", "404", "check the name"]),
        (token(TOKEN), Needs { milestone: Some("x".into()), ..needs() }, &["no open milestone called `x`", "make one"]),
    ] {
        let refusal = preflight(&fake, credentials, &needs).await.refusal().unwrap();
        assert_told(&refusal, parts);
    }
}

#[tokio::test]
async fn an_invisible_or_archived_repository_is_a_no() {
    let fake = ready();
    fake.add_token("github_pat_other", Token { reaches: Some(Vec::new()), ..Token::fine_grained("octocat", &[]) });
    fake.state().repo_mut(REPOSITORY).private = true;
    let refusal = preflight(&fake, token("github_pat_other"), &needs()).await.refusal().unwrap();
    assert_told(&refusal, &["repository alibaba/GraphScope", "404", "the token covers the repository"]);
    fake.state().repo_mut(REPOSITORY).archived = true;
    let refusal = preflight(&fake, token(TOKEN), &needs()).await.refusal().unwrap();
    assert_told(&refusal, &["push to alibaba/GraphScope: the repository is archived", "unarchive it"]);
}

#[tokio::test]
async fn a_rate_limit_is_an_error_and_not_an_answer() {
    let fake = ready();
    let github = connect(&fake, token(TOKEN)).await;
    for path in ["/repos/alibaba/GraphScope$", crate::PULLS] {
        // With the status of a missing right.
        let message = json!({ "message": "You have exceeded a secondary rate limit" });
        fake.fail_next("GET", path, 1, Failure::Status(403, message));
        let error = github.preflight(&name(REPOSITORY), &needs()).await.unwrap_err();
        assert_told(&error, &["the limit is lifted at"]);
    }
}
