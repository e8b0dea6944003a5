//! Runs whose jobs wait for a runner that does not come.

use crate::fake::Workflow;
use crate::lab::{Ask, CONFIG, Lab, REPOSITORY, WORKFLOW};

const ARM: &str = "ubuntu-24.04-arm";

/// A lab whose jobs wait for a machine since long ago.
fn waiting(config: &str) -> Lab {
    let lab = Lab::with(config);
    let awaits = vec![ARM.to_owned()];
    lab.fake.add_workflow(REPOSITORY, Workflow { awaits, ..Workflow::usual(WORKFLOW) });
    lab
}

fn hand_over() -> Ask<'static> {
    Ask { wait: false, ..Ask::default() }
}

#[tokio::test]
async fn a_job_that_no_runner_takes_ends_the_wait_and_names_the_label() {
    let lab = waiting(CONFIG);
    let parts = [
        "phase v6d waits for a runner: job share of linux/arm64 of",
        "/actions/runs/500 is queued since ",
        "no runner labelled ubuntu-24.04-arm has taken it",
        "change `runs-on` in build-images.yml",
        "a job may wait for 60 minutes: `queue-limit`",
    ];
    let error = lab.build(Ask::default()).await.failed(5, &parts);
    assert!(error.message.contains(" hours, and"), "{error}");
    assert_eq!(lab.runs(|run| run.conclusion.clone()), [None], "the run is left as it is");
}

#[tokio::test]
async fn each_later_look_tells_it_again_and_starts_nothing_until_a_runner_comes() {
    let lab = waiting(CONFIG);
    for _ in 0..3 {
        lab.build(hand_over()).await.failed(5, &[ARM]);
    }
    assert_eq!(lab.dispatches(), 1);
    lab.fake.state().repo_mut(REPOSITORY).runs[0].awaits.clear();
    lab.build(hand_over()).await.under_way();
    lab.publish(0);
    lab.fake.end_run(REPOSITORY, 500, "success");
    lab.build(Ask { only: Some(0), ..hand_over() }).await.settled();
    assert_eq!(lab.dispatches(), 1);
}

#[tokio::test]
async fn a_run_of_another_commit_that_waits_for_a_runner_is_told_too() {
    let lab = waiting(CONFIG);
    lab.build(hand_over()).await.failed(5, &[]);
    lab.fake.commit(REPOSITORY, "main", &[("mended", b"yes\n")]);
    lab.build(hand_over()).await.failed(5, &["/actions/runs/500", ARM, "cancel the run"]);
    assert_eq!(lab.dispatches(), 1);

    lab.fake.end_run(REPOSITORY, 500, "cancelled");
    lab.fake.state().repo_mut(REPOSITORY).workflows[0].awaits.clear();
    lab.build(hand_over()).await.under_way();
    assert_eq!(lab.started(), ["v6d 1", "v6d 1"]);
}

#[tokio::test]
async fn a_job_may_wait_as_long_as_the_config_says() {
    let patient = CONFIG.replace("workflow: build-images.yml }", "workflow: build-images.yml, queue-limit: 36500d }");
    assert_ne!(patient, CONFIG);
    let lab = waiting(&patient);
    lab.scripts(vec![lab.publishes("main", 0)]);
    lab.build(Ask { only: Some(0), ..Ask::default() }).await.settled();
}
