//! A run that is killed anywhere is completed by the next one.

use crate::lab::{FILES, Lab, slow};

fn file(path: &str) -> &'static str {
    FILES.iter().find(|(name, _)| *name == path).unwrap().1
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_killed_first_phase_is_completed_without_repeating_what_was_published() {
    let dockerfile = slow(4, file("dev.Dockerfile"));
    let lab = Lab::with(crate::lab::CONFIG, &[("dev.Dockerfile", &dockerfile)]);
    let mut running = lab.start(&[]);
    running.wait_for("base: 127.0.0.1");
    running.wait_for("dev: building");
    running.kill();
    let base = lab.digest("base:v0.24.1").unwrap();
    assert!(lab.tag("dev:v0.24.1").is_none() && lab.tag("dev:latest").is_none());

    let next = lab.build(&[]).fine();
    assert!(!next.built().contains(&"base"), "{:?}", next.built());
    assert_eq!(lab.digest("base:v0.24.1").unwrap(), base);
    lab.run(&["verify"]).fine();
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_killed_second_phase_leaves_the_first_alone() {
    let dockerfile = slow(4, file("coordinator.Dockerfile"));
    let lab = Lab::with(crate::lab::CONFIG, &[("coordinator.Dockerfile", &dockerfile)]);
    let mut running = lab.start(&[]);
    running.wait_for("phase v6d: verified");
    running.wait_for("coordinator: building");
    running.kill();
    let before = ["base:v0.24.1", "dev:v0.24.1"].map(|tag| lab.digest(tag).unwrap());
    assert!(lab.tag("coordinator:0.28.0").is_none());

    let next = lab.build(&[]).fine();
    assert!(!next.built().contains(&"base") && !next.built().contains(&"dev"), "{:?}", next.built());
    assert_eq!(["base:v0.24.1", "dev:v0.24.1"].map(|tag| lab.digest(tag).unwrap()), before);
    lab.run(&["verify"]).fine();
}
