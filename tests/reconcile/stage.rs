//! A repository whose bump branch can be put into any state: made once by the real binary, copied for each case.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use crate::fake::{FakeGitHub, Pull};
use crate::hosted::serve;
pub use crate::hosted::{BRANCH, HOME, TOKEN, World};
use crate::support::{Sandbox, document, isolated};

/// The version that is asked for.
pub const WANTED: &str = "0.24.3";

const CONFIG: &str = r#"
components:
  vineyard:
    version: 0.24.1
    sites:
      - { files: V6D_VERSION, whole: true }
      - { files: run.sh, regex: 'V=(?<version>\S+)' }
"#;

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::build);

/// What the branch may hold, and the pull request that goes with it.
#[derive(Clone)]
pub struct Scene {
    /// The branch's commit; `None`: there is no branch.
    pub tip: Option<String>,
    pub title: String,
    pub body: String,
}

/// A server's bare repository and a clone of it, to be copied.
pub struct Template {
    directory: tempfile::TempDir,
    server_url: String,
}

impl Template {
    /// Of `world` as it is.
    pub fn of(world: &World) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let git = world.fake.git(HOME);
        for repository in [git.path(), &world.clone.path().join(".git")] {
            let packed = isolated("git", repository).args(["gc", "--quiet", "--no-prune"]).status().unwrap();
            assert!(packed.success());
            // samples alone
            std::fs::remove_dir_all(repository.join("hooks")).unwrap();
        }
        copy(git.path(), &directory.path().join("server"));
        copy(world.clone.path(), &directory.path().join("clone"));
        Template { directory, server_url: world.fake.server_url().to_owned() }
    }

    /// A world like it.
    pub fn open(&self) -> World {
        let (fake, git) = serve();
        let bare = fake.git(HOME).path().to_owned();
        std::fs::remove_dir_all(&bare).unwrap();
        copy(&self.directory.path().join("server"), &bare);
        let clone = self.clone_of(&fake);
        World { fake, git, clone }
    }

    /// Another clone of what `fake` serves.
    fn clone_of(&self, fake: &FakeGitHub) -> Sandbox {
        let clone = Sandbox::empty();
        copy(&self.directory.path().join("clone"), clone.path());
        let config = clone.path().join(".git/config");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(config, text.replace(&self.server_url, fake.server_url())).unwrap();
        clone
    }
}

struct Stage {
    template: Template,
    scenes: BTreeMap<&'static str, Scene>,
}

impl Stage {
    fn build() -> Self {
        let world = World::new(CONFIG);
        let add = |name: &'static str, version: &str, scenes: &mut BTreeMap<&'static str, Scene>| {
            let (code, told) = document(world.run(&["bump-vineyard", version, "--json", "--allow-downgrade"]));
            assert_eq!(code, 0, "{told}");
            let pull = world.fake.state().repo_mut(HOME).pulls.pop().unwrap();
            scenes.insert(name, Scene { tip: world.tip(), title: pull.title, body: pull.body });
        };
        let mut scenes = BTreeMap::new();
        add("conflicting", WANTED, &mut scenes);
        world.fake.commit(HOME, "main", &[("run.sh", b"# moved\nV=0.24.0\n")]);
        add("behind", WANTED, &mut scenes);
        world.fake.commit(HOME, "main", &[("other", b"x\n")]);
        add("older", "0.24.2", &mut scenes);
        add("newer", "0.24.5", &mut scenes);
        add("ready", WANTED, &mut scenes);
        let ready = scenes["ready"].clone();
        let with = |tip: String| Scene { tip: Some(tip), ..ready.clone() };
        let git = world.fake.git(HOME);
        scenes.insert("taken", with(world.fake.commit(HOME, BRANCH, &[("fix", b"by hand\n")])));
        scenes.insert("absent", Scene { tip: None, ..ready.clone() });
        let old = scenes["behind"].clone();
        let behind = old.tip.clone().unwrap();
        for (name, edit) in [("base merged in", false), ("base merged in and edited", true)] {
            scenes.insert(name, Scene { tip: Some(merge_base(&git, &behind, edit)), ..old.clone() });
        }
        scenes.insert("rebased by a person", with(rebase(&git, &behind, ready.tip.as_ref().unwrap())));
        scenes.insert("amended by a person", with(amend(&git, ready.tip.as_ref().unwrap(), &scenes["taken"])));
        Stage { template: Template::of(&world), scenes }
    }
}

