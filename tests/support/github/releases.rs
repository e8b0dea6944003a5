//! Repositories, their releases, tags and commits: what is only read.

use serde_json::{Value, json};

use super::openapi;
use super::rights;
use super::serve::{Answer, Request};
use super::state::{Release, State};

pub fn repository(state: &mut State, request: &Request) -> Answer {
    let repo = state.repo(&request.repo).unwrap();
    let mut shown = openapi::example(request.operation.name);
    // The example is of a fork, and lacks what the schema demands.
    for part in ["parent", "source", "template_repository"] {
        shown.as_object_mut().unwrap().remove(part);
    }
    shown["language"] = Value::Null;
    shown["id"] = repo.id.into();
    shown["full_name"] = repo.full_name.as_str().into();
    shown["name"] = repo.full_name.split('/').nth(1).into();
    shown["private"] = repo.private.into();
    shown["archived"] = repo.archived.into();
    shown["default_branch"] = "main".into();
    shown["permissions"] = rights::shown(request.token.as_ref());
    shown["allow_merge_commit"] = repo.allows_merge_commits.into();
    shown["allow_squash_merge"] = true.into();
    shown["allow_auto_merge"] = repo.allows_automerge.into();
    Answer::new(200, shown)
}

pub fn list(state: &mut State, request: &Request) -> Answer {
    let releases = state.repo(&request.repo).unwrap().releases.clone();
    // Drafts are shown to whoever may push.
    let visible = releases.iter().filter(|release| !release.draft || request.token.as_ref().is_some_and(|t| t.push));
    let shown = visible.map(|release| show(&request.repo, release)).collect();
    Answer::page(state, request, shown)
}

pub fn by_tag(state: &mut State, request: &Request) -> Answer {
    let tag = request.operation.parameter("tag");
    let found = state.repo(&request.repo).unwrap().releases.iter().find(|r| r.tag == tag && !r.draft);
    found.map_or_else(|| Answer::error(404, "Not Found"), |release| Answer::new(200, show(&request.repo, release)))
}

fn show(repo: &str, release: &Release) -> Value {
    let mut shown = openapi::example("GET /repos/{owner}/{repo}/releases/tags/{tag}");
    shown["tag_name"] = release.tag.as_str().into();
    shown["name"] = release.tag.as_str().into();
    shown["body"] = release.body.as_str().into();
    shown["draft"] = release.draft.into();
    shown["prerelease"] = release.prerelease.into();
    shown["published_at"] = if release.draft { Value::Null } else { release.published_at.as_str().into() };
    shown["html_url"] = format!("https://github.com/{repo}/releases/tag/{}", release.tag).into();
    shown
}

pub fn tags(state: &mut State, request: &Request) -> Answer {
    let git = git2::Repository::open_bare(&state.repo(&request.repo).unwrap().git).unwrap();
    let names = git.tag_names(None).unwrap();
    let shown = names.iter().flatten().flatten().map(|name| {
        let mut tag = openapi::example(request.operation.name);
        tag["name"] = name.into();
        tag["commit"]["sha"] = git.revparse_single(name).unwrap().peel_to_commit().unwrap().id().to_string().into();
        tag
    });
    let shown = shown.collect();
    Answer::page(state, request, shown)
}

pub fn commit(state: &mut State, request: &Request) -> Answer {
    let git = git2::Repository::open_bare(&state.repo(&request.repo).unwrap().git).unwrap();
    let name = request.operation.parameter("ref");
    let Some(commit) = git.revparse_single(name).ok().and_then(|found| found.peel_to_commit().ok()) else {
        return Answer::error(422, &format!("No commit found for SHA: {name}"));
    };
    let mut shown = openapi::example(request.operation.name);
    // The example of a file lacks what the schema demands.
    shown.as_object_mut().unwrap().remove("files");
    shown["sha"] = commit.id().to_string().into();
    let date = jiff::Timestamp::from_second(commit.time().seconds()).unwrap().to_string();
    shown["commit"]["committer"]["date"] = date.into();
    shown["commit"]["tree"]["sha"] = commit.tree_id().to_string().into();
    shown["commit"]["message"] = json!(commit.message().unwrap());
    Answer::new(200, shown)
}
