//! The token is nowhere but in our own environment and in what is sent to its server: not in what is printed, in what
//! other programs are started with, or in what is left in a repository.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::fake::{Failure, Release};
use crate::git_http::basic;
use crate::stage::{HOME, TOKEN, World};
use crate::support::isolated;

const CONFIG: &str = r#"
components:
  vineyard:
    version: 0.24.1
    sites:
      - { files: V6D_VERSION, whole: true }
  wheels:
    version: 0.23.0
    upstream: { github: v6d-io/v6d, pypi: [vineyard] }
    sites:
      - { files: run.sh, regex: 'V=(?<version>\S+)' }
"#;

/// What git's server wants instead of the token, where the credential helper is to be asked.
const PASSWORD: &str = "of the helper";

/// A world whose programs write down what they are started with.
struct Watched {
    world: World,
    directory: tempfile::TempDir,
}

impl Watched {
    fn new() -> Self {
        let watched = Watched { world: World::new(CONFIG), directory: tempfile::tempdir().unwrap() };
        watched.world.fake.add_repository("v6d-io/v6d");
        let release =
            Release { tag: "v0.24.0".into(), published_at: "2024-02-01T00:00:00Z".into(), ..Release::default() };
        watched.world.fake.state().repo_mut("v6d-io/v6d").releases.push(release);
        watched.program("git", "PATH=${PATH#*:} exec git \"$@\"");
        for name in ["docker", "ssh", "python3"] {
            watched.program(name, "exit 1");
        }
        let answer = format!("printf 'username=x-access-token\\npassword={PASSWORD}\\n'");
        let helper = watched.program("git-credential-watched", &answer);
        watched.world.clone.git(&["config", "credential.helper", &helper]);
        watched
    }

    /// Puts a program in the way that writes down its arguments, its environment and its parent's arguments.
    fn program(&self, name: &str, then: &str) -> String {
        let (path, record) = (self.directory.path().join("bin").join(name), self.directory.path().join("record"));
        for directory in [path.parent().unwrap(), &record] {
            std::fs::create_dir_all(directory).unwrap();
        }
        let parent = "tr '\\0' '\\n' </proc/$PPID/cmdline 2>/dev/null";
        let record = record.join(name);
        let text = format!(
            "#!/bin/sh\n{{ printf '%s\\n' \"$0\" \"$@\"; env; {parent}; }} >>{}.$$\n{then}\n",
            record.display()
        );
        std::fs::write(&path, text).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&path).status().unwrap().success());
        path.display().to_string()
    }

    /// Runs the command, and holds what it prints to the rule.
    fn run(&self, arguments: &[&str], code: i32) {
        let mut command = self.world.command(arguments);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.directory.path().join("bin").display()));
        command.env("GH_TOKEN", TOKEN).env("PIP_CONFIG_FILE", "/dev/null");
        let output = command.output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&printed));
        assert_clean(&printed, &format!("{arguments:?}"));
    }

    /// What was written down by `program`, which has run.
    fn record(&self, program: &str) -> String {
        let records = files(&self.directory.path().join("record")).into_iter();
        let is_its = |path: &std::path::PathBuf| path.file_stem().is_some_and(|stem| stem == program);
        let text: String = records.filter(is_its).map(|path| std::fs::read_to_string(path).unwrap()).collect();
        assert!(text.contains("PATH="), "{program} was not started: {text}");
        text
    }
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// `bytes` hold the token neither as it is nor as git sends it.
fn assert_clean(bytes: &[u8], about: &str) {
    let text = String::from_utf8_lossy(bytes);
    let sent = basic(TOKEN);
    for secret in [TOKEN, sent.trim_start_matches("Basic ")] {
        assert!(!text.contains(secret), "{about}: {text}");
    }
}

/// Every file of the repository and every object in it, packed or not.
fn assert_clean_repository(git: &Path) {
    for path in files(git) {
        assert_clean(&std::fs::read(&path).unwrap(), &path.display().to_string());
    }
    let arguments = ["cat-file", "--batch-all-objects", "--batch"];
    let objects = isolated("git", git).args(arguments).output().unwrap();
    assert!(objects.status.success() && objects.stdout.len() > 1000);
    assert_clean(&objects.stdout, "objects");
}

#[test]
fn the_token_is_in_nothing_that_is_printed_started_or_left() {
    let watched = Watched::new();
    let world = &watched.world;
    for (nth, options) in [&["-v"][..], &["-v", "--json"]].into_iter().enumerate() {
        let bump = |version: &str, code| {
            let version = format!("0.3{nth}.{version}");
            watched.run(&[&["bump-vineyard", &version], options].concat(), code);
        };
        bump("2", 0);
        let echo = json!({ "message": format!("what is {TOKEN}?") });
        world.fake.fail_next("GET", "/pulls", 1, Failure::Status(400, echo));
        bump("3", 4);
        // the token is refused: the helper's password is taken, and then refused, too
        world.git.set().token = Some(PASSWORD.into());
        bump("4", 0);
        world.git.set().token = Some("another".into());
        bump("5", 4);
        world.git.set().token = Some(TOKEN.into());
        // asks pip where the index is
        watched.run(&[&["bump-wheels", "0.24.0"], options].concat(), 2);
        watched.run(&[&["doctor"], options].concat(), 1);
    }
    for program in ["git", "git-credential-watched", "docker", "python3"] {
        assert_clean(watched.record(program).as_bytes(), program);
    }
    assert!(watched.record("git").contains("credential\nfill") && watched.record("git").contains("bump-vineyard"));
    assert!(!world.pulls().is_empty());
    assert_clean(format!("{:?}", world.pulls()).as_bytes(), "pull requests");
    assert_clean_repository(&world.clone.path().join(".git"));
    assert_clean_repository(world.fake.git(HOME).path());
}
