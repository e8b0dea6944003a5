//! What a repository has released: releases first, tags where a release is missing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::Repository;
use super::call::{Call, encode};
use crate::config::TagTemplate;
use crate::error::Result;
use crate::version::Version;

/// One version that a repository has released, or at least tagged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamVersion {
    /// The version.
    pub version: Version,
    /// The tag, as upstream writes it.
    pub tag: String,
    /// When the release was published; `None` for a tag without a release: see [`Repository::release_date`].
    pub published_at: Option<Timestamp>,
    /// Upstream calls it a pre-release, or its number does.
    pub prerelease: bool,
    /// Upstream's release notes, as written.
    pub notes: Option<String>,
    /// The release's page; `None` for a tag without a release.
    pub url: Option<String>,
}

#[derive(Deserialize)]
struct Release {
    tag_name: String,
    draft: bool,
    prerelease: bool,
    published_at: Option<Timestamp>,
    body: Option<String>,
    html_url: String,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

#[derive(Deserialize)]
struct Commit {
    commit: CommitDetail,
}

#[derive(Deserialize)]
struct CommitDetail {
    committer: Option<Committer>,
}

#[derive(Deserialize)]
struct Committer {
    date: Option<Timestamp>,
}

impl UpstreamVersion {
    fn of_release(release: Release, version: Version) -> Self {
        UpstreamVersion {
            prerelease: release.prerelease || version.is_prerelease(),
            version,
            tag: release.tag_name,
            published_at: release.published_at,
            notes: release.body.filter(|body| !body.trim().is_empty()),
            url: Some(release.html_url),
        }
    }

    fn of_tag(tag: String, version: Version) -> Self {
        let prerelease = version.is_prerelease();
        UpstreamVersion { version, tag, published_at: None, prerelease, notes: None, url: None }
    }
}

impl Repository {
    /// Looks for `version`: its release, or else its tag. `None`: the repository has neither.
    ///
    /// # Errors
    /// Remote, also when the repository itself cannot be seen.
    pub async fn find_release(&self, version: &Version, template: &TagTemplate) -> Result<Option<UpstreamVersion>> {
        let tag = template.render(version);
        let what = format!("look for release {tag} of {}", self.name);
        let release = Call::get(&what, self.at(&format!("releases/tags/{}", encode(&tag))));
        if let Some(release) = self.client.find::<Release>(&release).await? {
            return Ok(Some(UpstreamVersion::of_release(release, version.clone())));
        }
        let reference = Call::get(&what, self.at(&format!("git/ref/tags/{}", encode(&tag))));
        if self.client.find::<serde::de::IgnoredAny>(&reference).await?.is_some() {
            return Ok(Some(UpstreamVersion::of_tag(tag, version.clone())));
        }
        self.ensure_visible().await?;
        Ok(None)
    }

    /// Every version whose tag is written as `template` says, the newest first. Drafts and other tags (`v0.1`,
    /// `v0.6.0-rev1` where it is no version) are passed over.
    ///
    /// # Errors
    /// Remote.
    pub async fn list_versions(&self, template: &TagTemplate) -> Result<Vec<UpstreamVersion>> {
        let what = format!("list the releases of {}", self.name);
        let releases: Vec<Release> = self.client.list(Call::get(&what, self.at("releases"))).await?;
        let tags: Vec<Tag> = self.client.list(Call::get(&what, self.at("tags"))).await?;
        let mut versions = BTreeMap::new();
        for tag in tags {
            if let Some(version) = template.parse(&tag.name) {
                versions.insert(version.clone(), UpstreamVersion::of_tag(tag.name, version));
            }
        }
        for release in releases.into_iter().filter(|release| !release.draft) {
            if let Some(version) = template.parse(&release.tag_name) {
                versions.insert(version.clone(), UpstreamVersion::of_release(release, version));
            }
        }
        Ok(versions.into_values().rev().collect())
    }

    /// The versions after `than`, the newest first. Where upstream makes releases, a tag without one is not out yet; where it
    /// makes none written as `template` says, its tags count.
    ///
    /// GitHub lists the newest releases first, so that the pages end with the first that has an older one: with the first
    /// page, as a rule.
    ///
    /// # Errors
    /// Remote.
    pub async fn list_newer(&self, template: &TagTemplate, than: &Version) -> Result<Vec<UpstreamVersion>> {
        let listed = |release: &Release| if release.draft { None } else { template.parse(&release.tag_name) };
        let reached = |release: &Release| listed(release).is_some_and(|version| version <= *than);
        let call = Call::get(format!("list the releases of {}", self.name), self.at("releases"));
        let releases: Vec<Release> = self.client.list_until(call, reached).await?;
        let found: Vec<UpstreamVersion> = match releases.iter().any(|release| listed(release).is_some()) {
            true => {
                let versions = releases.into_iter().filter_map(|r| Some((listed(&r)?, r)));
                versions.map(|(version, release)| UpstreamVersion::of_release(release, version)).collect()
            }
            false => {
                let call = Call::get(format!("list the tags of {}", self.name), self.at("tags"));
                let tags: Vec<Tag> = self.client.list(call).await?;
                let versions = tags.into_iter().filter_map(|tag| Some((template.parse(&tag.name)?, tag.name)));
                versions.map(|(version, tag)| UpstreamVersion::of_tag(tag, version)).collect()
            }
        };
        let mut newer: Vec<UpstreamVersion> = found.into_iter().filter(|found| found.version > *than).collect();
        newer.sort_by(|a, b| b.version.cmp(&a.version));
        Ok(newer)
    }

    /// Since when `version` is out: its release's date, else that of the commit its tag points at.
    ///
    /// # Errors
    /// Remote.
    pub async fn release_date(&self, version: &UpstreamVersion) -> Result<Option<Timestamp>> {
        if version.published_at.is_some() {
            return Ok(version.published_at);
        }
        let what = format!("date tag {} of {}", version.tag, self.name);
        let call = Call::get(what, self.at(&format!("commits/{}", encode(&format!("tags/{}", version.tag)))));
        let commit: Option<Commit> = self.client.find(&call).await?;
        Ok(commit.and_then(|c| c.commit.committer?.date))
    }
}
