//! One pull request a component: found, created, updated, never doubled.

use gs_release::bump::proposed::{pulls_of, turned_down};
use gs_release::error::Kind;
use gs_release::github::{Action, State};
use serde_json::json;

use crate::fake::{Failure, FakeGitHub, Pull};
use crate::{
    BRANCH, PULLS, REPOSITORY, assert_told, ensure, impatient, name, ready, repository, strings, token, wanted,
};

#[tokio::test]
async fn the_first_run_creates_the_second_touches_nothing_a_newer_version_updates_in_place() {
    let fake = ready();
    let repository = repository(&fake).await;
    let first = ensure(&repository, &wanted("0.24.2")).await.unwrap();
    assert_eq!((first.action, first.pull_request.number), (Action::Created, 1));
    assert_eq!(first.pull_request.url, format!("{}/alibaba/GraphScope/pull/1", fake.server_url()));
    assert_eq!(
        fake.take_writes(),
        ["POST /repos/alibaba/GraphScope/pulls", "POST /repos/alibaba/GraphScope/issues/1/labels"]
    );
    let second = ensure(&repository, &wanted("0.24.2")).await.unwrap();
    assert_eq!(second.action, Action::Unchanged);
    assert_eq!(fake.take_writes(), [""; 0]);
    let third = ensure(&repository, &wanted("0.24.3")).await.unwrap();
    assert_eq!((third.action, third.pull_request.number), (Action::Updated, 1));
    assert_eq!(fake.take_writes(), ["PATCH /repos/alibaba/GraphScope/pulls/1"]);
    let state = fake.state();
    let pull = state.repo(REPOSITORY).unwrap().pull(1);
    assert_eq!(pull.title, "chore: bump vineyard to 0.24.3");
    assert!(
        pull.body.contains("What changes: 0.24.3\n") && pull.body.contains(r#""version":"0.24.3""#),
        "{}",
        pull.body
    );
    assert_eq!(pull.labels, ["release"]);
}

#[tokio::test]
async fn the_text_is_for_people_to_edit_until_the_content_changes() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    let edited = {
        let mut state = fake.state();
        let pull = state.repo_mut(REPOSITORY).pull_mut(1);
        pull.body = pull.body.replace("What changes", "Careful!\r\n\r\nWhat changes");
        pull.title = "Careful".into();
        pull.body.clone()
    };
    let again = ensure(&repository, &wanted("0.24.2")).await.unwrap();
    assert_eq!((again.action, again.pull_request.body), (Action::Unchanged, edited));
    let moved = ensure(&repository, &wanted("0.24.3")).await.unwrap();
    assert_eq!(moved.pull_request.title, "chore: bump vineyard to 0.24.3");
}

#[tokio::test]
async fn a_text_beyond_what_github_takes_is_cut_and_keeps_its_marker() {
    let fake = ready();
    let mut wanted = wanted("0.24.2");
    wanted.pull_request.body = "| k8s/ärger.yaml | 1 |\n".repeat(4_000);
    let repository = repository(&fake).await;
    let made = ensure(&repository, &wanted).await.unwrap().pull_request;
    assert!(made.body.contains("| 1 |\n\n*(shortened)*\n") && made.marker().is_some());
    assert_eq!(ensure(&repository, &wanted).await.unwrap().action, Action::Unchanged);
}

#[tokio::test]
async fn a_pull_request_from_another_branch_or_to_another_base_is_not_this_one() {
    let fake = ready();
    fake.commit(REPOSITORY, "gs-release/graphscope", &[("VERSION", b"0.29.0\n")]);
    fake.commit(REPOSITORY, "v0.28-branch", &[("NOTES", b"old\n")]);
    fake.add_repository("alibaba/GraphScope-playground");
    fake.commit("alibaba/GraphScope-playground", BRANCH, &[("V6D_VERSION", b"v0.24.2\n")]);
    {
        let mut state = fake.state();
        let pull = Pull {
            open: true,
            created_at: "2025-05-20T10:00:00Z".into(),
            head_repo: REPOSITORY.into(),
            ..Pull::default()
        };
        let pulls = &mut state.repo_mut(REPOSITORY).pulls;
        pulls.push(Pull { number: 1, head: "gs-release/graphscope".into(), base: "main".into(), ..pull.clone() });
        pulls.push(Pull { number: 2, head: BRANCH.into(), base: "v0.28-branch".into(), ..pull.clone() });
        // From another repository of the same owner, which GitHub's search does not tell apart.
        let elsewhere = "alibaba/GraphScope-playground".into();
        pulls.push(Pull { number: 3, head: BRANCH.into(), base: "main".into(), head_repo: elsewhere, ..pull });
    }
    let made = ensure(&repository(&fake).await, &wanted("0.24.2")).await.unwrap();
    assert_eq!((made.action, made.pull_request.number), (Action::Created, 4));
}

