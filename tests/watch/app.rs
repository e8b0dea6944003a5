//! A GitHub App instead of a token, through the real binary.

use std::process::Command;

use jiff::SignedDuration;
use serde_json::json;

use crate::fake::App;
use crate::git_http::basic;
use crate::support::document;
use crate::world::{CONFIG, HOME, UPSTREAM, World, of};

const KEY: &str = include_str!("../github/keys/app-key.pem");

/// The command with the App alone.
pub fn as_app(mut command: Command) -> Command {
    command.env_remove("GITHUB_TOKEN").env("GS_RELEASE_APP_ID", "7").env("GS_RELEASE_APP_PRIVATE_KEY", KEY);
    command
}

fn install(world: &World, lasts: SignedDuration) {
    let rights = [("contents", "write"), ("issues", "write"), ("pull_requests", "write")];
    world.fake.state().app = Some(App { lasts, ..App::on(HOME, &rights) });
    let mut git = world.git.set();
    (git.token, git.asks, git.seen) = (None, true, Vec::new());
}

#[test]
fn git_is_given_a_new_token_for_each_piece_of_work_when_the_last_one_runs_out() {
    let world = World::new(CONFIG);
    world.publish(UPSTREAM, "0.24.2", "2024-02-01T00:00:00Z");
    world.publish(HOME, "0.29.0", "2024-05-01T00:00:00Z");
    install(&world, SignedDuration::from_mins(5));
    let (code, watched) = document(as_app(world.command(&["watch", "--json"])).output().unwrap());
    assert_eq!(code, 0, "{watched}");
    for component in ["vineyard", "graphscope"] {
        assert_eq!(of(&watched, component)["pull-request"]["action"], "created", "{watched}");
    }
    let git = world.git.set();
    let mut shown: Vec<&String> = git.seen.iter().filter_map(|seen| seen.authorization.as_ref()).collect();
    shown.dedup();
    // one fetch, and for each of the two components a push and the look whether it stands
    assert_eq!(shown.len(), 5, "{shown:?}");
    assert!((1..5).all(|n| !shown[..n].contains(&shown[n])), "none comes twice: {shown:?}");
}

#[test]
fn a_dry_run_reads_the_base_branch_with_a_token_that_can_only_read() {
    let world = World::new(CONFIG);
    install(&world, SignedDuration::from_hours(1));
    let done = as_app(world.command(&["bump", "vineyard", "0.24.2", "--dry-run"])).output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && !told.contains("using what is known here"), "{told}");
    assert_eq!(world.git.shown().first(), Some(&basic("ghs_minted1")));
    let state = world.fake.state();
    let asked = &state.requests.last().unwrap().body["permissions"];
    assert_eq!(*asked, json!({ "contents": "read", "metadata": "read", "pull_requests": "read" }));
}
