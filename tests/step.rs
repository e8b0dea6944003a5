//! What a step of GitHub Actions gets: outputs, summary and annotations of the real binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/fake_registry.rs"]
mod fake;
mod support;

use std::process::Output;

use fake::FakeRegistry;
use support::Sandbox;

const CONFIG: &str = "registry: REGISTRY/g
platforms: [linux/amd64, linux/arm64]
components:
  vineyard: { version: 0.24.1, sites: [{ files: dev, arg: V }] }
phases:
  - name: v6d
    component: vineyard
    images:
      dev: { dockerfile: dev, tags: ['v{vineyard}'] }
  - name: gs
    component: vineyard
    images:
      app: { dockerfile: app, platforms: [linux/amd64], tags: ['v{vineyard}'] }
";

struct Step {
    sandbox: Sandbox,
    // it answers as long as it is here
    _registry: FakeRegistry,
}

impl Step {
    fn new() -> Self {
        let registry = FakeRegistry::start();
        let config = CONFIG.replace("REGISTRY", &registry.host);
        let app = format!("FROM {}/g/dev:v0.24.1\n", registry.host);
        let dev = "ARG V=0.24.1\nFROM scratch\nARG V\nLABEL v=$V\n";
        let sandbox = Sandbox::new(&[("release.yaml", &config), ("dev", dev), ("app", &app)]);
        Step { sandbox, _registry: registry }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.sandbox.command(arguments);
        for (variable, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary")] {
            command.env(variable, self.sandbox.path().join(file));
        }
        command.env("GITHUB_ACTIONS", "true").output().unwrap()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.sandbox.path().join(name)).unwrap()
    }

    /// The outputs, read as GitHub reads them.
    fn outputs(&self) -> Vec<(String, String)> {
        let text = self.file("output");
        let mut lines = text.lines();
        let mut found = Vec::new();
        while let Some((name, end)) = lines.next().map(|head| head.split_once("<<").unwrap()) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            found.push((name.to_owned(), value.join("\n")));
        }
        found
    }

    fn output(&self, name: &str) -> String {
        self.outputs().into_iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no output {name}")).1
    }
}

#[test]
fn a_plan_gives_the_matrix_of_its_phase() {
    let step = Step::new();
    let done = step.run(&["plan", "--phase", "gs"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(step.output("platforms"), r#"["linux/amd64"]"#);
    assert_eq!(step.output("images"), r#"["app"]"#);
    assert_eq!(step.output("state"), "due");
    assert!(!String::from_utf8_lossy(&done.stdout).contains("dev"), "another phase is not shown");
}

#[test]
fn a_plan_without_a_phase_covers_all_of_them_and_draws_the_graph() {
    let step = Step::new();
    assert!(step.run(&["plan"]).status.success());
    assert_eq!(step.output("platforms"), r#"["linux/amd64","linux/arm64"]"#);
    let summary = step.file("summary");
    assert!(
        summary.contains("| v6d | dev | `v0.24.1` | linux/amd64, linux/arm64 | 🔴 missing | build |\n"),
        "{summary}"
    );
    assert!(summary.contains("```mermaid\nflowchart LR\n"), "{summary}");
    assert!(summary.contains("class n0,n1 red\n"), "{summary}");
}

#[test]
fn verify_says_in_an_output_that_something_is_wrong() {
    let step = Step::new();
    assert_eq!(step.run(&["verify"]).status.code(), Some(1));
    assert_eq!(step.output("state"), "wrong");
    assert!(step.file("summary").contains("is missing\n"));
}

#[test]
fn a_bump_says_what_changes() {
    let step = Step::new();
    let done = step.run(&["bump", "vineyard", "0.24.2", "--dry-run"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let expected = [
        ("changed", "true"),
        ("version", "0.24.2"),
        ("branch", "gs-release/vineyard"),
        ("commit", ""),
        ("pull-request", ""),
        ("pull-request-url", ""),
    ];
    assert_eq!(step.outputs(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let summary = step.file("summary");
    assert!(summary.starts_with("### vineyard 0.24.1 → 0.24.2\n"), "{summary}");
    assert!(summary.contains("| `dev` | 1 | `0.24.1` | `0.24.2` | arg V |\n"), "{summary}");

    std::fs::remove_file(step.sandbox.path().join("output")).unwrap();
    assert!(step.run(&["bump", "vineyard", "0.24.1", "--dry-run"]).status.success());
    assert_eq!(step.output("changed"), "false");
}

#[test]
fn a_fault_is_marked_in_its_file_and_another_failure_at_the_run() {
    let step = Step::new();
    for arguments in [&["plan"] as &[&str], &["plan", "--json"]] {
        let broken = CONFIG.replace("version: 0.24.1", "version: x");
        step.sandbox.write("broken.yaml", broken.as_bytes());
        let done = step.run(&[arguments, &["--config", "broken.yaml"]].concat());
        let stderr = String::from_utf8(done.stderr).unwrap();
        assert!(stderr.contains("::error file=broken.yaml,line=4,col="), "{stderr}");
    }
    let done = step.run(&["plan", "--phase", "nothing"]);
    let stderr = String::from_utf8(done.stderr).unwrap();
    assert!(stderr.lines().any(|line| line.starts_with("::error title=gs-release::")), "{stderr}");
}
