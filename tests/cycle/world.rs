//! GraphScope and vineyard on a server, the jobs that run there, and the one person who merges.

use std::process::{Child, Command, Output, Stdio};

use gs_release::build::Desired;
use gs_release::registry::{Content, Limits, MemoryRegistry, OciRegistry, Registry, TagState, tag_state};

use crate::desired::{desired, release};
use crate::fake::{FakeGitHub, Release, Workflow};
use crate::gate::Gate;
use crate::git_http;
pub use crate::hosted::{HOME, TOKEN, UPSTREAM};
use crate::hosted::{clone_home, point, serve_behind};
use crate::support::Sandbox;

const WORKFLOW: &str = "build-images.yml";

const CONFIG: &str = r#"
repository: alibaba/GraphScope
registry: REGISTRY
platforms: [PLATFORMS]
components:
  vineyard:
    version: 0.24.1
    upstream: { github: v6d-io/v6d }
    sites: [{ files: dev.Dockerfile, arg: V }]
  graphscope: { version: 0.28.0 }
phases:
  - name: v6d
    component: vineyard
    images:
      dev: { dockerfile: dev.Dockerfile, tags: ["v{vineyard}", latest] }
  - name: gs
    component: graphscope
    images:
      coordinator: { dockerfile: coordinator.Dockerfile, args: { V: "v{vineyard}" }, tags: ["{graphscope}", latest] }
build: { engine: actions, actions: { workflow: build-images.yml } }
"#;

/// A server, a registry, and no job running.
pub struct World {
    pub fake: FakeGitHub,
    /// Host and path of the registry.
    pub place: String,
    // git is served as long as they are here
    _git: git_http::Options,
}

/// What a job is told by its surroundings.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// What is checked out; empty: main.
    pub checkout: String,
    /// The branch that it runs on; empty: main.
    pub branch: String,
    /// The run that it is part of.
    pub run: Option<u64>,
}

impl World {
    /// Vineyard 0.24.2 is out; main wants 0.24.1 and has its images, which are in `place`.
    pub fn new(place: &str, platforms: &str) -> Self {
        World::behind(&Gate::default(), place, platforms)
    }

    /// The same, with a gate before GitHub.
    pub fn behind(gate: &Gate, place: &str, platforms: &str) -> Self {
        let (fake, git) = serve_behind(|router| gate.before(router));
        fake.add_repository(UPSTREAM);
        let config = CONFIG.replace("REGISTRY", place).replace("PLATFORMS", platforms);
        let dev = "ARG V=v0.24.1\nFROM scratch\nARG V\nCOPY payload /payload\nLABEL vineyard=$V\n";
        let coordinator =
            format!("ARG V\nFROM {place}/dev:$V AS dev\nFROM scratch\nCOPY --from=dev /payload /payload\n");
        let files = [
            ("release.yaml", &*config),
            ("dev.Dockerfile", dev),
            ("coordinator.Dockerfile", &coordinator),
            ("payload", "graph\n"),
        ];
        fake.commit(HOME, "main", &files.map(|(path, text)| (path, text.as_bytes())));
        fake.add_workflow(HOME, Workflow::usual(WORKFLOW));
        let published_at = "2025-04-01T00:00:00Z".to_owned();
        let out = Release { tag: "v0.24.2".into(), body: "Faster".into(), published_at, ..Release::default() };
        fake.state().repo_mut(UPSTREAM).releases.push(out);
        let world = World { fake, place: place.to_owned(), _git: git };
        for phase in ["v6d", "gs"] {
            world.publish(phase, "main");
        }
        world
    }

    /// A fresh checkout, as each job has one.
    pub fn checkout(&self, job: &Job) -> Sandbox {
        let sandbox = clone_home(&self.fake);
        if !job.checkout.is_empty() {
            sandbox.git(&["checkout", "--quiet", "--detach", &job.checkout]);
        }
        sandbox
    }

    /// What GitHub Actions puts into the environment of a job's processes.
    pub fn surround(&self, command: &mut Command, job: &Job) {
        let branch = if job.branch.is_empty() { "main" } else { &job.branch };
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_REF", format!("refs/heads/{branch}"));
        point(command, &self.fake);
        command.env("GITHUB_REPOSITORY", HOME);
        if let Some(run) = job.run {
            command.env("GITHUB_RUN_ID", run.to_string());
        }
    }

