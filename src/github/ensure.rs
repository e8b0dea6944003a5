//! The pull request of one component, brought to what it shall be: looks, compares, writes what differs.
//!
//! Every step may be the last before the process is killed; the next run sees what is there and goes on. Whether there
//! should be a pull request at all is decided elsewhere.

use super::pulls::{Change, NewPullRequest, PullRequest};
use super::triage::{Automerge, missing};
use super::{Marker, Repository, notes};
use crate::error::Result;
use crate::version::Version;

/// What the pull request shall be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where from, where to, and its text; the marker in the body is put in here.
    pub pull_request: NewPullRequest,
    /// Name of the component in `release.yaml`.
    pub component: String,
    /// The version that it brings.
    pub version: Version,
    /// What its text speaks of: the id of the tree at its head. Title and body are written when this changes, and are
    /// people's to edit until it does.
    pub tree: String,
    /// Labels that it has, whatever others people add.
    pub labels: Vec<String>,
    /// Once, when it is set up.
    pub set_up: SetUp,
}

/// What is set once, and left to people from there on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetUp {
    /// Users, and teams written as `org/team`.
    pub reviewers: Vec<String>,
    /// Users.
    pub assignees: Vec<String>,
    /// Title of an open milestone.
    pub milestone: Option<String>,
    /// GitHub shall merge it once its checks pass.
    pub automerge: bool,
}

/// What was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// There was none.
    Created,
    /// Something differed.
    Updated,
    /// Nothing was written.
    Unchanged,
}

/// The pull request as it is now.
#[derive(Debug, Clone)]
pub struct Ensured {
    /// What was done.
    pub action: Action,
    /// The pull request, as GitHub showed it at the last look or write of its own text.
    pub pull_request: PullRequest,
    /// What a person should know: GitHub declined a part, a duplicate was closed.
    pub notes: Vec<String>,
}

/// Whether the text of `pull` speaks of this content already.
pub fn says(pull: &PullRequest, component: &str, version: &Version, tree: &str) -> bool {
    pull.marker().is_some_and(|marker| {
        marker.component == component && marker.version == *version && marker.tree == tree && !marker.superseded
    })
}

/// Whether `pull` has the `labels` and was set up once.
pub fn is_set_up(pull: &PullRequest, labels: &[String]) -> bool {
    pull.marker().is_some_and(|marker| marker.set_up) && missing(labels, &pull.labels).is_empty()
}

/// What to do where GitHub declines automerge with these words.
fn automerge_remedy(why: &str) -> &'static str {
    let why = why.to_lowercase();
    if why.contains("not allowed") {
        " (allow it under Settings > General > Pull Requests)"
    } else if why.contains("clean status") {
        " (nothing is left to wait for: merge it, or require a check with a branch protection rule)"
    } else if why.contains("protected branch rules not configured") {
        " (it waits for what a branch protection rule requires, and there is none)"
    } else {
        ""
    }
}

impl Repository {
    /// Makes one pull request what `wanted` says: `open`, which is there already, or a new one (a closed one is never opened
    /// again). Closes `superseded` with a link.
    ///
    /// # Errors
    /// Remote; usage for a milestone that is not there. What has been done by then stays, and the next run goes on from it.
    pub async fn ensure_pull_request(
        &self,
        wanted: &Wanted,
        open: Option<&PullRequest>,
        superseded: &[PullRequest],
    ) -> Result<Ensured> {
        let mut ensured = match open {
            None => self.create(wanted).await?,
            Some(open) => self.update(wanted, open.clone()).await?,
        };
        for other in superseded {
            self.close_in_favour_of(other, ensured.pull_request.number).await?;
            ensured.wrote(true);
            ensured.notes.push(format!("closed #{} in favour of #{}", other.number, ensured.pull_request.number));
        }
        let number = ensured.pull_request.number;
        let url = ensured.pull_request.url.clone();
        self.complete(wanted, &mut ensured)
            .await
            .map_err(|error| error.hint(format!("pull request #{number} itself is there: {url}")))?;
        Ok(ensured)
    }

