//! `gs-release bump` up to the open pull request: the real binary, git over smart HTTP, and a GitHub of the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/github/mod.rs"]
mod fake;
#[path = "support/git_http.rs"]
mod git_http;
mod support;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use fake::{Failure, FakeGitHub, Pull, Release, Token};
use serde_json::{Value, json};
use support::{Sandbox, document};

const HOME: &str = "alibaba/GraphScope";
const UPSTREAM: &str = "v6d-io/v6d";
const BRANCH: &str = "gs-release/vineyard";
const TOKEN: &str = "ghp_0123456789abcdef";

const CONFIG: &str = r#"
repository: alibaba/GraphScope
components:
  vineyard:
    version: 0.24.1
    upstream: { github: v6d-io/v6d }
    update: { allow: "<=0.24.5", minimum-age: 24h, ignore: [0.24.4] }
    sites:
      - { files: V6D_VERSION, whole: true }
      - { files: run.sh, regex: 'V=(?<version>\S+)' }
"#;

/// A server with GraphScope and vineyard on it, and a clone of the former.
struct World {
    fake: FakeGitHub,
    git: git_http::Options,
    clone: Sandbox,
}

impl World {
    fn new(config: &str) -> Self {
        let git = git_http::Options::default();
        let fake =
            FakeGitHub::start_with("", |api, root| git_http::router(root, &git).fallback_service(api.into_service()));
        fake.add_repository(HOME);
        fake.add_repository(UPSTREAM);
        let files: [(&str, &[u8]); 3] =
            [("release.yaml", config.as_bytes()), ("V6D_VERSION", b"v0.24.1\n"), ("run.sh", b"V=0.23.0\n")];
        fake.commit(HOME, "main", &files);
        fake.add_token(TOKEN, Token::classic("octocat", &["repo", "workflow"]));
        for (tag, body, published_at) in [
            ("v0.24.1", "", "2024-01-01T00:00:00Z"),
            ("v0.24.2", "Faster, thanks to @sighingnow in #2001", "2024-02-01T00:00:00Z"),
            ("v0.24.3", "Third", "2024-03-01T00:00:00Z"),
            ("v0.24.4", "Ignored", "2024-04-01T00:00:00Z"),
            ("v0.24.5", "Too young", "2099-01-01T00:00:00Z"),
            ("v0.25.0", "Not allowed", "2024-05-01T00:00:00Z"),
        ] {
            let release =
                Release { tag: tag.into(), body: body.into(), published_at: published_at.into(), ..Release::default() };
            fake.state().repo_mut(UPSTREAM).releases.push(release);
        }
        git.set().token = Some(TOKEN.into());
        let clone = Sandbox::empty();
        let world = World { fake, git, clone };
        let url = format!("{}/{HOME}.git", world.fake.server_url());
        let shown = format!("http.extraHeader=Authorization: {}", git_http::basic(TOKEN));
        world.clone.git(&["-c", &shown, "clone", "--quiet", &url, "."]);
        world
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.clone.command(arguments);
        command.env("GITHUB_API_URL", self.fake.api_url()).env("GITHUB_SERVER_URL", self.fake.server_url());
        command
    }

