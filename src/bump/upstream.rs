//! What upstream has released, as far as a bump asks: whether a version exists, the newest that will do, and what is new.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Component, RepositoryName};
use crate::error::{Error, Result};
use crate::github::{self, GitHub};
use crate::version::{Requirement, Version};

/// What the pull request quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quoted {
    /// The page that compares the two versions.
    pub compare: Option<String>,
    /// Release notes of all versions on the way, newest first, harmless to quote.
    pub notes: String,
}

/// The newest release that satisfies `requirement` and the component's update policy, and why newer ones were passed over.
///
/// # Errors
/// Usage for a component without upstream; refused where nothing will do; remote.
pub async fn newest(
    github: &GitHub,
    component: &Component,
    requirement: &Requirement,
    now: Timestamp,
) -> Result<(Version, Vec<String>)> {
    let name = upstream(component)?;
    let repository = github.repository(name);
    let policy = &component.update;
    let mut passed_over = Vec::new();
    let versions = repository.list_versions(&component.tag).await?;
    for candidate in versions.iter().filter(|candidate| requirement.matches(&candidate.version)) {
        let version = &candidate.version;
        let mut because = |why: String| passed_over.push(format!("{version} {why}"));
        if candidate.prerelease && !policy.prereleases {
            because("is a pre-release".into());
        } else if policy.ignore.contains(version) {
            because("is ignored by `update.ignore`".into());
        } else if let Some(allow) = policy.allow.as_ref().filter(|allow| !allow.matches(version)) {
            because(format!("is outside `update.allow` ({allow})"));
        } else {
            let age = SignedDuration::try_from(policy.minimum_age).unwrap_or(SignedDuration::MAX);
            let released = match age.is_zero() {
                true => None,
                false => repository.release_date(candidate).await?,
            };
            if released.is_some_and(|released| now.duration_since(released) < age) {
                because("is younger than `update.minimum-age`".into());
                continue;
            }
            return Ok((version.clone(), passed_over));
        }
    }
    let error = Error::refused(format!("no release of {name} satisfies `{requirement}`"));
    Err(match (passed_over.is_empty(), versions.first()) {
        (false, _) => passed_over.into_iter().take(3).fold(error, Error::hint),
        (true, Some(newest)) => error.hint(format!("the newest is {}", newest.version)),
        (true, None) => error.hint(format!("no tag of {name} is written as `{}`", component.tag.pattern())),
    })
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
    let versions = github.repository(name).list_versions(&component.tag).await?;
    Ok(github::defused(&github::between(&versions, from, to)))
}

fn upstream(component: &Component) -> Result<&RepositoryName> {
    component.upstream.as_ref().ok_or_else(|| {
        Error::usage(format!("component `{}` has no `upstream:` to look for versions in", component.name))
            .hint("name an exact version, or add `upstream: { github: owner/name }` to release.yaml")
    })
}
