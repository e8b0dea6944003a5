//! What stands beside a pull request's text.

use gs_release::error::Kind;
use gs_release::github::Action;

use crate::fake::FakeGitHub;
use crate::{REPOSITORY, assert_told, ensure, prepared, ready, repository, strings, wanted};

#[tokio::test]
async fn reviewers_assignees_milestone_and_automerge_are_set_once_and_left_to_people_then() {
    let fake = prepared(FakeGitHub::start_enterprise());
    {
        let mut state = fake.state();
        let repo = state.repo_mut(REPOSITORY);
        repo.collaborators = strings(&["sighingnow"]);
        repo.teams = strings(&["engine"]);
        repo.milestones = strings(&["v0.28", "v0.29"]);
        repo.allows_merge_commits = false;
    }
    let mut wanted = wanted("0.24.2");
    wanted.pull_request.draft = true;
    // The author cannot review; a stranger is passed over without a word.
    wanted.set_up.reviewers = strings(&["octocat", "sighingnow", "alibaba/engine"]);
    wanted.set_up.assignees = strings(&["sighingnow", "stranger"]);
    wanted.set_up.milestone = Some("v0.29".into());
    wanted.set_up.automerge = true;
    let repository = repository(&fake).await;
    let made = ensure(&repository, &wanted).await.unwrap();
    assert_eq!(made.action, Action::Created);
    assert_eq!(made.notes, ["GitHub did not assign stranger, who have no access"]);
    {
        let mut state = fake.state();
        let pull = state.repo_mut(REPOSITORY).pull_mut(1);
        assert!(pull.draft);
        assert_eq!((&*pull.reviewers, &*pull.teams), (&["sighingnow".to_owned()][..], &["engine".to_owned()][..]));
        assert_eq!((&*pull.assignees, pull.milestone), (&["sighingnow".to_owned()][..], Some(2)));
        assert_eq!(pull.automerge.as_deref(), Some("SQUASH"));
        assert!(pull.body.contains(r#""setup":"done""#));
        // A person decides otherwise.
        (pull.reviewers, pull.assignees, pull.milestone, pull.automerge) = (Vec::new(), Vec::new(), None, None);
        pull.labels.clear();
    }
    fake.take_writes();
    let again = ensure(&repository, &wanted).await.unwrap();
    assert_eq!(again.action, Action::Updated);
    assert_eq!(fake.take_writes(), ["POST /repos/alibaba/GraphScope/issues/1/labels"]);
}

#[tokio::test]
async fn labels_are_compared_without_case_and_those_of_people_stay() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    fake.state().repo_mut(REPOSITORY).pull_mut(1).labels = strings(&["Release", "urgent"]);
    fake.take_writes();
    assert_eq!(ensure(&repository, &wanted("0.24.2")).await.unwrap().action, Action::Unchanged);
    assert_eq!(fake.take_writes(), [""; 0]);
}

#[tokio::test]
async fn automerge_that_github_declines_is_a_note_and_no_failure() {
    let fake = ready();
    fake.state().repo_mut(REPOSITORY).allows_automerge = false;
    let mut wanted = wanted("0.24.2");
    wanted.set_up.automerge = true;
    let made = ensure(&repository(&fake).await, &wanted).await.unwrap();
    assert_eq!(
        made.notes,
        [
            "GitHub declined automerge: Pull request Auto merge is not allowed for this repository (allow it under Settings > \
        General > Pull Requests)"
        ]
    );
}

#[tokio::test]
async fn a_reviewer_without_access_fails_the_run_that_says_where_the_pull_request_is() {
    let fake = ready();
    let mut wanted = wanted("0.24.2");
    wanted.set_up.reviewers = strings(&["stranger"]);
    let repository = repository(&fake).await;
    let error = ensure(&repository, &wanted).await.unwrap_err();
    assert_told(
        &error,
        &["ask for reviews", "not a collaborator", "only name people with access", "/alibaba/GraphScope/pull/1"],
    );
    // Mended in release.yaml, the next run goes on from there.
    fake.state().repo_mut(REPOSITORY).collaborators = strings(&["stranger"]);
    assert_eq!(ensure(&repository, &wanted).await.unwrap().action, Action::Updated);
    assert_eq!(fake.state().repo(REPOSITORY).unwrap().pull(1).reviewers, ["stranger"]);
}

#[tokio::test]
async fn a_milestone_that_is_not_there_is_a_usage_error_that_names_those_that_are() {
    let fake = ready();
    fake.state().repo_mut(REPOSITORY).milestones = strings(&["v0.29"]);
    let mut wanted = wanted("0.24.2");
    wanted.set_up.milestone = Some("v0.30".into());
    let error = ensure(&repository(&fake).await, &wanted).await.unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert_told(&error, &["no open milestone called `v0.30`", "open milestones: v0.29"]);
}

#[tokio::test]
async fn a_repository_without_drafts_says_which_setting_to_change() {
    let fake = ready();
    fake.state().repo_mut(REPOSITORY).allows_drafts = false;
    let mut wanted = wanted("0.24.2");
    wanted.pull_request.draft = true;
    let error = ensure(&repository(&fake).await, &wanted).await.unwrap_err();
    assert_told(&error, &["Draft pull requests are not supported", "set `draft: false` under `pull-request:`"]);
}