    /// Runs with the token; it is nowhere in what is printed.
    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).env("GITHUB_TOKEN", TOKEN).output().unwrap();
        let printed = [output.stdout.clone(), output.stderr.clone()].concat();
        assert!(!String::from_utf8_lossy(&printed).contains(TOKEN));
        output
    }

    fn bump(&self, arguments: &[&str]) -> (i32, Value) {
        document(self.run(&[&["bump-vineyard"], arguments, &["--json"]].concat()))
    }

    fn pulls(&self) -> Vec<Pull> {
        self.fake.state().repo(HOME).unwrap().pulls.clone()
    }

    fn change_pull(&self, change: impl FnOnce(&mut Pull)) {
        change(self.fake.state().repo_mut(HOME).pulls.last_mut().unwrap());
    }

    fn tip(&self, branch: &str) -> Option<String> {
        let reference =
            self.fake.git(HOME).find_reference(&format!("refs/heads/{branch}")).map(|r| r.target().unwrap());
        reference.ok().map(|id| id.to_string())
    }

    /// A file on the server's bump branch.
    fn file(&self, path: &str) -> String {
        let repository = self.fake.git(HOME);
        let found = repository.revparse_single(&format!("{BRANCH}:{path}")).unwrap();
        String::from_utf8(found.as_blob().unwrap().content().to_vec()).unwrap()
    }

    /// How many commits the bump branch has over the base.
    fn ahead(&self) -> usize {
        let repository = self.fake.git(HOME);
        let id = |name: &str| repository.revparse_single(name).unwrap().id();
        repository.graph_ahead_behind(id(BRANCH), id("main")).unwrap().0
    }

    /// Everything that a bump leaves behind, but for times and ids that follow from them.
    fn end_state(&self) -> Value {
        let pulls: Vec<Value> = self
            .pulls()
            .into_iter()
            .map(|pull| {
                json!({
                    "title": pull.title, "body": pull.body.replace(self.fake.server_url(), "https://github.com"), "open": pull.open, "labels": pull.labels,
                    "reviewers": pull.reviewers, "assignees": pull.assignees, "milestone": pull.milestone,
                    "comments": pull.comments, "at the branch": self.tip(BRANCH) == Some(pull.head_sha),
                })
            })
            .collect();
        let repository = self.fake.git(HOME);
        let names: Vec<String> =
            repository.references().unwrap().map(|r| r.unwrap().name().unwrap().to_owned()).collect();
        json!({"pulls": pulls, "references": names, "ahead": self.ahead(), "version": self.file("V6D_VERSION")})
    }
}

#[test]
fn the_first_run_creates_the_second_touches_nothing_and_a_newer_version_updates_in_place() {
    let world = World::new(CONFIG);
    let (code, first) = world.bump(&["0.24.2"]);
    assert_eq!(code, 0, "{first}");
    let url = first["pull-request"]["url"].as_str().unwrap();
    assert_eq!(first["pull-request"], json!({"action": "created", "number": 1, "url": url}));
    assert_eq!(first["commit"].as_str(), world.tip(BRANCH).as_deref());
    assert_eq!((world.file("V6D_VERSION"), world.file("run.sh")), ("v0.24.2\n".into(), "V=0.24.2\n".into()));
    let pull = &world.pulls()[0];
    assert_eq!((pull.title.as_str(), pull.base.as_str()), ("chore: bump vineyard from 0.24.1 to 0.24.2", "main"));
    for part in [
        "| `run.sh` | 1 | 0.23.0 (drifted) | 0.24.2 |",
        "/v6d-io/v6d/compare/v0.24.1...v0.24.2",
        "### v0.24.2",
        "To stop it",
    ] {
        assert!(pull.body.contains(part), "{part}: {}", pull.body);
    }
    assert!(!pull.body.contains("@sighingnow") && !pull.body.contains("#2001"), "nobody is notified: {}", pull.body);
    assert_eq!(world.clone.git(&["branch", "--list", "gs-release/*"]), "", "a pushed bump makes no local branch");

    world.fake.take_writes();
    world.change_pull(|pull| pull.body = pull.body.replace("To stop it", "Reviewed by a person. To stop it"));
    let before = world.end_state();
    let (code, second) = world.bump(&["0.24.2"]);
    assert_eq!((code, &second["pull-request"]["action"]), (0, &json!("unchanged")));
    assert_eq!(second["commit"], first["commit"]);
    assert_eq!(world.fake.take_writes(), [""; 0]);
    assert_eq!(world.end_state(), before);

    let (_, newer) = world.bump(&["0.24.3"]);
    assert_eq!((&newer["pull-request"]["action"], &newer["pull-request"]["number"]), (&json!("updated"), &json!(1)));
    assert_eq!((world.pulls().len(), world.ahead(), world.file("V6D_VERSION")), (1, 1, "v0.24.3\n".into()));
    assert!(world.pulls()[0].title.ends_with("to 0.24.3"));

    world.fake.commit(HOME, "main", &[("other", b"x")]);
    let (_, rebased) = world.bump(&["0.24.3"]);
    assert_ne!(rebased["commit"], newer["commit"], "a newer base moves the branch");
    assert_eq!((world.pulls().len(), world.ahead()), (1, 1));
}

