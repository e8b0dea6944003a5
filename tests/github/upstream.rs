//! What another project has released.

use gs_release::config::TagTemplate;
use gs_release::github::Repository;

use crate::fake::{FakeGitHub, Release, Token};
use crate::{TOKEN, assert_told, connect, name, settings, token};

const UPSTREAM: &str = "v6d-io/v6d";

fn template() -> TagTemplate {
    TagTemplate { prefix: "v".into(), suffix: String::new() }
}

fn release(tag: &str) -> Release {
    let published_at = "2025-05-20T10:00:00Z".into();
    Release { tag: tag.into(), body: format!("Notes of {tag}"), published_at, ..Release::default() }
}

fn upstream(releases: &[Release], tags: &[&str]) -> FakeGitHub {
    let fake = FakeGitHub::start();
    fake.add_repository(UPSTREAM);
    fake.state().repo_mut(UPSTREAM).releases = releases.to_vec();
    for tag in releases.iter().map(|release| release.tag.as_str()).chain(tags.iter().copied()) {
        fake.tag(UPSTREAM, tag);
    }
    fake
}

/// Without a token: what is public needs none.
async fn look(fake: &FakeGitHub) -> Repository {
    connect(fake, None).await.repository(&name(UPSTREAM))
}

#[tokio::test]
async fn versions_come_from_releases_and_from_tags_where_a_release_is_missing() {
    let releases = [
        Release { prerelease: true, ..release("v0.25.0") },
        release("v0.24.4"),
        release("v0.24.2"),
        Release { draft: true, ..release("v0.30.0") },
    ];
    let fake = upstream(&releases[..3], &["v0.24.3", "v0.26.0-rc.1", "v0.1", "latest", "0.99.0", "v0.6.0a20240101"]);
    fake.state().repo_mut(UPSTREAM).releases = releases.to_vec();
    // Whoever may push sees drafts, too.
    fake.add_token(TOKEN, Token::classic("octocat", &["repo"]));
    let upstream = connect(&fake, token(TOKEN)).await.repository(&name(UPSTREAM));
    let versions = upstream.list_versions(&template()).await.unwrap();
    let told: Vec<(String, bool, bool)> =
        versions.iter().map(|v| (v.version.to_string(), v.prerelease, v.published_at.is_some())).collect();
    let expected = [
        ("0.26.0-rc.1", true, false),
        ("0.25.0", true, true),
        ("0.24.4", false, true),
        ("0.24.3", false, false),
        ("0.24.2", false, true),
    ];
    assert_eq!(told, expected.map(|(version, prerelease, dated)| (version.to_owned(), prerelease, dated)));
    assert_eq!(versions[2].notes.as_deref(), Some("Notes of v0.24.4"));
    assert_eq!(versions[2].url.as_deref(), Some("https://github.com/v6d-io/v6d/releases/tag/v0.24.4"));
}

#[tokio::test]
async fn a_version_is_found_by_its_release_or_else_its_tag_or_not_at_all() {
    let fake = upstream(&[release("v0.24.4")], &["v0.24.3"]);
    let upstream = look(&fake).await;
    let find = async |version: &str| upstream.find_release(&version.parse().unwrap(), &template()).await.unwrap();
    assert_eq!(find("0.24.4").await.unwrap().notes.as_deref(), Some("Notes of v0.24.4"));
    let tagged = find("0.24.3").await.unwrap();
    assert_eq!((tagged.tag.as_str(), tagged.published_at), ("v0.24.3", None));
    assert_eq!(find("0.24.9").await, None);
}

#[tokio::test]
async fn the_age_of_a_mere_tag_is_that_of_its_commit() {
    let fake = upstream(&[release("v0.24.4")], &["v0.24.3"]);
    let upstream = look(&fake).await;
    let versions = upstream.list_versions(&template()).await.unwrap();
    let dates = [
        upstream.release_date(&versions[0]).await.unwrap().unwrap().to_string(),
        upstream.release_date(&versions[1]).await.unwrap().unwrap().to_string(),
    ];
    assert_eq!(dates, ["2025-05-20T10:00:00Z", "2025-05-20T10:00:00Z"]);
    assert!(fake.calls().iter().any(|call| call.ends_with("/commits/tags/v0.24.3")), "{:?}", fake.calls());
}

#[tokio::test]
async fn a_repository_that_cannot_be_seen_is_not_one_without_the_version() {
    let fake = upstream(&[], &[]);
    fake.state().repo_mut(UPSTREAM).private = true;
    let error = look(&fake).await.find_release(&"0.24.4".parse().unwrap(), &template()).await.unwrap_err();
    assert_told(&error, &["look at v6d-io/v6d", "404", "check the name"]);
}

#[tokio::test]
async fn lists_are_read_to_their_last_page() {
    let tags: Vec<String> = (0..250).map(|patch| format!("v0.24.{patch}")).collect();
    let fake = upstream(&[], &tags.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(look(&fake).await.list_versions(&template()).await.unwrap().len(), 250);
    assert_eq!(fake.calls().iter().filter(|call| call.ends_with("/tags")).count(), 3);
}

#[tokio::test]
async fn newer_versions_are_releases_or_tags_where_nothing_is_released() {
    let newer = async |fake: &FakeGitHub, than: &str| {
        let found = look(fake).await.list_newer(&template(), &than.parse().unwrap()).await.unwrap();
        found.into_iter().map(|found| found.tag).collect::<Vec<_>>()
    };
    let released = upstream(&[release("v0.24.4"), release("latest"), release("v0.24.3")], &["v0.24.5"]);
    assert_eq!(newer(&released, "0.24.2").await, ["v0.24.4", "v0.24.3"], "a tag is not out before its release");
    assert_eq!(newer(&released, "0.24.4").await, [""; 0]);
    let tagged = upstream(&[release("latest")], &["v0.24.5", "v0.24.10", "v0.1"]);
    assert_eq!(newer(&tagged, "0.24.4").await, ["v0.24.10", "v0.24.5"]);
}

#[test]
fn two_tags_are_compared_on_the_page_of_the_server() {
    let fake = FakeGitHub::start();
    let url = settings(&fake, None).compare_url(&name(UPSTREAM), "v0.24.1", "v0.24.2");
    assert_eq!(url, format!("{}/v6d-io/v6d/compare/v0.24.1...v0.24.2", fake.server_url()));
}
