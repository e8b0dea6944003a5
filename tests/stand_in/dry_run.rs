//! What `plan` and `build --dry-run` tell of what would be done.

use serde_json::json;

use crate::support::assert_fits;
use crate::world::{World, of};

#[test]
fn a_dry_run_is_the_plan_and_names_the_moving_tags() {
    let world = World::new("middle");
    let (code, plan) = world.json(&["plan"]);
    assert_eq!(code, 0);
    assert_fits(&plan, "plan");
    assert_eq!(of(&plan, "base")["moves"], json!([{ "tag": "latest", "from": null, "to": null }]));
    assert_eq!(of(&plan, "after")["moves"], json!([]));
    assert_eq!(world.json(&["build", "--dry-run"]), (0, plan));
    let output = world.command(&["plan"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("latest") && text.ends_with("4 of 4 images to build, 2 tags to move\n"), "{text}");
}

#[test]
fn a_dry_run_refuses_what_the_run_would_refuse() {
    let world = World::new("middle");
    let (code, document) = world.json(&["build", "--engine", "buildx", "--phase", "gs", "--dry-run"]);
    assert_eq!((code, &document["error"]["kind"]), (3, &json!("refused")));
    let (code, document) = world.json(&["build", "--engine", "buildx", "--platform", "linux/s390x", "--dry-run"]);
    assert_eq!((code, &document["error"]["kind"]), (2, &json!("usage")));
    let (code, document) = world.json(&["build", "--engine", "buildx", "--phase", "v6d", "--dry-run"]);
    assert_eq!((code, document["phases"].as_array().unwrap().len()), (0, 1), "{document}");
}
