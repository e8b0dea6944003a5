//! `watch --build`: the step of a build that is due, in the same job.

use serde_json::json;

use crate::registry::{FakeRegistry, Fault};
use crate::world::{CONFIG, HOME, UPSTREAM, World, of};

const WORKFLOW: &str = "build-images.yml";

/// A world whose base branch wants an image of each tier, and a registry that has none.
fn unbuilt() -> (World, FakeRegistry) {
    let registry = FakeRegistry::start();
    let config = format!(
        "{CONFIG}registry: {}/graphscope\n\
         phases:\n\
         - name: v6d\n  component: vineyard\n  images:\n    dev: {{ dockerfile: dev.Dockerfile, tags: ['v{{vineyard}}'] }}\n\
         build: {{ engine: actions, actions: {{ workflow: {WORKFLOW} }} }}\n",
        registry.host
    );
    let world = World::new(&config);
    world.fake.commit(HOME, "main", &[("dev.Dockerfile", b"FROM scratch\n")]);
    world.fake.add_workflow(HOME, crate::fake::Workflow::usual(WORKFLOW));
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    (world, registry)
}

#[test]
fn the_build_that_is_due_is_started_once_after_the_bumps() {
    let (world, _registry) = unbuilt();
    for _ in 0..2 {
        let (code, watched) = world.watch(&["--build"]);
        assert_eq!((code, &of(&watched, "vineyard")["version"]), (0, &json!("0.24.2")), "{watched}");
        let waits_for = watched["build"]["document"]["waits-for"].as_str().unwrap_or_else(|| panic!("{watched}"));
        assert!(waits_for.starts_with("phase v6d is under way: "), "{waits_for}");
        let state = world.fake.state();
        let runs = &state.repo(HOME).unwrap().runs;
        assert_eq!((runs.len(), runs[0].branch.as_str()), (1, "main"), "the second run joins the first");
        assert_eq!(json!(runs[0].inputs["commit"]), watched["base"]);
    }
}

#[test]
fn a_dry_run_shows_the_plan_and_starts_nothing() {
    let (world, _registry) = unbuilt();
    let (code, watched) = world.watch(&["--build", "--dry-run"]);
    assert_eq!(code, 0);
    assert_eq!(watched["build"]["document"]["phases"][0]["name"], "v6d", "{watched}");
    assert!(world.fake.state().repo(HOME).unwrap().runs.is_empty());
    assert_eq!(world.watch(&[]).1["build"], json!(null), "nothing is built without being asked");
}

#[test]
fn a_build_that_fails_is_told_beside_what_was_bumped() {
    let (world, registry) = unbuilt();
    let forbidden = Fault::status(403, "DENIED", "no access");
    registry.fail(9, http::Method::GET, "", forbidden.clone());
    registry.fail(9, http::Method::HEAD, "", forbidden);
    let (code, watched) = world.watch(&["--build"]);
    assert_eq!((code, &watched["build"]["error"]["kind"]), (4, &json!("remote")), "{watched}");
    assert_eq!(of(&watched, "vineyard")["pull-request"]["action"], "created");
}
