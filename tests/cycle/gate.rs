//! A gate before GitHub and the registry: it kills the process under test once before and once after each of its writes, and
//! replies when that process is gone.

use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::git_http::Server;

/// The gate; its clones are the same one.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    /// The process under test; nothing is killed while there is none.
    child: Option<Child>,
    /// What it is called.
    name: String,
    killed: bool,
    /// The writes that it was killed at: `build: before PUT /v2/dev/manifests/v0.24.2`.
    interrupted: BTreeSet<String>,
}

impl Gate {
    /// Puts the gate before `router`.
    pub fn before(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Another address of the registry at `host`, with the gate before it.
    pub fn registry(&self, host: &str) -> Server {
        Server::start(self.before(Router::new().fallback(forward).with_state(host.to_owned())))
    }

    /// Runs `command` to its end, as the process called `name`. False: it was killed.
    pub fn run(&self, name: &str, command: &mut Command) -> bool {
        let said = tempfile::NamedTempFile::new().unwrap();
        let file = || said.reopen().unwrap();
        {
            // held, so that no write is met before it is known whose it is
            let mut inside = self.inside();
            inside.killed = false;
            inside.name = name.to_owned();
            inside.child = Some(command.stdout(file()).stderr(file()).spawn().unwrap());
        }
        let status = loop {
            if let Some(status) = self.inside().child.as_mut().unwrap().try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut inside = self.inside();
        inside.child = None;
        let text = std::fs::read_to_string(said.path()).unwrap();
        assert!(inside.killed || status.success(), "{command:?}: {text}");
        !inside.killed
    }

    /// The writes that it was killed at, so far.
    pub fn interrupted(&self) -> Vec<String> {
        self.inside().interrupted.iter().cloned().collect()
    }

    /// Kills the process under test, if this step was never met before. Whether it was killed.
    fn kill(&self, when: &str, write: &str) -> bool {
        let mut inside = self.inside();
        let Some(mut child) = inside.child.take() else { return false };
        let step = format!("{}: {when} {write}", inside.name);
        let is_first = !inside.killed && inside.interrupted.insert(step);
        if is_first {
            inside.killed = true;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        inside.child = Some(child);
        is_first
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let write = format!("{} {}", request.method(), place(request.uri().path()));
    if !is_write(&write) {
        return next.run(request).await;
    }
    if gate.kill("before", &write) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let reply = next.run(request).await;
    gate.kill("after", &write);
    reply
}

/// Blobs are no steps: nothing is to be seen of them before a manifest names them.
fn is_write(write: &str) -> bool {
    let reads = ["GET ", "HEAD "].iter().any(|method| write.starts_with(method));
    !reads && !write.contains("/blobs/") && !write.ends_with("/git-upload-pack") && !write.ends_with("/graphql")
}

/// A path without what differs from one attempt to the next: a build gives another digest each time.
fn place(path: &str) -> String {
    path.split_once("sha256:").map_or(path, |(before, _)| before).to_owned()
}

async fn forward(State(host): State<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    // the headers have the host that was asked: links in replies lead through the gate again
    let sent = http.request(parts.method, format!("http://{host}{}", parts.uri)).headers(parts.headers).body(body);
    let reply = sent.send().await.unwrap();
    let (status, headers) = (reply.status(), reply.headers().clone());
    let mut response = Body::from(reply.bytes().await.unwrap()).into_response();
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}
