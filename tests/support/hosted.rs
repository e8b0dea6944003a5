//! GraphScope on a server: GitHub's API, git over HTTP, one token for both, and a clone. Each test crate adds what it asks.
#![allow(dead_code, clippy::unwrap_used, reason = "each test crate uses a part of it")]

use std::process::{Command, Output};

use axum::Router;

use crate::fake::{FakeGitHub, Pull, Release, Token};
use crate::git_http;
use crate::support::Sandbox;

pub const HOME: &str = "alibaba/GraphScope";
pub const UPSTREAM: &str = "v6d-io/v6d";
pub const BRANCH: &str = "gs-release/vineyard";
pub const TOKEN: &str = "ghp_0123456789abcdef";

/// A server with an empty home repository, and how its git behaves.
pub fn serve() -> (FakeGitHub, git_http::Options) {
    serve_behind(|router| router)
}

/// The same, with what `wrap` puts before it.
pub fn serve_behind(wrap: impl FnOnce(Router) -> Router) -> (FakeGitHub, git_http::Options) {
    let git = git_http::Options::default();
    let fake =
        FakeGitHub::start_with("", |api, root| wrap(git_http::router(root, &git).fallback_service(api.into_service())));
    fake.add_repository(HOME);
    fake.add_token(TOKEN, Token::classic("octocat", &["repo", "workflow"]));
    git.set().token = Some(TOKEN.into());
    (fake, git)
}

/// A clone of the home repository, as a person with the token has it.
pub fn clone_home(fake: &FakeGitHub) -> Sandbox {
    let clone = Sandbox::empty();
    let header = format!("http.extraHeader=Authorization: {}", git_http::basic(TOKEN));
    let url = format!("{}/{HOME}.git", fake.server_url());
    clone.git(&["-c", &header, "clone", "--quiet", &url, "."]);
    clone
}

/// Lets `command` take the server for GitHub, with the token.
pub fn point(command: &mut Command, fake: &FakeGitHub) {
    command.env("GITHUB_API_URL", fake.api_url()).env("GITHUB_SERVER_URL", fake.server_url());
    command.env("GITHUB_TOKEN", TOKEN);
}

/// A server and a clone of its home repository.
pub struct World {
    pub fake: FakeGitHub,
    pub git: git_http::Options,
    pub clone: Sandbox,
}

impl World {
    /// With `files` in the first commit, and upstream without a release.
    pub fn with_files(files: &[(&str, &[u8])]) -> Self {
        let (fake, git) = serve();
        fake.add_repository(UPSTREAM);
        fake.commit(HOME, "main", files);
        let clone = clone_home(&fake);
        World { fake, git, clone }
    }

    /// Publishes a release; the newest is listed first, as GitHub does.
    pub fn release(&self, repository: &str, version: &str, published_at: &str, body: &str) {
        let (tag, body, published_at) = (format!("v{version}"), body.to_owned(), published_at.to_owned());
        let release = Release { tag, body, published_at, ..Release::default() };
        self.fake.state().repo_mut(repository).releases.insert(0, release);
    }

    /// The binary, ready to run here with the token.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_in(&self.clone, arguments)
    }

    /// The same in another clone.
    pub fn command_in(&self, clone: &Sandbox, arguments: &[&str]) -> Command {
        let mut command = clone.command(arguments);
        point(&mut command, &self.fake);
        command
    }

    /// Runs with the token; it is nowhere in what is printed.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let printed = [output.stdout.clone(), output.stderr.clone()].concat();
        assert!(!String::from_utf8_lossy(&printed).contains(TOKEN));
        output
    }

    pub fn pulls(&self) -> Vec<Pull> {
        self.fake.state().repo(HOME).unwrap().pulls.clone()
    }

    pub fn change_pull(&self, number: u64, change: impl FnOnce(&mut Pull)) {
        change(self.fake.state().repo_mut(HOME).pull_mut(number));
    }

    /// Where the bump branch is.
    pub fn tip(&self) -> Option<String> {
        let git = self.fake.git(HOME);
        let tip = git.find_reference(&format!("refs/heads/{BRANCH}")).ok()?;
        Some(tip.target().unwrap().to_string())
    }
}
