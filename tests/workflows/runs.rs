//! Every line that a step runs: one call of gs-release that its command line takes, or a script that is run here.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::files::{Step, root, steps};
use crate::support::Sandbox;

/// Steps that run something else than gs-release, by how their line starts; each has its test below, but `.ci/run`, which is
/// what runs them all.
const SCRIPTS: [&str; 5] =
    [".ci/run", "\"$GITHUB_ACTION_PATH/.ci/install\"", "read -r -a words", ".ci/package", "gh release"];

/// What the variables of shell lines stand for.
const VARIABLES: [(&str, &str); 5] = [
    ("\"$PHASE\"", "v6d"),
    ("\"$COMMIT\"", "0000000000000000000000000000000000000000"),
    ("\"$PLATFORM\"", "linux/arm64"),
    ("\"$COMPONENT\"", "vineyard"),
    ("\"$VERSION\"", "0.24.2"),
];

fn script(start: &str) -> String {
    let found = steps().into_iter().filter_map(|step| step.text("run").map(str::to_owned));
    found.into_iter().find(|run| run.starts_with(start)).unwrap()
}

/// What a step of the action or of an example has gs-release do.
fn arguments(step: &Step) -> Option<Vec<String>> {
    let words = match step.text("run") {
        Some(run) => run.strip_prefix("gs-release ")?,
        None => step.step.get("with")?.get("args")?.as_str()?,
    };
    let value =
        |word: &str| VARIABLES.iter().find(|(name, _)| *name == word).map_or(word, |(_, value)| value).to_owned();
    Some(words.split_whitespace().map(value).collect())
}

#[test]
fn every_line_is_a_call_of_gs_release_or_is_run_here() {
    for step in steps() {
        let Some(run) = step.text("run") else { continue };
        let known = run.starts_with("gs-release ") || SCRIPTS.iter().any(|start| run.starts_with(start));
        assert!(known, "{}: {run}", step.file.display());
    }
}

#[test]
fn gs_release_takes_every_command_line_of_a_step() {
    let nowhere = Sandbox::empty();
    let calls: Vec<Vec<String>> = steps().iter().filter_map(arguments).collect();
    assert!(calls.len() >= 7, "{calls:?}");
    for call in calls {
        let words: Vec<&str> = call.iter().map(String::as_str).collect();
        let output = nowhere.run(&words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        // there is no repository here: what a command line that cannot be parsed says is another thing
        assert!(!stderr.contains("try '--help'") && !output.status.success(), "{words:?}: {stderr}");
    }
}

/// A directory with programs that are found first, and take notes.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Bench { directory: tempfile::tempdir().unwrap() };
        std::fs::create_dir(bench.path("bin")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A program that notes its arguments in the file `calls`, one in brackets each, and runs `script`.
    fn program(&self, name: &str, script: &str) {
        let file = self.path("bin").join(name);
        let note = format!(
            "printf '{name}' >>'{0}'; printf ' [%s]' \"$@\" >>'{0}'; echo >>'{0}'",
            self.path("calls").display()
        );
        std::fs::write(&file, format!("#!/bin/sh\n{note}\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(self.path("calls")).unwrap_or_default()
    }

    /// Runs a shell line as a runner does.
    fn bash(&self, line: &str, variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", line]).current_dir(self.directory.path());
        command.env("PATH", path).env("HOME", self.path("home")).env("GITHUB_PATH", self.path("added"));
        command.env_remove("GITHUB_REF_TYPE").envs(variables.iter().copied());
        command.output().unwrap()
    }

    /// A copy of the scripts, as in a checkout at `directory`.
    fn checkout(&self, directory: &str) -> String {
        let to = self.path(directory);
        std::fs::create_dir_all(to.join(".ci")).unwrap();
        for file in [".ci/install", ".ci/package", "Cargo.toml", "LICENSE"] {
            std::fs::copy(root().join(file), to.join(file)).unwrap();
        }
        to.to_str().unwrap().to_owned()
    }
}

fn fine(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{stderr}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

/// A `cargo` that builds a gs-release which says its version.
const CARGO: &str = r#"
case $1 in
install) for last; do :; done; place=$last/bin ;;
build) place=target/$6/release ;;
esac
mkdir -p "$place"
printf '#!/bin/sh\necho gs-release from cargo\n' >"$place/gs-release"
chmod +x "$place/gs-release""#;

#[test]
fn the_action_gives_its_words_to_gs_release_one_by_one() {
    let bench = Bench::new();
    bench.program("gs-release", "");
    fine(bench.bash(&script("read -r -a words"), &[("ARGS", "bump  vineyard * $(id)")]));
    assert_eq!(bench.calls(), "gs-release [bump] [vineyard] [*] [$(id)]\n");
}

#[test]
fn a_checkout_is_built_once() {
    let bench = Bench::new();
    bench.program("cargo", CARGO);
    let action = bench.checkout("work");
    let variables = [("GITHUB_ACTION_PATH", &*action), ("GITHUB_REPOSITORY", "example/project"), ("VERSION", "")];
    for _ in 0..2 {
        let said = fine(bench.bash(&script("\"$GITHUB_ACTION_PATH"), &variables));
        assert_eq!(said, "gs-release from cargo\n");
    }
    assert_eq!(bench.calls().lines().count(), 1, "{}", bench.calls());
    let added = std::fs::read_to_string(bench.path("added")).unwrap();
    assert!(Path::new(added.lines().next().unwrap()).join("gs-release").is_file(), "{added}");
}

#[test]
fn a_release_is_packed_and_the_action_installs_what_has_the_right_checksum() {
    let bench = Bench::new();
    bench.program("cargo", CARGO);
    bench.program("rustup", "");
    bench.program("musl-gcc", "");
    bench.program("uname", "case $1 in -s) echo Linux ;; -m) echo aarch64 ;; esac");
    let source = bench.checkout("source");
    let line = script(".ci/package").replace(".ci/", &format!("{source}/.ci/"));
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    let tag = [("TARGET", "aarch64-unknown-linux-musl"), ("GITHUB_REF_TYPE", "tag"), ("GITHUB_REF_NAME", &*version)];
    fine(bench.bash(&line, &tag));

    // what the releases of the action's repository offer
    let server = format!("file://{}", bench.path("server").display());
    let offered = bench.path(&format!("server/example/gs-release/releases/download/{version}"));
    std::fs::create_dir_all(offered.parent().unwrap()).unwrap();
    std::fs::rename(bench.path("source/target/package"), &offered).unwrap();

    let action = bench.checkout("runner/_actions/example/gs-release/v1");
    let variables = [
        ("GITHUB_ACTION_PATH", &*action),
        ("GITHUB_REPOSITORY", "example/project"),
        ("GITHUB_SERVER_URL", &*server),
        ("VERSION", ""),
    ];
    let line = script("\"$GITHUB_ACTION_PATH");
    assert_eq!(fine(bench.bash(&line, &variables)), "gs-release from cargo\n");

    let archive = offered.join("gs-release-aarch64-unknown-linux-musl.tar.gz");
    let mut bytes = std::fs::read(&archive).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&archive, bytes).unwrap();
    let output = bench.bash(&line, &variables);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("FAILED"), "{output:?}");
}

