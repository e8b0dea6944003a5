//! How a build ends that does not end well: the document tells what was done all the same.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::assert_fits;
use crate::world::{World, of};

const BUILD: [&str; 3] = ["build", "--engine", "buildx"];

/// Image and outcome, in order.
fn outcomes(document: &Value) -> Vec<(&str, &str)> {
    let images = document["images"].as_array().unwrap().iter();
    images.map(|image| (image["image"].as_str().unwrap(), image["outcome"].as_str().unwrap())).collect()
}

#[test]
fn a_failed_build_tells_what_was_published_what_failed_and_what_was_not_started() {
    let world = World::new("broken");
    world.stage(&["base", "client"]);
    let (code, document) = world.json(&BUILD);
    assert_eq!(code, 5, "{document}");
    assert_fits(&document, "build");
    assert_eq!(
        outcomes(&document),
        [("base", "published"), ("broken", "failed"), ("after", "skipped"), ("client", "not-started")]
    );
    let failure = of(&document, "broken")["failure"].as_str().unwrap();
    assert!(failure.contains("> [2/2] RUN make:\n0.1 no luck"), "{failure}");
    assert_eq!(
        (&of(&document, "after")["needs"], &of(&document, "broken")["built"]),
        (&json!("broken"), &json!(false))
    );
    let tag = &of(&document, "base")["tags"][0];
    assert_eq!(tag["tag"], format!("{}/g/base:v0.24.1", world.registry.host));
    assert_eq!(document["error"]["kind"], "build");
    assert!(document["error"]["message"].as_str().unwrap().contains("no luck"), "{document}");
    assert_eq!(document["verified"], json!([]));
}

#[test]
fn a_build_that_does_not_begin_is_an_error_alone() {
    let world = World::new("middle");
    let (code, document) = world.json(&["build", "--engine", "buildx", "--ref", "nowhere"]);
    let keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((code, keys), (2, vec!["error"]));
}

#[test]
fn an_interrupted_build_tells_how_far_it_was() {
    for (signal, code, kind) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let world = World::new("endless");
        world.stage(&["base"]);
        let mut command = world.command(&BUILD);
        let command = command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut building = command.spawn().unwrap();
        let heard = BufReader::new(building.stderr.take().unwrap());
        let mut lines = heard.lines().map(Result::unwrap);
        let mut awaited = vec!["endless: building", "base:v0.24.1 ->"];
        while !awaited.is_empty() {
            let line = lines.next().unwrap_or_else(|| panic!("it never said {awaited:?}"));
            awaited.retain(|text| !line.contains(text));
        }
        let sent = Command::new("kill").args([signal, &building.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let mut told = String::new();
        building.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(building.wait().unwrap().code(), Some(code));
        let document: Value = serde_json::from_str(&told).unwrap();
        assert_fits(&document, "build");
        assert_eq!(
            outcomes(&document),
            [("base", "published"), ("endless", "building"), ("after", "not-started"), ("client", "not-started")]
        );
        assert_eq!(document["error"]["kind"], kind);
    }
}
