//! The repository: the base branch's tree, commits straight into the object database, fetch and push. Nothing here
//! touches the index or the working tree.

mod remote;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid};

pub use remote::{Auth, PushOutcome, Remote};

use crate::error::{Error, Result};

/// A git repository on disk; bare, shallow and detached ones too.
pub struct Repository {
    inner: git2::Repository,
}

/// A commit, by its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: Oid,
    /// The id of its tree.
    pub tree: Oid,
}

/// A regular file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path from the root, with `/` between parts.
    pub path: String,
    id: Oid,
}

/// What is known of a commit for judging whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The commit.
    pub commit: Commit,
    /// Its parents.
    pub parents: Vec<Oid>,
    /// Its message.
    pub message: String,
}

pub(crate) fn failed(what: impl std::fmt::Display, error: git2::Error) -> Error {
    Error::usage(format!("{what}: {}", error.message())).because(error)
}

impl Repository {
    /// Opens the repository that `dir` is in.
    pub fn open(dir: &Path) -> Result<Self> {
        // every object read would be hashed again; git itself trusts its packs
        git2::opts::strict_hash_verification(false);
        let inner = git2::Repository::discover(dir).map_err(|error| {
            let failure = failed(format!("cannot open a git repository at {}", dir.display()), error);
            failure.hint("run this in a clone of the repository, or name one with -C DIR")
        })?;
        Ok(Repository { inner })
    }

    /// The root of the working tree, if there is one.
    pub fn workdir(&self) -> Option<PathBuf> {
        self.inner.workdir().map(Path::to_owned)
    }

