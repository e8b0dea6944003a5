//! A GitHub of its own for tests: stateful, in this process, over real git repositories.
//!
//! Every request and every reply is checked against GitHub's own description of its API (`openapi/`); what violates it is
//! collected, and the fake panics with it when it is dropped. It can be told to fail at any call.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unused_imports,
    reason = "a helper that cannot go on has failed the test; each test uses a part of it"
)]

mod apps;
mod failure;
mod graphql;
mod issues;
mod objects;
mod openapi;
mod pulls;
mod releases;
mod rights;
mod runs;
mod serve;
mod state;
mod statuses;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;

pub use failure::Failure;
pub use rights::{Kind, Token, map};
pub use runs::{End, Run, Script, Workflow};
pub use state::{App, Pull, Recorded, Release, Repo, State, tip};
pub use statuses::Status;

/// A running fake GitHub; it stops when it is dropped.
pub struct FakeGitHub {
    state: Arc<Mutex<State>>,
    /// `http://127.0.0.1:1234`.
    server_url: String,
    directory: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeGitHub {
    /// The API at the root, as on `api.github.com`.
    pub fn start() -> Self {
        Self::start_with("", |api, _| api)
    }

    /// The API at `/api/v3` and `/api/graphql`, as on GitHub Enterprise Server.
    pub fn start_enterprise() -> Self {
        Self::start_with("/api/v3", |api, _| Router::new().nest("/api/v3", api.clone()).nest("/api", api))
    }

    /// The API at `prefix`, with whatever else `mount` puts beside the router that it is given. The repositories lie in the
    /// directory that it is given too, as `owner/name.git`.
    pub fn start_with(prefix: &str, mount: impl FnOnce(Router, &Path) -> Router) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server_url = format!("http://{}", listener.local_addr().unwrap());
        let state = State { url: format!("{server_url}{prefix}"), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let router = mount(Router::new().fallback(serve::serve).with_state(state.clone()), directory.path());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        FakeGitHub { state, server_url, directory, stop: Some(stop), thread: Some(thread) }
    }

    /// Base of the API.
    pub fn api_url(&self) -> String {
        self.state().url.clone()
    }

    /// Scheme, host and port.
    pub fn server_url(&self) -> &str {
        &self.server_url
    }

    /// Everything it knows, to set up and to look at. Held, it stops the server.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Adds a public repository with one commit on `main`.
    pub fn add_repository(&self, full_name: &str) {
        let path = self.directory.path().join(format!("{full_name}.git"));
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).initial_head("main").mkpath(true);
        git2::Repository::init_opts(&path, &options).unwrap();
        let mut state = self.state();
        let id = 1_000 + state.repositories.len() as u64;
        state.repositories.push(Repo::new(id, full_name, path));
        drop(state);
        self.commit(full_name, "main", &[("README.md", b"example\n")]);
    }

    /// Commits files to a branch, which starts at `main` if it is not there. Returns the commit's id.
    pub fn commit(&self, full_name: &str, branch: &str, files: &[(&str, &[u8])]) -> String {
        let repository = self.git(full_name);
        let parent = [branch, "main"].iter().find_map(|name| {
            let reference = repository.find_reference(&format!("refs/heads/{name}")).ok()?;
            Some(reference.peel_to_commit().unwrap())
        });
        let mut builder = git2::build::TreeUpdateBuilder::new();
        for (path, content) in files {
            builder.upsert(*path, repository.blob(content).unwrap(), git2::FileMode::Blob);
        }
        let empty = repository.treebuilder(None).unwrap().write().unwrap();
        let before = parent.as_ref().map_or_else(|| repository.find_tree(empty).unwrap(), |p| p.tree().unwrap());
        let tree = builder.create_updated(&repository, &before).unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let time = git2::Time::new(1_747_735_200, 0);
        let signature = git2::Signature::new("Octo Cat", "octocat@example.com", &time).unwrap();
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let id = repository.commit(None, &signature, &signature, "A commit", &tree, &parents).unwrap();
        repository.reference(&format!("refs/heads/{branch}"), id, true, "test").unwrap();
        id.to_string()
    }

    /// Tags the head of `main`.
    pub fn tag(&self, full_name: &str, tag: &str) {
        let repository = self.git(full_name);
        let head = repository.find_reference("refs/heads/main").unwrap().peel_to_commit().unwrap();
        repository.tag_lightweight(tag, head.as_object(), true).unwrap();
    }

    /// Adds a workflow.
    pub fn add_workflow(&self, full_name: &str, workflow: Workflow) {
        self.state().repo_mut(full_name).workflows.push(workflow);
    }

    /// Ends the run of that id.
    pub fn end_run(&self, full_name: &str, id: u64, conclusion: &str) {
        let mut state = self.state();
        let run = state.repo_mut(full_name).runs.iter_mut().find(|run| run.id == id).unwrap();
        run.conclusion = Some(conclusion.to_owned());
    }

    /// Its git repository.
    pub fn git(&self, full_name: &str) -> git2::Repository {
        let path = self.state().repo(full_name).unwrap().git.clone();
        git2::Repository::open_bare(path).unwrap()
    }

    /// Adds a token.
    pub fn add_token(&self, secret: &str, token: Token) {
        self.state().tokens.insert(secret.to_owned(), token);
    }

    /// Lets the `nth` (from 1) call fail, once, of those whose whole method and some part of whose path match these regular
    /// expressions.
    pub fn fail_next(&self, method: &str, path: &str, nth: usize, failure: Failure) {
        self.state().planned.push(failure::Planned::new(method, path, nth, failure));
    }

    /// Lets the next `count` calls of whose path some part matches this regular expression wait until all of them are there.
    pub fn meet(&self, path: &str, count: usize) {
        self.state().meetings.push(failure::Meeting::new(path, count));
    }

    /// The calls so far, as `GET /repos/o/r/pulls`: below the API's base, without their queries.
    pub fn calls(&self) -> Vec<String> {
        self.state().requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// Those of them that may write, and forgets all calls.
    pub fn take_writes(&self) -> Vec<String> {
        let calls = self.calls();
        self.state().requests.clear();
        calls.into_iter().filter(|call| !call.starts_with("GET ")).collect()
    }
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        let served = self.thread.take().map(JoinHandle::join);
        if std::thread::panicking() {
            return;
        }
        assert!(!matches!(served, Some(Err(_))), "the fake GitHub itself failed");
        let violations = std::mem::take(&mut self.state().violations);
        assert!(violations.is_empty(), "against GitHub's description of its API:\n{}", violations.join("\n"));
    }
}
