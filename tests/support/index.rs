//! A Python package index of its own for tests: the JSON form of the simple API, over HTTP on this machine.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::git_http::Server;

pub const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A running index; it stops when it is dropped.
pub struct FakeIndex {
    known: Known,
    server: Server,
}

type Known = Arc<Mutex<World>>;

#[derive(Default)]
struct World {
    /// The entries of `files`, by project.
    projects: BTreeMap<String, Vec<Value>>,
    /// `GET project` and what was shown in `Authorization`.
    seen: Vec<(String, Option<String>)>,
    /// Answers in the form for browsers.
    only_html: bool,
}

impl FakeIndex {
    pub fn start() -> Self {
        let known = Known::default();
        let router = Router::new().route("/simple/{project}/", get(page)).with_state(Arc::clone(&known));
        FakeIndex { known, server: Server::start(router) }
    }

    /// The base of the API, as pip is told it.
    pub fn url(&self) -> String {
        format!("{}/simple", self.server.url)
    }

    /// Adds a wheel of `version`; `yanked` withdraws it.
    pub fn publish(&self, project: &str, version: &str, yanked: bool) {
        let filename = format!("{}-{version}-py3-none-any.whl", project.replace('-', "_"));
        let url = format!("https://files.example.com/{filename}");
        let time = "2024-01-01T00:00:00Z";
        let file =
            json!({"filename": filename, "url": url, "hashes": {}, "size": 1, "upload-time": time, "yanked": yanked});
        self.known.lock().unwrap().projects.entry(project.to_owned()).or_default().push(file);
    }

    /// Answers like an index that knows no JSON.
    pub fn answer_in_html(&self) {
        self.known.lock().unwrap().only_html = true;
    }

    /// The projects that were asked for since the last time, and what was shown for each.
    pub fn take_seen(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.known.lock().unwrap().seen)
    }
}

async fn page(State(known): State<Known>, Path(project): Path<String>, headers: HeaderMap) -> Response {
    let mut world = known.lock().unwrap();
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    world.seen.push((project.clone(), shown));
    if world.only_html || headers.get(header::ACCEPT).is_none_or(|accept| accept != JSON) {
        return ([(header::CONTENT_TYPE, "text/html")], "<!DOCTYPE html>").into_response();
    }
    let Some(files) = world.projects.get(&project) else { return StatusCode::NOT_FOUND.into_response() };
    let page = json!({"meta": {"api-version": "1.1"}, "name": project, "versions": [], "files": files});
    ([(header::CONTENT_TYPE, JSON)], page.to_string()).into_response()
}