    /// The commit that the reference called `name` points at.
    pub fn tip(&self, name: &str) -> Result<Option<Commit>> {
        match self.inner.find_reference(name).and_then(|reference| reference.peel_to_commit()) {
            Ok(commit) => Ok(Some(Commit { id: commit.id(), tree: commit.tree_id() })),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(format!("cannot read {name}"), error)),
        }
    }

    /// The newest known commit of the base branch `branch`: of `remote`, else the local one.
    pub fn base(&self, remote: Option<&Remote>, branch: &str) -> Result<Commit> {
        let tracked = remote.map(|remote| remote.tracking(branch));
        let local = format!("refs/heads/{branch}");
        for name in tracked.iter().chain([&local]) {
            if let Some(commit) = self.tip(name)? {
                return Ok(commit);
            }
        }
        let error = Error::usage(format!("there is no base branch `{branch}` here"));
        Err(match self.inner.is_empty() {
            Ok(true) => error.hint("the repository has no commit yet; make one, or clone the project"),
            _ => error.hint("name the base branch with `base:` in release.yaml, or fetch it"),
        })
    }

    /// Regular files of the tree of `commit`, by path. Symlinks and submodules are left out.
    pub fn files(&self, commit: Commit) -> Result<Vec<File>> {
        let tree = self.inner.find_tree(commit.tree).map_err(|error| failed("cannot read the base tree", error))?;
        let mut files = Vec::new();
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |dir, entry| {
            if entry.kind() == Some(ObjectType::Blob) && entry.filemode() != 0o120000 {
                let path = format!("{dir}{}", String::from_utf8_lossy(entry.name_bytes()));
                files.push(File { path, id: entry.id() });
            }
            git2::TreeWalkResult::Ok
        });
        walked.map_err(|error| failed("cannot read the base tree", error))?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The content of the file at `path` of `commit`; `None` if there is no regular file.
    pub fn read(&self, commit: Commit, path: &str) -> Result<Option<Vec<u8>>> {
        let tree = self.inner.find_tree(commit.tree).map_err(|error| failed("cannot read the base tree", error))?;
        match tree.get_path(Path::new(path)) {
            Ok(entry) if entry.kind() == Some(ObjectType::Blob) && entry.filemode() != 0o120000 => {
                let blob = self.inner.find_blob(entry.id());
                let blob = blob.map_err(|error| failed(format!("cannot read {path}"), error).hint(MISSING_BLOB))?;
                Ok(Some(blob.content().to_owned()))
            }
            Ok(_) => Ok(None),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(format!("cannot read {path}"), error)),
        }
    }

    /// Calls `visit` with each of `files` and its content, on as many threads as there are processors. At most one content
    /// a thread is in memory. Results come in the order of `files`; `None` is a blob that is not here (a partial clone).
    pub fn scan<T: Send>(&self, files: &[File], visit: impl Fn(&File, &[u8]) -> T + Sync) -> Result<Vec<Option<T>>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = files.len().div_ceil(threads).max(1);
        let path = self.inner.path();
        let visit = &visit;
        let scanned = std::thread::scope(|scope| {
            let workers: Vec<_> =
                files.chunks(share).map(|chunk| scope.spawn(move || scan_chunk(path, chunk, visit))).collect();
            workers.into_iter().map(|worker| worker.join()).collect::<Vec<_>>()
        });
        let mut results = Vec::with_capacity(files.len());
        for chunk in scanned {
            match chunk {
                Ok(chunk) => results.extend(chunk?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(results)
    }

    /// Writes a commit on `base` in which each of `changes` has the given content and everything else, modes included, is
    /// as it was. No reference moves. In `message`, `{tree}` stands for the id of the new tree.
    pub fn commit(&self, base: Commit, changes: &BTreeMap<String, Vec<u8>>, message: &str) -> Result<Commit> {
        let write = || -> Result<Commit, git2::Error> {
            let tree = self.inner.find_tree(base.tree)?;
            let mut update = git2::build::TreeUpdateBuilder::new();
            for (path, content) in changes {
                let mode = tree.get_path(Path::new(path))?.filemode();
                let mode = if mode == 0o100755 { git2::FileMode::BlobExecutable } else { git2::FileMode::Blob };
                update.upsert(path.as_str(), self.inner.blob(content)?, mode);
            }
            let tree = self.inner.find_tree(update.create_updated(&self.inner, &tree)?)?;
            let bot = || git2::Signature::now("gs-release", "gs-release@users.noreply.github.com");
            let signature = self.inner.signature().or_else(|_| bot())?;
            let parent = self.inner.find_commit(base.id)?;
            let message = message.replace("{tree}", &tree.id().to_string());
            let id = self.inner.commit(None, &signature, &signature, &message, &tree, &[&parent])?;
            Ok(Commit { id, tree: tree.id() })
        };
        write().map_err(|error| failed("cannot write the commit", error))
    }

    /// Commits that `tip` has and `base` has not, newest first.
    pub fn history(&self, base: Oid, tip: Oid) -> Result<Vec<History>> {
        let read = || -> Result<Vec<History>, git2::Error> {
            let mut walk = self.inner.revwalk()?;
            walk.push(tip)?;
            walk.hide(base)?;
            walk.map(|id| {
                let commit = self.inner.find_commit(id?)?;
                Ok(History {
                    commit: Commit { id: commit.id(), tree: commit.tree_id() },
                    parents: commit.parent_ids().collect(),
                    message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
                })
            })
            .collect()
        };
        read().map_err(|error| {
            failed("cannot read the branch's history", error).hint("`git fetch --unshallow` completes it")
        })
    }

    /// Moves the local branch `branch` from `expected` to `commit`, or makes it. A branch that is checked out is refused.
    pub fn set_branch(&self, branch: &str, commit: Commit, expected: Option<Commit>) -> Result<()> {
        let name = format!("refs/heads/{branch}");
        let checked_out = self
            .inner
            .find_branch(branch, git2::BranchType::Local)
            .is_ok_and(|b| b.is_head() || self.worktree_heads().any(|head| head == name));
        if checked_out {
            return Err(Error::refused(format!("branch {branch} is checked out"))
                .hint("switch to another branch, then run the command again"));
        }
        let moved = match expected {
            Some(old) => self.inner.reference_matching(&name, commit.id, true, old.id, "gs-release bump"),
            None => self.inner.reference(&name, commit.id, false, "gs-release bump"),
        };
        moved.map(drop).map_err(|error| failed(format!("cannot move branch {branch}"), error))
    }

    fn worktree_heads(&self) -> impl Iterator<Item = String> {
        let names = self.inner.worktrees().ok();
        let names: Vec<String> = names.iter().flat_map(|n| n.iter().flatten().flatten()).map(str::to_owned).collect();
        let root = self.inner.commondir().join("worktrees");
        names.into_iter().filter_map(move |name| {
            let head = std::fs::read_to_string(root.join(name).join("HEAD")).ok()?;
            head.trim().strip_prefix("ref: ").map(str::to_owned)
        })
    }
}

/// What to do about a blob that a partial clone left out.
pub const MISSING_BLOB: &str =
    "a partial clone lacks this file's content; run `git checkout` of the base branch, or clone without --filter";

fn scan_chunk<T>(path: &Path, files: &[File], visit: impl Fn(&File, &[u8]) -> T) -> Result<Vec<Option<T>>> {
    let repository = git2::Repository::open(path).map_err(|error| failed("cannot open the repository", error))?;
    let database = repository.odb().map_err(|error| failed("cannot open the object database", error))?;
    let read = |file: &File| match database.read(file.id) {
        Ok(object) => ControlFlow::Continue(Some(visit(file, object.data()))),
        Err(error) if error.code() == ErrorCode::NotFound => ControlFlow::Continue(None),
        Err(error) => ControlFlow::Break(failed(format!("cannot read {}", file.path), error)),
    };
    let mut results = Vec::with_capacity(files.len());
    for file in files {
        match read(file) {
            ControlFlow::Continue(result) => results.push(result),
            ControlFlow::Break(error) => return Err(error),
        }
    }
    Ok(results)
}
