//! Branches and commits through the API.

use gs_release::github::{BranchMove, FileChange, NewCommit};

use crate::fake::{Failure, FakeGitHub, Token, tip};
use crate::{BRANCH, REPOSITORY, TOKEN, assert_told, connect, ensure, name, ready, repository, token, wanted};

/// A commit over `main` with text, bytes and a script, and its tree as git computes it here.
fn new_commit(fake: &FakeGitHub) -> NewCommit {
    let git = fake.git(REPOSITORY);
    let parent = git.find_reference("refs/heads/main").unwrap().peel_to_commit().unwrap();
    let files = [
        ("V6D_VERSION", 0o100_644, &b"v0.24.2\n"[..]),
        ("dos.txt", 0o100_644, b"\xef\xbb\xbfa\r\n\xff"),
        ("k8s/run.sh", 0o100_755, b"#!/bin/sh\n"),
    ];
    // In an object database of its own: GitHub must get every blob from the call.
    let elsewhere = tempfile::tempdir().unwrap();
    let local = git2::Repository::init_bare(elsewhere.path()).unwrap();
    local.odb().unwrap().add_disk_alternate(git.path().join("objects").to_str().unwrap()).unwrap();
    let mut builder = git2::build::TreeUpdateBuilder::new();
    for (path, mode, content) in files {
        let mode = if mode == 0o100_755 { git2::FileMode::BlobExecutable } else { git2::FileMode::Blob };
        builder.upsert(path, local.blob(content).unwrap(), mode);
    }
    let base = local.find_commit(parent.id()).unwrap().tree().unwrap();
    NewCommit {
        message: "chore: bump vineyard\n\nGs-Release: {}\n".into(),
        parent: parent.id().to_string(),
        parent_tree: parent.tree_id().to_string(),
        files: files
            .into_iter()
            .map(|(path, mode, content)| FileChange { path: path.into(), mode, content: content.into() })
            .collect(),
        tree: builder.create_updated(&local, &base).unwrap().to_string(),
    }
}

#[tokio::test]
async fn a_commit_has_the_tree_that_was_computed_here_byte_for_byte() {
    let fake = ready();
    let commit = new_commit(&fake);
    let written = repository(&fake).await.write_commit(&commit).await.unwrap();
    let git = fake.git(REPOSITORY);
    let found = git.find_commit(git2::Oid::from_str(&written.sha).unwrap()).unwrap();
    assert_eq!(found.tree_id().to_string(), commit.tree);
    assert_eq!((found.message().unwrap(), found.parent_id(0).unwrap().to_string()), (&*commit.message, commit.parent));
}

#[tokio::test]
async fn github_signs_for_machines_and_not_for_people() {
    let fake = ready();
    fake.add_token("ghs_job", Token::actions(&[("contents", "write")]));
    let commit = new_commit(&fake);
    for (secret, verified) in [(TOKEN, false), ("ghs_job", true)] {
        let repository = connect(&fake, token(secret)).await.repository(&name(REPOSITORY));
        assert_eq!(repository.write_commit(&commit).await.unwrap().verified, verified, "{secret}");
    }
}

#[tokio::test]
async fn a_tree_that_came_out_differently_moves_nothing() {
    let fake = ready();
    let commit = NewCommit { tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".into(), ..new_commit(&fake) };
    let error = repository(&fake).await.write_commit(&commit).await.unwrap_err();
    assert_told(&error, &["instead of 4b825dc642cb6eb9a060e54bf8d69288fbee4904", "set `commit-via: git`"]);
    assert!(!fake.calls().iter().any(|call| call.ends_with("/git/commits")));
}

#[tokio::test]
async fn a_workflow_file_without_the_permission_says_which_one_is_missing() {
    let fake = ready();
    fake.add_token("ghs_job", Token::actions(&[("contents", "write")]));
    let mut commit = new_commit(&fake);
    commit.files[0].path = ".github/workflows/ci.yml".into();
    let repository = connect(&fake, token("ghs_job")).await.repository(&name(REPOSITORY));
    assert_told(&repository.write_commit(&commit).await.unwrap_err(), &["403", "contents=write and workflows=write"]);
}

#[tokio::test]
async fn a_branch_moves_only_from_where_it_was_expected() {
    let fake = ready();
    let repository = repository(&fake).await;
    let made = repository.write_commit(&new_commit(&fake)).await.unwrap().sha;
    let old = repository.branch(BRANCH).await.unwrap().unwrap();
    let base = repository.branch("main").await.unwrap().unwrap();
    // Elsewhere, or there though it should not be.
    for expected in [Some(base.as_str()), None] {
        let lost = repository.move_branch(BRANCH, expected, &made, true).await.unwrap();
        assert_eq!(lost, BranchMove::Lost(Some(old.clone())));
    }
    assert_eq!(repository.move_branch("gone", Some(&base), &made, true).await.unwrap(), BranchMove::Lost(None));
    // Not a descendant of what is there: GitHub refuses without force.
    assert!(repository.move_branch(BRANCH, Some(&old), &made, false).await.is_err());
    assert_eq!(repository.move_branch(BRANCH, Some(&old), &made, true).await.unwrap(), BranchMove::Done);
    assert_eq!(repository.branch(BRANCH).await.unwrap(), Some(made.clone()));
    // Once more is nothing more.
    fake.take_writes();
    assert_eq!(repository.move_branch(BRANCH, Some(&old), &made, true).await.unwrap(), BranchMove::Done);
    assert_eq!(fake.take_writes(), [""; 0]);
}

#[tokio::test]
async fn a_lost_reply_to_the_move_is_looked_into() {
    for failure in [Failure::CloseAfterEffect, Failure::BadGatewayAfterEffect] {
        let fake = ready();
        let repository = repository(&fake).await;
        let made = repository.write_commit(&new_commit(&fake)).await.unwrap().sha;
        fake.fail_next("POST", "/git/refs$", 1, failure);
        assert_eq!(repository.move_branch("gs-release/new", None, &made, false).await.unwrap(), BranchMove::Done);
        assert_eq!(tip(fake.git(REPOSITORY).path(), "gs-release/new"), Some(made));
    }
}

#[tokio::test]
async fn the_pull_request_follows_its_branch_and_never_closes_on_the_way() {
    let fake = ready();
    let repository = repository(&fake).await;
    ensure(&repository, &wanted("0.24.2")).await.unwrap();
    let made = repository.write_commit(&new_commit(&fake)).await.unwrap().sha;
    let old = repository.branch(BRANCH).await.unwrap();
    repository.move_branch(BRANCH, old.as_deref(), &made, true).await.unwrap();
    let pulls = repository.pull_requests(None, BRANCH, "main").await.unwrap();
    assert_eq!((pulls.len(), pulls[0].head_sha.as_str(), pulls[0].state), (1, &*made, gs_release::github::State::Open));
}
