//! What upstream has released, as far as a bump asks: whether a version exists, the newest that will do, and what is new.

use jiff::Timestamp;

use super::policy::{Candidate, PassedOver, by_number, judge};
use crate::config::{Component, RepositoryName, UpdatePolicy};
use crate::error::{Error, Result};
use crate::github::{self, GitHub, UpstreamVersion};
use crate::version::{Requirement, Version};

/// What the pull request quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quoted {
    /// The page that compares the two versions.
    pub compare: Option<String>,
    /// Release notes of all versions on the way, newest first, harmless to quote.
    pub notes: String,
}

/// The newest release that satisfies `requirement` and the component's update policy, and which newer ones were passed over.
///
/// # Errors
/// Usage for a component without upstream; refused where nothing will do; remote.
pub async fn newest(
    github: &GitHub,
    component: &Component,
    requirement: &Requirement,
    now: Timestamp,
) -> Result<(Version, Vec<PassedOver>)> {
    let name = upstream(component)?;
    let repository = github.repository(name);
    let versions = repository.list_versions(&component.tag).await?;
    let matching = versions.iter().filter(|found| requirement.matches(&found.version));
    let candidates = candidates(&repository, matching, &component.update, now).await?;
    let mut passed_over = Vec::new();
    for candidate in candidates {
        match judge(&candidate, &component.update, now) {
            Some(why) => passed_over.push(PassedOver { version: candidate.version, why }),
            None => return Ok((candidate.version, passed_over)),
        }
    }
    let error = Error::refused(format!("no release of {name} satisfies `{requirement}`"));
    Err(match (passed_over.is_empty(), versions.first()) {
        (false, _) => passed_over.iter().take(3).map(ToString::to_string).fold(error, Error::hint),
        (true, Some(newest)) => error.hint(format!("the newest is {}", newest.version)),
        (true, None) => error.hint(format!("no tag of {name} is written as `{}`", component.tag.pattern())),
    })
}

/// The releases after `current`, the newest first, as far as they can matter: those after the first that the update policy
/// takes are left out. On a quiet day that is one request.
///
/// # Errors
/// Usage for a component without upstream; remote.
pub async fn newer(
    github: &GitHub,
    component: &Component,
    current: &Version,
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    let repository = github.repository(upstream(component)?);
    let versions = repository.list_newer(&component.tag, current).await?;
    candidates(&repository, versions.iter(), &component.update, now).await
}

/// What the policy asks about `versions`, down to the first that it takes.
async fn candidates(
    repository: &github::Repository,
    versions: impl Iterator<Item = &UpstreamVersion>,
    policy: &UpdatePolicy,
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    let mut found = Vec::new();
    for upstream in versions {
        let (version, prerelease) = (upstream.version.clone(), upstream.prerelease);
        let asks_for_age = !policy.minimum_age.is_zero() && by_number(&version, prerelease, policy).is_none();
        let released = if asks_for_age { repository.release_date(upstream).await? } else { None };
        let candidate = Candidate { version, prerelease, released };
        let taken = judge(&candidate, policy, now).is_none();
        found.push(candidate);
        if taken {
            break;
        }
    }
    Ok(found)
}

/// Makes sure that upstream has released `version`.
///
/// # Errors
/// Refused if it has neither a release nor a tag of it; remote.
pub async fn require(github: &GitHub, component: &Component, version: &Version) -> Result<()> {
    let name = upstream(component)?;
    if github.repository(name).find_release(version, &component.tag).await?.is_some() {
        return Ok(());
    }
    let tag = component.tag.render(version);
    Err(Error::refused(format!(
        "{} {version} does not exist: {name} has neither a release nor a tag {tag}",
        component.name
    ))
    .hint("wait until it is released, or name another version; --force goes on without"))
}

/// What a pull request from `from` to `to` quotes of upstream.
///
/// # Errors
/// Remote.
pub async fn quote(github: &GitHub, component: &Component, from: &Version, to: &Version) -> Result<String> {
    let Ok(name) = upstream(component) else { return Ok(String::new()) };
    let versions = github.repository(name).list_newer(&component.tag, from).await?;
    Ok(github::defused(&github::between(&versions, from, to)))
}

fn upstream(component: &Component) -> Result<&RepositoryName> {
    component.upstream.as_ref().ok_or_else(|| {
        Error::usage(format!("component `{}` has no `upstream:` to look for versions in", component.name))
            .hint("name an exact version, or add `upstream: { github: owner/name }` to release.yaml")
    })
}
