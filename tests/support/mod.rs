//! What the tests of the real binary share.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test file uses a part of it")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A repository in a directory of its own, with nobody's git configuration.
pub struct Sandbox {
    root: tempfile::TempDir,
}

impl Sandbox {
    /// An empty directory.
    pub fn empty() -> Self {
        Sandbox { root: tempfile::tempdir().unwrap() }
    }

    /// A repository with one commit of `files`, on branch `main`.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::empty();
        sandbox.git(&["init", "--quiet", "--initial-branch", "main"]);
        for (path, content) in files {
            sandbox.write(path, content.as_bytes());
        }
        sandbox.commit();
        sandbox
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    pub fn write(&self, path: &str, content: &[u8]) {
        let file = self.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.bytes(arguments)).unwrap()
    }

    /// Standard output of git, as it is.
    pub fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = isolated("git", self.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// The command, ready to run here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = isolated(env!("CARGO_BIN_EXE_gs-release"), self.path());
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs with `--json`, and gives the exit code and the document.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        document(self.run(&[arguments, &["--json"]].concat()))
    }
}

/// Exit code and JSON document of a finished command.
pub fn document(output: Output) -> (i32, Value) {
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let document = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"));
    (output.status.code().unwrap(), document)
}

/// Holds `document` to the schema that `gs-release schema name` prints.
pub fn assert_fits(document: &Value, name: &str) {
    let schema = name.parse::<gs_release::report::Document>().unwrap().schema();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = schema.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{name}: {faults:?}: {document}");
}

/// `program` with nobody's configuration, credentials or CI around it.
pub fn isolated(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["GITHUB_", "GH_", "GS_RELEASE_", "GIT_", "PIP_", "XDG_", "VIRTUAL_ENV"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command.current_dir(directory).env("HOME", directory);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for (name, value) in [("NAME", "A Person"), ("EMAIL", "person@example.com")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    command
}