/// The commit that GitHub's "Update branch" makes of `tip`.
fn merge_base(git: &git2::Repository, tip: &str, edit: bool) -> String {
    let ours = git.find_commit(tip.parse().unwrap()).unwrap();
    let theirs = git.revparse_single("main").unwrap().peel_to_commit().unwrap();
    let mut tree = git.merge_commits(&ours, &theirs, None).unwrap().write_tree_to(git).unwrap();
    if edit {
        let mut builder = git2::build::TreeUpdateBuilder::new();
        builder.upsert("fix", git.blob(b"by hand\n").unwrap(), git2::FileMode::Blob);
        tree = builder.create_updated(git, &git.find_tree(tree).unwrap()).unwrap();
    }
    write(git, "Merge branch 'main'", tree, &[&ours, &theirs])
}

/// The bot's commit `tip` with the parent and the tree of `onto`, as a person's rebase leaves it: the message stays.
fn rebase(git: &git2::Repository, tip: &str, onto: &str) -> String {
    let (tip, onto) = (git.find_commit(tip.parse().unwrap()).unwrap(), git.find_commit(onto.parse().unwrap()).unwrap());
    write(git, tip.message().unwrap(), onto.tree_id(), &[&onto.parent(0).unwrap()])
}

/// The bot's commit `tip` with the tree of `edited`.
fn amend(git: &git2::Repository, tip: &str, edited: &Scene) -> String {
    let tip = git.find_commit(tip.parse().unwrap()).unwrap();
    let edited = git.find_commit(edited.tip.as_ref().unwrap().parse().unwrap()).unwrap();
    write(git, tip.message().unwrap(), edited.tree_id(), &[&tip.parent(0).unwrap()])
}

fn write(git: &git2::Repository, message: &str, tree: git2::Oid, parents: &[&git2::Commit<'_>]) -> String {
    let person = git2::Signature::now("A Person", "person@example.com").unwrap();
    let tree = git.find_tree(tree).unwrap();
    git.commit(None, &person, &person, message, &tree, parents).unwrap().to_string()
}

impl World {
    /// The repository with `config` in its first commit.
    pub fn new(config: &str) -> Self {
        World::with_files(&[
            ("release.yaml", config.as_bytes()),
            ("V6D_VERSION", b"v0.24.1\n"),
            ("run.sh", b"V=0.23.0\n"),
        ])
    }

    /// The branch as in `scene`, and the pull requests that `pulls` makes of one that goes with it.
    pub fn at(scene: &str, pulls: impl FnOnce(Pull) -> Vec<Pull>) -> Self {
        let world = STAGE.template.open();
        let scene = &STAGE.scenes[scene];
        let git = world.fake.git(HOME);
        let name = format!("refs/heads/{BRANCH}");
        match &scene.tip {
            Some(tip) => git.reference(&name, tip.parse().unwrap(), true, "test").map(drop).unwrap(),
            None => git.find_reference(&name).unwrap().delete().unwrap(),
        }
        let pull = Pull {
            number: 1,
            title: scene.title.clone(),
            body: scene.body.clone(),
            open: true,
            head_repo: HOME.into(),
            head: BRANCH.into(),
            head_sha: scene.tip.clone().unwrap_or_else(|| "a".repeat(40)),
            base: "main".into(),
            author: "octocat".into(),
            created_at: "2025-05-20T10:00:00Z".into(),
            ..Pull::default()
        };
        world.fake.state().repo_mut(HOME).pulls = pulls(pull);
        world
    }

    /// Asks for the version, and gives exit code and document.
    pub fn bump(&self, options: &[&str]) -> (i32, Value) {
        document(self.run(&[&["bump-vineyard", WANTED, "--json"], options].concat()))
    }

    /// The ids of the tree and of the parents of a commit.
    pub fn content(&self, commit: &str) -> (String, Vec<String>) {
        let git = self.fake.git(HOME);
        let commit = git.find_commit(commit.parse().unwrap()).unwrap();
        (commit.tree_id().to_string(), commit.parent_ids().map(|id| id.to_string()).collect())
    }
}

/// Another clone for `world`.
pub fn another_clone(world: &World) -> Sandbox {
    STAGE.template.clone_of(&world.fake)
}

/// What the branch holds in `name`.
pub fn scene(name: &str) -> Scene {
    STAGE.scenes[name].clone()
}

/// Runs `test` on each of `cases`, a few at a time.
pub fn each<T: Sync>(cases: &[T], test: impl Fn(&T) + Sync) {
    let next = Mutex::new(cases.iter());
    // most of a case is waiting for one of its processes
    let workers = 2 * std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let case = next.lock().unwrap().next();
                    match case {
                        Some(case) => test(case),
                        None => break,
                    }
                }
            });
        }
    });
}

/// Copies a repository. Objects never change, so that links to them will do, as in git's own local clones.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match (path.is_dir(), path.components().any(|part| part.as_os_str() == "objects")) {
            (true, _) => copy(&path, &target),
            (false, true) => std::fs::hard_link(&path, &target).unwrap(),
            (false, false) => std::fs::copy(&path, &target).map(drop).unwrap(),
        }
    }
}
