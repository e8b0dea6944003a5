//! Engine `actions` against a GitHub of its own and a registry in memory: what is started, joined, tried again and refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod attempts;
#[path = "../support/desired.rs"]
mod desired;
#[path = "../support/github/mod.rs"]
mod fake;
mod lab;
mod merges;
mod queues;
mod races;
mod replies;
mod ways;
