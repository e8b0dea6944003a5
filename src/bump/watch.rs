//! One look at one component: what upstream has, what has become of its pull requests, and what to do. Reads only.

use jiff::Timestamp;

use super::policy::{Decision, Facts, PassedOver, Proposed, decide, judge};
use super::proposed::{pulls_of, turned_down, version_of};
use super::upstream::{self, Sources};
use crate::config::{Component, Config};
use crate::error::Result;
use crate::github::{self, PullRequest, State};
use crate::version::Version;

/// What a look at one component says.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What to do, and why.
    pub decision: Decision,
    /// Newer versions that were passed over, the newest first.
    pub passed_over: Vec<PassedOver>,
    /// Its pull requests, where they matter for the decision.
    pub pulls: Option<Vec<PullRequest>>,
}

/// Looks at `component`, whose version on the base branch is `current`. `home` has the pull requests.
///
/// Two requests at most as a rule: upstream's releases and, where one of them could be taken, the pull requests. Where a newer
/// version could be taken, the package index is asked, once a project.
///
/// # Errors
/// Remote.
pub async fn look(
    sources: Sources<'_>,
    home: &github::Repository,
    config: &Config,
    component: &Component,
    current: &Version,
    now: Timestamp,
) -> Result<Seen> {
    let policy = &component.update;
    let has_upstream = component.upstream.is_some();
    let candidates = match has_upstream && !policy.hold {
        true => upstream::newer(sources, component, current, now).await?,
        false => Vec::new(),
    };
    let pulls = match candidates.iter().any(|candidate| judge(candidate, policy, now).is_none()) {
        true => Some(pulls_of(home, config.pull_request.push_to.as_ref(), &component.name).await?),
        false => None,
    };
    let proposed = proposed(pulls.as_deref().unwrap_or_default(), &component.name);
    let facts = Facts { current, has_upstream, policy, candidates: &candidates, proposed: &proposed, now };
    let (decision, passed_over) = decide(&facts);
    Ok(Seen { decision, passed_over, pulls })
}

/// Those of `pulls` that matter for the decision.
fn proposed(pulls: &[PullRequest], component: &str) -> Vec<Proposed> {
    let of = |pull: &PullRequest| {
        let version = version_of(pull, component)?;
        let turned_down = turned_down(pulls, component, &version).is_some_and(|newest| newest.number == pull.number);
        let matters = turned_down || pull.state == State::Open;
        matters.then_some(Proposed { number: pull.number, version, turned_down })
    };
    pulls.iter().filter_map(of).collect()
}