#[tokio::test]
async fn a_branch_of_a_fork_makes_a_pull_request_of_its_own() {
    let fake = ready();
    fake.add_repository("octocat/GraphScope");
    fake.commit("octocat/GraphScope", BRANCH, &[("V6D_VERSION", b"v0.24.3\n")]);
    let repository = repository(&fake).await;
    let mut wanted = wanted("0.24.3");
    wanted.pull_request.head_repository = Some(name("octocat/GraphScope"));
    let first = ensure(&repository, &wanted).await.unwrap();
    assert_eq!(
        (first.action, fake.state().repo(REPOSITORY).unwrap().pull(1).head_repo.as_str()),
        (Action::Created, "octocat/GraphScope")
    );
    assert_eq!(ensure(&repository, &wanted).await.unwrap().action, Action::Unchanged);
}

#[tokio::test]
async fn one_that_was_closed_is_never_opened_again() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    fake.state().repo_mut(REPOSITORY).pull_mut(1).open = false;
    let second = ensure(&repository, &wanted("0.24.2")).await.unwrap();
    assert_eq!((second.action, second.pull_request.number), (Action::Created, 2));
    assert!(!fake.state().repo(REPOSITORY).unwrap().pull(1).open);
}

#[tokio::test]
async fn what_a_person_closed_without_merging_is_turned_down_for_that_version_alone() {
    let fake = ready();
    let repository = repository(&fake).await;
    let (this, next) = ("0.24.2".parse().unwrap(), "0.24.3".parse().unwrap());
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    let look = async || repository.pull_requests(None, BRANCH, "main").await.unwrap();
    assert_eq!(turned_down(&look().await, "vineyard", &this), None);
    fake.state().repo_mut(REPOSITORY).pull_mut(1).open = false;
    let pulls = look().await;
    assert_eq!(turned_down(&pulls, "vineyard", &this).map(|pull| (pull.number, pull.state)), Some((1, State::Closed)));
    assert_eq!(turned_down(&pulls, "vineyard", &next), None);
    // An explicit bump opens a new one, which then counts.
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    assert_eq!(turned_down(&look().await, "vineyard", &this), None);
    let merge = |pull: &mut Pull| (pull.open, pull.merged) = (false, true);
    merge(fake.state().repo_mut(REPOSITORY).pull_mut(2));
    assert_eq!(turned_down(&look().await, "vineyard", &this), None);
}

#[tokio::test]
async fn whatever_a_person_has_made_of_its_text_what_was_closed_is_turned_down() {
    let fake = ready();
    let trailer = r#"Gs-Release: {"component":"vineyard","version":"0.24.2","base":"b","tree":"t"}"#;
    let git = fake.git(REPOSITORY);
    let made = git.find_reference(&format!("refs/heads/{BRANCH}")).unwrap().peel_to_commit().unwrap();
    let message = format!("chore: bump vineyard from 0.24.1 to 0.24.2\n\n{trailer}\n");
    let head = made.amend(None, None, None, None, Some(&message), None).unwrap().to_string();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    let number = async |version: &str| {
        let pulls = pulls_of(&repository, None, "vineyard").await.unwrap();
        turned_down(&pulls, "vineyard", &version.parse().unwrap()).map(|pull| pull.number)
    };
    let by_title = ("chore: bump vineyard from 0.24.1 to 0.24.2", "not here", None);
    let by_commit = ("Not now", &*head, Some(1));
    for (title, head_sha, looked) in [by_title, by_commit] {
        {
            let mut state = fake.state();
            let pull = state.repo_mut(REPOSITORY).pull_mut(1);
            (pull.open, pull.title, pull.body, pull.head_sha) = (false, title.into(), "No.".into(), head_sha.into());
            state.requests.clear();
        }
        assert_eq!(number("0.24.2").await, Some(1), "{title}");
        let commits = fake.calls().iter().filter(|call| call.contains("/commits/")).count();
        assert_eq!(commits, looked.unwrap_or_default(), "{title}");
        assert_eq!(number("0.24.3").await, None, "{title}");
    }
    // a commit that nobody has any longer, a person's, or one of another component
    for head_sha in ["a".repeat(40), made.id().to_string()] {
        fake.state().repo_mut(REPOSITORY).pull_mut(1).head_sha = head_sha;
        assert_eq!(number("0.24.2").await, None);
    }
}

