//! Branch and pull requests, brought to what a bump asks for: the decision alone, and the real binary, git over smart HTTP
//! and a GitHub of the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod binary;
mod decision;
#[path = "../support/github/mod.rs"]
mod fake;
mod faults;
#[path = "../support/git_http.rs"]
mod git_http;
#[path = "../support/hosted.rs"]
mod hosted;
mod races;
mod secrecy;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod table;
