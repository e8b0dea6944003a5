//! The workflows, the action and their scripts: what they may look like, and that every line they run is run here.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod files;
mod form;
mod runs;
#[path = "../support/mod.rs"]
mod support;
