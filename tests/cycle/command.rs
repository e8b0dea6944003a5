//! `build` with engine `actions` and `status`, as a person calls them.

use std::process::Output;

use serde_json::{Value, json};

use crate::events::fine;
use crate::fake_registry::FakeRegistry;
use crate::support::document;
use crate::world::{HOME, Job, World};

fn world() -> (World, FakeRegistry) {
    let registry = FakeRegistry::start();
    (World::new(&format!("{}/g", registry.host), "linux/amd64"), registry)
}

/// A command in a fresh clone, outside of any workflow; without a token unless `token` says so.
fn call(world: &World, token: bool, arguments: &[&str]) -> Output {
    let job = Job::default();
    let sandbox = world.checkout(&job);
    let mut command = sandbox.command(arguments);
    world.surround(&mut command, &job);
    for name in ["GITHUB_ACTIONS", "GITHUB_REF", "GITHUB_REPOSITORY"] {
        command.env_remove(name);
    }
    if !token {
        command.env_remove("GITHUB_TOKEN");
    }
    command.output().unwrap()
}

fn json_of(world: &World, arguments: &[&str]) -> (i32, Value) {
    document(call(world, true, &[arguments, &["--json"]].concat()))
}

fn bump_and_merge(world: &World) {
    fine(world.job(&Job::default(), &["watch"]));
    assert!(world.merge());
}

#[test]
fn the_document_names_the_run_that_goes_on() {
    let (world, _registry) = world();
    bump_and_merge(&world);
    let (code, document) = json_of(&world, &["build", "--no-wait"]);
    let url = "https://github.com/alibaba/GraphScope/actions/runs/500";
    assert_eq!(code, 0, "{document}");
    assert_eq!(document["runs"], json!([{ "phase": "v6d", "url": url, "state": "in progress" }]));
    assert_eq!(document["waits-for"], format!("phase v6d is under way: {url}"));
}

#[test]
fn a_merged_pull_request_is_told_of_the_build_when_its_body_was_rewritten_too() {
    let (world, _registry) = world();
    bump_and_merge(&world);
    world.fake.state().repo_mut(HOME).pulls[0].body = "By hand".into();
    fine(call(&world, true, &["build", "--no-wait"]));
    let comments = world.fake.state().repo(HOME).unwrap().pulls[0].comments.clone();
    assert!(comments.len() == 1 && comments[0].1.contains("phase v6d is under way"), "{comments:?}");
}

#[test]
fn a_dry_run_starts_nothing() {
    let (world, _registry) = world();
    bump_and_merge(&world);
    let (code, _) = json_of(&world, &["build", "--dry-run"]);
    assert_eq!((code, world.started()), (0, Vec::new()));
}

