//! Phases that are built before the merge, since the pull request's own checks run in their images.

use crate::fake::Script;
use crate::fake::Workflow;
use crate::lab::{Ask, BUMP, CONFIG, Lab, REPOSITORY, WORKFLOW};

/// A release with a bump of vineyard that waits for its merge.
fn bumped() -> Lab {
    let config = CONFIG.replace("component: vineyard\n", "component: vineyard\n    build-before-merge: true\n");
    let lab = Lab::with(&config);
    lab.fake.add_workflow(REPOSITORY, Workflow::usual(WORKFLOW));
    lab.commit(BUMP, &config.replace("0.24.1", "0.24.2"));
    lab
}

fn on_the_bump() -> Ask<'static> {
    Ask { branch: BUMP, ..Ask::default() }
}

/// The statuses of the bump's commit: context, state, and whether they name a run.
fn statuses(lab: &Lab) -> Vec<(String, String, bool)> {
    let sha = lab.desired(BUMP).commit;
    let state = lab.fake.state();
    let statuses = state.repo(REPOSITORY).unwrap().statuses.iter();
    let ours = statuses.inspect(|status| assert_eq!(status.sha, sha));
    ours.map(|status| (status.context.clone(), status.state.clone(), status.url.is_some())).collect()
}

fn status(state: &str, with_run: bool) -> (String, String, bool) {
    ("gs-release/v6d".into(), state.into(), with_run)
}

#[tokio::test]
async fn only_phases_that_say_so_are_built_from_the_bump_and_the_merge_finds_them_current() {
    let lab = bumped();
    lab.scripts(vec![lab.publishes(BUMP, 0)]);
    lab.build(on_the_bump()).await.settled();
    assert_eq!(lab.started(), ["v6d 1"]);
    assert_eq!(lab.runs(|run| run.branch.clone()), [BUMP]);
    assert_eq!(statuses(&lab), [status("pending", true), status("success", false)]);

    let merged = lab.desired(BUMP).commit;
    lab.fake.git(REPOSITORY).reference("refs/heads/main", merged.parse().unwrap(), true, "merge").unwrap();
    lab.scripts(vec![lab.publishes("main", 1)]);
    lab.build(Ask::default()).await.settled();
    assert_eq!(lab.started(), ["v6d 1", "gs 1"], "the first phase was there already");
}

#[tokio::test]
async fn a_phase_that_cannot_be_built_fails_the_check_of_the_pull_request() {
    let lab = bumped();
    lab.scripts(vec![Script::end("failure"), Script::end("failure")]);
    lab.build(on_the_bump()).await.failed(5, &[]);
    lab.build(on_the_bump()).await.failed(5, &[]);
    let pending = || status("pending", true);
    assert_eq!(statuses(&lab), [pending(), pending(), status("failure", true)], "one a run, and none twice");
}

#[tokio::test]
async fn a_token_that_may_not_set_a_status_builds_all_the_same() {
    let lab = bumped();
    let rights = crate::fake::Token::actions(&[("actions", "write")]);
    lab.fake.add_token("ghp_octocat", rights);
    lab.scripts(vec![lab.publishes(BUMP, 0)]);
    let told = lab.build(on_the_bump()).await.settled();
    assert!(told.iter().any(|line| line.contains("cannot set the status") && line.contains("statuses")), "{told:?}");
}
