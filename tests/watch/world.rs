//! A server with GraphScope, vineyard and two neighbours on it, and a clone of the first.

use std::process::{Command, Output};

use serde_json::Value;

use crate::fake::{FakeGitHub, Pull, Release, Token};
use crate::git_http;
use crate::support::{Sandbox, document};

pub const HOME: &str = "alibaba/GraphScope";
pub const VINEYARD: &str = "v6d-io/v6d";
pub const TOKEN: &str = "ghp_0123456789abcdef";

/// GraphScope is its own upstream.
pub const CONFIG: &str = r#"
repository: alibaba/GraphScope
components:
  vineyard:
    version: 0.24.1
    upstream: { github: v6d-io/v6d }
    update: { allow: "<=0.24.5", minimum-age: 24h, ignore: [0.24.4] }
    sites:
      - { files: V6D_VERSION, whole: true }
  graphscope:
    version: 0.28.0
    upstream: { github: alibaba/GraphScope }
    sites:
      - { files: VERSION, whole: true }
pull-request: { labels: [release] }
"#;

pub struct World {
    pub fake: FakeGitHub,
    pub git: git_http::Options,
    pub clone: Sandbox,
}

impl World {
    pub fn new(config: &str) -> Self {
        let git = git_http::Options::default();
        let fake =
            FakeGitHub::start_with("", |api, root| git_http::router(root, &git).fallback_service(api.into_service()));
        fake.add_repository(HOME);
        fake.add_repository(VINEYARD);
        let files: [(&str, &[u8]); 3] =
            [("release.yaml", config.as_bytes()), ("V6D_VERSION", b"v0.24.1\n"), ("VERSION", b"0.28.0\n")];
        fake.commit(HOME, "main", &files);
        fake.add_token(TOKEN, Token::classic("octocat", &["repo", "workflow"]));
        git.set().token = Some(TOKEN.into());
        let world = World { fake, git, clone: Sandbox::empty() };
        world.release(VINEYARD, "0.24.1", "2024-01-01T00:00:00Z");
        world.release(HOME, "0.28.0", "2024-01-01T00:00:00Z");
        let url = format!("{}/{HOME}.git", world.fake.server_url());
        let shown = format!("http.extraHeader=Authorization: {}", git_http::basic(TOKEN));
        world.clone.git(&["-c", &shown, "clone", "--quiet", &url, "."]);
        world
    }

    /// Publishes a release; the newest is listed first, as GitHub does.
    pub fn release(&self, repository: &str, version: &str, published_at: &str) {
        let (tag, body) = (format!("v{version}"), format!("What is new in {version}"));
        let release = Release { tag, body, published_at: published_at.into(), ..Release::default() };
        self.fake.state().repo_mut(repository).releases.insert(0, release);
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.clone.command(arguments);
        command.env("GITHUB_API_URL", self.fake.api_url()).env("GITHUB_SERVER_URL", self.fake.server_url());
        command.env("GITHUB_TOKEN", TOKEN);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs `watch`, and gives the exit code and the document, which is as its schema says.
    pub fn watch(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, watched) = document(self.run(&[&["watch", "--json"], arguments].concat()));
        let schema = serde_json::from_slice(&self.run(&["schema", "watch"]).stdout).unwrap();
        if watched.get("error").is_none() {
            jsonschema::validate(&schema, &watched).unwrap_or_else(|error| panic!("{error}: {watched}"));
        }
        (code, watched)
    }

    pub fn pulls(&self) -> Vec<Pull> {
        self.fake.state().repo(HOME).unwrap().pulls.clone()
    }

    pub fn change_pull(&self, number: u64, change: impl FnOnce(&mut Pull)) {
        change(self.fake.state().repo_mut(HOME).pull_mut(number));
    }

    /// The calls to the API and the requests of git since the last time.
    pub fn take_requests(&self) -> (Vec<String>, Vec<String>) {
        let calls = self.fake.calls();
        self.fake.take_writes();
        let lines = std::mem::take(&mut self.git.set().seen).into_iter().map(|seen| seen.line).collect();
        (calls, lines)
    }
}

/// The component called `name` in the document of `watch`.
pub fn of<'a>(watched: &'a Value, name: &str) -> &'a Value {
    let components = watched["components"].as_array().unwrap_or_else(|| panic!("{watched}"));
    components.iter().find(|component| component["component"] == name).unwrap()
}
