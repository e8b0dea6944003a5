//! What upstream has released, as far as a bump asks: whether a version exists, the newest that will do, and what is new.

use jiff::Timestamp;

use super::policy::{Candidate, PassedOver, by_number, judge};
use crate::config::{Component, UpdatePolicy, Upstream};
use crate::error::{Error, Result};
use crate::github::{self, GitHub, UpstreamVersion};
use crate::pypi::{Configured, Project};
use crate::version::{Requirement, Version};

/// What the pull request quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quoted {
    /// The page that compares the two versions.
    pub compare: Option<String>,
    /// Release notes of all versions on the way, newest first, harmless to quote.
    pub notes: String,
}

/// Who is asked.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// For releases and tags.
    pub github: &'a GitHub,
    /// For Python packages.
    pub index: &'a Configured,
}

/// The newest release that satisfies `requirement` and the component's update policy, and which newer ones were passed over.
///
/// # Errors
/// Usage for a component without upstream; refused where nothing will do; remote.
pub async fn newest(
    sources: Sources<'_>,
    component: &Component,
    requirement: &Requirement,
    now: Timestamp,
) -> Result<(Version, Vec<PassedOver>)> {
    let upstream = upstream(component)?;
    let found = sources.list(component, None).await?;
    let newest = found.versions.first().map(|found| found.version.clone());
    let candidates = found.candidates(&component.update, now, |version| requirement.matches(version)).await?;
    let mut passed_over = Vec::new();
    for candidate in candidates {
        match judge(&candidate, &component.update, now) {
            Some(why) => passed_over.push(PassedOver { version: candidate.version, why }),
            None => return Ok((candidate.version, passed_over)),
        }
    }
    let error = Error::refused(format!("no release of {upstream} satisfies `{requirement}`"));
    Err(match (passed_over.is_empty(), newest) {
        (false, _) => passed_over.iter().take(3).map(ToString::to_string).fold(error, Error::hint),
        (true, Some(newest)) => error.hint(format!("the newest is {newest}")),
        (true, None) => error.hint(format!("no version of {upstream} is written as `{}`", component.tag.pattern())),
    })
}

/// The releases after `current`, the newest first, as far as they can matter: those after the first that the update policy
/// takes are left out. On a quiet day that is one request.
///
/// # Errors
/// Usage for a component without upstream; remote.
pub async fn newer(
    sources: Sources<'_>,
    component: &Component,
    current: &Version,
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    let found = sources.list(component, Some(current)).await?;
    found.candidates(&component.update, now, |version| version > current).await
}

/// Makes sure that upstream has released `version`.
///
/// # Errors
/// Refused if it has neither a release nor a tag of it, or a package is missing; remote.
pub async fn require(sources: Sources<'_>, component: &Component, version: &Version) -> Result<()> {
    let Upstream { github, pypi } = upstream(component)?;
    let missing = |what: String| {
        Error::refused(format!("{} {version} does not exist: {what}", component.name))
            .hint("wait until it is released, or name another version; --force goes on without")
    };
    if let Some(name) = github
        && sources.github.repository(name).find_release(version, &component.tag).await?.is_none()
    {
        let tag = component.tag.render(version);
        return Err(missing(format!("{name} has neither a release nor a tag {tag}")));
    }
    let mut projects = Projects::new(sources.index, pypi);
    match &*projects.lacking(version).await? {
        [] => Ok(()),
        lacking => Err(missing(format!("the package index has no files of it for {}", lacking.join(", ")))),
    }
}

/// What a pull request from `from` to `to` quotes of upstream.
///
/// # Errors
/// Remote.
pub async fn quote(github: &GitHub, component: &Component, from: &Version, to: &Version) -> Result<String> {
    let Some(name) = component.upstream.as_ref().and_then(|upstream| upstream.github.as_ref()) else {
        return Ok(String::new());
    };
    let versions = github.repository(name).list_newer(&component.tag, from).await?;
    Ok(github::defused(&github::between(&versions, from, to)))
}

