//! Fetch and push over git's smart HTTP protocol, with a real server at the other end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod credentials;
mod fetches;
#[path = "../support/git_http.rs"]
mod git_http;
mod leases;
mod world;