#[test]
fn what_cannot_be_asked_of_a_run_is_told() {
    let (world, _registry) = world();
    for (arguments, expected, code) in [
        (&["build", "--jobs", "2"][..], "--jobs is for engine `buildx`", 2),
        (&["build", "--promote"], "--promote is for engine `buildx`", 2),
        (&["build", "--engine", "buildx", "--retry"], "--no-wait and --retry are for engine `actions`", 2),
        (&["build", "--ref", "nowhere"], "there is no commit `nowhere` here", 2),
    ] {
        let (found, document) = json_of(&world, arguments);
        assert_eq!((found, document["error"]["message"].as_str()), (code, Some(expected)));
    }
    let output = call(&world, false, &["build"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("set GITHUB_TOKEN"));
}

#[test]
fn a_bump_that_was_pushed_is_built_by_the_name_of_its_branch() {
    let (world, _registry) = world();
    let text = {
        let repository = world.fake.git(HOME);
        let found = repository.revparse_single("main:release.yaml").unwrap();
        String::from_utf8(found.as_blob().unwrap().content().to_vec()).unwrap()
    };
    let before_merge = text.replace("component: vineyard\n", "component: vineyard\n    build-before-merge: true\n");
    world.fake.commit(HOME, "main", &[("release.yaml", before_merge.as_bytes())]);
    let bumped = call(&world, true, &["bump", "vineyard", "0.24.2"]);
    let advice = "phase v6d is built before the merge: gs-release build --ref gs-release/vineyard";
    assert!(String::from_utf8_lossy(&bumped.stderr).contains(advice), "{bumped:?}");
    let build = ["build", "--ref", "gs-release/vineyard", "--no-wait"];
    fine(call(&world, true, &build));
    let (run, phase, commit) = world.active()[0].clone();
    assert_eq!(phase, "v6d");
    let statuses = || -> Vec<String> {
        let state = world.fake.state();
        state.repo(HOME).unwrap().statuses.iter().map(|s| format!("{} {}", s.context, s.state)).collect()
    };
    assert_eq!(statuses(), ["gs-release/v6d pending"]);

    world.publish(&phase, &commit);
    world.fake.end_run(HOME, run, "success");
    let (code, document) = json_of(&world, &build);
    assert_eq!(
        (code, &document["waits-for"]),
        (0, &json!("the other phases are built when gs-release/vineyard is merged"))
    );
    assert_eq!(statuses(), ["gs-release/v6d pending", "gs-release/v6d success"]);
    assert_eq!(world.tag("dev:latest"), None, "a branch never moves `latest`");

    assert!(world.merge());
    fine(call(&world, true, &["build", "--no-wait"]));
    let started: Vec<String> = world.started().into_iter().map(|(name, _)| name).collect();
    assert_eq!(started, ["v6d 1", "gs 1"], "the merge finds the first phase current");
    let latest = world.tag("dev:latest").map(|state| state.digest);
    assert_eq!(latest, world.tag("dev:v0.24.2").map(|state| state.digest));
}

#[test]
fn status_is_one_screen_of_components_runs_and_images() {
    let (world, _registry) = world();
    fine(world.job(&Job::default(), &["watch"]));
    let (_, document) = json_of(&world, &["status"]);
    assert_eq!(document["components"], json!({ "graphscope": "0.28.0", "vineyard": "0.24.1" }));
    assert_eq!(document["pull-requests"][0]["number"], 1);
    assert_eq!(document["upstream"]["vineyard"]["version"], "0.24.2", "{document}");
    assert_eq!(document["published"][0]["image"], "dev");
    assert_eq!(document["published"][0]["platforms"], json!(["linux/amd64"]));
    assert_eq!(document["runs"], json!([]));

    world.merge();
    fine(call(&world, true, &["build", "--no-wait"]));
    let (_, document) = json_of(&world, &["status"]);
    let run = &document["runs"][0];
    assert_eq!((&run["phase"], &run["attempt"], &run["state"]), (&json!("v6d"), &json!(1), &json!("in progress")));

    assert_eq!(run["awaits"], json!([]));
    world.fake.state().repo_mut(HOME).runs[0].awaits = vec!["ubuntu-24.04-arm".into()];
    let (_, document) = json_of(&world, &["status"]);
    assert_eq!(document["runs"][0]["awaits"], json!(["ubuntu-24.04-arm"]));
    let screen = String::from_utf8(call(&world, true, &["status"]).stdout).unwrap();
    assert!(screen.contains("run 1 queued, waits for a runner labelled ubuntu-24.04-arm https://"), "{screen}");
    world.fake.state().repo_mut(HOME).runs[0].awaits.clear();

    let screen = String::from_utf8(call(&world, true, &["status"]).stdout).unwrap();
    for part in [
        "vineyard 0.24.2  up to date",
        "phase v6d  run 1 in progress https://github.com/alibaba/GraphScope/actions/runs/500",
        "missing",
        "stale: ",
        "2 of 2 images to build",
    ] {
        assert!(screen.contains(part), "`{part}` is missing from:\n{screen}");
    }
    assert!(screen.lines().count() < 24, "{screen}");

    let alone = call(&world, false, &["status"]);
    assert!(alone.status.success(), "without a token it shows what the registry has");
    assert!(String::from_utf8_lossy(&alone.stderr).contains("pull requests and runs are left out"));
}
