//! Branches and commits through the REST API, for commits that GitHub signs itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Repository;
use super::call::{Call, encode};
use crate::error::{Error, Result};

/// One file of a commit, as it shall be.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// Path from the root, `/` between parts.
    pub path: String,
    /// Git's mode: `100644`, `100755`, `120000`.
    pub mode: u32,
    /// The whole content.
    pub content: Vec<u8>,
}

/// A commit to write on GitHub, and the tree that must come out.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// Its message, trailers included.
    pub message: String,
    /// Id of its only parent.
    pub parent: String,
    /// Id of the parent's tree.
    pub parent_tree: String,
    /// What differs from it.
    pub files: Vec<FileChange>,
    /// Id of the tree as it was computed here.
    pub tree: String,
}

/// A commit that GitHub has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its id.
    pub sha: String,
    /// GitHub has signed it, as it does for Apps and `GITHUB_TOKEN`, not for people's tokens.
    pub verified: bool,
}

/// What came of moving a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchMove {
    /// It points at the commit now.
    Done,
    /// It was not where it was expected to be; nothing was written. Where it is instead: `None` is nowhere.
    Lost(Option<String>),
}

#[derive(Deserialize)]
struct Comparison {
    status: String,
}

#[derive(Deserialize)]
struct Sha {
    sha: String,
}

#[derive(Deserialize)]
struct RawCommit {
    sha: String,
    tree: Sha,
    verification: Option<Verification>,
}

#[derive(Deserialize)]
struct Verification {
    verified: bool,
}

#[derive(Deserialize)]
struct Described {
    commit: Message,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

#[derive(Deserialize)]
struct Reference {
    object: Sha,
}

impl Repository {
    /// Id of the commit that `branch` points at; `None`: there is no such branch.
    ///
    /// # Errors
    /// Remote.
    pub async fn branch(&self, branch: &str) -> Result<Option<String>> {
        let what = format!("look for branch {branch} of {}", self.name);
        let call = Call::get(what, self.at(&format!("git/ref/heads/{}", encode(branch))));
        let found: Option<Reference> = self.client.find(&call).await?;
        Ok(found.map(|reference| reference.object.sha))
    }

    /// Whether `commit` is part of `branch`: its head or an ancestor of it. Not, where GitHub has no such commit or branch.
    ///
    /// # Errors
    /// Remote.
    pub async fn is_on_branch(&self, commit: &str, branch: &str) -> Result<bool> {
        let what = format!("compare {branch} of {} with {commit}", self.name);
        let call = Call::get(what, self.at(&format!("compare/{}...{commit}", encode(branch)))).query("per_page", "1");
        let found: Option<Comparison> = self.client.find(&call).await?;
        Ok(found.is_some_and(|found| matches!(found.status.as_str(), "identical" | "behind")))
    }

