//! One call: recorded, failed on command, judged by the token's rights, carried out, checked against the description.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use super::openapi::{self, Operation};
use super::rights::{self, Token};
use super::state::{Recorded, State};
use super::{apps, graphql, issues, objects, pulls, releases, runs, statuses};

/// A call, taken apart.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Value,
    pub operation: Operation,
    /// What was sent as a token, known or not.
    pub secret: Option<String>,
    pub token: Option<Token>,
    /// Full name of the repository that it is about.
    pub repo: String,
}

impl Request {
    pub fn is(&self, method: &str, ending: &str) -> bool {
        self.method == method && self.path.ends_with(ending)
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> u64 {
        self.operation.parameter(name).parse().unwrap_or_default()
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.body[name].as_str()
    }

    /// The login of the asker.
    pub fn login(&self) -> String {
        self.token.as_ref().map(|token| token.login.clone()).unwrap_or_default()
    }
}

/// A reply, before it is sent.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    pub fn new(status: u16, body: Value) -> Self {
        Answer { status, body, headers: Vec::new() }
    }

    pub fn error(status: u16, message: &str) -> Self {
        let documentation = "https://docs.github.com/rest";
        Answer::new(
            status,
            json!({ "message": message, "documentation_url": documentation, "status": status.to_string() }),
        )
    }

    /// 422 with a fault of a field.
    pub fn invalid(resource: &str, field: &str, code: &str) -> Self {
        Answer::unprocessable(json!([{ "resource": resource, "field": field, "code": code }]))
    }

    /// 422 with faults.
    pub fn unprocessable(errors: Value) -> Self {
        let mut answer = Answer::error(422, "Validation Failed");
        answer.body["errors"] = errors;
        answer
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One page of `all`, with the `Link` header that leads to the next.
    pub fn page(state: &State, request: &Request, all: Vec<Value>) -> Self {
        let number = |name: &str, default: usize| request.query(name).and_then(|n| n.parse().ok()).unwrap_or(default);
        let (size, page) = (number("per_page", 30).min(100), number("page", 1));
        let more = all.len() > size * page;
        let answer = Answer::new(200, all.into_iter().skip(size * (page - 1)).take(size).collect());
        let next = format!("<{}{}?per_page={size}&page={}>; rel=\"next\"", state.url, request.path, page + 1);
        if more { answer.header("link", &next) } else { answer }
    }
}

pub async fn serve(
    Shared(state): Shared<Arc<Mutex<State>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let meeting = failure::meeting(&mut state.lock().unwrap().meetings, uri.path());
    if let Some(barrier) = meeting {
        barrier.wait().await;
    }
    let (answer, failure) = {
        let mut state = state.lock().unwrap();
        state.follow_branches();
        let (recorded, secret) = record(&mut state, &method, &uri, &headers, &body);
        let failure = failure::due(&mut state.planned, &recorded.method, &recorded.path);
        let carried_out =
            !matches!(&failure, Some(f) if !matches!(f, Failure::CloseAfterEffect | Failure::BadGatewayAfterEffect));
        (carried_out.then(|| answer(&mut state, recorded, secret)), failure)
    };
    match failure {
        None => respond(answer.unwrap()),
        Some(Failure::Status(status, body)) => respond(Answer::new(status, body)),
        Some(Failure::Html(status)) => page(status),
        Some(Failure::BadGatewayAfterEffect) => page(502),
        Some(Failure::Hang) => std::future::pending().await,
        // Ends the connection's task, and with it the connection, without a word.
        Some(Failure::CloseBeforeAnswer | Failure::CloseAfterEffect) => std::panic::resume_unwind(Box::new("closed")),
        Some(failure @ (Failure::RateLimit { retry_after } | Failure::SecondaryLimit { retry_after })) => {
            let status = if matches!(failure, Failure::RateLimit { .. }) { 429 } else { 403 };
            let answer = Answer::error(status, "You have exceeded a secondary rate limit");
            respond(answer.header("retry-after", &retry_after.as_secs().to_string()))
        }
        Some(Failure::Redirect(status, to)) => respond(Answer::error(status, "Moved").header("location", &to)),
    }
}

fn record(
    state: &mut State,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> (Recorded, Option<String>) {
    let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let secret = authorization.as_ref().map(|value| value.strip_prefix("Bearer ").unwrap_or(value).to_owned());
    let query = uri.query().unwrap_or_default().split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((openapi::decoded(name), openapi::decoded(value)))
    });
    let recorded = Recorded {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: query.collect(),
        token: secret.clone(),
        body: if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() },
        operation: openapi::operation(method.as_str(), uri.path()).map(|operation| operation.name),
    };
    state.requests.push(recorded.clone());
    (recorded, secret)
}

