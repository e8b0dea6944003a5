//! From one release to the next: what is rebuilt, what is adopted, and when moving tags move.

use serde_json::Value;

use crate::lab::{CONFIG, Lab};

fn reasons(run: &crate::lab::Run, name: &str) -> String {
    let phases = run.document["phases"].as_array().unwrap();
    let images = phases.iter().flat_map(|phase| phase["images"].as_array().unwrap());
    let image = images.into_iter().find(|image| image["image"] == name).unwrap();
    let reasons = image["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap());
    reasons.collect::<Vec<_>>().join("; ")
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_bump_rebuilds_what_carries_the_component_and_adopts_the_rest() {
    let lab = Lab::new();
    lab.build(&[]).fine();
    let (base, coordinator) = (lab.children("base:v0.24.1"), lab.digest("coordinator:0.28.0"));

    lab.bump_and_merge("vineyard", "0.24.2");
    let plan = lab.run(&["plan"]).fine();
    assert!(reasons(&plan, "coordinator").contains("dev"), "{}", reasons(&plan, "coordinator"));
    let built = lab.build(&[]).fine();
    assert_eq!(built.built(), ["coordinator", "dev"]);
    assert_eq!(lab.children("base:v0.24.2"), base, "the same images under the new tag");
    assert_eq!(lab.configuration("dev:v0.24.2", "arm64")["config"]["Labels"]["vineyard"], "0.24.2");
    let replaced = built.document["images"].as_array().unwrap().iter().find(|i| i["image"] == "coordinator").unwrap();
    assert_eq!(replaced["tags"][0]["previous"].as_str(), coordinator.as_deref(), "old and new digest are told");
    assert_eq!(replaced["tags"][0]["digest"].as_str(), lab.digest("coordinator:0.28.0").as_deref());
    assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.2"));
    assert!(lab.tag("dev:v0.24.1").is_some(), "the old release stays");

    let dev = lab.digest("dev:v0.24.2");
    lab.bump_and_merge("graphscope", "0.29.0");
    let built = lab.build(&[]).fine();
    assert_eq!(built.built(), ["client", "coordinator"]);
    assert_eq!(lab.digest("dev:v0.24.2"), dev);
    assert_eq!(lab.digest("coordinator:latest"), lab.digest("coordinator:0.29.0"));
    lab.run(&["verify"]).fine();
    assert!(lab.build(&[]).fine().built().is_empty());
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn only_a_file_that_an_image_copies_makes_it_stale() {
    let lab = Lab::new();
    lab.build(&[]).fine();
    lab.sandbox.write("unused", b"two\n");
    lab.sandbox.commit();
    assert!(lab.build(&[]).fine().built().is_empty());

    lab.sandbox.write("payload", b"two\n");
    assert!(lab.build(&[]).fine().built().is_empty(), "what is not committed is not built");
    lab.sandbox.commit();
    let plan = lab.run(&["plan"]).fine();
    assert!(reasons(&plan, "base").contains("payload"), "{}", reasons(&plan, "base"));
    assert!(reasons(&plan, "dev").contains("base"), "{}", reasons(&plan, "dev"));
    assert_eq!(lab.run(&["verify"]).code, 1, "stale is a finding");
    let dry = lab.build(&["--dry-run"]).fine();
    assert_eq!(dry.document["phases"], plan.document["phases"], "a dry run is the plan");
    assert_eq!(lab.build(&[]).fine().built(), ["base", "client", "coordinator", "dev"]);
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn latest_is_the_base_branchs_newest_release() {
    let lab = Lab::new();
    lab.build(&[]).fine();
    let first = lab.digest("dev:latest");

    // the branch of a bump, before it is merged
    let bump = lab.sandbox.run(&["bump", "vineyard", "0.24.2", "--local"]);
    assert!(bump.status.success());
    let branch = lab.build(&["--phase", "v6d", "--ref", "gs-release/vineyard"]).fine();
    assert_eq!(branch.built(), ["dev"]);
    assert_eq!(lab.digest("dev:latest"), first, "a branch's build does not move it");
    assert!(branch.document["notes"].to_string().contains("--promote"), "{}", branch.document["notes"]);
    lab.sandbox.git(&["merge", "--quiet", "gs-release/vineyard"]);
    let found = lab.run(&["verify"]).document["findings"].to_string();
    assert!(found.contains("dev:latest does not point at the release"), "{found}");
    let merged = lab.build(&["--phase", "v6d"]).fine();
    assert_eq!((merged.built(), lab.digest("dev:latest")), (vec![], lab.digest("dev:v0.24.2")));

    // an older commit, and a base branch that has gone back
    lab.build(&["--phase", "v6d", "--ref", "HEAD~1"]).fine();
    assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.2"));
    lab.sandbox.git(&["revert", "--no-edit", "HEAD"]);
    let back = lab.build(&["--phase", "v6d"]).fine();
    assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.2"), "never to a lower version");
    assert!(back.document["notes"].to_string().contains("higher"), "{}", back.document["notes"]);
    lab.build(&["--phase", "v6d", "--promote"]).fine();
    assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.1"), "unless a person says so");
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_kept_release_is_replaced_only_when_it_is_named() {
    let config = CONFIG.replace("component: vineyard\n", "component: vineyard\n    when-stale: keep\n");
    let lab = Lab::with(&config, &[]);
    lab.build(&[]).fine();
    let (base, dev) = (lab.digest("base:v0.24.1"), lab.digest("dev:v0.24.1"));
    lab.sandbox.write("base.Dockerfile", b"FROM scratch\nCOPY payload unused /\n");
    lab.sandbox.commit();

    let status = lab.run(&["status"]).fine();
    assert_eq!(status.document["phases"][0]["images"][0]["state"], "kept");
    assert_eq!(status.document["components"]["vineyard"], "0.24.1");
    let human = lab.command(&["status"]).output().unwrap();
    assert!(String::from_utf8_lossy(&human.stdout).contains("stale (kept): "), "{human:?}");
    let built = lab.build(&[]).fine();
    assert_eq!(built.document["images"][0]["was"]["state"], "kept");
    assert_eq!((lab.digest("base:v0.24.1"), lab.digest("dev:v0.24.1")), (base.clone(), dev.clone()));
    lab.run(&["verify"]).fine();

    let again = lab.build(&["--rebuild", "dev"]).fine();
    assert_eq!(again.built(), ["coordinator", "dev"], "what depends on it, and nothing else");
    assert_eq!(lab.digest("base:v0.24.1"), base);
    assert_ne!(lab.digest("dev:v0.24.1"), dev);
    assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.1"));
    let unknown = lab.build(&["--rebuild", "dve"]);
    assert_eq!((unknown.code, unknown.document["error"]["hints"][0].as_str()), (2, Some("did you mean `dev`?")));
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_later_phase_alone_waits_for_the_earlier_one() {
    let lab = Lab::new();
    let refused = lab.build(&["--phase", "gs"]);
    assert_eq!(refused.code, 3);
    assert!(refused.error().contains("base is missing"), "{}", refused.error());
    assert_eq!(lab.build(&["--phase", "v6d"]).fine().built(), ["base", "dev"]);
    assert_eq!(lab.build(&["--phase", "gs"]).fine().built(), ["client", "coordinator"]);
    assert_eq!(lab.run(&["verify"]).fine().document["verified"], Value::Bool(true));
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn an_image_on_a_kept_base_is_of_what_was_published_until_the_base_is_replaced() {
    let config = CONFIG.replace("component: vineyard\n", "component: vineyard\n    when-stale: keep\n");
    let lab = Lab::with(&config, &[]);
    lab.build(&[]).fine();
    let coordinator = lab.digest("coordinator:0.28.0");
    lab.sandbox.write("payload", b"two\n");
    lab.sandbox.commit();
    // `client` copies the payload itself; `coordinator` has it from `base`, which is kept
    let built = lab.build(&[]).fine();
    assert_eq!(built.built(), ["client"]);
    assert_eq!(lab.digest("coordinator:0.28.0"), coordinator);
    lab.run(&["verify"]).fine();

    lab.sandbox.write("release.yaml", CONFIG.as_bytes());
    lab.sandbox.commit();
    let built = lab.build(&[]).fine();
    assert_eq!(built.built(), ["base", "coordinator", "dev"], "what was built on the kept one follows");
    lab.run(&["verify"]).fine();
}
