//! `gs-release watch`: the real binary, git over smart HTTP, and a GitHub of the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../support/github/mod.rs"]
mod fake;
#[path = "../support/git_http.rs"]
mod git_http;
#[path = "../support/hosted.rs"]
mod hosted;
#[path = "../support/index.rs"]
mod index;
#[path = "../support/fake_registry.rs"]
mod registry;
#[path = "../support/mod.rs"]
mod support;

mod app;
mod decisions;
mod due;
mod packages;
mod trouble;
mod world;