fn answer(state: &mut State, recorded: Recorded, secret: Option<String>) -> Answer {
    let token = secret.as_ref().and_then(|secret| state.tokens.get(secret)).cloned();
    if recorded.path == "/graphql" {
        return graphql::answer(state, &recorded, token.as_ref());
    }
    if let Some(redirect) = moved(state, &recorded) {
        return redirect;
    }
    let path = by_name(state, &recorded.path);
    let Some(operation) = openapi::operation(&recorded.method, &path) else {
        state.violations.push(format!("{} {}: the description has no such operation", recorded.method, recorded.path));
        return Answer::error(404, "Not Found");
    };
    let name = operation.name;
    let body = (!recorded.body.is_null()).then_some(&recorded.body);
    state.violations.extend(openapi::faults_of_request(name, &recorded.query, body));
    let repo = format!("{}/{}", operation.parameter("owner"), operation.parameter("repo"));
    let Recorded { method, query, body, .. } = recorded;
    let request = Request { method, path, query, body, operation, secret, token, repo };
    let mut answer = carry_out(state, &request);
    state.violations.extend(openapi::faults_of_reply(name, answer.status, &answer.body));
    let told = rights::headers(request.token.as_ref());
    answer.headers.extend(told.into_iter().map(|(name, value)| (name.to_owned(), value)));
    answer
}

/// `/repositories/ID/...` is where redirects of renamed repositories lead.
fn by_name(state: &State, path: &str) -> String {
    let Some(rest) = path.strip_prefix("/repositories/") else { return path.to_owned() };
    let (id, rest) = rest.split_once('/').map_or((rest, String::new()), |(id, rest)| (id, format!("/{rest}")));
    let repo = state.repositories.iter().find(|repo| repo.id.to_string() == id);
    repo.map_or_else(|| path.to_owned(), |repo| format!("/repos/{}{rest}", repo.full_name))
}

fn moved(state: &State, recorded: &Recorded) -> Option<Answer> {
    let (repo, rest) = state.repositories.iter().find_map(|repo| {
        let rest = recorded.path.strip_prefix(&format!("/repos/{}", repo.former_name.as_ref()?))?;
        Some((repo, rest))
    })?;
    let query: Vec<String> = recorded.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let to = format!("{}/repositories/{}{rest}{query}", state.url, repo.id);
    let status = if recorded.method == "GET" { 301 } else { 307 };
    Some(Answer::error(status, "Moved Permanently").header("location", &to))
}

fn carry_out(state: &mut State, request: &Request) -> Answer {
    if let Some(answer) = apps::answer(state, request) {
        return answer;
    }
    if let Some(refusal) = rights::refusal(request, state.repo(&request.repo)) {
        return refusal;
    }
    match request.operation.name {
        "GET /repos/{owner}/{repo}" => releases::repository(state, request),
        "GET /repos/{owner}/{repo}/releases" => releases::list(state, request),
        "GET /repos/{owner}/{repo}/releases/tags/{tag}" => releases::by_tag(state, request),
        "GET /repos/{owner}/{repo}/tags" => releases::tags(state, request),
        "GET /repos/{owner}/{repo}/commits/{ref}" => releases::commit(state, request),
        "GET /repos/{owner}/{repo}/pulls" => pulls::list(state, request),
        "POST /repos/{owner}/{repo}/pulls" => pulls::create(state, request),
        "PATCH /repos/{owner}/{repo}/pulls/{pull_number}" => pulls::update(state, request),
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers" => pulls::ask_for_reviews(state, request),
        "GET /repos/{owner}/{repo}/issues/{issue_number}/comments" => issues::comments(state, request),
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments" => issues::comment(state, request),
        "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}" => issues::edit_comment(state, request),
        "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}" => issues::delete_comment(state, request),
        "POST /repos/{owner}/{repo}/issues/{issue_number}/labels" => issues::label(state, request),
        "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees" => issues::assign(state, request),
        "PATCH /repos/{owner}/{repo}/issues/{issue_number}" => issues::update(state, request),
        "GET /repos/{owner}/{repo}/milestones" => issues::milestones(state, request),
        "GET /repos/{owner}/{repo}/git/ref/{ref}" => objects::reference(state, request),
        "POST /repos/{owner}/{repo}/git/refs" => objects::create_reference(state, request),
        "PATCH /repos/{owner}/{repo}/git/refs/{ref}" => objects::move_reference(state, request),
        "POST /repos/{owner}/{repo}/git/blobs" => objects::blob(state, request),
        "POST /repos/{owner}/{repo}/git/trees" => objects::tree(state, request),
        "POST /repos/{owner}/{repo}/git/commits" => objects::commit(state, request),
        "GET /repos/{owner}/{repo}/compare/{basehead}" => statuses::compare(state, request),
        "GET /repos/{owner}/{repo}/commits/{ref}/statuses" => statuses::list(state, request),
        "POST /repos/{owner}/{repo}/statuses/{sha}" => statuses::set(state, request),
        "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches" => runs::dispatch(state, request),
        "GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs" => runs::list(state, request),
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}" => runs::one(state, request),
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs" => runs::jobs(state, request),
        "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel" => runs::cancel(state, request),
        "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun" => runs::rerun(state, request),
        "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations" => runs::annotations(state, request),
        other => {
            state.violations.push(format!("the fake cannot do {other}"));
            Answer::error(404, "Not Found")
        }
    }
}

fn respond(answer: Answer) -> Response {
    let body = if answer.status == 204 { Body::empty() } else { Body::from(answer.body.to_string()) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
    response.headers_mut().insert("content-type", "application/json; charset=utf-8".parse().unwrap());
    for (name, value) in answer.headers {
        let name: HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn page(status: u16) -> Response {
    let mut response = Response::new(Body::from("<!DOCTYPE html>\n<html><body>Please log in</body></html>\n"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert("content-type", "text/html".parse().unwrap());
    response
}
