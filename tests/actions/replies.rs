//! Replies of GitHub that say no, say little, or get lost.

use crate::fake::{Failure, Token, Workflow};
use crate::lab::{Ask, CONFIG, Lab, REPOSITORY, WORKFLOW, unknown_field};

const DISPATCH: &str = "/dispatches$";

fn hand_over() -> Ask<'static> {
    Ask { wait: false, ..Ask::default() }
}

#[tokio::test]
async fn a_server_that_does_not_tell_the_run_is_asked_without_and_the_run_found_by_its_name() {
    let lab = Lab::new();
    lab.fake.fail_next("POST", DISPATCH, 1, Failure::Status(400, unknown_field()));
    assert!(lab.build(hand_over()).await.under_way().ends_with("/500"));
    assert_eq!((lab.dispatches(), lab.started()), (2, vec!["v6d 1".to_owned()]));
}

#[tokio::test]
async fn a_dispatch_whose_answer_is_lost_is_looked_for_before_another_is_sent() {
    for lost in [Failure::CloseAfterEffect, Failure::BadGatewayAfterEffect] {
        let lab = Lab::new();
        lab.fake.fail_next("POST", DISPATCH, 1, lost);
        assert!(lab.build(hand_over()).await.under_way().ends_with("/500"));
        assert_eq!(lab.dispatches(), 1);
    }
    let lab = Lab::new();
    lab.fake.fail_next("POST", DISPATCH, 1, Failure::CloseBeforeAnswer);
    lab.build(hand_over()).await.failed(4, &["answer was lost, and no run is to be seen", "run the command again"]);
    assert_eq!(lab.dispatches(), 1);
    lab.build(hand_over()).await.under_way();
    assert_eq!(lab.started(), ["v6d 1"]);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let lab = Lab::new();
    lab.fake.add_token("ghp_octocat", Token::actions(&[("contents", "read")]));
    lab.build(hand_over()).await.failed(
        4,
        &["cannot start build-images.yml", "403 Forbidden: Resource not accessible by integration", "actions: write"],
    );
    assert_eq!(lab.dispatches(), 1);
}

#[tokio::test]
async fn a_workflow_that_cannot_be_started_so_is_told_with_the_remedy() {
    let lab = Lab::with(CONFIG);
    lab.build(hand_over()).await.failed(4, &["404 Not Found"]);
    lab.fake.add_workflow(REPOSITORY, Workflow { file: WORKFLOW.into(), ..Workflow::default() });
    lab.build(hand_over()).await.failed(4, &["add `workflow_dispatch` to its `on:`"]);
    lab.fake.state().repo_mut(REPOSITORY).workflows[0].inputs = Some(vec!["v6d_version".into()]);
    lab.build(hand_over()).await.failed(4, &["Unexpected inputs provided", "`inputs` of release.yaml"]);
}

#[tokio::test]
async fn a_commit_that_is_not_on_github_is_refused() {
    let lab = Lab::new();
    lab.commit("elsewhere", &CONFIG.replace("0.24.1", "0.24.2"));
    let done = lab.build_at("elsewhere", hand_over()).await;
    done.failed(3, &["is not on main of alibaba/GraphScope", "push it first"]);
    assert_eq!(lab.dispatches(), 0);
}

#[tokio::test]
async fn a_later_phase_alone_is_refused_while_an_earlier_one_is_open() {
    let lab = Lab::new();
    let done = lab.build(Ask { only: Some(1), ..hand_over() }).await;
    done.failed(3, &["phase gs cannot be built before phase v6d is complete"]);
    assert_eq!(lab.dispatches(), 0);
}
