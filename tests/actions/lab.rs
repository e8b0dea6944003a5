//! A repository on the fake GitHub with a release of two phases, and a registry that its runs publish to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gs_release::build::actions::{Actions, Outcome, Pace};
use gs_release::build::{Desired, Event, Wanted};
use gs_release::config::{Config, RepositoryName};
use gs_release::error::{Error, Result};
use gs_release::github::{Credentials, GitHub, Limits, Rights, Settings};
use gs_release::registry::MemoryRegistry;

use serde_json::{Value, json};

use crate::desired::{desired, release};
use crate::fake::{FakeGitHub, Run, Script, Token, Workflow};

pub const REPOSITORY: &str = "alibaba/GraphScope";
pub const WORKFLOW: &str = "build-images.yml";
pub const BUMP: &str = "gs-release/vineyard";
const TOKEN: &str = "ghp_octocat";

/// A tier that carries vineyard, and one that is built on it.
pub const CONFIG: &str = r#"
repository: alibaba/GraphScope
registry: registry.example.com/g
components:
  vineyard: { version: 0.24.1 }
  graphscope: { version: 0.28.0 }
phases:
  - name: v6d
    component: vineyard
    images:
      dev: { dockerfile: dev.Dockerfile, args: { V: "{vineyard}" }, tags: ["v{vineyard}", latest] }
  - name: gs
    component: graphscope
    images:
      coordinator: { dockerfile: coordinator.Dockerfile, args: { V: "v{vineyard}" }, tags: ["{graphscope}"] }
build: { engine: actions, actions: { workflow: build-images.yml } }
"#;

const DEV: &str = "FROM scratch\nARG V\nLABEL vineyard=$V\n";
const COORDINATOR: &str = "ARG V\nFROM registry.example.com/g/dev:$V\n";

pub struct Lab {
    pub fake: FakeGitHub,
    pub registry: Arc<MemoryRegistry>,
    config: String,
}

/// What the command is asked for.
pub struct Ask<'a> {
    /// The branch with the commit, which is its head.
    pub branch: &'a str,
    pub only: Option<usize>,
    pub wait: bool,
    pub retry: bool,
    pub own_run: Option<u64>,
    pub tags_start_nothing: bool,
    /// How long a run may take to be seen.
    pub appears: Duration,
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Ask {
            branch: "main",
            only: None,
            wait: true,
            retry: false,
            own_run: None,
            tags_start_nothing: false,
            appears: Duration::from_millis(60),
        }
    }
}

/// What came of it.
pub struct Done {
    pub outcome: Result<Outcome>,
    /// Notes, and states of runs.
    pub told: Vec<String>,
}

impl Done {
    pub fn settled(self) -> Vec<String> {
        assert_eq!(self.outcome.unwrap(), Outcome::Settled, "{:?}", self.told);
        self.told
    }

    /// The page of the run that goes on.
    pub fn under_way(self) -> String {
        match self.outcome.unwrap() {
            Outcome::UnderWay { url, .. } => url,
            Outcome::Settled => panic!("everything is published: {:?}", self.told),
        }
    }

    #[track_caller]
    pub fn failed(self, exit_code: u8, parts: &[&str]) -> Error {
        let error = self.outcome.unwrap_err();
        let told = format!("{}\n{}", error.message, error.hints.join("\n"));
        assert_eq!(error.kind.exit_code(), exit_code, "{told}");
        for part in parts {
            assert!(told.contains(part), "`{part}` is missing from: {told}");
        }
        error
    }
}

impl Lab {
    /// The usual release, built by the usual workflow.
    pub fn new() -> Self {
        let lab = Lab::with(CONFIG);
        lab.fake.add_workflow(REPOSITORY, Workflow::usual(WORKFLOW));
        lab
    }

    /// A release of `config`, without a workflow.
    pub fn with(config: &str) -> Self {
        let fake = FakeGitHub::start();
        fake.add_repository(REPOSITORY);
        fake.add_token(TOKEN, Token::classic("octocat", &["repo", "workflow"]));
        let lab = Lab { fake, registry: Arc::default(), config: config.to_owned() };
        lab.commit("main", config);
        lab
    }

    /// Commits `config` and the Dockerfiles to a branch, and gives the commit's id.
    pub fn commit(&self, branch: &str, config: &str) -> String {
        let files = [("release.yaml", config), ("dev.Dockerfile", DEV), ("coordinator.Dockerfile", COORDINATOR)];
        let files = files.map(|(path, content)| (path, content.as_bytes()));
        self.fake.commit(REPOSITORY, branch, &files)
    }