#[tokio::test]
async fn of_two_open_ones_the_older_is_closed_with_a_link_and_not_taken_for_turned_down() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    {
        let mut state = fake.state();
        let pulls = &mut state.repo_mut(REPOSITORY).pulls;
        pulls.push(Pull { number: 2, ..pulls[0].clone() });
    }
    let ensured = ensure(&repository, &wanted("0.24.2")).await.unwrap();
    assert_eq!((ensured.action, ensured.pull_request.number), (Action::Updated, 2));
    assert_eq!(ensured.notes, ["closed #1 in favour of #2"]);
    let pulls = repository.pull_requests(None, BRANCH, "main").await.unwrap();
    assert_eq!(
        pulls.iter().map(|pull| (pull.number, pull.state)).collect::<Vec<_>>(),
        [(2, State::Open), (1, State::Closed)]
    );
    assert!(pulls[1].marker().unwrap().superseded);
    let state = fake.state();
    let comments = &state.repo(REPOSITORY).unwrap().pull(1).comments;
    assert!(comments.len() == 1 && comments[0].1.contains("#2"), "{comments:?}");
}

#[tokio::test]
async fn a_lost_race_ends_with_the_one_pull_request() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    fake.take_writes();
    // The look that came too early.
    fake.fail_next("GET", PULLS, 1, Failure::Status(200, json!([])));
    let ensured = ensure(&repository, &wanted("0.24.2")).await.unwrap();
    assert_eq!((ensured.action, ensured.pull_request.number), (Action::Unchanged, 1));
    assert_eq!(fake.take_writes(), ["POST /repos/alibaba/GraphScope/pulls"]);
}

#[tokio::test]
async fn two_at_once_end_with_one_pull_request() {
    let fake = ready();
    let (a, b) = (repository(&fake).await, repository(&fake).await);
    let wanted = wanted("0.24.2");
    let (a, b) = tokio::join!(ensure(&a, &wanted), ensure(&b, &wanted));
    let mut actions = [a.unwrap().action, b.unwrap().action];
    actions.sort_by_key(|action| *action != Action::Created);
    assert_eq!(actions[0], Action::Created);
    assert_ne!(actions[1], Action::Created);
    assert_eq!(fake.state().repo(REPOSITORY).unwrap().pulls.len(), 1);
}

#[tokio::test]
async fn a_lost_reply_to_the_opening_is_looked_into_and_nothing_is_opened_twice() {
    for failure in [Failure::CloseAfterEffect, Failure::BadGatewayAfterEffect, Failure::CloseBeforeAnswer] {
        let fake = ready();
        let repository = repository(&fake).await;
        fake.fail_next("POST", PULLS, 1, failure.clone());
        let made = ensure(&repository, &wanted("0.24.2")).await.unwrap();
        assert_eq!((made.action, made.pull_request.number), (Action::Created, 1), "{failure:?}");
        assert_eq!(fake.state().repo(REPOSITORY).unwrap().pulls.len(), 1, "{failure:?}");
    }
}

#[tokio::test]
async fn killed_after_any_write_the_next_run_ends_where_an_undisturbed_one_would() {
    let undisturbed = end_state(&set_up_fake(), None).await;
    let mut failed = 0;
    for failure in [Failure::CloseBeforeAnswer, Failure::CloseAfterEffect] {
        for nth in 1..=6 {
            let fake = set_up_fake();
            fake.fail_next("(?:POST|PATCH)", ".", nth, failure.clone());
            assert_eq!(end_state(&fake, Some(&mut failed)).await, undisturbed, "{failure:?} of write {nth}");
        }
    }
    // Opening looks for itself whether it took effect; every other write stops the run.
    assert!(failed >= 8, "only {failed} runs were disturbed");
}

