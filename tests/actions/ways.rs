//! Workflows that exist already: other inputs, no request in their name, a tag that starts them.

use crate::fake::{Script, Token, Workflow};
use crate::lab::{Ask, CONFIG, Lab, REPOSITORY};

fn hand_over() -> Ask<'static> {
    Ask { wait: false, ..Ask::default() }
}

/// A release whose first phase is built by GraphScope's own workflow, which knows nothing of requests.
fn anonymous() -> Lab {
    let trigger =
        "    trigger: { workflow: dev-images.yml, inputs: { v6d_version: 'v{vineyard}' } }\n    images:\n      dev:";
    let lab = Lab::with(&CONFIG.replace("    images:\n      dev:", trigger));
    let inputs = Some(vec!["v6d_version".to_owned()]);
    let run_name = "Build GraphScope dev images".to_owned();
    let file = "dev-images.yml".to_owned();
    lab.fake.add_workflow(REPOSITORY, Workflow { file, inputs, run_name, ..Workflow::default() });
    lab
}

#[tokio::test]
async fn inputs_are_filled_in_as_the_config_says() {
    let lab = anonymous();
    lab.scripts(vec![lab.publishes("main", 0)]);
    lab.build(Ask { only: Some(0), ..Ask::default() }).await.settled();
    assert_eq!(lab.runs(|run| run.inputs["v6d_version"].clone()), ["v0.24.1"]);
}

#[tokio::test]
async fn a_run_that_nothing_tells_from_others_is_never_started_beside_another() {
    let lab = anonymous();
    lab.build(hand_over()).await.under_way();
    let refused = lab.build(hand_over()).await;
    refused.failed(3, &["a run of dev-images.yml goes on", "/actions/runs/500", "put `{request}` among the `inputs`"]);
    assert_eq!(lab.dispatches(), 1);

    lab.fake.end_run(REPOSITORY, 500, "failure");
    lab.build(hand_over()).await.under_way();
    lab.fake.end_run(REPOSITORY, 501, "failure");
    lab.build(hand_over()).await.failed(5, &["tried 2 times"]);
}

#[tokio::test]
async fn a_workflow_that_is_not_told_the_commit_builds_the_head_of_its_branch_alone() {
    let lab = anonymous();
    let desired = lab.desired("main").commit;
    lab.fake.commit(REPOSITORY, "release", &[("x", b"x")]);
    lab.fake.git(REPOSITORY).reference("refs/heads/old", desired.parse().unwrap(), true, "x").unwrap();
    lab.fake.commit(REPOSITORY, "main", &[("unused", b"x\n")]);
    let done = lab.build_at("old", hand_over()).await;
    done.failed(3, &["dev-images.yml can only build the head of main", "put `{commit}` among the `inputs`"]);
    assert_eq!(lab.dispatches(), 0);
}

/// A release whose first phase is started by a tag.
fn tagged() -> Lab {
    let trigger = "    trigger: { tag: 'v6d-v{vineyard}', workflow: tags.yml }\n    images:\n      dev:";
    let lab = Lab::with(&CONFIG.replace("    images:\n      dev:", trigger));
    lab.fake.add_workflow(REPOSITORY, Workflow { file: "tags.yml".into(), on_tags: true, ..Workflow::default() });
    lab
}

#[tokio::test]
async fn a_tag_is_made_once_and_the_run_found_by_it() {
    let lab = tagged();
    let url = lab.build(hand_over()).await.under_way();
    assert_eq!(lab.build(hand_over()).await.under_way(), url);
    let commit = lab.desired("main").commit;
    assert_eq!(
        lab.runs(|run| (run.event, run.branch.clone(), run.sha == commit)),
        [("push", "v6d-v0.24.1".into(), true)]
    );

    lab.scripts(vec![lab.publishes("main", 0)]);
    lab.fake.end_run(REPOSITORY, 500, "failure");
    lab.build(Ask { only: Some(0), ..Ask::default() }).await.settled();
    assert_eq!(lab.runs(|run| run.attempt), [2], "the same run, started again");
}

#[tokio::test]
async fn a_run_of_a_tag_is_tried_as_often_as_any_other() {
    let lab = tagged();
    lab.scripts(vec![Script::end("failure"), Script::end("timed_out")]);
    lab.build(Ask::default()).await.failed(5, &["tried 2 times", "/actions/runs/500 (timed out)"]);
    lab.build(Ask::default()).await.failed(5, &["tried 2 times"]);
}

#[tokio::test]
async fn a_tag_that_is_on_another_commit_is_left_alone() {
    let lab = tagged();
    lab.fake.tag(REPOSITORY, "v6d-v0.24.1");
    lab.fake.commit(REPOSITORY, "main", &[("unused", b"x\n")]);
    lab.build(hand_over()).await.failed(3, &["tag v6d-v0.24.1 of alibaba/GraphScope is on", "bump it"]);
}

#[tokio::test]
async fn a_tag_that_would_start_nothing_is_not_made() {
    let lab = tagged();
    let done = lab.build(Ask { tags_start_nothing: true, ..hand_over() }).await;
    done.failed(3, &["tag v6d-v0.24.1, which starts phase v6d, is not made", "a GitHub App"]);
    assert_eq!(lab.fake.take_writes(), [""; 0]);
    // where it was not known beforehand
    lab.fake.add_token("ghp_octocat", Token::actions(&[("contents", "write")]));
    lab.build(hand_over()).await.failed(4, &["has started no run of tags.yml", "delete the tag"]);
}
