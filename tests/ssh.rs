//! Fetch and push over ssh, by the real binary and with a real sshd at the other end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/github/mod.rs"]
mod fake;
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use fake::{FakeGitHub, Release, Token};
use support::{Sandbox, document};

const HOME: &str = "alibaba/GraphScope";
const TOKEN: &str = "ghp_0123456789abcdef";
const CONFIG: &str = "repository: alibaba/GraphScope\ncomponents:\n  vineyard: { version: 0.24.1, sites: [] }\n";

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// A server that lets the key `known` in, and a clone whose owner has `known` and `stranger`, but uses neither yet.
struct World {
    fake: FakeGitHub,
    clone: Sandbox,
    keys: tempfile::TempDir,
    _sshd: Running,
}

impl World {
    fn new() -> Self {
        let fake = FakeGitHub::start();
        fake.add_repository(HOME);
        fake.commit(HOME, "main", &[("release.yaml", CONFIG.as_bytes())]);
        fake.add_token(TOKEN, Token::classic("octocat", &["repo", "workflow"]));
        let release = Release { tag: "v0.24.2".into(), ..Release::default() };
        fake.state().repo_mut(HOME).releases.push(release);
        let keys = tempfile::tempdir().unwrap();
        for name in ["host", "known", "stranger"] {
            let file = keys.path().join(name);
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(file));
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let sshd = sshd(keys.path(), port);
        let clone = Sandbox::empty();
        let served = fake.git(HOME).path().to_owned();
        clone.git(&["clone", "--quiet", served.to_str().unwrap(), "."]);
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let url = format!("ssh://{}@127.0.0.1:{port}{}", user.trim(), served.display());
        clone.git(&["remote", "set-url", "origin", &url]);
        let host = std::fs::read_to_string(keys.path().join("host.pub")).unwrap();
        clone.write(".ssh/known_hosts", format!("[127.0.0.1]:{port} {host}").as_bytes());
        World { fake, clone, keys, _sshd: sshd }
    }

    /// Puts the key `name` where ssh looks for one.
    fn owns(&self, name: &str, file: &str) {
        std::fs::copy(self.keys.path().join(name), self.clone.path().join(".ssh").join(file)).unwrap();
        std::fs::copy(self.keys.path().join(format!("{name}.pub")), self.clone.path().join(format!(".ssh/{file}.pub")))
            .unwrap();
    }

    /// An agent that holds the keys `names`, and its socket.
    fn agent(&self, names: &[&str]) -> (Running, String) {
        let socket = self.keys.path().join(format!("agent-{}", names.join("-"))).to_str().unwrap().to_owned();
        let agent = Command::new("ssh-agent").args(["-D", "-a", &socket]).stdout(Stdio::null()).spawn().unwrap();
        let agent = Running(agent);
        while !Path::new(&socket).exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        for name in names {
            run(Command::new("ssh-add").arg("-q").arg(self.keys.path().join(name)).env("SSH_AUTH_SOCK", &socket));
        }
        (agent, socket)
    }

    fn bump(&self, agent: Option<&str>) -> (i32, serde_json::Value) {
        let mut command = self.clone.command(&["bump-vineyard", "0.24.2", "--json"]);
        command.env("GITHUB_API_URL", self.fake.api_url()).env("GITHUB_SERVER_URL", self.fake.server_url());
        command.env("GITHUB_TOKEN", TOKEN).env_remove("SSH_AUTH_SOCK");
        if let Some(socket) = agent {
            command.env("SSH_AUTH_SOCK", socket);
        }
        document(command.output().unwrap())
    }
}

fn sshd(keys: &Path, port: u16) -> Running {
    let config = keys.join("sshd_config");
    let text = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {0}/host\nAuthorizedKeysFile {0}/known.pub\nStrictModes no\nUsePAM no\n\
         PidFile none\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n",
        keys.display()
    );
    std::fs::write(&config, text).unwrap();
    std::fs::set_permissions(keys.join("host"), std::fs::Permissions::from_mode(0o600)).unwrap();
    // where root runs it, it wants the directory that its service would make
    let _not_root = std::fs::create_dir_all("/run/sshd");
    let sshd = Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f"]).arg(config).stderr(Stdio::null()).spawn();
    let sshd = Running(sshd.unwrap_or_else(|error| panic!("install openssh-server: {error}")));
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    sshd
}

fn run(command: &mut Command) {
    assert!(command.stdin(Stdio::null()).output().unwrap().status.success(), "{command:?}");
}

#[test]
#[ignore = "needs sshd"]
fn a_key_of_the_agent_fetches_and_pushes() {
    let world = World::new();
    let (_agent, socket) = world.agent(&["stranger", "known"]);
    let (code, document) = world.bump(Some(&socket));
    assert_eq!((code, &document["pull-request"]["action"]), (0, &"created".into()), "{document}");
    let branch = world.fake.git(HOME);
    let branch = branch.find_reference("refs/heads/gs-release/vineyard").unwrap();
    assert_eq!(document["commit"], branch.target().unwrap().to_string());
}

#[test]
#[ignore = "needs sshd"]
fn a_key_file_serves_where_there_is_no_agent_or_it_knows_none() {
    let world = World::new();
    world.owns("stranger", "id_rsa");
    world.owns("known", "id_ed25519");
    let (code, document) = world.bump(None);
    assert_eq!((code, &document["pull-request"]["action"]), (0, &"created".into()), "{document}");
    let (_agent, socket) = world.agent(&["stranger"]);
    let (code, document) = world.bump(Some(&socket));
    assert_eq!((code, &document["pull-request"]["action"]), (0, &"unchanged".into()), "{document}");
}

#[test]
#[ignore = "needs sshd"]
fn a_server_that_refuses_or_is_not_known_is_an_error_with_what_to_do() {
    let world = World::new();
    for (owned, known_hosts, expected) in
        [(None, true, "ssh-add"), (Some("stranger"), true, "ssh-add"), (Some("known"), false, "~/.ssh/known_hosts")]
    {
        if let Some(name) = owned {
            world.owns(name, "id_ed25519");
        }
        if !known_hosts {
            world.clone.write(".ssh/known_hosts", b"");
        }
        let (code, document) = world.bump(None);
        assert_eq!(code, 4, "{document}");
        let hints = document["error"]["hints"].to_string();
        assert!(hints.contains(expected), "{document}");
    }
    assert!(world.fake.state().repo(HOME).unwrap().pulls.is_empty());
}