    /// The message of `commit`; `None`: GitHub does not have it. The commits of a pull request are there when its branch or fork is
    /// not any longer.
    ///
    /// # Errors
    /// Remote.
    pub async fn message_of(&self, commit: &str) -> Result<Option<String>> {
        let call =
            Call::get(format!("look at commit {commit} of {}", self.name), self.at(&format!("commits/{commit}")));
        match self.client.find::<Described>(&call).await {
            Ok(found) => Ok(found.map(|found| found.commit.message)),
            // what is no commit, or none that it knows
            Err(failure) if failure.status() == Some(422) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The commit that the tag `tag` stands for; `None`: there is no such tag.
    ///
    /// # Errors
    /// Remote.
    pub async fn tagged(&self, tag: &str) -> Result<Option<String>> {
        let what = format!("look for tag {tag} of {}", self.name);
        let call = Call::get(&what, self.at(&format!("git/ref/tags/{}", encode(tag))));
        if self.client.find::<serde::de::IgnoredAny>(&call).await?.is_none() {
            return Ok(None);
        }
        // an annotated tag is an object of its own: the commit behind it is asked for by the tag's name
        let call = Call::get(what, self.at(&format!("commits/{}", encode(&format!("tags/{tag}")))));
        let commit: Sha = self.client.read(&call).await?;
        Ok(Some(commit.sha))
    }

    /// Makes the tag `tag` on `commit`. False: there is one already.
    ///
    /// # Errors
    /// Remote.
    pub async fn make_tag(&self, tag: &str, commit: &str) -> Result<bool> {
        let body = json!({ "ref": format!("refs/tags/{tag}"), "sha": commit });
        let call = Call::post(format!("make tag {tag} of {}", self.name), self.at("git/refs"), body).repeatable();
        match self.client.send(&call).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.says_it_exists() => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Writes a commit without moving any branch. It names no author: only then GitHub signs it. Its parent must be on
    /// GitHub already.
    ///
    /// # Errors
    /// Remote; also if GitHub's tree is not the one computed here.
    pub async fn write_commit(&self, commit: &NewCommit) -> Result<Written> {
        let mut entries = Vec::with_capacity(commit.files.len());
        for file in &commit.files {
            entries.push(self.tree_entry(file).await?);
        }
        let what = format!("write a tree to {}", self.name);
        let body = json!({ "base_tree": commit.parent_tree, "tree": entries });
        // Trees and blobs are named by their content: writing one twice is writing it once.
        let tree: Sha = self.client.read(&Call::post(what, self.at("git/trees"), body).repeatable()).await?;
        if tree.sha != commit.tree {
            return Err(Error::remote(format!(
                "cannot write the commit to {}: GitHub made tree {} of it instead of {}",
                self.name, tree.sha, commit.tree
            ))
            .hint("set `commit-via: git` under `pull-request:` in release.yaml"));
        }
        let what = format!("write a commit to {}", self.name);
        let body = json!({ "message": commit.message, "tree": tree.sha, "parents": [commit.parent] });
        // A commit written twice differs in its time, but the one that nothing points at does no harm.
        let call = Call::post(what, self.at("git/commits"), body).repeatable();
        let written: RawCommit = self.client.read(&call).await?;
        if written.tree.sha != commit.tree {
            let message = format!("cannot write the commit to {}: GitHub's commit has another tree", self.name);
            return Err(Error::remote(message));
        }
        Ok(Written { sha: written.sha, verified: written.verification.is_some_and(|v| v.verified) })
    }

    async fn tree_entry(&self, file: &FileChange) -> Result<Value> {
        let mut entry = json!({ "path": file.path, "mode": format!("{:06o}", file.mode), "type": "blob" });
        match plain_text(&file.content) {
            Some(text) => entry["content"] = text.into(),
            None => {
                let what = format!("write {} to {}", file.path, self.name);
                let body = json!({ "content": BASE64.encode(&file.content), "encoding": "base64" });
                let blob: Sha = self.client.read(&Call::post(what, self.at("git/blobs"), body).repeatable()).await?;
                entry["sha"] = blob.sha.into();
            }
        }
        Ok(entry)
    }

    /// Moves `branch` from `expected` (`None`: it must not exist) to `commit`. With `force` it may leave commits behind.
    ///
    /// REST has no compare-and-swap for a branch: it is looked at just before, and without `force` GitHub itself refuses
    /// what would leave commits behind.
    ///
    /// # Errors
    /// Remote.
    pub async fn move_branch(
        &self,
        branch: &str,
        expected: Option<&str>,
        commit: &str,
        force: bool,
    ) -> Result<BranchMove> {
        let observed = self.branch(branch).await?;
        if observed.as_deref() == Some(commit) {
            return Ok(BranchMove::Done);
        }
        if observed.as_deref() != expected {
            return Ok(BranchMove::Lost(observed));
        }
        let what = format!("move branch {branch} of {}", self.name);
        let call = match expected {
            None => {
                Call::post(what, self.at("git/refs"), json!({ "ref": format!("refs/heads/{branch}"), "sha": commit }))
            }
            Some(_) => {
                let path = self.at(&format!("git/refs/heads/{}", encode(branch)));
                Call::patch(what, path, json!({ "sha": commit, "force": force }))
            }
        };
        let failure = match self.client.send(&call).await {
            Ok(_) => return Ok(BranchMove::Done),
            Err(failure) => failure,
        };
        // Both for a lost reply and for a lost race, the branch itself knows.
        let now = match failure.may_have_taken_effect() || failure.status() == Some(422) {
            true => self.branch(branch).await?,
            false => return Err(failure.into()),
        };
        match now {
            Some(now) if now == commit => Ok(BranchMove::Done),
            now if now.as_deref() != expected => Ok(BranchMove::Lost(now)),
            _ => Err(failure.into()),
        }
    }
}

/// Text that survives a trip through JSON byte for byte beyond doubt; everything else travels as a blob in base64.
fn plain_text(content: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(content).ok()?;
    let plain = |c: char| c == '\n' || c == '\t' || (!c.is_control() && c != '\u{feff}');
    text.chars().all(plain).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_text_travels_in_the_tree_itself() {
        assert_eq!(plain_text("ARG A=é\n".as_bytes()), Some("ARG A=é\n"));
        for other in [&b"a\r\n"[..], b"a\0", b"\xef\xbb\xbfa", b"\xff"] {
            assert_eq!(plain_text(other), None, "{other:?}");
        }
    }
}
