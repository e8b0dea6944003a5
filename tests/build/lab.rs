//! A repository with a small release of two phases, and a path of its own in the registry.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use gs_release::registry::{ImageRef, Limits, OciRegistry, Registry, TagState, tag_state};
use serde_json::Value;

use crate::support::{Sandbox, document};

/// Where the registry is.
pub const HOST: &str = "127.0.0.1:5000";

/// The platforms of every image, and those of one.
pub const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// The release: `base` carries no version, `dev` vineyard's, `coordinator` both, `client` that of GraphScope.
pub const CONFIG: &str = r#"
registry: registry.example.com/g
platforms: [linux/amd64, linux/arm64]
components:
  vineyard: { version: 0.24.1, sites: [] }
  graphscope: { version: 0.28.0, sites: [] }
phases:
  - name: v6d
    component: vineyard
    images:
      base: { dockerfile: base.Dockerfile, tags: ["v{vineyard}"] }
      dev: { dockerfile: dev.Dockerfile, args: { V: "{vineyard}" }, tags: ["v{vineyard}", latest] }
  - name: gs
    component: graphscope
    images:
      coordinator: { dockerfile: coordinator.Dockerfile, args: { V: "v{vineyard}", G: "{graphscope}" }, tags: ["{graphscope}", latest] }
      client: { dockerfile: client.Dockerfile, args: { G: "{graphscope}" }, tags: ["{graphscope}"] }
"#;

pub const FILES: [(&str, &str); 6] = [
    ("payload", "one\n"),
    ("unused", "one\n"),
    ("base.Dockerfile", "FROM scratch\nCOPY payload /payload\n"),
    ("dev.Dockerfile", "ARG V\nFROM registry.example.com/g/base:v$V\nARG V\nLABEL vineyard=$V\n"),
    (
        "coordinator.Dockerfile",
        "ARG V\nFROM registry.example.com/g/dev:$V AS dev\nFROM scratch\nARG G\nCOPY --from=dev /payload /p\nLABEL graphscope=$G\n",
    ),
    ("client.Dockerfile", "FROM scratch\nARG G\nCOPY payload /client\nLABEL graphscope=$G\n"),
];

/// All release tags of [`CONFIG`].
pub const RELEASED: [&str; 4] = ["base:v0.24.1", "dev:v0.24.1", "coordinator:0.28.0", "client:0.28.0"];

pub struct Lab {
    pub sandbox: Sandbox,
    /// Host and path of the registry.
    pub place: String,
    registry: OciRegistry,
    runtime: tokio::runtime::Runtime,
}

/// A finished run.
pub struct Run {
    pub code: i32,
    pub document: Value,
    pub stderr: String,
}

impl Run {
    /// Names of the images that were built, sorted.
    pub fn built(&self) -> Vec<&str> {
        let images = self.document["images"].as_array().unwrap_or_else(|| panic!("{}\n{}", self.document, self.stderr));
        let mut built: Vec<_> = images
            .iter()
            .filter(|image| image["built"] == true)
            .map(|image| image["image"].as_str().unwrap())
            .collect();
        built.sort_unstable();
        built
    }

    /// Panics unless it ended well.
    pub fn fine(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.document, self.stderr);
        self
    }

    pub fn error(&self) -> &str {
        self.document["error"]["message"].as_str().unwrap_or_default()
    }
}

impl Lab {
    /// The usual release.
    pub fn new() -> Self {
        Lab::with(CONFIG, &[])
    }

    /// A release of `config`, with `changes` to the usual files.
    pub fn with(config: &str, changes: &[(&str, &str)]) -> Self {
        let kept = FILES.iter().filter(|(path, _)| !changes.iter().any(|(changed, _)| changed == path)).copied();
        let files: Vec<(&str, &str)> = kept.chain(changes.iter().copied()).chain([("release.yaml", config)]).collect();
        Lab {
            sandbox: Sandbox::new(&files),
            place: format!("{HOST}/test-{}", unique()),
            registry: OciRegistry::new(None, Limits::default()).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    /// The command with this lab's registry and the tester's own Docker settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        command.args(["--registry", &self.place]);
        let settings = std::env::var_os("DOCKER_CONFIG")
            .or_else(|| Some(std::path::Path::new(&std::env::var_os("HOME")?).join(".docker").into_os_string()));
        if let Some(settings) = settings {
            command.env("DOCKER_CONFIG", settings);
        }
        command
    }

    /// Runs with `--json`.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).arg("--json").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let (code, document) = document(output);
        Run { code, document, stderr }
    }

