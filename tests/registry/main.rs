//! The registry client and `manifest create`: against a registry in memory, one in this process that misbehaves where it
//! is told to, and Debian's `docker-registry`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on has failed")]

mod command;
mod contract;
#[path = "../support/fake_registry.rs"]
mod fake;
mod faults;
mod login;
#[path = "../support/place.rs"]
mod place;
#[path = "../support/registry.rs"]
mod real;
#[path = "../support/mod.rs"]
mod support;
mod tls;