    pub fn config(&self) -> Config {
        Config::parse("release.yaml", self.config.as_bytes()).unwrap()
    }

    /// The next runs of the usual workflow end so, in order.
    pub fn scripts(&self, scripts: Vec<Script>) {
        self.fake.state().repo_mut(REPOSITORY).workflows[0].scripts.extend(scripts);
    }

    /// A run that ends well after it has published the phase at `phase` of what is at the head of `branch`.
    pub fn publishes(&self, branch: &str, phase: usize) -> Script {
        let (registry, desired) = (self.registry.clone(), self.desired(branch));
        Script::end("success").after(move || publish(&registry, &desired, phase))
    }

    /// Publishes the phase at `phase` of what is at the head of main.
    pub fn publish(&self, phase: usize) {
        publish(&self.registry, &self.desired("main"), phase);
    }

    pub fn desired(&self, branch: &str) -> Desired {
        let path = self.fake.state().repo(REPOSITORY).unwrap().git.clone();
        desired(&path, branch)
    }

    /// What the command does.
    pub async fn build(&self, ask: Ask<'_>) -> Done {
        self.build_at(ask.branch, ask).await
    }

    /// What the command does about the head of `head`, said to be on the branch that is asked for.
    pub async fn build_at(&self, head: &str, ask: Ask<'_>) -> Done {
        let (desired, config) = (self.desired(head), self.config());
        let name: RepositoryName = REPOSITORY.parse().unwrap();
        let seconds = Duration::from_secs(20);
        let (pause, patience) = (Duration::from_millis(2), Duration::from_secs(2));
        let settings = Settings {
            api_url: self.fake.api_url(),
            server_url: self.fake.server_url().to_owned(),
            credentials: Some(Credentials::Token(TOKEN.into())),
            limits: Limits { connect: seconds, total: seconds, attempts: 3, pause, patience },
        };
        let github = GitHub::connect(&settings, &name, &Rights::build(true)).await.unwrap().repository(&name);
        let told = Mutex::new(Vec::new());
        let listener = |event| match event {
            Event::Note(text) => told.lock().unwrap().push(text),
            Event::Run { phase, state, .. } => told.lock().unwrap().push(format!("{phase}: {state}")),
            _ => {}
        };
        let pace = Pace { first: Duration::from_millis(2), longest: Duration::from_millis(4), appears: ask.appears };
        let actions = Actions {
            github: &github,
            config: &config,
            desired: &desired,
            registry: &*self.registry,
            branch: ask.branch,
            own_run: ask.own_run,
            wait: ask.wait,
            retry: ask.retry,
            tags_start_nothing: ask.tags_start_nothing,
            pace,
            listener: &listener,
        };
        let outcome = actions.carry_out(ask.only).await;
        Done { outcome, told: told.into_inner().unwrap() }
    }

    /// One line a run so far: its title, or what `shown` makes of it.
    pub fn runs<T>(&self, shown: impl Fn(&Run) -> T) -> Vec<T> {
        self.fake.state().repo(REPOSITORY).unwrap().runs.iter().map(shown).collect()
    }

    /// The attempts that were started, as `v6d 1`.
    pub fn started(&self) -> Vec<String> {
        self.runs(|run| format!("{} {}", run.inputs["phase"], run.inputs["request"].rsplit('.').next().unwrap()))
    }

    /// How many dispatches were sent.
    pub fn dispatches(&self) -> usize {
        self.fake.calls().iter().filter(|call| call.ends_with("/dispatches")).count()
    }
}

/// What a server says that does not know `return_run_details`: GitHub Enterprise Server before 3.21.
pub fn unknown_field() -> Value {
    json!({ "message": "Invalid request. \"return_run_details\" is not a permitted key.", "errors": [] })
}

/// Publishes every image of a phase, as the run's last job would.
fn publish(registry: &Arc<MemoryRegistry>, desired: &Desired, phase: usize) {
    let (registry, desired) = (registry.clone(), desired.clone());
    // the fake's own thread is within a runtime
    let work = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for index in desired.of_phase(phase) {
                publish_image(&registry, &desired, &desired.images[index]).await;
            }
        });
    });
    work.join().unwrap();
}

async fn publish_image(registry: &MemoryRegistry, desired: &Desired, wanted: &Wanted) {
    let staging = wanted.staging(None).unwrap();
    let digest = registry.push_image(&staging, &wanted.platforms[0], &wanted.name).await.unwrap();
    release(registry, desired, wanted, &[wanted.repository.digest(&digest)]).await;
}
