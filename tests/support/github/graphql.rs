//! The two GraphQL calls that REST has no counterpart for.

use serde_json::{Value, json};

use super::rights::Token;
use super::serve::Answer;
use super::state::{Recorded, State};

pub fn answer(state: &mut State, request: &Recorded, token: Option<&Token>) -> Answer {
    let Some(token) = token else { return Answer::error(401, "Bad credentials") };
    let query = request.body["query"].as_str().unwrap_or_default();
    if query.contains("viewer { login }") {
        return Answer::new(200, json!({ "data": { "viewer": { "login": token.login } } }));
    }
    if !query.contains("enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $method})") {
        state.violations.push(format!("the fake does not know this GraphQL: {query}"));
        return failed("Parse error", "UNKNOWN");
    }
    let variables = &request.body["variables"];
    let (id, method) = (variables["id"].as_str().unwrap_or_default(), variables["method"].as_str().unwrap_or_default());
    let Some((repo, number)) = super::pulls::by_node_id(state, id) else {
        return failed(&format!("Could not resolve to a node with the global id of '{id}'"), "NOT_FOUND");
    };
    let repo = state.repo_mut(&repo);
    if !repo.allows_automerge {
        return failed("Pull request Auto merge is not allowed for this repository", "UNPROCESSABLE");
    }
    if !repo.allows_merge_commits && method == "MERGE" {
        return failed("Merge method merge commits are not allowed on this repository", "UNPROCESSABLE");
    }
    repo.pull_mut(number).automerge = Some(method.to_owned());
    Answer::new(200, json!({ "data": { "enablePullRequestAutoMerge": { "clientMutationId": Value::Null } } }))
}

/// GraphQL says no with status 200.
fn failed(message: &str, kind: &str) -> Answer {
    let error = json!({ "type": kind, "path": ["enablePullRequestAutoMerge"], "message": message });
    Answer::new(200, json!({ "data": { "enablePullRequestAutoMerge": null }, "errors": [error] }))
}
