//! Several bots at once.

use std::process::{Child, Stdio};

use gs_release::github::Marker;
use serde_json::json;

use crate::stage::{WANTED, World, another_clone, scene};
use crate::support::{Sandbox, document};

/// Starts a bump to `version` in `clone`.
fn start(world: &World, clone: &Sandbox, version: &str) -> Child {
    let mut command = world.command_in(clone, &["bump-vineyard", version, "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn check_ten(world: &World, bots: Vec<Child>) {
    let mut created = 0;
    for bot in bots {
        let (code, told) = document(bot.wait_with_output().unwrap());
        assert_eq!(code, 0, "{told}");
        assert_eq!(told["pull-request"]["number"], 1, "{told}");
        created += usize::from(told["pull-request"]["action"] == json!("created"));
    }
    let pulls = world.pulls();
    assert_eq!((created, pulls.len(), pulls[0].comments.len()), (1, 1, 0));
    let tip = world.tip().unwrap();
    assert_eq!(world.content(&tip), world.content(scene("ready").tip.as_ref().unwrap()));
    let opened =
        world.fake.calls().iter().filter(|call| call.ends_with("POST /repos/alibaba/GraphScope/pulls")).count();
    assert!(opened <= 10, "{opened}");
}

#[test]
fn ten_bumps_of_one_version_at_once_end_with_one_branch_and_one_pull_request() {
    let world = World::at("absent", |_| vec![]);
    let clones: Vec<Sandbox> = (0..10).map(|_| another_clone(&world)).collect();
    check_ten(&world, clones.iter().map(|clone| start(&world, clone, WANTED)).collect());
}

#[test]
fn ten_bumps_in_one_clone_end_likewise() {
    let world = World::at("older", |pull| vec![pull]);
    let bots: Vec<Child> = (0..10).map(|_| start(&world, &world.clone, WANTED)).collect();
    for bot in bots {
        let (code, told) = document(bot.wait_with_output().unwrap());
        assert_eq!((code, &told["pull-request"]["number"]), (0, &json!(1)), "{told}");
    }
    let tip = world.tip().unwrap();
    assert_eq!(world.content(&tip), world.content(scene("ready").tip.as_ref().unwrap()));
    assert_eq!(Marker::parse(&world.pulls()[0].body).unwrap().version, WANTED.parse().unwrap());
}

#[test]
fn of_two_versions_at_once_the_newer_wins() {
    for from in ["absent", "older"] {
        let world = World::at(from, |pull| if from == "absent" { vec![] } else { vec![pull] });
        let other = another_clone(&world);
        let bots = [start(&world, &world.clone, WANTED), start(&world, &other, "0.24.5")];
        let [(code, older), (newest, newer)] = bots.map(|bot| document(bot.wait_with_output().unwrap()));
        assert_eq!(newest, 0, "{newer}");
        assert!([0, 3].contains(&code), "{older}");
        let pulls = world.pulls();
        assert_eq!(pulls.len(), 1, "{from}");
        assert_eq!(world.content(&world.tip().unwrap()), world.content(scene("newer").tip.as_ref().unwrap()), "{from}");
        assert!(pulls[0].title.ends_with("to 0.24.5"), "{from}: {}", pulls[0].title);
        assert_eq!(Marker::parse(&pulls[0].body).unwrap().version, "0.24.5".parse().unwrap(), "{from}");
    }
}
