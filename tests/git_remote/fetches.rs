//! What a fetch brings, in shallow and partial clones too, and how long it waits.

use std::path::Path;
use std::time::Duration;

use crate::world::{BOT, World, git, isolated};
use gs_release::git::{Patience, PushOutcome};

#[test]
fn a_fetch_brings_the_branches_asked_for_and_no_other() {
    let world = World::new();
    let clone = world.clone(&[]);
    let there = world.somebody_moves(BOT);
    world.somebody_moves("other");
    clone.fetch(&[]).unwrap();
    assert_eq!((clone.tracked(BOT), clone.tracked("other")), (None, None), "nothing asked for, nothing fetched");
    clone.fetch(&["main", BOT]).unwrap();
    assert_eq!(clone.tracked(BOT).unwrap().id.to_string(), there);
    assert_eq!(clone.tracked("other"), None);
    git(&world.served(), &["update-ref", "-d", &format!("refs/heads/{BOT}")]);
    clone.fetch(&[BOT]).unwrap();
    assert_eq!((clone.tracked(BOT), clone.tracked("other")), (None, None), "a branch that is gone is gone here too");
    assert!(!clone.path.join(".git/FETCH_HEAD").exists(), "the person's own FETCH_HEAD is left alone");
}

#[test]
fn a_shallow_clone_stays_shallow_and_still_knows_whose_commits_are_on_the_branch() {
    let world = World::new();
    world.grow(&["0.24.1\n"; 10]);
    let full = world.clone(&[]);
    let old = full.commit("0.24.2\n");
    assert_eq!(full.push(old, None).unwrap(), PushOutcome::Done);
    world.grow(&["0.24.1\n"; 20]);

    let shallow = world.clone(&["--depth", "1"]);
    shallow.fetch(&["main", BOT]).unwrap();
    assert_eq!(shallow.tracked(BOT), Some(old));
    let count = |path: &Path, name: &str| git(path, &["rev-list", "--count", name]).trim().parse::<u32>().unwrap();
    assert_eq!(count(&shallow.path, "origin/main"), 1);
    assert_eq!(count(&shallow.path, &format!("origin/{BOT}")), 8, "a few commits of the branch are enough");
    let is_own = |id| move |commit: &gs_release::git::History| commit.commit.id == id;
    let history = shallow.repository.history(shallow.base().id, old.id, is_own(old.id)).unwrap();
    assert_eq!(history.iter().map(|commit| commit.commit.id).collect::<Vec<_>>(), [old.id]);

    let deeper = world.clone(&["--depth", "15"]);
    assert_eq!(deeper.push(deeper.commit("0.24.3\n"), Some(old)).unwrap(), PushOutcome::Done);
    let again = world.clone(&["--depth", "15"]);
    again.fetch(&["main", BOT]).unwrap();
    assert_eq!(count(&again.path, "origin/main"), 15, "a fetch of a few commits does not cut off what was there");
    git(&again.path, &["fsck", "--connectivity-only"]);
    assert_eq!(again.push(again.commit("0.24.4\n"), again.tracked(BOT)).unwrap(), PushOutcome::Done);
}

#[test]
fn a_server_that_never_ends_its_answer_is_given_up() {
    let world = World::new();
    let clone = world.clone(&[]);
    let fetch = |patience| clone.repository.fetch(&clone.remote(), &["main"], &clone.auth("example"), patience);
    world.options.set().hang = Some("info/refs");
    let silence = fetch(Patience::Silence(Duration::from_millis(50))).unwrap_err();
    assert!(silence.message.contains("no answer within"), "{silence}");
    world.options.set().hang = None;
    world.options.set().trickle = Some("info/refs");
    let total = fetch(Patience::Total(Duration::from_millis(50))).unwrap_err();
    assert!(total.message.contains("no answer within"), "{total}");
}

#[test]
fn a_dry_run_does_not_wait_for_a_server_that_hangs() {
    let world = World::new();
    let clone = world.clone(&[]);
    let config = "components: { vineyard: { version-file: V, sites: [] } }\n";
    std::fs::write(clone.path.join("release.yaml"), config).unwrap();
    world.options.set().hang = Some("info/refs");
    let output = isolated(env!("CARGO_BIN_EXE_gs-release"), &clone.path)
        .args(["--config", clone.path.join("release.yaml").to_str().unwrap()])
        .args(["bump-vineyard", "0.24.2", "--dry-run"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("no answer within 2 seconds; using what is known here"), "{stderr}");
}

#[test]
fn a_base_branch_that_is_gone_from_the_remote_is_not_taken_from_here() {
    let world = World::new();
    let clone = world.clone(&[]);
    git(&world.served(), &["branch", "--quiet", "--move", "main", "master"]);
    let config = "components: { vineyard: { version-file: V, sites: [] } }\n";
    std::fs::write(clone.path.join("release.yaml"), config).unwrap();
    let output = isolated(env!("CARGO_BIN_EXE_gs-release"), &clone.path)
        .args(["--config", clone.path.join("release.yaml").to_str().unwrap()])
        .args(["bump-vineyard", "0.24.2", "--dry-run"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the remote has no branch `main`") && stderr.contains("it has master"), "{stderr}");
}

#[test]
fn a_partial_clone_that_git_has_brought_up_to_date_is_pushed_from() {
    let world = World::new();
    git(&world.served(), &["config", "uploadpack.allowFilter", "true"]);
    let long = "0.24.1\n".repeat(500);
    world.grow(&[&long]);
    let clone = world.clone(&["--filter=blob:none", "--no-checkout"]);
    world.grow(&[&format!("{long}x\n")]);
    let error = clone.fetch(&["main"]).unwrap_err();
    let command = "`git fetch origin`";
    assert!(error.hints[0].contains(command), "the server's deltas need what the clone left out: {error:?}");
    git(&clone.path, &["fetch", "--quiet", "origin"]);
    clone.fetch(&["main"]).unwrap();
    assert_eq!(clone.push(clone.commit("0.24.2\n"), None).unwrap(), PushOutcome::Done);
}
