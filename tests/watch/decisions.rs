//! What is proposed, what is left alone, and what a quiet day costs.

use serde_json::json;

use crate::fake::Pull;
use crate::support::document;
use crate::world::{CONFIG, HOME, UPSTREAM, World, of};

/// A world where 0.24.3 of vineyard and 0.29.0 of GraphScope may be taken.
fn with_news() -> World {
    let world = World::new(CONFIG);
    for (version, published_at) in [
        ("0.24.2", "2024-02-01T00:00:00Z"),
        ("0.24.3", "2024-03-01T00:00:00Z"),
        ("0.24.4", "2024-04-01T00:00:00Z"),
        ("0.24.5", "2099-01-01T00:00:00Z"),
        ("0.25.0", "2024-05-01T00:00:00Z"),
    ] {
        world.publish(UPSTREAM, version, published_at);
    }
    world.publish(HOME, "0.29.0", "2024-05-01T00:00:00Z");
    world
}

#[test]
fn every_component_gets_its_decision_with_its_reasons() {
    let world = with_news();
    let (code, watched) = world.watch(&[]);
    assert_eq!(code, 0, "{watched}");
    let vineyard = of(&watched, "vineyard");
    assert_eq!(
        (&vineyard["decision"], &vineyard["from"], &vineyard["version"]),
        (&json!("bump"), &json!("0.24.1"), &json!("0.24.3"))
    );
    assert_eq!(
        vineyard["passed-over"],
        json!([
            {"version": "0.25.0", "reason": "not-allowed", "allow": "<=0.24.5"},
            {"version": "0.24.5", "reason": "too-young", "until": "2099-01-02T00:00:00Z"},
            {"version": "0.24.4", "reason": "ignored"},
        ])
    );
    let graphscope = of(&watched, "graphscope");
    assert_eq!((&graphscope["decision"], &graphscope["passed-over"]), (&json!("bump"), &json!([])));
    let titles: Vec<String> = world.pulls().into_iter().map(|pull| pull.title).collect();
    assert_eq!(titles, ["chore: bump vineyard from 0.24.1 to 0.24.3", "chore: bump graphscope from 0.28.0 to 0.29.0"]);
    let pull = &world.pulls()[0];
    assert_eq!(pull.labels, ["release"]);
    assert!(pull.body.contains("What is new in 0.24.2") && pull.body.contains("To stop it"), "{}", pull.body);
}

#[test]
fn a_step_of_actions_gets_a_table_and_the_numbers_of_the_pull_requests() {
    let world = with_news();
    let file = |name: &str| world.clone.path().join(".git").join(name);
    let mut command = world.command(&["watch"]);
    command.env("GITHUB_OUTPUT", file("output")).env("GITHUB_STEP_SUMMARY", file("summary"));
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let output = std::fs::read_to_string(file("output")).unwrap();
    assert_eq!(output, "changed<<end\ntrue\nend\npull-requests<<end\n[1,2]\nend\n");
    let summary = std::fs::read_to_string(file("summary")).unwrap();
    assert!(summary.contains("| vineyard | 0.24.1 | ") && summary.contains("[#1](http"), "{summary}");
}

#[test]
fn a_quiet_day_costs_two_requests_a_component_and_fetches_nothing() {
    let world = with_news();
    world.watch(&[]);
    world.take_requests();
    let (code, watched) = world.watch(&[]);
    assert_eq!((code, &of(&watched, "vineyard")["pull-request"]["action"]), (0, &json!("unchanged")), "{watched}");
    let (calls, git) = world.take_requests();
    assert_eq!(
        calls,
        [
            "GET /repos/v6d-io/v6d/releases",
            "GET /repos/alibaba/GraphScope/pulls",
            "GET /repos/alibaba/GraphScope/releases",
            "GET /repos/alibaba/GraphScope/pulls"
        ]
    );
    // one look at the remote's branches, asked for the token first
    assert_eq!(git, ["GET /alibaba/GraphScope.git/info/refs?service=git-upload-pack"; 2]);
}

#[test]
fn where_nothing_is_newer_or_allowed_the_releases_alone_are_read() {
    let world = World::new(&CONFIG.replace("version: 0.28.0", "version: 0.28.0\n    update: { hold: true }"));
    for page in 0..250 {
        world.publish(UPSTREAM, &format!("0.1.{page}"), "2023-01-01T00:00:00Z");
    }
    world.publish(UPSTREAM, "0.24.0", "2024-01-01T00:00:00Z");
    world.take_requests();
    let (code, watched) = world.watch(&[]);
    assert_eq!((code, &of(&watched, "vineyard")["decision"]), (0, &json!("up-to-date")));
    assert_eq!(of(&watched, "graphscope")["decision"], "held");
    assert_eq!(world.take_requests().0, ["GET /repos/v6d-io/v6d/releases"], "the first page is enough");
}

