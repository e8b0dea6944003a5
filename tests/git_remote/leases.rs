//! What becomes of a push: done, refused, or somebody was quicker.

use crate::world::{BOT, World, git, somebody_moves};
use gs_release::error::Kind;
use gs_release::git::PushOutcome;

#[test]
fn a_push_moves_the_branch_from_where_it_was_seen() {
    let world = World::new();
    let clone = world.clone(&[]);
    let first = clone.commit("0.24.2\n");
    assert_eq!(clone.push(first, None).unwrap(), PushOutcome::Done);
    assert_eq!(clone.tracked(BOT), Some(first));
    let second = clone.commit("0.24.3\n");
    assert_eq!(clone.push(second, Some(first)).unwrap(), PushOutcome::Done);
    assert_eq!(git(&world.served(), &["rev-parse", BOT]).trim(), second.id.to_string());
    assert_eq!(clone.push(first, None).unwrap(), PushOutcome::LeaseLost);
    assert_eq!(clone.push(first, Some(first)).unwrap(), PushOutcome::LeaseLost);
    assert_eq!(git(&world.served(), &["rev-parse", BOT]).trim(), second.id.to_string());
    let refs = git(&clone.path, &["for-each-ref", "--format=%(refname)"]);
    let expected = ["heads/main", "remotes/origin/HEAD", &format!("remotes/origin/{BOT}"), "remotes/origin/main"];
    assert_eq!(refs, expected.map(|name| format!("refs/{name}\n")).concat(), "nothing stays behind");
}

#[test]
fn a_branch_that_moves_after_the_negotiation_is_a_lost_lease() {
    let world = World::new();
    let clone = world.clone(&[]);
    let first = clone.commit("0.24.2\n");
    for expected in [None, Some(first)] {
        match expected {
            None => assert!(!world.has(BOT)),
            Some(expected) => {
                git(
                    &clone.path,
                    &["push", "--quiet", "--force", "origin", &format!("{}:refs/heads/{BOT}", expected.id)],
                );
            }
        }
        let served = world.served();
        world.options.set().before_push = Some(Box::new(move || drop(somebody_moves(&served, BOT))));
        assert_eq!(clone.push(clone.commit("0.24.3\n"), expected).unwrap(), PushOutcome::LeaseLost);
        assert!(world.options.set().before_push.is_none(), "the push was sent");
        assert_eq!(git(&world.served(), &["log", "-1", "--format=%s", BOT]).trim(), "somebody's");
    }
}

#[test]
fn a_branch_deleted_after_it_was_seen_is_a_lost_lease_and_can_be_pushed_anew() {
    let world = World::new();
    let clone = world.clone(&[]);
    let first = clone.commit("0.24.2\n");
    assert_eq!(clone.push(first, None).unwrap(), PushOutcome::Done);
    git(&world.served(), &["update-ref", "-d", &format!("refs/heads/{BOT}")]);
    let second = clone.commit("0.24.3\n");
    assert_eq!(clone.push(second, Some(first)).unwrap(), PushOutcome::LeaseLost);
    world.somebody_moves("other");
    clone.fetch(&[BOT]).unwrap();
    assert_eq!((clone.tracked(BOT), clone.tracked("other")), (None, None));
    assert_eq!(clone.push(second, None).unwrap(), PushOutcome::Done);
}

#[test]
fn a_push_whose_report_was_lost_is_found_to_be_done() {
    let world = World::new();
    let clone = world.clone(&[]);
    world.options.set().lose_report = true;
    let commit = clone.commit("0.24.2\n");
    assert_eq!(clone.push(commit, None).unwrap(), PushOutcome::Done);
    assert_eq!(clone.tracked(BOT), Some(commit));
}

#[test]
fn a_refused_push_says_what_the_server_said_and_what_to_do() {
    let world = World::new();
    let clone = world.clone(&[]);
    for (said, hint) in [
        ("error: GH006: Protected branch update failed for refs/heads/x.", "branch protection rule"),
        (
            "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` \
             permission",
            "`workflows` permission",
        ),
        ("quota exceeded", "write access to contents"),
    ] {
        let hook = world.served().join("hooks/pre-receive");
        std::fs::write(&hook, format!("#!/bin/sh\necho '{said}' >&2\nexit 1\n")).unwrap();
        let mut permissions = std::fs::metadata(&hook).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        std::fs::set_permissions(&hook, permissions).unwrap();
        let error = clone.push(clone.commit("0.24.2\n"), None).unwrap_err();
        assert_eq!(error.kind, Kind::Remote);
        let expected = format!("{} refused branch {BOT}: pre-receive hook declined\n", world.url());
        assert_eq!(error.message, expected + said.trim_start_matches("error: "));
        assert!(error.hints[0].contains(hint), "{:?}", error.hints);
    }
}
