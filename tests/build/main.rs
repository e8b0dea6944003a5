//! `gs-release build`, `plan`, `status` and `verify`: the real binary, a real Docker engine, a real registry.
//!
//! Needed: `docker` with buildx and emulation of the other platform, and a registry on 127.0.0.1:5000 without a login. The
//! images are small: from `scratch`, or with the machine's own static busybox. Each test publishes to a path of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod kills;
mod lab;
mod publishing;
mod races;
mod releases;
mod shares;
#[path = "../support/mod.rs"]
mod support;
mod trouble;
