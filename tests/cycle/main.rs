//! From a release upstream to the last image: the real binary in the jobs of a repository on a GitHub of the tests' own, git
//! over HTTP, and a registry.
//!
//! `kills` and `events` need nothing else: the runs of the phase workflow put their images into a registry in this process. `engine`
//! carries out the `run:` lines of `.github/workflows/build-images.yml` with a real Docker engine and registry.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod command;
#[path = "../support/desired.rs"]
mod desired;
mod engine;
mod events;
#[path = "../support/github/mod.rs"]
mod fake;
#[path = "../support/fake_registry.rs"]
mod fake_registry;
mod gate;
#[path = "../support/git_http.rs"]
mod git_http;
#[path = "../support/hosted.rs"]
mod hosted;
mod kills;
#[path = "../support/mod.rs"]
mod support;
mod workflow;
mod world;
