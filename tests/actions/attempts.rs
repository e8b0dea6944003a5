//! What is started, joined, tried again and given up.

use crate::fake::{End, Script};
use crate::lab::{Ask, Lab, REPOSITORY};

#[tokio::test]
async fn phases_are_built_by_one_run_each_one_after_the_other() {
    let lab = Lab::new();
    lab.scripts(vec![lab.publishes("main", 0), lab.publishes("main", 1)]);
    let told = lab.build(Ask::default()).await.settled();
    assert_eq!(lab.started(), ["v6d 1", "gs 1"]);
    let commit = lab.desired("main").commit;
    assert!(lab.runs(|run| run.inputs["commit"] == commit && run.branch == "main").into_iter().all(|right| right));
    assert!(told.contains(&"v6d: started".into()) && told.contains(&"gs: success".into()), "{told:?}");

    lab.fake.take_writes();
    lab.build(Ask::default()).await.settled();
    assert_eq!(lab.fake.calls(), [""; 0], "nothing is due, and GitHub is not asked");
}

#[tokio::test]
async fn whoever_does_not_wait_starts_what_is_due_and_leaves() {
    let lab = Lab::new();
    let hand_over = || Ask { wait: false, ..Ask::default() };
    let url = lab.build(hand_over()).await.under_way();
    // every event may come twice
    assert_eq!(lab.build(hand_over()).await.under_way(), url);
    assert_eq!(lab.started(), ["v6d 1"]);

    lab.publish(0);
    lab.fake.end_run(REPOSITORY, 500, "success");
    assert_ne!(lab.build(hand_over()).await.under_way(), url);
    assert_ne!(lab.build(hand_over()).await.under_way(), url);
    assert_eq!(lab.started(), ["v6d 1", "gs 1"]);

    lab.publish(1);
    lab.build(hand_over()).await.settled();
    assert_eq!(lab.dispatches(), 2);
}

#[tokio::test]
async fn a_run_that_another_process_has_started_is_followed() {
    let lab = Lab::new();
    lab.scripts(vec![lab.publishes("main", 0)]);
    lab.build(Ask { wait: false, only: Some(0), ..Ask::default() }).await.under_way();
    lab.build(Ask { only: Some(0), ..Ask::default() }).await.settled();
    assert_eq!(lab.dispatches(), 1);
}

#[tokio::test]
async fn whatever_befell_a_run_its_phase_is_tried_again() {
    for trouble in [
        Script::end("failure"),
        Script::end("cancelled"),
        Script::end("timed_out"),
        Script::end("startup_failure"),
        // the registry is believed, not the run
        Script::end("success"),
        Script::vanish(End::Deleted),
        Script::vanish(End::Lost),
    ] {
        let name = format!("{:?}", trouble.end);
        let lab = Lab::new();
        lab.scripts(vec![trouble, lab.publishes("main", 0)]);
        let done = lab.build(Ask { only: Some(0), ..Ask::default() }).await;
        assert!(done.outcome.is_ok(), "{name}: {:?}", done.outcome);
        assert_eq!(lab.dispatches(), 2, "{name}");
        assert_eq!(lab.started().last().unwrap(), "v6d 2", "{name}");
    }
}

#[tokio::test]
async fn it_is_tried_as_often_as_the_config_says_and_then_once_for_each_retry() {
    let lab = Lab::new();
    lab.scripts((0..3).map(|_| Script::end("failure")).collect());
    let error = lab.build(Ask::default()).await.failed(
        5,
        &[
            "phase v6d was tried 2 times and is not published",
            "https://github.com/alibaba/GraphScope/actions/runs/501 (failure)",
            "job share of linux/arm64 (failure) at step build",
            "dockerfiles/analytical.Dockerfile:7: no space left on device",
            "https://github.com/alibaba/GraphScope/actions/runs/501/job/1",
            "gs-release build --phase v6d --retry",
        ],
    );
    assert!(!error.message.contains("/500"), "{error}");
    assert_eq!(lab.started(), ["v6d 1", "v6d 2"]);

    lab.build(Ask::default()).await.failed(5, &["2 times"]);
    assert_eq!(lab.dispatches(), 2, "it stays given up");
    lab.build(Ask { retry: true, ..Ask::default() }).await.failed(5, &["3 times"]);
    assert_eq!(lab.dispatches(), 3);
    lab.scripts(vec![lab.publishes("main", 0)]);
    lab.build(Ask { retry: true, only: Some(0), ..Ask::default() }).await.settled();
    assert_eq!(lab.started(), ["v6d 1", "v6d 2", "v6d 3", "v6d 4"]);
}