fn upstream(component: &Component) -> Result<&Upstream> {
    component.upstream.as_ref().ok_or_else(|| {
        Error::usage(format!("component `{}` has no `upstream:` to look for versions in", component.name))
            .hint("name an exact version, or add `upstream: { github: owner/name }` to release.yaml")
    })
}

/// What was listed upstream of one component.
struct Listed<'a> {
    /// The newest first.
    versions: Vec<UpstreamVersion>,
    repository: Option<github::Repository>,
    projects: Projects<'a>,
}

impl<'a> Sources<'a> {
    /// Every version, or those after `than`. Where only packages are named, those of the first.
    async fn list(&self, component: &'a Component, than: Option<&Version>) -> Result<Listed<'a>> {
        let Upstream { github, pypi } = upstream(component)?;
        let repository = github.as_ref().map(|name| self.github.repository(name));
        let mut projects = Projects::new(self.index, pypi);
        let versions = match (&repository, than) {
            (Some(repository), Some(than)) => repository.list_newer(&component.tag, than).await?,
            (Some(repository), None) => repository.list_versions(&component.tag).await?,
            (None, _) => projects.versions().await?,
        };
        Ok(Listed { versions, repository, projects })
    }
}

impl Listed<'_> {
    /// What the policy asks about those that are `wanted`, down to the first that it takes.
    async fn candidates(
        mut self,
        policy: &UpdatePolicy,
        now: Timestamp,
        wanted: impl Fn(&Version) -> bool,
    ) -> Result<Vec<Candidate>> {
        let mut found = Vec::new();
        for upstream in self.versions.iter().filter(|upstream| wanted(&upstream.version)) {
            let (version, prerelease) = (upstream.version.clone(), upstream.prerelease);
            let mut candidate = Candidate { version, prerelease, released: None, lacking: Vec::new() };
            // whatever the number rules out is not asked about
            if by_number(&candidate.version, prerelease, policy).is_none() {
                candidate.lacking = self.projects.lacking(&candidate.version).await?;
                candidate.released = match &self.repository {
                    _ if policy.minimum_age.is_zero() => None,
                    Some(repository) => repository.release_date(upstream).await?,
                    None => self.projects.released(&candidate.version),
                };
            }
            let taken = judge(&candidate, policy, now).is_none();
            found.push(candidate);
            if taken {
                break;
            }
        }
        Ok(found)
    }
}

/// The Python packages of a component, each asked for once, and only when it comes to that.
struct Projects<'a> {
    index: &'a Configured,
    names: &'a [String],
    found: Vec<Project>,
}

impl<'a> Projects<'a> {
    fn new(index: &'a Configured, names: &'a [String]) -> Self {
        Projects { index, names, found: Vec::new() }
    }

    async fn load(&mut self) -> Result<()> {
        while let Some(name) = self.names.get(self.found.len()) {
            let index = self.index.index().await?;
            let project = index.project(name).await?.ok_or_else(|| {
                Error::usage(format!("{index} has no project `{name}`"))
                    .hint("mend `pypi:` in release.yaml, or set PIP_INDEX_URL to the index that has it")
            })?;
            self.found.push(project);
        }
        Ok(())
    }

    /// Those that have no file of `version`.
    async fn lacking(&mut self, version: &Version) -> Result<Vec<String>> {
        self.load().await?;
        let lacking = self.names.iter().zip(&self.found).filter(|(_, project)| !project.has(version));
        Ok(lacking.map(|(name, _)| name.clone()).collect())
    }

    /// When the last of them came.
    fn released(&self, version: &Version) -> Option<Timestamp> {
        self.found.iter().filter_map(|project| project.released(version)).max()
    }

    /// The versions of the first, the newest first.
    async fn versions(&mut self) -> Result<Vec<UpstreamVersion>> {
        self.load().await?;
        let versions = self.found.first().map(Project::versions).unwrap_or_default();
        let as_found = |version: Version| {
            let (tag, prerelease) = (version.to_string(), version.is_prerelease());
            UpstreamVersion { version, tag, published_at: None, prerelease, notes: None, url: None }
        };
        Ok(versions.into_iter().map(as_found).collect())
    }
}