#[test]
fn people_are_asked_once_and_labels_are_kept() {
    let settings = "pull-request: { labels: [release], reviewers: [siyuan0322, alibaba/release], assignees: [octocat], milestone: '0.30', draft: true }\n";
    let world = World::new(&format!("{CONFIG}{settings}"));
    {
        let mut state = world.fake.state();
        let home = state.repo_mut(HOME);
        home.collaborators = vec!["siyuan0322".into(), "octocat".into()];
        home.teams = vec!["release".into()];
        home.milestones = vec!["0.29".into(), "0.30".into()];
    }
    assert_eq!(world.bump(&["0.24.2"]).0, 0);
    let pull = &world.pulls()[0];
    assert_eq!(
        (&pull.labels, &pull.reviewers, &pull.teams),
        (&vec!["release".into()], &vec!["siyuan0322".into()], &vec!["release".into()])
    );
    assert_eq!((&pull.assignees, pull.milestone, pull.draft), (&vec!["octocat".into()], Some(2), true));
    world.change_pull(|pull| {
        pull.labels = vec!["mine".into()];
        pull.reviewers.clear();
        pull.assignees.clear();
        pull.milestone = None;
    });
    assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "updated");
    let pull = &world.pulls()[0];
    assert_eq!(pull.labels, ["mine", "release"]);
    assert!(pull.reviewers.is_empty() && pull.assignees.is_empty() && pull.milestone.is_none());
}

#[test]
fn a_person_s_commit_is_never_overwritten() {
    let world = World::new(CONFIG);
    world.bump(&["0.24.2"]);
    let theirs = world.fake.commit(HOME, BRANCH, &[("fix", b"by hand")]);
    for _ in 0..2 {
        let (code, refused) = world.bump(&["0.24.3"]);
        assert_eq!(code, 3);
        assert!(refused["error"]["message"].as_str().unwrap().contains(&theirs[..9]), "{refused}");
    }
    assert_eq!(world.tip(BRANCH), Some(theirs));
    assert_eq!(world.pulls()[0].comments.len(), 1, "said once");
    assert_eq!(world.bump(&["0.24.3", "--force"]).0, 0);
    assert_eq!((world.ahead(), world.file("V6D_VERSION")), (1, "v0.24.3\n".into()));
}

#[test]
fn an_explicit_bump_opens_a_new_pull_request_after_one_was_turned_down() {
    let world = World::new(CONFIG);
    world.bump(&["0.24.2"]);
    world.change_pull(|pull| pull.open = false);
    let (code, again) = world.bump(&["0.24.2"]);
    assert_eq!(
        (code, &again["pull-request"]["action"], &again["pull-request"]["number"]),
        (0, &json!("created"), &json!(2))
    );
    assert!(!world.pulls()[0].open, "a closed one is never opened again");
}

#[test]
fn upstream_decides_which_versions_there_are() {
    let world = World::new(CONFIG);
    let (code, unknown) = world.bump(&["0.24.9"]);
    assert_eq!(code, 3);
    assert!(
        unknown["error"]["message"].as_str().unwrap().contains("has neither a release nor a tag v0.24.9"),
        "{unknown}"
    );
    assert_eq!((world.tip(BRANCH), world.fake.take_writes()), (None, vec![]));

    for requirement in ["latest", "0.24", "0.x", ">=0.24.2, <1"] {
        let (code, found) = world.bump(&[requirement, "--dry-run"]);
        assert_eq!((code, &found["to"]), (0, &json!("0.24.3")), "{requirement}");
    }
    let (code, none) = world.bump(&["0.25", "--dry-run"]);
    assert_eq!(code, 3);
    assert!(none["error"]["hints"][0].as_str().unwrap().contains("update.allow"), "{none}");
    let output = world.command(&["bump-vineyard", "latest", "--json"]).output().unwrap();
    assert_eq!(document(output).1["to"], "0.24.3", "a requirement needs no token");

    world.fake.tag(UPSTREAM, "v0.24.9");
    assert_eq!(world.bump(&["0.24.9"]).0, 0, "a tag without a release will do");
    assert_eq!(world.bump(&["0.24.10", "--force"]).0, 0);
}