#[tokio::test]
async fn a_run_that_ends_well_without_its_images_is_named_as_such() {
    let lab = Lab::new();
    lab.scripts(vec![Script::end("success"), Script::end("success")]);
    let done = lab.build(Ask::default()).await;
    done.failed(5, &["/actions/runs/501 has ended well, but in the registry dev is missing"]);
}

#[tokio::test]
async fn another_commit_is_another_request() {
    let lab = Lab::new();
    lab.scripts(vec![Script::end("failure"), Script::end("failure"), lab.publishes("main", 0)]);
    lab.build(Ask::default()).await.failed(5, &[]);
    lab.commit("main", &crate::lab::CONFIG.replace("main", "main "));
    lab.fake.commit(REPOSITORY, "main", &[("mended", b"yes\n")]);
    lab.build(Ask { only: Some(0), ..Ask::default() }).await.settled();
    assert_eq!(lab.started(), ["v6d 1", "v6d 2", "v6d 1"]);
}

#[tokio::test]
async fn a_run_of_another_commit_is_waited_for_first() {
    let lab = Lab::new();
    lab.build(Ask { wait: false, ..Ask::default() }).await.under_way();
    // it publishes what both commits want: the file that came is in no image
    lab.fake.commit(REPOSITORY, "main", &[("unused", b"x\n")]);
    let done = lab.build(Ask { wait: false, ..Ask::default() }).await;
    assert!(done.told[0].contains("phase v6d waits for a run of something else"), "{:?}", done.told);
    assert!(done.under_way().ends_with("/500"));
    assert_eq!(lab.dispatches(), 1);

    lab.publish(0);
    lab.fake.end_run(REPOSITORY, 500, "success");
    lab.build(Ask { only: Some(0), ..Ask::default() }).await.settled();
    assert_eq!(lab.dispatches(), 1);
}

#[tokio::test]
async fn the_last_job_of_a_run_does_not_wait_for_its_own_run() {
    let lab = Lab::new();
    lab.build(Ask { wait: false, ..Ask::default() }).await.under_way();
    let last_job = || Ask { wait: false, own_run: Some(500), ..Ask::default() };
    assert!(lab.build(last_job()).await.under_way().ends_with("/501"), "its phase is not published: once more");
    assert!(lab.build(last_job()).await.under_way().ends_with("/501"));
    assert_eq!(lab.started(), ["v6d 1", "v6d 2"]);
}

#[tokio::test]
async fn of_two_runs_of_one_request_the_later_is_cancelled() {
    let lab = Lab::new();
    lab.build(Ask { wait: false, ..Ask::default() }).await.under_way();
    {
        // two processes have looked at the same moment, and both have seen nothing
        let mut state = lab.fake.state();
        let repo = state.repo_mut(REPOSITORY);
        let (title, branch, sha) = (repo.runs[0].title.clone(), repo.runs[0].branch.clone(), repo.runs[0].sha.clone());
        repo.add_run(crate::lab::WORKFLOW, &title, &branch, &sha);
    }
    for _ in 0..2 {
        assert!(lab.build(Ask { wait: false, ..Ask::default() }).await.under_way().ends_with("/500"));
    }
    assert_eq!(lab.runs(|run| run.conclusion.clone()), [None, Some("cancelled".into())]);
}
