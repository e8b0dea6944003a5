//! Two processes that look at the same moment, see nothing under way, and both start a run.

use std::time::Duration;

use crate::fake::{Failure, Workflow};
use crate::lab::{Ask, CONFIG, Done, Lab, REPOSITORY, unknown_field};

/// For what shows itself sooner or later.
const LONG: Duration = Duration::from_secs(60);
/// For what never does.
const SHORT: Duration = Duration::from_millis(50);

/// Both of two processes, each of which has looked before either has dispatched.
async fn both(lab: &Lab, wait: bool, patience: Duration) -> [Done; 2] {
    lab.fake.meet("/dispatches$", 2);
    let ask = || Ask { wait, only: Some(0), appears: patience, ..Ask::default() };
    let (one, other) = tokio::join!(lab.build(ask()), lab.build(ask()));
    [one, other]
}

/// How the runs have ended, in the order they were started.
fn ends(lab: &Lab) -> Vec<Option<String>> {
    lab.runs(|run| run.conclusion.clone())
}

fn cancelled() -> Option<String> {
    Some("cancelled".into())
}

/// A lab whose server tells the id of a dispatched run, or not, and shows a run in its list only after a while.
fn lab(tells: bool, lag: usize) -> Lab {
    let lab = Lab::new();
    lab.fake.state().repo_mut(REPOSITORY).workflows[0].lag = lag;
    for _ in 0..if tells { 0 } else { 2 } {
        lab.fake.fail_next("POST", "/dispatches$", 1, Failure::Status(400, unknown_field()));
    }
    lab
}

#[tokio::test]
async fn of_two_that_hand_over_the_first_run_stays_for_both() {
    for (tells, lag) in [(true, 0), (false, 0), (true, 3), (false, 3)] {
        let lab = lab(tells, lag);
        for done in both(&lab, false, LONG).await {
            assert!(done.under_way().ends_with("/500"), "{tells} {lag}");
        }
        assert_eq!(ends(&lab), [None, cancelled()], "{tells} {lag}");
        assert_eq!(lab.started(), ["v6d 1", "v6d 1"]);
    }
}

#[tokio::test]
async fn of_two_that_wait_both_follow_the_first_run_to_its_end() {
    for (tells, lag) in [(true, 0), (false, 0), (true, 3), (false, 3)] {
        let lab = lab(tells, lag);
        lab.scripts(vec![lab.publishes("main", 0)]);
        let told = both(&lab, true, LONG).await.map(Done::settled).concat();
        assert_eq!(ends(&lab), [Some("success".into()), cancelled()], "{tells} {lag}");
        let twice =
            "v6d was started twice at the same moment: run https://github.com/alibaba/GraphScope/actions/runs/501";
        assert!(told.iter().any(|line| line.starts_with(twice)), "{told:?}");
    }
}

/// A release whose first phase is built by a workflow that knows nothing of requests.
fn anonymous(cancels: bool) -> Lab {
    let trigger = "    trigger: { workflow: dev-images.yml, inputs: { v: 'v{vineyard}' } }\n    images:\n      dev:";
    let lab = Lab::with(&CONFIG.replace("    images:\n      dev:", trigger));
    let (file, inputs) = ("dev-images.yml".to_owned(), Some(vec!["v".to_owned()]));
    lab.fake.add_workflow(REPOSITORY, Workflow { file, inputs, cancels, ..Workflow::default() });
    lab
}

#[tokio::test]
async fn of_two_runs_that_nothing_tells_apart_the_later_gives_way() {
    let lab = anonymous(false);
    let [one, other] = both(&lab, false, SHORT).await;
    let (first, later) = if one.outcome.is_ok() { (one, other) } else { (other, one) };
    assert!(first.under_way().ends_with("/500"));
    later.failed(3, &["dev-images.yml was started twice", "/actions/runs/500 goes on, and", "/501 is cancelled"]);
    assert_eq!(ends(&lab), [None, cancelled()]);
}

#[tokio::test]
async fn where_the_workflow_itself_cancels_the_earlier_run_the_later_stays() {
    let lab = anonymous(true);
    let done = both(&lab, false, LONG).await;
    assert!(done.into_iter().any(|done| done.outcome.is_ok()));
    assert_eq!(ends(&lab), [cancelled(), None]);
}

#[tokio::test]
async fn a_run_that_nobody_can_find_by_its_name_is_told() {
    let lab = Lab::new();
    lab.fake.state().repo_mut(REPOSITORY).workflows[0].run_name = "build".into();
    let done = lab.build(Ask { wait: false, ..Ask::default() }).await;
    assert!(
        done.told.iter().any(|line| line.contains("/actions/runs/500 is not to be found by its name")),
        "{:?}",
        done.told
    );
    done.under_way();
}