    async fn create(&self, wanted: &Wanted) -> Result<Ensured> {
        // Nothing to set up is set up already.
        let marker = wanted.marker(wanted.set_up == SetUp::default());
        let body = marker.put_in(&notes::fitting(&wanted.pull_request.body));
        let opened = self.open_pull_request(&NewPullRequest { body, ..wanted.pull_request.clone() }).await?;
        match opened.created {
            true => Ok(Ensured { action: Action::Created, pull_request: opened.pull_request, notes: Vec::new() }),
            // Somebody was quicker: what it says is for them to say, or for us if it differs.
            false => self.update(wanted, opened.pull_request).await,
        }
    }

    async fn update(&self, wanted: &Wanted, pull: PullRequest) -> Result<Ensured> {
        let base = Some(&*wanted.pull_request.base_branch);
        let updated = match says(&pull, &wanted.component, &wanted.version, &wanted.tree) {
            true => self.update_pull_request(&pull, Change { base, ..Change::default() }).await?,
            false => {
                let marker = wanted.marker(pull.marker().is_some_and(|marker| marker.set_up));
                let body = marker.put_in(&notes::fitting(&wanted.pull_request.body));
                let change =
                    Change { title: Some(&wanted.pull_request.title), body: Some(&body), base, ..Change::default() };
                self.update_pull_request(&pull, change).await?
            }
        };
        let action = if updated.is_some() { Action::Updated } else { Action::Unchanged };
        Ok(Ensured { action, pull_request: updated.unwrap_or(pull), notes: Vec::new() })
    }

    /// Everything beside the text.
    async fn complete(&self, wanted: &Wanted, ensured: &mut Ensured) -> Result<()> {
        let pull = ensured.pull_request.clone();
        let labelled = self.ensure_labels(&pull, &wanted.labels).await?;
        ensured.wrote(labelled);
        if pull.marker().is_some_and(|marker| marker.set_up) {
            return Ok(());
        }
        let SetUp { reviewers, assignees, milestone, automerge } = &wanted.set_up;
        self.request_reviews(&pull, reviewers).await?;
        let passed_over = self.assign(&pull, assignees).await?;
        if !passed_over.is_empty() {
            ensured.notes.push(format!("GitHub did not assign {}, who have no access", passed_over.join(", ")));
        }
        if let Some(title) = milestone {
            self.set_milestone(&pull, title).await?;
        }
        if *automerge && let Automerge::Declined(why) = self.enable_automerge(&pull).await? {
            ensured.notes.push(format!("GitHub declined automerge: {why}{}", automerge_remedy(&why)));
        }
        // Last, so that whoever is killed before it sets up again.
        let body = wanted.marker(true).put_in(&pull.body);
        let change = Change { body: Some(&body), ..Change::default() };
        if let Some(updated) = self.update_pull_request(&pull, change).await? {
            ensured.pull_request = updated;
            ensured.wrote(true);
        }
        Ok(())
    }

    async fn close_in_favour_of(&self, older: &PullRequest, number: u64) -> Result<()> {
        let text = format!("Closed in favour of #{number}, which is the same change.");
        self.comment_once(older.number, &format!("superseded by {number}"), &text).await?;
        // One write: a pull request that is closed without the mark would look turned down by a person.
        let marked = older.marker().map(|marker| Marker { superseded: true, ..marker }.put_in(&older.body));
        let change = Change { body: marked.as_deref(), close: true, ..Change::default() };
        self.update_pull_request(older, change).await?;
        Ok(())
    }
}

impl Wanted {
    fn marker(&self, set_up: bool) -> Marker {
        let (component, version, tree) = (self.component.clone(), self.version.clone(), self.tree.clone());
        Marker { component, version, tree, set_up, superseded: false }
    }
}

impl Ensured {
    fn wrote(&mut self, something: bool) {
        if something && self.action == Action::Unchanged {
            self.action = Action::Updated;
        }
    }
}
