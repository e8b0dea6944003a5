//! Statuses of commits, and where commits stand to branches.

use serde_json::Value;

use super::openapi;
use super::serve::{Answer, Request};
use super::state::{State, is_inside, tip};

/// A status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub sha: String,
    pub context: String,
    pub state: String,
    pub description: String,
    pub url: Option<String>,
}

pub fn set(state: &mut State, request: &Request) -> Answer {
    let text = |name: &str| request.text(name).unwrap_or_default().to_owned();
    let status = Status {
        sha: request.operation.parameter("sha").to_owned(),
        context: text("context"),
        state: text("state"),
        description: text("description"),
        url: request.text("target_url").map(str::to_owned),
    };
    state.repo_mut(&request.repo).statuses.push(status.clone());
    Answer::new(201, show(&status))
}

pub fn list(state: &mut State, request: &Request) -> Answer {
    let sha = request.operation.parameter("ref");
    let all = state.repo(&request.repo).unwrap().statuses.iter().rev().filter(|status| status.sha == sha);
    let shown = all.map(show).collect();
    Answer::page(state, request, shown)
}

fn show(status: &Status) -> Value {
    let mut shown = openapi::example("POST /repos/{owner}/{repo}/statuses/{sha}");
    shown["context"] = status.context.as_str().into();
    shown["state"] = status.state.as_str().into();
    shown["description"] = status.description.as_str().into();
    shown["target_url"] = status.url.clone().map_or(Value::Null, Value::from);
    shown
}

pub fn compare(state: &mut State, request: &Request) -> Answer {
    let git = &state.repo(&request.repo).unwrap().git;
    let (branch, sha) = request.operation.parameter("basehead").split_once("...").unwrap();
    let here = git2::Repository::open_bare(git).unwrap();
    let is_known = git2::Oid::from_str(sha).is_ok_and(|id| here.find_commit(id).is_ok());
    let Some(head) = tip(git, branch).filter(|_| is_known) else { return Answer::error(404, "Not Found") };
    let mut shown = openapi::example(request.operation.name);
    shown["status"] = match (head == sha, is_inside(git, sha, branch)) {
        (true, _) => "identical",
        (false, true) => "behind",
        (false, false) => "diverged",
    }
    .into();
    Answer::new(200, shown)
}
