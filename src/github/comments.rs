//! Comments on pull requests: what is said once, and what is kept up to date. A hidden mark tells whether it is there.

use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::pulls::same_text;
use super::{Repository, retry};
use crate::error::{Error, Result};

/// How often commenting is tried against lost replies and lost races.
const ROUNDS: u32 = 5;

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
}

impl Comment {
    fn has(&self, mark: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.contains(mark))
    }
}

impl Repository {
    /// Says something on a pull request, once: `key` names what is said, in a hidden comment, and a key that is there is
    /// not said again. Returns whether something was written.
    ///
    /// # Errors
    /// Remote.
    pub async fn comment_once(&self, number: u64, key: &str, text: &str) -> Result<bool> {
        let mark = mark(key);
        let path = self.at(&format!("issues/{number}/comments"));
        let look = Call::get(format!("read the comments of {}#{number}", self.name), &*path);
        let what = format!("comment on {}#{number}", self.name);
        let say = Call::post(what, &*path, json!({ "body": format!("{text}\n\n{mark}\n") }));
        let mut round = 1;
        loop {
            let comments: Vec<Comment> = self.client.list(look.clone()).await?;
            if comments.iter().any(|comment| comment.has(&mark)) {
                // From the second round on it is our own, whose reply was lost.
                return Ok(round > 1);
            }
            match self.client.send(&say).await {
                Ok(_) => return Ok(true),
                Err(failure) if failure.may_have_taken_effect() && round < ROUNDS => {
                    tokio::time::sleep(retry::backoff(round, self.client.limits().pause)).await;
                    round += 1;
                }
                Err(failure) => return Err(Error::from(failure)),
            }
        }
    }

    /// The text of the comment that is kept under `key`.
    ///
    /// # Errors
    /// Remote.
    pub async fn kept_comment(&self, number: u64, key: &str) -> Result<Option<String>> {
        let path = self.at(&format!("issues/{number}/comments"));
        let look = Call::get(format!("read the comments of {}#{number}", self.name), path);
        let comments: Vec<Comment> = self.client.list(look).await?;
        let mark = mark(key);
        Ok(comments.into_iter().find(|comment| comment.has(&mark)).and_then(|comment| comment.body))
    }

    /// Keeps one comment on a pull request that says `text`: writes it, or edits the one that has `key`. Of those that two
    /// have written at once the oldest stays. Returns whether something was written.
    ///
    /// # Errors
    /// Remote.
    pub async fn keep_comment(&self, number: u64, key: &str, text: &str) -> Result<bool> {
        let mark = mark(key);
        let body = format!("{text}\n\n{mark}\n");
        let path = self.at(&format!("issues/{number}/comments"));
        let look = Call::get(format!("read the comments of {}#{number}", self.name), &*path);
        let what = format!("comment on {}#{number}", self.name);
        let (mut wrote, mut maybe_wrote) = (false, false);
        for round in 1..=ROUNDS {
            let mut found: Vec<Comment> = self.client.list(look.clone()).await?;
            found.retain(|comment| comment.has(&mark));
            found.sort_by_key(|comment| comment.id);
            let mut found = found.into_iter();
            if let Some(first) = found.next() {
                let at = |id: u64| self.at(&format!("issues/comments/{id}"));
                if !first.body.is_some_and(|now| same_text(&now, &body)) {
                    self.client.send(&Call::patch(&*what, at(first.id), json!({ "body": body }))).await?;
                    wrote = true;
                }
                for other in found {
                    let gone = Call::delete(format!("delete a second comment on {}#{number}", self.name), at(other.id));
                    // whoever was as quick deletes it too
                    match self.client.send(&gone).await {
                        Err(failure) if failure.status() != Some(404) => return Err(failure.into()),
                        _ => wrote = true,
                    }
                }
                return Ok(wrote || maybe_wrote);
            }
            if wrote {
                // its own is not in the list yet
                return Ok(true);
            }
            match self.client.send(&Call::post(&*what, &*path, json!({ "body": body }))).await {
                // looked at once more: somebody may have been as quick
                Ok(_) => wrote = true,
                Err(failure) if failure.may_have_taken_effect() => {
                    maybe_wrote = true;
                    tokio::time::sleep(retry::backoff(round, self.client.limits().pause)).await;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(Error::remote(format!("cannot {what}: it was tried {ROUNDS} times")))
    }
}

/// The hidden mark of `key`, which cannot end the comment that it stands in.
fn mark(key: &str) -> String {
    format!("<!-- gs-release-comment: {} -->", key.replace(['-', '>'], "_"))
}