#[test]
fn a_tag_that_is_not_the_version_is_not_packed() {
    let bench = Bench::new();
    bench.program("cargo", CARGO);
    bench.program("rustup", "");
    let source = bench.checkout("source");
    let line = script(".ci/package").replace(".ci/", &format!("{source}/.ci/"));
    let tag = [("TARGET", "x86_64-apple-darwin"), ("GITHUB_REF_TYPE", "tag"), ("GITHUB_REF_NAME", "v99.0.0")];
    let output = bench.bash(&line, &tag);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("the tag is v99.0.0, but Cargo.toml says "));
    assert_eq!(bench.calls(), "");
}

#[test]
#[ignore = "needs a Docker engine with buildx"]
fn the_image_of_a_release_holds_the_binary_of_its_platform() {
    let bench = Bench::new();
    bench.program("cargo", &CARGO.replace(r"from cargo\n'", r#"for %s\n' "$6""#));
    bench.program("rustup", "");
    bench.program("musl-gcc", "");
    let source = bench.checkout("source");
    let line = script(".ci/package").replace(".ci/", &format!("{source}/.ci/"));
    for target in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"] {
        fine(bench.bash(&line, &[("TARGET", target)]));
    }
    let file = root().join(".ci/Dockerfile");
    for (platform, machine) in [("linux/amd64", "x86_64"), ("linux/arm64", "aarch64")] {
        // the base is not what is tested, and is not to be had everywhere; not each engine builds two platforms at once
        let build = "docker buildx build --quiet --platform \"$PLATFORM\" --build-arg BASE=scratch \
                     --output type=local,dest=image --file \"$FILE\" source/target/package";
        fine(bench.bash(build, &[("PLATFORM", platform), ("FILE", file.to_str().unwrap())]));
        let said = fine(Command::new(bench.path("image/usr/local/bin/gs-release")).output().unwrap());
        assert_eq!(said, format!("gs-release for {machine}-unknown-linux-musl\n"));
        assert!(bench.path("image/usr/share/doc/gs-release/LICENSE").is_file());
    }
}

#[test]
fn a_release_has_every_packed_file() {
    let bench = Bench::new();
    bench.program("gh", "");
    std::fs::create_dir_all(bench.path("target/package")).unwrap();
    for name in ["a.tar.gz", "a.tar.gz.sha256"] {
        std::fs::write(bench.path("target/package").join(name), "").unwrap();
    }
    fine(bench.bash(&script("gh release"), &[("GITHUB_REF_NAME", "v0.1.0")]));
    assert_eq!(
        bench.calls(),
        "gh [release] [create] [v0.1.0] [--verify-tag] [--generate-notes] [target/package/a.tar.gz] [target/package/a.tar.gz.sha256]\n"
    );
}