#[test]
fn without_a_token_everything_stays_here_except_under_actions() {
    let world = World::new(CONFIG);
    world.git.set().token = None;
    let (code, local) = document(world.command(&["bump-vineyard", "0.24.2", "--json"]).output().unwrap());
    assert_eq!((code, &local["pull-request"]["action"]), (0, &json!("none")));
    assert_eq!(world.clone.git(&["rev-parse", BRANCH]).trim(), local["commit"]);
    assert_eq!((world.tip(BRANCH), world.fake.calls()), (None, vec![]));

    let mut in_actions = world.command(&["bump-vineyard", "0.24.3", "--json"]);
    let (code, refused) = document(in_actions.env("GITHUB_ACTIONS", "true").output().unwrap());
    assert_eq!(code, 4);
    assert!(refused["error"]["message"].as_str().unwrap().contains("no token"), "{refused}");
}

#[test]
fn a_token_without_the_rights_is_refused_before_anything_is_written() {
    let world = World::new(CONFIG);
    let read_only = Token { push: false, ..Token::classic("reader", &["repo"]) };
    world.fake.add_token("ghp_reader", read_only);
    world.fake.add_token("ghp_noscope", Token::classic("octocat", &["gist"]));
    let elsewhere =
        Token { reaches: Some(vec![UPSTREAM.into()]), ..Token::fine_grained("octocat", &[("contents", "write")]) };
    world.fake.add_token("github_pat_elsewhere", elsewhere);
    world.git.set().token = None;
    world.fake.state().repo_mut(HOME).private = true;
    for (token, message, hint) in [
        ("ghp_wrong", "401", "expired or revoked"),
        ("ghp_reader", "may not push", "push-to:"),
        ("ghp_noscope", "scopes", "scope repo"),
        ("github_pat_elsewhere", "404", "covers the repository"),
    ] {
        let output = world.command(&["bump-vineyard", "0.24.2", "--json"]).env("GITHUB_TOKEN", token).output().unwrap();
        let (code, refused) = document(output);
        assert_eq!(code, 4, "{token}: {refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(message), "{token}: {refused}");
        assert!(refused["error"]["hints"].to_string().contains(hint), "{token}: {refused}");
        assert_eq!((world.tip(BRANCH), world.pulls().len()), (None, 0), "{token}");
    }
}

#[test]
fn troubles_of_the_server_are_told_in_its_own_words() {
    for (call, failure, part) in [
        (("GET", "/GraphScope$"), Failure::Html(200), "web page"),
        (
            ("POST", "/pulls$"),
            Failure::Status(
                422,
                json!({"message": "Validation Failed", "documentation_url": "https://docs.example.com", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}]}),
            ),
            "head is invalid",
        ),
        (
            ("POST", "/pulls$"),
            Failure::Status(
                403,
                json!({"message": "Resource not accessible by integration", "documentation_url": "https://docs.example.com"}),
            ),
            "Resource not accessible by integration",
        ),
    ] {
        let world = World::new(CONFIG);
        world.fake.fail_next(call.0, call.1, 1, failure);
        let (code, told) = world.bump(&["0.24.2"]);
        assert_eq!(code, 4, "{told}");
        assert!(told["error"]["message"].as_str().unwrap().contains(part), "{part}: {told}");
        let (code, mended) = world.bump(&["0.24.2"]);
        assert_eq!((code, &mended["pull-request"]["action"]), (0, &json!("created")), "the next run goes on");
    }
}

#[test]
fn commits_through_the_api_have_the_same_tree_and_are_recognised() {
    let world = World::new(&format!("{CONFIG}pull-request: {{ commit-via: api }}\n"));
    let (code, first) = world.bump(&["0.24.2"]);
    assert_eq!(code, 0, "{first}");
    assert_eq!(world.tip(BRANCH).as_deref(), first["commit"].as_str());
    assert!(!world.git.set().seen.iter().any(|seen| seen.line.contains("receive-pack")), "nothing was pushed");
    world.fake.take_writes();
    assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "unchanged");
    assert_eq!(world.fake.take_writes(), [""; 0]);
    assert_eq!(world.bump(&["0.24.3"]).1["pull-request"]["action"], "updated");
    assert_eq!((world.ahead(), world.file("V6D_VERSION")), (1, "v0.24.3\n".into()));
}

