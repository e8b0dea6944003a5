//! One component's trouble is a row of the table and the exit code, and nothing to the others.

use serde_json::json;

use crate::fake::Failure;
use crate::support::document;
use crate::world::{CONFIG, HOME, UPSTREAM, World, of};

#[test]
fn without_a_token_nothing_is_done() {
    let world = World::new(CONFIG);
    let mut command = world.command(&["watch", "--json"]);
    let (code, refused) = document(command.env_remove("GITHUB_TOKEN").output().unwrap());
    assert_eq!(code, 4);
    assert!(refused["error"]["message"].as_str().unwrap().contains("no token"), "{refused}");
    assert_eq!(world.take_requests().0, [""; 0]);
}

#[test]
fn a_dry_run_needs_no_token_where_all_is_public() {
    let world = World::new(CONFIG);
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    world.git.set().token = None;
    world.fake.commit(HOME, "main", &[("README.md", b"moved on\n")]);
    let dry_run = || {
        let mut command = world.command(&["watch", "--dry-run", "--json"]);
        document(command.env_remove("GITHUB_TOKEN").env("GITHUB_ACTIONS", "true").output().unwrap())
    };
    let (code, watched) = dry_run();
    let vineyard = of(&watched, "vineyard");
    assert_eq!((code, &vineyard["decision"], &vineyard["version"]), (0, &json!("bump"), &json!("0.24.2")), "{watched}");
    assert!(vineyard["text"].as_str().unwrap().contains("would change 2 places"), "{vineyard}");
    let main = world.fake.git(HOME).revparse_single("main").unwrap().id().to_string();
    assert_eq!(watched["base"], json!(main), "the base branch is fetched");
    assert!(world.fake.state().requests.iter().all(|request| request.token.is_none()));

    world.fake.state().repo_mut(UPSTREAM).private = true;
    let (code, watched) = dry_run();
    let told = of(&watched, "vineyard")["error"]["hints"].to_string();
    assert!(code == 4 && told.contains("set GITHUB_TOKEN to a token that may look"), "{watched}");

    world.fake.state().repo_mut(UPSTREAM).private = false;
    let limit = Failure::RateLimit { retry_after: std::time::Duration::from_secs(3600) };
    world.fake.fail_next("GET", "/v6d/releases$", 1, limit);
    let (code, watched) = dry_run();
    let told = of(&watched, "vineyard")["error"].to_string();
    assert!(code == 4 && told.contains("lifted at") && told.contains("60 calls an hour"), "{watched}");
}

#[test]
fn a_component_that_fails_stops_no_other() {
    let world = World::new(CONFIG);
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    world.publish(HOME, "0.29.0", "2024-05-01T00:00:00Z");
    let gone = json!({"message": "Not Found", "documentation_url": "https://docs.example.com"});
    world.fake.fail_next("GET", "/v6d/releases$", 1, Failure::Status(404, gone));
    let (code, watched) = world.watch(&[]);
    assert_eq!(code, 4);
    let vineyard = of(&watched, "vineyard");
    assert_eq!((&vineyard["error"]["kind"], &vineyard["from"]), (&json!("remote"), &json!("0.24.1")), "{vineyard}");
    assert!(vineyard["text"].as_str().unwrap().contains("v6d-io/v6d"), "{vineyard}");
    assert_eq!(of(&watched, "graphscope")["pull-request"]["action"], "created");
    assert_eq!(world.watch(&[]).0, 0, "the next run goes on");
}

#[test]
fn a_branch_with_a_person_s_commits_is_told_once_and_stops_no_other() {
    let world = World::new(CONFIG);
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    world.watch(&[]);
    let theirs = world.fake.commit(HOME, "gs-release/vineyard", &[("fix", b"by hand")]);
    world.publish(UPSTREAM, "0.24.3", "2024-03-01T00:00:00Z");
    world.publish(HOME, "0.29.0", "2024-05-01T00:00:00Z");
    for action in ["created", "unchanged"] {
        let (code, watched) = world.watch(&[]);
        assert_eq!(code, 3);
        let vineyard = of(&watched, "vineyard");
        assert!(vineyard["text"].as_str().unwrap().contains(&theirs[..9]), "{vineyard}");
        assert_eq!(of(&watched, "graphscope")["pull-request"]["action"], action);
    }
    assert_eq!(world.pulls()[0].comments.len(), 1);
}

#[test]
fn the_most_serious_failure_gives_the_exit_code() {
    let world = World::new(&CONFIG.replace("version: 0.28.0", "version-file: NOT_THERE"));
    let (code, watched) = world.watch(&[]);
    assert_eq!((code, &of(&watched, "graphscope")["error"]["kind"]), (2, &json!("usage")), "{watched}");
    world.fake.fail_next("GET", "/v6d/releases$", 1, Failure::Html(200));
    assert_eq!(world.watch(&[]).0, 4);
}
