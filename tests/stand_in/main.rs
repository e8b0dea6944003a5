//! `build`, `plan`, `status` and `verify` without an engine: the real binary, a registry in this process, and a stand-in for
//! `docker` that fails or goes on for ever. What it would build is staged beforehand.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dry_run;
mod ends;
#[path = "../support/fake_registry.rs"]
mod fake;
mod looks;
#[path = "../support/place.rs"]
mod place;
#[path = "../support/registry.rs"]
mod real;
#[path = "../support/mod.rs"]
mod support;
mod world;