    /// Starts a job of one command.
    pub fn start(&self, sandbox: &Sandbox, job: &Job, arguments: &[&str]) -> Child {
        let mut command = sandbox.command(arguments);
        self.surround(&mut command, job);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A job of one command, to its end.
    pub fn job(&self, job: &Job, arguments: &[&str]) -> Output {
        let sandbox = self.checkout(job);
        self.start(&sandbox, job, arguments).wait_with_output().unwrap()
    }

    /// A person merges what is open. False: nothing is.
    pub fn merge(&self) -> bool {
        let head = {
            let mut state = self.fake.state();
            let Some(pull) = state.repo_mut(HOME).pulls.iter_mut().find(|pull| pull.open) else { return false };
            (pull.open, pull.merged) = (false, true);
            pull.head_sha.clone()
        };
        self.fake.git(HOME).reference("refs/heads/main", head.parse().unwrap(), true, "merge").unwrap();
        true
    }

    /// Runs that go on: id, phase, commit.
    pub fn active(&self) -> Vec<(u64, String, String)> {
        let state = self.fake.state();
        let runs = state.repo(HOME).unwrap().runs.iter().filter(|run| run.conclusion.is_none());
        runs.map(|run| (run.id, run.inputs["phase"].clone(), run.inputs["commit"].clone())).collect()
    }

    /// The attempts that were started, as `v6d 1`, with how they ended.
    pub fn started(&self) -> Vec<(String, Option<String>)> {
        let state = self.fake.state();
        let runs = state.repo(HOME).unwrap().runs.iter();
        runs.map(|run| {
            let attempt = run.inputs["request"].rsplit('.').next().unwrap();
            (format!("{} {attempt}", run.inputs["phase"]), run.conclusion.clone())
        })
        .collect()
    }

    pub fn desired(&self, revision: &str) -> Desired {
        let path = self.fake.state().repo(HOME).unwrap().git.clone();
        desired(&path, revision)
    }

    fn registry(&self) -> OciRegistry {
        OciRegistry::new(None, Limits::default()).unwrap()
    }

    /// What a tag such as `dev:latest` holds.
    pub fn tag(&self, tag: &str) -> Option<TagState> {
        block_on(tag_state(&self.registry(), &format!("{}/{tag}", self.place).parse().unwrap())).unwrap()
    }

    /// Publishes a phase of `commit`, but for moving tags, as if its jobs had done it.
    pub fn publish(&self, phase: &str, commit: &str) {
        let (registry, desired) = (self.registry(), self.desired(commit));
        let host = self.place.split('/').next().unwrap();
        for index in desired.of_phase(desired.phase(phase).unwrap()) {
            let wanted = &desired.images[index];
            let made = MemoryRegistry::new();
            block_on(async {
                let mut shares = Vec::new();
                for platform in &wanted.platforms {
                    let content = format!("{} of {commit} for {platform}", wanted.name);
                    let share = wanted.staging(Some(platform)).unwrap();
                    let digest = made.push_image(&share, platform, &content).await.unwrap();
                    let manifest = made.manifest(&share).await.unwrap().unwrap();
                    let Content::Image(parts) = &manifest.content else { panic!("an image") };
                    for blob in parts.layers.iter().chain([&parts.config]) {
                        let bytes = made.blob(&share.repository, blob).await.unwrap();
                        upload(host, share.repository.path(), bytes).await;
                    }
                    shares.push(wanted.repository.digest(&digest));
                    registry.put_manifest(&shares[shares.len() - 1], &manifest).await.unwrap();
                }
                release(&registry, &desired, wanted, &shares).await;
            });
        }
    }

    /// The end that every way leads to: one merged pull request, one run a phase, every image there, and `latest` on it.
    pub fn assert_end(&self) {
        let pulls: Vec<(bool, bool)> =
            self.fake.state().repo(HOME).unwrap().pulls.iter().map(|pull| (pull.open, pull.merged)).collect();
        assert_eq!(pulls, [(false, true)]);
        let comments = self.fake.state().repo(HOME).unwrap().pulls[0].comments.clone();
        let builds: Vec<&String> =
            comments.iter().map(|(_, text)| text).filter(|text| text.contains("gs-release-comment: build")).collect();
        assert!(builds.len() == 1 && builds[0].starts_with("### Images are published\n"), "{comments:?}");
        let ended = |name: &str| (name.to_owned(), Some("success".to_owned()));
        assert_eq!(self.started(), [ended("v6d 1"), ended("gs 1")]);
        for (tag, moving) in [("dev:v0.24.2", "dev:latest"), ("coordinator:0.28.0", "coordinator:latest")] {
            let digest = self.tag(tag).unwrap_or_else(|| panic!("{tag} is missing")).digest;
            assert_eq!(self.tag(moving).map(|state| state.digest), Some(digest), "{moving}");
        }
        let verified = self.job(&Job::default(), &["verify"]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}

/// Uploads a blob in the two steps of the distribution specification.
async fn upload(host: &str, path: &str, bytes: Vec<u8>) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let started = http.post(format!("http://{host}/v2/{path}/blobs/uploads/")).send().await.unwrap();
    let mut location = started.url().join(started.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs_mut().append_pair("digest", gs_release::registry::Digest::of(&bytes).as_str());
    assert_eq!(http.put(location).body(bytes).send().await.unwrap().status(), 201);
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
