//! A served repository with three commits on `main`, and clones of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::git_http::{Options, Server, router};
use gs_release::error::Error;
use gs_release::git::{Auth, Commit, Patience, PushOutcome, Remote, Repository};

pub const PATIENT: Patience = Patience::Silence(Duration::from_secs(60));
pub const BOT: &str = "gs-release/vineyard";

/// A served repository with three commits on `main`, and a clone of it.
pub struct World {
    pub root: tempfile::TempDir,
    pub options: Options,
    pub server: Server,
}

impl World {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let served = "served/alibaba/GraphScope.git";
        git(root.path(), &["init", "--quiet", "--bare", "--initial-branch", "main", served]);
        let options = Options::default();
        let server = Server::start(router(&root.path().join("served"), &options));
        let world = World { root, options, server };
        world.grow(&["0.24.0\n", "0.24.1\n", "0.24.1\n\n"]);
        world
    }

    /// Adds a commit to `main` for each content of `V`.
    pub fn grow(&self, contents: &[&str]) {
        let mut stream = String::new();
        for content in contents {
            stream += "commit refs/heads/main\ncommitter A Person <person@example.com> 1717200000 +0000\ndata 1\nx\n";
            if stream.matches("commit ").count() == 1 && self.has("main") {
                stream += "from refs/heads/main^0\n";
            }
            stream += &format!("M 100644 inline V\ndata {}\n{content}\n", content.len());
        }
        let mut import = isolated("git", &self.served());
        let mut import = import.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
        assert!(import.wait().unwrap().success());
    }

    pub fn has(&self, branch: &str) -> bool {
        self.served().join("refs/heads").join(branch).exists()
    }

    pub fn served(&self) -> PathBuf {
        self.root.path().join("served/alibaba/GraphScope.git")
    }

    pub fn url(&self) -> String {
        format!("{}/alibaba/GraphScope.git", self.server.url)
    }

    /// A clone, made with `arguments`, that nobody's configuration reaches into.
    pub fn clone(&self, arguments: &[&str]) -> Clone {
        let path = tempfile::tempdir_in(self.root.path()).unwrap().keep();
        let settings = ["clone", "--quiet", "--config", "http.proxy=", "--config", "credential.helper="];
        git(self.root.path(), &[&settings, arguments, &[&self.url(), path.to_str().unwrap()]].concat());
        self.options.set().seen.clear();
        Clone { repository: Repository::open(&path).unwrap(), path, server: self.server.url.clone() }
    }

    /// Makes `branch` of the served repository point at a commit of somebody else's, and gives its id.
    pub fn somebody_moves(&self, branch: &str) -> String {
        somebody_moves(&self.served(), branch)
    }
}

pub fn somebody_moves(served: &Path, branch: &str) -> String {
    let id = git(served, &["commit-tree", "main^{tree}", "-p", "main", "-m", "somebody's"]);
    git(served, &["update-ref", &format!("refs/heads/{branch}"), id.trim()]);
    id.trim().to_owned()
}

pub struct Clone {
    pub path: PathBuf,
    pub repository: Repository,
    pub server: String,
}

impl Clone {
    pub fn remote(&self) -> Remote {
        self.repository.remote_for(None, &self.server).unwrap().unwrap()
    }

    pub fn auth(&self, token: &str) -> Auth {
        Auth { token: Some(token.into()), server: self.server.clone() }
    }

    pub fn fetch(&self, branches: &[&str]) -> Result<(), Error> {
        self.repository.fetch(&self.remote(), branches, &self.auth("example"), PATIENT).map(drop)
    }

    pub fn push(&self, commit: Commit, expected: Option<Commit>) -> Result<PushOutcome, Error> {
        self.repository.push(&self.remote(), BOT, commit, expected, &self.auth("example"))
    }

    pub fn base(&self) -> Commit {
        self.repository.base(Some(&self.remote()), "main").unwrap()
    }

    /// A commit on the base, with the given content.
    pub fn commit(&self, content: &str) -> Commit {
        let changes = BTreeMap::from([("V".to_owned(), content.as_bytes().to_owned())]);
        self.repository.commit(self.base(), &changes, "bump").unwrap()
    }

    pub fn tracked(&self, branch: &str) -> Option<Commit> {
        self.repository.tip(&format!("refs/remotes/origin/{branch}")).unwrap()
    }
}

pub fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = isolated("git", directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn isolated(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).env("HOME", directory).env("NO_PROXY", "127.0.0.1");
    command.env_remove("GITHUB_TOKEN").env_remove("GH_TOKEN").env_remove("GITHUB_ACTIONS");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for (name, value) in [("NAME", "A Person"), ("EMAIL", "person@example.com")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    command
}
