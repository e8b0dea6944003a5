//! Fetch and push over git's smart HTTP protocol, with a real server at the other end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/git_http.rs"]
mod git_http;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use git_http::{Options, Server, basic, router};
use gs_release::error::{Error, Kind};
use gs_release::git::{Auth, Commit, Patience, PushOutcome, Remote, Repository};

const PATIENT: Patience = Patience::Silence(Duration::from_secs(60));
const BOT: &str = "gs-release/vineyard";

/// A served repository with three commits on `main`, and a clone of it.
struct World {
    root: tempfile::TempDir,
    options: Options,
    server: Server,
}

impl World {
    fn new() -> Self {
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
    fn grow(&self, contents: &[&str]) {
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

    fn has(&self, branch: &str) -> bool {
        self.served().join("refs/heads").join(branch).exists()
    }

    fn served(&self) -> PathBuf {
        self.root.path().join("served/alibaba/GraphScope.git")
    }

    fn url(&self) -> String {
        format!("{}/alibaba/GraphScope.git", self.server.url)
    }

    /// A clone, made with `arguments`, that nobody's configuration reaches into.
    fn clone(&self, arguments: &[&str]) -> Clone {
        let path = tempfile::tempdir_in(self.root.path()).unwrap().keep();
        let settings = ["clone", "--quiet", "--config", "http.proxy=", "--config", "credential.helper="];
        git(self.root.path(), &[&settings, arguments, &[&self.url(), path.to_str().unwrap()]].concat());
        self.options.set().seen.clear();
        Clone { repository: Repository::open(&path).unwrap(), path, server: self.server.url.clone() }
    }

    /// Makes `branch` of the served repository point at a commit of somebody else's, and gives its id.
    fn somebody_moves(&self, branch: &str) -> String {
        somebody_moves(&self.served(), branch)
    }
}

fn somebody_moves(served: &Path, branch: &str) -> String {
    let id = git(served, &["commit-tree", "main^{tree}", "-p", "main", "-m", "somebody's"]);
    git(served, &["update-ref", &format!("refs/heads/{branch}"), id.trim()]);
    id.trim().to_owned()
}

struct Clone {
    path: PathBuf,
    repository: Repository,
    server: String,
}

impl Clone {
    fn remote(&self) -> Remote {
        self.repository.remote_for(None, &self.server).unwrap().unwrap()
    }

    fn auth(&self, token: &str) -> Auth {
        Auth { token: Some(token.into()), server: self.server.clone() }
    }

    fn fetch(&self, branches: &[&str]) -> Result<(), Error> {
        self.repository.fetch(&self.remote(), branches, &self.auth("example"), PATIENT).map(drop)
    }

    fn push(&self, commit: Commit, expected: Option<Commit>) -> Result<PushOutcome, Error> {
        self.repository.push(&self.remote(), BOT, commit, expected, &self.auth("example"))
    }

    fn base(&self) -> Commit {
        self.repository.base(Some(&self.remote()), "main").unwrap()
    }

    /// A commit on the base, with the given content.
    fn commit(&self, content: &str) -> Commit {
        let changes = BTreeMap::from([("V".to_owned(), content.as_bytes().to_owned())]);
        self.repository.commit(self.base(), &changes, "bump").unwrap()
    }

    fn tracked(&self, branch: &str) -> Option<Commit> {
        self.repository.tip(&format!("refs/remotes/origin/{branch}")).unwrap()
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = isolated("git", directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn isolated(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).env("HOME", directory).env("NO_PROXY", "127.0.0.1");
    command.env_remove("GITHUB_TOKEN").env_remove("GH_TOKEN").env_remove("GITHUB_ACTIONS");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for (name, value) in [("NAME", "A Person"), ("EMAIL", "person@example.com")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    command
}

#[test]
fn a_fetch_brings_the_branches_asked_for_and_no_other() {
    let world = World::new();
    let clone = world.clone(&[]);
    let there = world.somebody_moves(BOT);
    world.somebody_moves("other");
    clone.fetch(&[]).unwrap();
    assert_eq!((clone.tracked(BOT), clone.tracked("other")), (None, None), "nothing asked for, nothing fetched");
    clone.fetch(&["main", BOT]).unwrap();
    assert_eq!(clone.tracked(BOT).unwrap().id.to_string(), there);
    assert_eq!(clone.tracked("other"), None);
    git(&world.served(), &["update-ref", "-d", &format!("refs/heads/{BOT}")]);
    clone.fetch(&[BOT]).unwrap();
    assert_eq!((clone.tracked(BOT), clone.tracked("other")), (None, None), "a branch that is gone is gone here too");
    assert!(!clone.path.join(".git/FETCH_HEAD").exists(), "the person's own FETCH_HEAD is left alone");
}

#[test]
fn a_push_moves_the_branch_from_where_it_was_seen() {
    let world = World::new();
    let clone = world.clone(&[]);
    let first = clone.commit("0.24.2\n");
    assert_eq!(clone.push(first, None).unwrap(), PushOutcome::Done);
    assert_eq!(clone.tracked(BOT), Some(first));
    let second = clone.commit("0.24.3\n");
    assert_eq!(clone.push(second, Some(first)).unwrap(), PushOutcome::Done);
    assert_eq!(git(&world.served(), &["rev-parse", BOT]).trim(), second.id.to_string());
    assert_eq!(clone.push(first, None).unwrap(), PushOutcome::LeaseLost);
    assert_eq!(clone.push(first, Some(first)).unwrap(), PushOutcome::LeaseLost);
    assert_eq!(git(&world.served(), &["rev-parse", BOT]).trim(), second.id.to_string());
    let refs = git(&clone.path, &["for-each-ref", "--format=%(refname)"]);
    let expected = ["heads/main", "remotes/origin/HEAD", &format!("remotes/origin/{BOT}"), "remotes/origin/main"];
    assert_eq!(refs, expected.map(|name| format!("refs/{name}\n")).concat(), "nothing stays behind");
}

#[test]
fn a_branch_that_moves_after_the_negotiation_is_a_lost_lease() {
    let world = World::new();
    let clone = world.clone(&[]);
    let first = clone.commit("0.24.2\n");
    for expected in [None, Some(first)] {
        match expected {
            None => assert!(!world.has(BOT)),
            Some(expected) => {
                git(
                    &clone.path,
                    &["push", "--quiet", "--force", "origin", &format!("{}:refs/heads/{BOT}", expected.id)],
                );
            }
        }
        let served = world.served();
        world.options.set().before_push = Some(Box::new(move || drop(somebody_moves(&served, BOT))));
        assert_eq!(clone.push(clone.commit("0.24.3\n"), expected).unwrap(), PushOutcome::LeaseLost);
        assert!(world.options.set().before_push.is_none(), "the push was sent");
        assert_eq!(git(&world.served(), &["log", "-1", "--format=%s", BOT]).trim(), "somebody's");
    }
}

#[test]
fn a_branch_deleted_after_it_was_seen_is_a_lost_lease_and_can_be_pushed_anew() {
    let world = World::new();
    let clone = world.clone(&[]);
    let first = clone.commit("0.24.2\n");
    assert_eq!(clone.push(first, None).unwrap(), PushOutcome::Done);
    git(&world.served(), &["update-ref", "-d", &format!("refs/heads/{BOT}")]);
    let second = clone.commit("0.24.3\n");
    assert_eq!(clone.push(second, Some(first)).unwrap(), PushOutcome::LeaseLost);
    world.somebody_moves("other");
    clone.fetch(&[BOT]).unwrap();
    assert_eq!((clone.tracked(BOT), clone.tracked("other")), (None, None));
    assert_eq!(clone.push(second, None).unwrap(), PushOutcome::Done);
}

#[test]
fn a_push_whose_report_was_lost_is_found_to_be_done() {
    let world = World::new();
    let clone = world.clone(&[]);
    world.options.set().lose_report = true;
    let commit = clone.commit("0.24.2\n");
    assert_eq!(clone.push(commit, None).unwrap(), PushOutcome::Done);
    assert_eq!(clone.tracked(BOT), Some(commit));
}

#[test]
fn a_refused_push_says_what_the_server_said_and_what_to_do() {
    let world = World::new();
    let clone = world.clone(&[]);
    for (said, hint) in [
        ("error: GH006: Protected branch update failed for refs/heads/x.", "branch protection rule"),
        (
            "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` \
             permission",
            "`workflows` permission",
        ),
        ("quota exceeded", "write access to contents"),
    ] {
        let hook = world.served().join("hooks/pre-receive");
        std::fs::write(&hook, format!("#!/bin/sh\necho '{said}' >&2\nexit 1\n")).unwrap();
        let mut permissions = std::fs::metadata(&hook).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        std::fs::set_permissions(&hook, permissions).unwrap();
        let error = clone.push(clone.commit("0.24.2\n"), None).unwrap_err();
        assert_eq!(error.kind, Kind::Remote);
        let expected = format!("{} refused branch {BOT}: pre-receive hook declined\n", world.url());
        assert_eq!(error.message, expected + said.trim_start_matches("error: "));
        assert!(error.hints[0].contains(hint), "{:?}", error.hints);
    }
}

#[test]
fn the_token_is_shown_when_the_server_asks() {
    let world = World::new();
    let clone = world.clone(&[]);
    clone.fetch(&["main"]).unwrap();
    assert!(world.options.shown().is_empty(), "nobody asked");
    world.options.set().token = Some("example".into());
    clone.fetch(&["main"]).unwrap();
    assert_eq!(clone.push(clone.commit("0.24.2\n"), None).unwrap(), PushOutcome::Done);
    assert!(world.options.shown().iter().all(|shown| *shown == basic("example")));
    assert!(!world.options.shown().is_empty());

    world.options.set().token = Some("another".into());
    let error = clone.fetch(&["main"]).unwrap_err();
    assert_eq!(error.kind, Kind::Remote);
    assert_eq!(error.message, format!("cannot fetch from {}: the server refused the token", world.url()));
    assert!(error.hints[0].contains("expired"), "{:?}", error.hints);
    git(&clone.path, &["config", "credential.helper", "!printf 'username=x-access-token\\npassword=another\\n' #"]);
    clone.fetch(&["main"]).unwrap();
    assert_eq!(world.options.shown().last(), Some(&basic("another")), "the helper is asked after a refused token");
}

#[test]
fn without_a_token_a_server_that_asks_is_a_failure_that_says_so() {
    let world = World::new();
    let clone = world.clone(&[]);
    world.options.set().token = Some("example".into());
    let nobody = Auth { token: None, server: clone.server.clone() };
    let error = clone.repository.fetch(&clone.remote(), &["main"], &nobody, PATIENT).unwrap_err();
    assert!(error.message.ends_with("the server asks for credentials, and there are none for it"), "{error}");
    assert!(error.hints[0].contains("set GITHUB_TOKEN"), "{:?}", error.hints);
    let elsewhere = Auth { server: "https://github.com".into(), ..clone.auth("example") };
    let error = clone.repository.fetch(&clone.remote(), &["main"], &elsewhere, PATIENT).unwrap_err();
    assert!(error.hints[0].contains("https://github.com alone"), "{:?}", error.hints);
    assert!(world.options.shown().is_empty());
}

#[test]
fn a_redirect_to_another_server_does_not_carry_the_token() {
    let world = World::new();
    let clone = world.clone(&[]);
    let other = World::new();
    world.options.set().redirect = Some(other.server.url.clone());
    other.options.set().token = Some("example".into());
    let error = clone.fetch(&["main"]).unwrap_err();
    assert!(error.message.contains("asks for credentials"), "{error}");
    assert_eq!(other.options.set().seen.len(), 1);
    assert!(other.options.shown().is_empty());
    assert!(clone.push(clone.commit("0.24.2\n"), None).is_err());
    assert!(other.options.shown().is_empty());
}

#[test]
fn a_servers_no_has_a_hint_of_its_own() {
    let world = World::new();
    let clone = world.clone(&[]);
    for (status, hint) in [(403, "may not do this"), (404, "does not exist"), (502, "in trouble")] {
        world.options.set().status = Some(("git-receive-pack", status));
        let error = clone.push(clone.commit("0.24.2\n"), None).unwrap_err();
        assert_eq!(error.kind, Kind::Remote);
        assert!(error.message.contains(&status.to_string()), "{error}");
        assert!(error.hints[0].contains(hint), "{:?}", error.hints);
    }
}

#[test]
fn a_shallow_clone_stays_shallow_and_still_knows_whose_commits_are_on_the_branch() {
    let world = World::new();
    world.grow(&["0.24.1\n"; 10]);
    let full = world.clone(&[]);
    let old = full.commit("0.24.2\n");
    assert_eq!(full.push(old, None).unwrap(), PushOutcome::Done);
    world.grow(&["0.24.1\n"; 20]);

    let shallow = world.clone(&["--depth", "1"]);
    shallow.fetch(&["main", BOT]).unwrap();
    assert_eq!(shallow.tracked(BOT), Some(old));
    let count = |path: &Path, name: &str| git(path, &["rev-list", "--count", name]).trim().parse::<u32>().unwrap();
    assert_eq!(count(&shallow.path, "origin/main"), 1);
    assert_eq!(count(&shallow.path, &format!("origin/{BOT}")), 8, "a few commits of the branch are enough");
    let is_own = |id| move |commit: &gs_release::git::History| commit.commit.id == id;
    let history = shallow.repository.history(shallow.base().id, old.id, is_own(old.id)).unwrap();
    assert_eq!(history.iter().map(|commit| commit.commit.id).collect::<Vec<_>>(), [old.id]);

    let deeper = world.clone(&["--depth", "15"]);
    assert_eq!(deeper.push(deeper.commit("0.24.3\n"), Some(old)).unwrap(), PushOutcome::Done);
    let again = world.clone(&["--depth", "15"]);
    again.fetch(&["main", BOT]).unwrap();
    assert_eq!(count(&again.path, "origin/main"), 15, "a fetch of a few commits does not cut off what was there");
    git(&again.path, &["fsck", "--connectivity-only"]);
    assert_eq!(again.push(again.commit("0.24.4\n"), again.tracked(BOT)).unwrap(), PushOutcome::Done);
}

#[test]
fn a_server_that_never_ends_its_answer_is_given_up() {
    let world = World::new();
    let clone = world.clone(&[]);
    let fetch = |patience| clone.repository.fetch(&clone.remote(), &["main"], &clone.auth("example"), patience);
    world.options.set().hang = Some("info/refs");
    let silence = fetch(Patience::Silence(Duration::from_millis(50))).unwrap_err();
    assert!(silence.message.contains("no answer within"), "{silence}");
    world.options.set().hang = None;
    world.options.set().trickle = Some("info/refs");
    let total = fetch(Patience::Total(Duration::from_millis(50))).unwrap_err();
    assert!(total.message.contains("no answer within"), "{total}");
}

#[test]
fn a_dry_run_does_not_wait_for_a_server_that_hangs() {
    let world = World::new();
    let clone = world.clone(&[]);
    let config = "components: { vineyard: { version-file: V, sites: [] } }\n";
    std::fs::write(clone.path.join("release.yaml"), config).unwrap();
    world.options.set().hang = Some("info/refs");
    let output = isolated(env!("CARGO_BIN_EXE_gs-release"), &clone.path)
        .args(["--config", clone.path.join("release.yaml").to_str().unwrap()])
        .args(["bump-vineyard", "0.24.2", "--dry-run"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("no answer within 2 seconds; using what is known here"), "{stderr}");
}

#[test]
fn a_base_branch_that_is_gone_from_the_remote_is_not_taken_from_here() {
    let world = World::new();
    let clone = world.clone(&[]);
    git(&world.served(), &["branch", "--quiet", "--move", "main", "master"]);
    let config = "components: { vineyard: { version-file: V, sites: [] } }\n";
    std::fs::write(clone.path.join("release.yaml"), config).unwrap();
    let output = isolated(env!("CARGO_BIN_EXE_gs-release"), &clone.path)
        .args(["--config", clone.path.join("release.yaml").to_str().unwrap()])
        .args(["bump-vineyard", "0.24.2", "--dry-run"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the remote has no branch `main`") && stderr.contains("it has master"), "{stderr}");
}

#[test]
fn a_partial_clone_that_git_has_brought_up_to_date_is_pushed_from() {
    let world = World::new();
    git(&world.served(), &["config", "uploadpack.allowFilter", "true"]);
    let long = "0.24.1\n".repeat(500);
    world.grow(&[&long]);
    let clone = world.clone(&["--filter=blob:none", "--no-checkout"]);
    world.grow(&[&format!("{long}x\n")]);
    let error = clone.fetch(&["main"]).unwrap_err();
    let command = "`git fetch origin`";
    assert!(error.hints[0].contains(command), "the server's deltas need what the clone left out: {error:?}");
    git(&clone.path, &["fetch", "--quiet", "origin"]);
    clone.fetch(&["main"]).unwrap();
    assert_eq!(clone.push(clone.commit("0.24.2\n"), None).unwrap(), PushOutcome::Done);
}