    pub fn build(&self, arguments: &[&str]) -> Run {
        self.run(&[&["build", "--engine", "buildx"], arguments].concat())
    }

    /// Starts a build, whose standard error can be followed.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(&[&["build", "--engine", "buildx"], arguments].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        Running { child, lines, heard: String::new() }
    }

    /// `dev:latest` in full.
    pub fn reference(&self, tag: &str) -> ImageRef {
        format!("{}/{tag}", self.place).parse().unwrap()
    }

    /// What a tag such as `dev:latest` holds.
    pub fn tag(&self, tag: &str) -> Option<TagState> {
        self.runtime.block_on(tag_state(&self.registry, &self.reference(tag))).unwrap()
    }

    /// What it points at; nothing for a tag that does not exist.
    pub fn digest(&self, tag: &str) -> Option<String> {
        self.tag(tag).map(|state| state.digest.to_string())
    }

    /// Digests of its images and attestations.
    pub fn children(&self, tag: &str) -> Vec<String> {
        let index = self.runtime.block_on(self.registry.manifest(&self.reference(tag))).unwrap().unwrap();
        index.children().iter().map(|child| child.digest.to_string()).collect()
    }

    /// Tags of the repository `name`, without staging tags, which not every registry can remove.
    pub fn tags(&self, name: &str) -> Vec<String> {
        let repository = format!("{}/{name}", self.place).parse().unwrap();
        let mut tags = self.runtime.block_on(self.registry.tags(&repository)).unwrap();
        tags.retain(|tag| !tag.starts_with("gsr-"));
        tags
    }

    /// The configuration of the image in `tag` for `platform`, as skopeo reads it.
    pub fn configuration(&self, tag: &str, arch: &str) -> Value {
        let image = format!("docker://{}", self.reference(tag));
        let out = output("skopeo", &["inspect", "--tls-verify=false", "--override-arch", arch, "--config", &image]);
        serde_json::from_str(&out).unwrap()
    }

    /// Merges the bump's branch as a person would.
    pub fn bump_and_merge(&self, component: &str, version: &str) {
        let output = self.sandbox.run(&["bump", component, version, "--local"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.sandbox.git(&["merge", "--quiet", &format!("gs-release/{component}")]);
    }
}

/// A build that goes on.
pub struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStderr>,
    pub heard: String,
}

impl Running {
    /// Waits until it has said `text`.
    pub fn wait_for(&mut self, text: &str) {
        while !self.heard.contains(text) {
            let read = self.lines.read_line(&mut self.heard).unwrap();
            assert!(read > 0, "it never said `{text}`:\n{}", self.heard);
        }
    }

    /// SIGKILL: nothing of it can clean up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, and gives the exit code and what it said.
    pub fn end(mut self) -> (i32, String) {
        std::io::Read::read_to_string(&mut self.lines, &mut self.heard).unwrap();
        (self.child.wait().unwrap().code().unwrap(), self.heard)
    }
}

/// A word that no other test has used.
pub fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    format!("{now:x}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Standard output of a program that must succeed.
pub fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Publishes an image with a shell for the machine's own platform, and gives its reference.
///
/// A step that needs a shell runs in `FROM --platform=$BUILDPLATFORM`, so that no binary of another platform is needed.
pub fn shell() -> &'static str {
    static SHELL: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SHELL.get_or_init(|| {
        let reference = format!("{HOST}/test-shell/busybox:1");
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("bin")).unwrap();
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| std::path::Path::new(path).exists());
        let busybox = busybox.unwrap_or_else(|| panic!("install busybox-static"));
        for name in ["sh", "sleep", "false", "true", "echo"] {
            std::fs::copy(busybox, directory.path().join("bin").join(name)).unwrap();
        }
        let archive = directory.path().join("shell.tar");
        let (root, archive) = (directory.path().to_str().unwrap(), archive.to_str().unwrap());
        output("tar", &["-C", root, "-cf", archive, "bin"]);
        output("docker", &["import", archive, &reference]);
        output("docker", &["push", "--quiet", &reference]);
        reference
    })
}

/// A Dockerfile whose build takes `seconds` for every platform together, and is in nobody's cache.
pub fn slow(seconds: u32, dockerfile: &str) -> String {
    let (shell, unique) = (shell(), unique());
    let (before, after) = dockerfile.split_once("FROM").unwrap();
    format!(
        "{before}FROM --platform=$BUILDPLATFORM {shell} AS slow\nRUN sleep {seconds}; echo {unique} > /slept\nFROM{after}COPY --from=slow /slept /slept\n"
    )
}