fn set_up_fake() -> FakeGitHub {
    let fake = ready();
    let mut state = fake.state();
    let repo = state.repo_mut(REPOSITORY);
    repo.collaborators = strings(&["sighingnow"]);
    repo.milestones = strings(&["v0.29"]);
    drop(state);
    fake
}

/// Runs until it succeeds; what is on GitHub then.
async fn end_state(fake: &FakeGitHub, failed: Option<&mut usize>) -> String {
    let mut wanted = wanted("0.24.2");
    wanted.set_up.reviewers = strings(&["sighingnow"]);
    wanted.set_up.assignees = strings(&["sighingnow"]);
    wanted.set_up.milestone = Some("v0.29".into());
    wanted.set_up.automerge = true;
    if let Some(failed) = failed {
        *failed += usize::from(ensure(&impatient(fake, token(crate::TOKEN)).await, &wanted).await.is_err());
    }
    ensure(&repository(fake).await, &wanted).await.unwrap();
    let state = fake.state();
    let pulls = &state.repo(REPOSITORY).unwrap().pulls;
    assert_eq!(pulls.len(), 1);
    format!("{:?}", Pull { created_at: String::new(), head_sha: String::new(), ..pulls[0].clone() })
}

#[tokio::test]
async fn a_comment_is_made_once_whatever_happens_to_its_reply() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    fake.fail_next("POST", "comments$", 1, Failure::CloseAfterEffect);
    assert!(repository.comment_once(1, "foreign commit 1234", "A person's commit is on this branch.").await.unwrap());
    assert!(!repository.comment_once(1, "foreign commit 1234", "A person's commit is on this branch.").await.unwrap());
    assert!(repository.comment_once(1, "foreign commit 5678", "Another one.").await.unwrap());
    let state = fake.state();
    let comments = &state.repo(REPOSITORY).unwrap().pull(1).comments;
    assert_eq!(comments.len(), 2);
    assert!(comments[0].1.starts_with("A person's commit is on this branch.\n"));
}

#[tokio::test]
async fn a_comment_is_kept_up_to_date_and_written_only_where_it_differs() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    let told = || fake.state().repo(REPOSITORY).unwrap().pull(1).comments.clone();
    assert!(repository.keep_comment(1, "build", "Images are being built").await.unwrap());
    fake.take_writes();
    assert!(!repository.keep_comment(1, "build", "Images are being built").await.unwrap());
    assert_eq!(fake.take_writes(), [""; 0]);
    assert!(repository.keep_comment(1, "build", "Images are published").await.unwrap());
    assert_eq!(fake.take_writes(), ["PATCH /repos/alibaba/GraphScope/issues/comments/1001"]);
    assert!(told().len() == 1 && told()[0].1.starts_with("Images are published\n"), "{:?}", told());
    for failure in [Failure::CloseAfterEffect, Failure::CloseBeforeAnswer] {
        fake.state().repo_mut(REPOSITORY).pull_mut(1).comments.clear();
        fake.fail_next("POST", "comments$", 1, failure);
        assert!(repository.keep_comment(1, "build", "Images are being built").await.unwrap());
        assert_eq!(told().len(), 1);
    }
}

#[tokio::test]
async fn of_two_that_comment_at_once_one_comment_stays() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    let tell = |text: &'static str| repository.keep_comment(1, "build", text);
    let (a, b, c) = tokio::join!(tell("one"), tell("two"), tell("three"));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(fake.state().repo(REPOSITORY).unwrap().pull(1).comments.len(), 1);
}

#[tokio::test]
async fn a_field_that_github_refuses_is_named() {
    let fake = ready();
    let mut wanted = wanted("0.24.2");
    wanted.pull_request.base_branch = "trunk".into();
    let error = ensure(&repository(&fake).await, &wanted).await.unwrap_err();
    assert_eq!(error.kind, Kind::Remote);
    assert_told(
        &error,
        &["cannot open the pull request in alibaba/GraphScope", "422", "Validation Failed", "base is invalid"],
    );
}
