//! `gs-release doctor`, the real binary, with a `docker` that says what each test wants.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/fake_registry.rs"]
mod fake;
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use fake::{FakeRegistry, Login};
use serde_json::Value;

const ENGINE: &str = r#"{"ServerVersion":"26.1.5","OSType":"linux","Architecture":"x86_64","DockerRootDir":"/",
    "DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}"#;
const AMD64_ONLY: &str =
    "Name: default\nDriver: docker\n\nNodes:\nName: default\nStatus: running\nPlatforms: linux/amd64\n";

/// A repository with a config, and a `docker` that answers from files.
struct Scene {
    root: tempfile::TempDir,
    registry: FakeRegistry,
}

impl Scene {
    fn new() -> Self {
        let scene = Scene { root: tempfile::tempdir().unwrap(), registry: FakeRegistry::start() };
        let config = format!(
            "registry: {}/graphscope\nplatforms: [linux/amd64, linux/arm64]\nbuild: {{ engine: buildx }}\n\
             components:\n  vineyard: {{ version: 0.24.1 }}\n\
             phases:\n  - name: v6d\n    component: vineyard\n    images:\n      \
             vineyard-dev: {{ dockerfile: Dockerfile, tags: ['v{{vineyard}}'] }}\n",
            scene.registry.host
        );
        std::fs::write(scene.path().join("release.yaml"), config).unwrap();
        let git = Command::new("git").args(["init", "--quiet"]).current_dir(scene.path()).status().unwrap();
        assert!(git.success());
        std::fs::create_dir(scene.path().join("bin")).unwrap();
        scene.answers("info", ENGINE);
        scene.answers("version", "github.com/docker/buildx v0.13.1 1");
        scene.answers("inspect", &AMD64_ONLY.replace("linux/amd64", "linux/amd64, linux/arm64"));
        scene.program("docker", "");
        scene
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    fn answers(&self, question: &str, answer: &str) {
        std::fs::write(self.path().join("bin").join(question), answer).unwrap();
    }

    /// A program that notes how it was called, runs `script`, and answers `info`, `buildx version` and `buildx inspect`.
    fn program(&self, name: &str, script: &str) {
        let bin = self.path().join("bin");
        let text = format!(
            "#!/bin/sh\ncd '{}'\necho \"{name} $*\" >>calls\n{script}\n\
             case \"$1 $2\" in\n'info '*) cat info ;;\n'buildx version') cat version ;;\n\
             'buildx inspect') cat inspect ;;\nesac\n",
            bin.display()
        );
        std::fs::write(bin.join(name), text).unwrap();
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(self.path().join("bin/calls")).unwrap()
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gs-release"));
        for name in ["GITHUB_TOKEN", "GH_TOKEN", "GS_RELEASE_APP_ID", "GS_RELEASE_APP_PRIVATE_KEY"] {
            command.env_remove(name);
        }
        let path = format!("{}:/usr/bin:/bin", self.path().join("bin").display());
        command.current_dir(self.path()).env("PATH", path).env("HOME", self.path()).env("DOCKER_CONFIG", self.path());
        command.arg("doctor").args(arguments).output().unwrap()
    }

    /// The exit code, and each check by its name.
    fn json(&self, arguments: &[&str]) -> (i32, Value, impl Fn(&str) -> Value) {
        let output = self.doctor(&[arguments, &["--json"]].concat());
        let stdout = String::from_utf8(output.stdout).unwrap();
        let document: Value = serde_json::from_str(&stdout)
            .unwrap_or_else(|error| panic!("{error}: {stdout}{}", String::from_utf8_lossy(&output.stderr)));
        support::assert_fits(&document, "doctor");
        let checks = document["checks"].as_array().unwrap().clone();
        let check = move |about: &str| checks.iter().find(|check| check["about"] == about).cloned().unwrap_or_default();
        (output.status.code().unwrap(), document, check)
    }
}

#[test]
fn a_machine_that_has_everything_is_healthy() {
    let scene = Scene::new();
    let (code, document, check) = scene.json(&[]);
    assert_eq!((code, &document["healthy"]), (0, &Value::Bool(true)), "{document:#}");
    assert_eq!(check("platforms")["detail"], "linux/amd64, linux/arm64 (emulated)");
    assert_eq!(check(&format!("push to {}", scene.registry.host))["state"], "ok");
    let told = scene.doctor(&[]);
    assert!(String::from_utf8_lossy(&told.stdout).contains("ok       docker"));
}

#[test]
fn a_machine_without_docker_is_told_what_to_install_and_all_the_rest() {
    let scene = Scene::new();
    scene.program("docker", "exit 127");
    let (code, _, check) = scene.json(&[]);
    assert_eq!(code, 1);
    assert_eq!(check("docker")["state"], "missing");
    assert_eq!(check(&format!("push to {}", scene.registry.host))["state"], "ok");
}

#[test]
fn a_registry_that_refuses_is_missing_with_the_login_that_mends_it() {
    let scene = Scene::new();
    scene.registry.require(Login::Basic);
    let other = FakeRegistry::start();
    assert_eq!(scene.json(&["--registry", &format!("{}/graphscope", other.host)]).0, 0);
    let (code, _, check) = scene.json(&[]);
    let push = check(&format!("push to {}", scene.registry.host));
    assert_eq!((code, push["state"].as_str()), (1, Some("missing")));
    assert!(push["remedy"].as_str().unwrap().contains(&format!("docker login {}", scene.registry.host)));
}

#[test]
fn a_broken_config_does_not_keep_the_machine_from_being_looked_at() {
    let scene = Scene::new();
    std::fs::write(scene.path().join("release.yaml"), "nonsense: [").unwrap();
    let (code, _, check) = scene.json(&[]);
    assert_eq!(code, 1);
    assert_eq!(check("config")["state"], "missing");
    assert_eq!(check("docker")["state"], "ok");
}

#[test]
fn a_platform_that_is_missing_is_set_up_on_demand_only() {
    let scene = Scene::new();
    scene.answers("inspect", AMD64_ONLY);
    scene.answers("better", &AMD64_ONLY.replace("linux/amd64", "linux/amd64, linux/arm64"));
    scene.program("docker", "if [ \"$1\" = run ]; then cp better inspect; fi");
    let (code, _, check) = scene.json(&[]);
    assert_eq!(code, 1);
    let command = "docker run --privileged --rm multiarch/qemu-user-static --reset -p yes";
    assert_eq!(check("platforms")["remedy"], command);
    assert_eq!(scene.json(&["--fix", "--dry-run"]).0, 1);
    assert!(!scene.calls().contains("docker run"));

    let (code, document, _) = scene.json(&["--fix"]);
    assert_eq!((code, &document["repairs"][0]), (0, &Value::from(command)), "{document:#}");
    assert!(scene.calls().contains(command));
}

#[test]
fn where_an_image_cannot_be_pulled_the_systems_emulators_are_used() {
    let scene = Scene::new();
    scene.answers("inspect", AMD64_ONLY);
    scene.answers("better", &AMD64_ONLY.replace("linux/amd64", "linux/amd64, linux/arm64"));
    scene.program("docker", "if [ \"$1\" = run ]; then echo 'pull access denied' >&2; exit 125; fi");
    scene.program("update-binfmts", "cp better inspect; exit 0");
    assert_eq!(scene.json(&["--fix"]).0, 0);
    scene.answers("inspect", AMD64_ONLY);
    scene.program("update-binfmts", "echo 'no such thing' >&2; exit 1");
    let output = scene.doctor(&["--fix"]);
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("pull access denied") && told.contains("qemu-user-static binfmt-support"), "{told}");
}

#[test]
fn a_builder_is_made_the_current_one_only_when_it_has_started() {
    let scene = Scene::new();
    scene.answers("info", &ENGINE.replace("io.containerd.snapshotter.v1", ""));
    let names = "case \"$3\" in gs-release) [ -e made ] || exit 1 ;; esac";
    let make = "case \"$2\" in create) touch made ;; rm) rm made ;; use) cp better inspect ;; esac";
    scene.answers("better", "Name: gs-release\nDriver: docker-container\n\nNodes:\nName: n\nStatus: running\nPlatforms: linux/amd64, linux/arm64\n");
    let never_starts = "case \"$4\" in --bootstrap) echo 'cannot pull moby/buildkit' >&2; exit 1 ;; esac";
    scene.program("docker", &format!("{make}\n{names}\n{never_starts}"));
    let failed = scene.doctor(&["--fix"]);
    assert_eq!(failed.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("cannot pull moby/buildkit"));
    assert!(scene.calls().contains("docker buildx rm gs-release") && !scene.calls().contains("buildx use"));

    scene.program("docker", &format!("{make}\n{names}"));
    let (code, document, check) = scene.json(&["--fix"]);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(check("builder")["detail"], "gs-release (driver docker-container)");
}
