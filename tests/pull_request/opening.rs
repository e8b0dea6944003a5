//! What is opened, updated, and left alone.

use serde_json::json;

use crate::hosted::{BRANCH, HOME, UPSTREAM, World};
use crate::support::document;
use crate::world::CONFIG;

#[test]
fn the_first_run_creates_the_second_touches_nothing_and_a_newer_version_updates_in_place() {
    let world = World::new(CONFIG);
    let (code, first) = world.bump(&["0.24.2"]);
    assert_eq!(code, 0, "{first}");
    let url = first["pull-request"]["url"].as_str().unwrap();
    assert_eq!(first["pull-request"], json!({"action": "created", "number": 1, "url": url}));
    assert_eq!(first["commit"].as_str(), world.tip().as_deref());
    assert_eq!((world.file("V6D_VERSION"), world.file("run.sh")), ("v0.24.2\n".into(), "V=0.24.2\n".into()));
    let pull = &world.pulls()[0];
    assert_eq!((pull.title.as_str(), pull.base.as_str()), ("chore: bump vineyard from 0.24.1 to 0.24.2", "main"));
    for part in [
        "| `run.sh` | 1 | 0.23.0 (drifted) | 0.24.2 |",
        "/v6d-io/v6d/compare/v0.24.1...v0.24.2",
        "### v0.24.2",
        "To stop it",
    ] {
        assert!(pull.body.contains(part), "{part}: {}", pull.body);
    }
    assert!(!pull.body.contains("@sighingnow") && !pull.body.contains("#2001"), "nobody is notified: {}", pull.body);
    assert_eq!(world.clone.git(&["branch", "--list", "gs-release/*"]), "", "a pushed bump makes no local branch");

    world.fake.take_writes();
    world.change_pull(1, |pull| pull.body = pull.body.replace("To stop it", "Reviewed by a person. To stop it"));
    let before = world.end_state();
    let (code, second) = world.bump(&["0.24.2"]);
    assert_eq!((code, &second["pull-request"]["action"]), (0, &json!("unchanged")));
    assert_eq!(second["commit"], first["commit"]);
    assert_eq!(world.fake.take_writes(), [""; 0]);
    assert_eq!(world.end_state(), before);

    let (_, newer) = world.bump(&["0.24.3"]);
    assert_eq!((&newer["pull-request"]["action"], &newer["pull-request"]["number"]), (&json!("updated"), &json!(1)));
    assert_eq!((world.pulls().len(), world.ahead(), world.file("V6D_VERSION")), (1, 1, "v0.24.3\n".into()));
    assert!(world.pulls()[0].title.ends_with("to 0.24.3"));

    world.fake.commit(HOME, "main", &[("other", b"x")]);
    let (_, rebased) = world.bump(&["0.24.3"]);
    assert_ne!(rebased["commit"], newer["commit"], "a newer base moves the branch");
    assert_eq!((world.pulls().len(), world.ahead()), (1, 1));
}

#[test]
fn people_are_asked_once_and_labels_are_kept() {
    let settings = "pull-request: { labels: [release], reviewers: [siyuan0322, alibaba/release], assignees: [octocat], milestone: '0.30', draft: true }\n";
    let world = World::new(&format!("{CONFIG}{settings}"));
    {
        let mut state = world.fake.state();
        let home = state.repo_mut(HOME);
        home.collaborators = vec!["siyuan0322".into(), "octocat".into()];
        home.teams = vec!["release".into()];
        home.milestones = vec!["0.29".into(), "0.30".into()];
    }
    assert_eq!(world.bump(&["0.24.2"]).0, 0);
    let pull = &world.pulls()[0];
    assert_eq!(
        (&pull.labels, &pull.reviewers, &pull.teams),
        (&vec!["release".into()], &vec!["siyuan0322".into()], &vec!["release".into()])
    );
    assert_eq!((&pull.assignees, pull.milestone, pull.draft), (&vec!["octocat".into()], Some(2), true));
    world.change_pull(1, |pull| {
        pull.labels = vec!["mine".into()];
        pull.reviewers.clear();
        pull.assignees.clear();
        pull.milestone = None;
    });
    assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "updated");
    let pull = &world.pulls()[0];
    assert_eq!(pull.labels, ["mine", "release"]);
    assert!(pull.reviewers.is_empty() && pull.assignees.is_empty() && pull.milestone.is_none());
}

#[test]
fn a_person_s_commit_is_never_overwritten() {
    let world = World::new(CONFIG);
    world.bump(&["0.24.2"]);
    let theirs = world.fake.commit(HOME, BRANCH, &[("fix", b"by hand")]);
    for _ in 0..2 {
        let (code, refused) = world.bump(&["0.24.3"]);
        assert_eq!(code, 3);
        assert!(refused["error"]["message"].as_str().unwrap().contains(&theirs[..9]), "{refused}");
    }
    assert_eq!(world.tip(), Some(theirs));
    assert_eq!(world.pulls()[0].comments.len(), 1, "said once");
    assert_eq!(world.bump(&["0.24.3", "--force"]).0, 0);
    assert_eq!((world.ahead(), world.file("V6D_VERSION")), (1, "v0.24.3\n".into()));
}

#[test]
fn an_explicit_bump_opens_a_new_pull_request_after_one_was_turned_down() {
    let world = World::new(CONFIG);
    world.bump(&["0.24.2"]);
    world.change_pull(1, |pull| pull.open = false);
    let (code, again) = world.bump(&["0.24.2"]);
    assert_eq!(
        (code, &again["pull-request"]["action"], &again["pull-request"]["number"]),
        (0, &json!("created"), &json!(2))
    );
    assert!(!world.pulls()[0].open, "a closed one is never opened again");
}

#[test]
fn upstream_decides_which_versions_there_are() {
    let world = World::new(CONFIG);
    let (code, unknown) = world.bump(&["0.24.9"]);
    assert_eq!(code, 3);
    assert!(
        unknown["error"]["message"].as_str().unwrap().contains("has neither a release nor a tag v0.24.9"),
        "{unknown}"
    );
    assert_eq!((world.tip(), world.fake.take_writes()), (None, vec![]));

    for requirement in ["latest", "0.24", "0.x", ">=0.24.2, <1"] {
        let (code, found) = world.bump(&[requirement, "--dry-run"]);
        assert_eq!((code, &found["to"]), (0, &json!("0.24.3")), "{requirement}");
    }
    let (code, none) = world.bump(&["0.25", "--dry-run"]);
    assert_eq!(code, 3);
    assert!(none["error"]["hints"][0].as_str().unwrap().contains("update.allow"), "{none}");
    let output = world.command(&["bump-vineyard", "latest", "--json"]).env_remove("GITHUB_TOKEN").output().unwrap();
    assert_eq!(document(output).1["to"], "0.24.3", "a requirement needs no token");

    world.fake.tag(UPSTREAM, "v0.24.9");
    assert_eq!(world.bump(&["0.24.9"]).0, 0, "a tag without a release will do");
    assert_eq!(world.bump(&["0.24.10", "--force"]).0, 0);
}
