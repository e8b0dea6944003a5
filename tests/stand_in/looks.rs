//! What `status`, `plan` and `verify` see of a registry that is not there, or that has lost something.

use std::net::TcpListener;

use axum::http::Method;
use serde_json::{Value, json};

use crate::fake::Fault;
use crate::support::{assert_fits, document};
use crate::world::{World, of};

const ALL: [&str; 4] = ["base", "middle", "after", "client"];

#[test]
fn status_without_a_registry_shows_what_is_known() {
    let world = World::new("middle");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let arguments = ["status", "--registry", &format!("{nobody}/g")];
    let (code, document) = world.json(&arguments);
    assert_eq!(code, 4, "{document}");
    assert_fits(&document, "status");
    assert_eq!(document["components"], json!({ "graphscope": "0.28.0", "vineyard": "0.24.1" }));
    assert_eq!(
        (&of(&document, "client")["state"], &of(&document, "client")["build"]),
        (&json!("unknown"), &json!(false))
    );
    assert_eq!(document["error"]["kind"], "remote");
    let output = world.command(&arguments).output().unwrap();
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(4));
    assert!(shown.contains("vineyard 0.24.1"), "{shown}");
    assert_eq!(shown.matches("unknown: the registry could not be asked").count(), 4, "{shown}");
    assert!(said.contains("cannot be reached"), "{said}");
}

#[test]
fn status_tells_of_the_images_that_the_registry_tells_of() {
    let world = World::new("middle");
    let denied = Fault::status(403, "DENIED", "not yours");
    world.registry.fail(99, Method::GET, "/g/client/", denied);
    let (code, document) = world.json(&["status"]);
    assert_eq!(code, 4, "{document}");
    let states = ALL.map(|image| of(&document, image)["state"].as_str().unwrap());
    assert_eq!(states, ["missing", "missing", "missing", "unknown"]);
    assert!(document["error"]["message"].as_str().unwrap().contains("not yours"), "{document}");
}

fn published() -> World {
    let world = World::new("middle");
    world.stage(&ALL);
    let (code, document) = world.json(&["build", "--engine", "buildx"]);
    assert_eq!(code, 0, "{document}");
    world
}

#[test]
fn what_is_current_costs_one_request_a_tag() {
    let world = published();
    world.registry.forget();
    let (code, document) = world.json(&["build", "--engine", "buildx"]);
    assert_eq!(code, 0, "{document}");
    let seen = world.registry.seen();
    // those with a moving tag take more, to look at that
    for image in ["middle", "after"] {
        let asked: Vec<&str> = seen.iter().map(|seen| &*seen.uri).filter(|uri| uri.contains(image)).collect();
        assert_eq!(asked, [format!("/v2/g/{image}/manifests/v0.24.1")]);
    }
}

#[test]
fn an_image_that_was_deleted_behind_its_index_is_found_and_mended() {
    let world = published();
    let index: Value = serde_json::from_slice(&world.registry.manifest("g/middle", "v0.24.1").unwrap()).unwrap();
    let lost = index["manifests"][0]["digest"].as_str().unwrap();
    world.registry.delete("g/middle", lost);
    let (code, verified) = world.json(&["verify"]);
    assert_eq!(code, 1, "{verified}");
    let found = verified["findings"].to_string();
    assert!(
        found.contains(lost) && found.contains("is gone: `gs-release build --engine buildx --rebuild middle`"),
        "{found}"
    );
    assert!(found.contains("middle:v0.24.1 is incomplete: linux/amd64 is absent"), "{found}");
    // nothing else is to be built, and its annotation is believed
    assert_eq!(of(&world.json(&["plan"]).1, "middle")["state"], "current");

    // once something is to be built, it is built with it
    world.registry.delete("g/client", "0.28.0");
    let (_, plan) = world.json(&["plan"]);
    assert_eq!(of(&plan, "middle")["state"], "incomplete");
    world.stage(&["middle", "client"]);
    assert_eq!(world.json(&["build", "--engine", "buildx"]).0, 0);
    let (code, verified) = document(world.command(&["verify", "--json"]).output().unwrap());
    assert_eq!(code, 0, "{verified}");
}