#[test]
fn a_newer_version_retargets_the_open_pull_request() {
    let world = World::new(CONFIG);
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    world.watch(&[]);
    world.publish(UPSTREAM, "0.24.3", "2024-03-01T00:00:00Z");
    let (code, watched) = world.watch(&[]);
    let pull = &of(&watched, "vineyard")["pull-request"];
    assert_eq!((code, &pull["action"], &pull["number"]), (0, &json!("updated"), &json!(1)));
    let pulls = world.pulls();
    assert_eq!((pulls.len(), pulls[0].title.as_str()), (1, "chore: bump vineyard from 0.24.1 to 0.24.3"));
}

#[test]
fn a_version_that_a_person_closed_stays_closed_until_a_person_asks_for_it() {
    let world = World::new(CONFIG);
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    world.publish(UPSTREAM, "0.24.3", "2024-03-01T00:00:00Z");
    world.watch(&[]);
    world.change_pull(1, |pull| pull.open = false);
    world.take_requests();
    let (code, watched) = world.watch(&[]);
    let vineyard = of(&watched, "vineyard");
    assert_eq!(
        (code, &vineyard["decision"], &vineyard["number"]),
        (0, &json!("turned-down"), &json!(1)),
        "neither 0.24.3 nor 0.24.2 in its place: {vineyard}"
    );
    assert_eq!(world.fake.take_writes(), [""; 0]);

    let (code, bumped) = document(world.run(&["bump-vineyard", "0.24.3", "--json"]));
    assert_eq!((code, &bumped["pull-request"]["number"]), (0, &json!(2)));
    assert_eq!(of(&world.watch(&[]).1, "vineyard")["pull-request"]["action"], "unchanged");

    world.change_pull(2, |pull| pull.open = false);
    world.publish(UPSTREAM, "0.24.5", "2024-05-01T00:00:00Z");
    assert_eq!(of(&world.watch(&[]).1, "vineyard")["pull-request"]["number"], 3, "a newer one is another matter");
}

#[test]
fn what_a_person_closed_stays_closed_whatever_became_of_its_text_and_its_branch() {
    let world = World::new(CONFIG);
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    world.watch(&[]);
    let branch = world.fake.git(HOME);
    let mut branch = branch.find_reference("refs/heads/gs-release/vineyard").unwrap();
    let message = branch.peel_to_commit().unwrap().message().unwrap().to_owned();
    assert!(message.contains("Gs-Release: "), "{message}");
    branch.delete().unwrap();
    let edits: [fn(&mut Pull); 2] = [|pull| pull.body = "Not this one".into(), |pull| pull.title = "Not now".into()];
    for edit in edits {
        world.change_pull(1, |pull| {
            pull.open = false;
            edit(pull);
        });
        let (code, watched) = world.watch(&[]);
        let vineyard = of(&watched, "vineyard");
        let found = (code, &vineyard["decision"], &vineyard["number"]);
        assert_eq!(found, (0, &json!("turned-down"), &json!(1)), "{vineyard}");
    }
    assert_eq!(world.pulls().len(), 1);
}

#[test]
fn what_a_person_proposed_beyond_the_policy_is_left_alone() {
    let world = with_news();
    document(world.run(&["bump-vineyard", "0.25.0", "--json"]));
    world.take_requests();
    let (code, watched) = world.watch(&[]);
    let vineyard = of(&watched, "vineyard");
    assert_eq!((code, &vineyard["decision"], &vineyard["version"]), (0, &json!("overtaken"), &json!("0.25.0")));
    assert!(world.pulls()[0].title.ends_with("to 0.25.0"), "{}", world.pulls()[0].title);
}

#[test]
fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let world = with_news();
    world.take_requests();
    let (code, watched) = world.watch(&["--dry-run"]);
    assert_eq!((code, &of(&watched, "vineyard")["decision"]), (0, &json!("bump")));
    let text = of(&watched, "vineyard")["text"].as_str().unwrap();
    assert!(text.contains("would change 2 places in 2 files"), "{text}");
    let (calls, git) = world.take_requests();
    assert!(calls.iter().all(|call| call.starts_with("GET ")), "{calls:?}");
    assert!(!git.iter().any(|line| line.contains("receive-pack")), "{git:?}");
    assert!(world.pulls().is_empty());
}

#[test]
fn the_table_names_every_component_with_what_became_of_it_and_why() {
    let world = with_news();
    let table = String::from_utf8(world.run(&["watch"]).stdout).unwrap();
    for part in [
        "vineyard    0.24.1     0.24.3: pull request #1 opened: ",
        "0.24.5 is younger than `update.minimum-age` until 2099-01-02T00:00:00Z",
        "0.25.0 is outside `update.allow` (<=0.24.5)",
        "graphscope  0.28.0     0.29.0: pull request #2 opened: ",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
}