#[test]
fn a_branch_that_moves_during_the_push_is_looked_at_again() {
    let world = World::new(CONFIG);
    world.bump(&["0.24.2"]);
    let path = world.fake.state().repo(HOME).unwrap().git.clone();
    world.git.set().before_push = Some(Box::new(move || {
        let repository = git2::Repository::open_bare(path).unwrap();
        let tip = repository.revparse_single(BRANCH).unwrap().peel_to_commit().unwrap();
        let person = git2::Signature::now("A Person", "person@example.com").unwrap();
        let tree = tip.tree().unwrap();
        let name = format!("refs/heads/{BRANCH}");
        repository.commit(Some(&name), &person, &person, "by hand", &tree, &[&tip]).unwrap();
    }));
    let (code, refused) = world.bump(&["0.24.3"]);
    assert_eq!(code, 3, "{refused}");
    assert_eq!((world.ahead(), world.pulls()[0].comments.len()), (2, 1));
}

#[test]
fn a_fork_gets_the_branch_and_the_home_gets_the_pull_request() {
    let world = World::new(&format!("{CONFIG}pull-request: {{ push-to: octocat/GraphScope }}\n"));
    let (code, missing) = world.bump(&["0.24.2"]);
    assert_eq!(code, 2);
    assert!(missing["error"]["hints"][0].as_str().unwrap().starts_with("git remote add fork "), "{missing}");
    world.fake.add_repository("octocat/GraphScope");
    world.clone.git(&["remote", "add", "fork", &format!("{}/octocat/GraphScope.git", world.fake.server_url())]);
    let (code, opened) = world.bump(&["0.24.2"]);
    assert_eq!((code, &opened["pull-request"]["action"]), (0, &json!("created")), "{opened}");
    assert_eq!((world.tip(BRANCH), world.pulls()[0].head_repo.as_str()), (None, "octocat/GraphScope"));
    assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "unchanged");
}

/// Where a run is killed: at a request that is never answered.
enum Kill {
    Git(&'static str),
    /// At the nth write through the API.
    Write(usize),
}

#[test]
fn killed_between_any_two_side_effects_and_run_again_it_ends_the_same() {
    let settings =
        "pull-request: { labels: [release], reviewers: [siyuan0322], assignees: [octocat], milestone: '0.30' }\n";
    let new_world = || {
        let world = World::new(&format!("{CONFIG}{settings}"));
        let mut state = world.fake.state();
        let home = state.repo_mut(HOME);
        home.collaborators = vec!["siyuan0322".into(), "octocat".into()];
        home.milestones = vec!["0.30".into()];
        drop(state);
        world
    };
    let undisturbed = new_world();
    assert_eq!(undisturbed.bump(&["0.24.2"]).0, 0);
    let writes = undisturbed.fake.take_writes();
    assert_eq!(writes.len(), 6, "open, label, review, assign, milestone, done: {writes:?}");
    let wanted = undisturbed.end_state();

    let at_git = ["git-upload-pack", "service=git-receive-pack", "POST /alibaba/GraphScope.git/git-receive-pack"];
    let kills = at_git.into_iter().map(Kill::Git).chain((1..=writes.len()).map(Kill::Write));
    for kill in kills {
        let world = new_world();
        match kill {
            Kill::Git(line) => world.git.set().hang = Some(line),
            Kill::Write(nth) => {
                let method = writes[nth - 1].split(' ').next().unwrap();
                let before = writes[..nth - 1].iter().filter(|write| write.starts_with(method)).count();
                world.fake.fail_next(method, "", before + 1, Failure::Hang);
            }
        }
        let is_write = |call: &&String| !call.starts_with("GET ");
        let reached = || match kill {
            Kill::Git(line) => world.git.set().seen.iter().any(|seen| seen.line.contains(line)),
            Kill::Write(nth) => world.fake.calls().iter().filter(is_write).count() == nth,
        };
        let mut command = world.command(&["bump-vineyard", "0.24.2"]);
        let mut child = command.env("GITHUB_TOKEN", TOKEN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut waited = 0;
        while !reached() {
            std::thread::sleep(Duration::from_millis(10));
            waited += 1;
            assert!(waited < 3000 && child.try_wait().unwrap().is_none(), "the run ended before it was killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        world.git.set().hang = None;
        let (code, told) = world.bump(&["0.24.2"]);
        assert_eq!(code, 0, "{told}");
        assert_eq!(world.end_state(), wanted);
        world.fake.take_writes();
        assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "unchanged");
        assert_eq!(world.fake.take_writes(), [""; 0]);
    }
}
