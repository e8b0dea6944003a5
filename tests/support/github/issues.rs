//! What pull requests have as issues: comments, labels, assignees, milestones.

use serde_json::{Value, json};

use super::openapi;
use super::pulls;
use super::serve::{Answer, Request};
use super::state::{Pull, State};

/// More than a pull request has comments: an id is the number of its pull request, and its place there.
const PLACES: u64 = 1_000;

pub fn comments(state: &mut State, request: &Request) -> Answer {
    let Some(pull) = find(state, request) else { return Answer::error(404, "Not Found") };
    let pull = pull.clone();
    let shown = (1..=pull.comments.len()).map(|place| show_comment(state, request, &pull, place)).collect();
    Answer::page(state, request, shown)
}

pub fn comment(state: &mut State, request: &Request) -> Answer {
    let (login, text) = (request.login(), request.text("body").unwrap_or_default().to_owned());
    let Some(pull) = find(state, request) else { return Answer::error(404, "Not Found") };
    if text.trim().is_empty() {
        return Answer::invalid("IssueComment", "body", "missing_field");
    }
    pull.comments.push((login, text));
    let pull = pull.clone();
    Answer::new(201, show_comment(state, request, &pull, pull.comments.len()))
}

/// The pull request of a comment, and the comment's place in it.
fn place_of(state: &mut State, request: &Request) -> Option<(u64, usize)> {
    let id = request.number("comment_id");
    let (number, place) = (id / PLACES, (id % PLACES) as usize);
    let pull = state.repo_mut(&request.repo).pulls.iter().find(|pull| pull.number == number)?;
    (1..=pull.comments.len()).contains(&place).then_some((number, place))
}

pub fn edit_comment(state: &mut State, request: &Request) -> Answer {
    let text = request.text("body").unwrap_or_default().to_owned();
    let Some((number, place)) = place_of(state, request) else { return Answer::error(404, "Not Found") };
    let pull = state.repo_mut(&request.repo).pull_mut(number);
    pull.comments[place - 1].1 = text;
    let pull = pull.clone();
    Answer::new(200, show_comment(state, request, &pull, place))
}

pub fn delete_comment(state: &mut State, request: &Request) -> Answer {
    let Some((number, place)) = place_of(state, request) else { return Answer::error(404, "Not Found") };
    state.repo_mut(&request.repo).pull_mut(number).comments.remove(place - 1);
    Answer::new(204, Value::Null)
}

pub fn label(state: &mut State, request: &Request) -> Answer {
    let names: Vec<String> = strings(if request.body.is_array() { &request.body } else { &request.body["labels"] });
    let Some(pull) = find(state, request) else { return Answer::error(404, "Not Found") };
    for name in &names {
        if !pull.labels.iter().any(|label| label.eq_ignore_ascii_case(name)) {
            pull.labels.push(name.clone());
        }
    }
    let labels = pull.labels.clone();
    let repo = state.repo_mut(&request.repo);
    for name in names {
        if !repo.labels.contains(&name) {
            repo.labels.push(name);
        }
    }
    let example = openapi::example(request.operation.name);
    let shown = labels.into_iter().map(|name| {
        let mut label = example.clone();
        label["name"] = name.into();
        label
    });
    Answer::new(200, shown.collect())
}

pub fn assign(state: &mut State, request: &Request) -> Answer {
    let wanted = strings(&request.body["assignees"]);
    let collaborators = state.repo_mut(&request.repo).collaborators.clone();
    let Some(pull) = find(state, request) else { return Answer::error(404, "Not Found") };
    // Without a word about those who have no access.
    for login in wanted.into_iter().filter(|login| collaborators.contains(login)) {
        if !pull.assignees.contains(&login) {
            pull.assignees.push(login);
        }
    }
    let pull = pull.clone();
    Answer::new(201, show_issue(state, request, &pull))
}

pub fn update(state: &mut State, request: &Request) -> Answer {
    let milestones = state.repo_mut(&request.repo).milestones.len() as u64;
    let Some(pull) = find(state, request) else { return Answer::error(404, "Not Found") };
    match request.body["milestone"].as_u64() {
        Some(number) if number == 0 || number > milestones => return Answer::invalid("Issue", "milestone", "invalid"),
        Some(number) => pull.milestone = Some(number),
        None => {}
    }
    let pull = pull.clone();
    Answer::new(200, show_issue(state, request, &pull))
}

pub fn milestones(state: &mut State, request: &Request) -> Answer {
    let titles = state.repo_mut(&request.repo).milestones.clone();
    let shown = titles.iter().zip(1..).map(|(title, number)| show_milestone(title, number)).collect();
    Answer::page(state, request, shown)
}

pub fn show_milestone(title: &str, number: u64) -> Value {
    let mut milestone = openapi::example("GET /repos/{owner}/{repo}/milestones");
    milestone["title"] = title.into();
    milestone["number"] = number.into();
    milestone
}

fn find<'a>(state: &'a mut State, request: &Request) -> Option<&'a mut Pull> {
    let number = request.number("issue_number");
    state.repo_mut(&request.repo).pulls.iter_mut().find(|pull| pull.number == number)
}

fn show_comment(state: &State, request: &Request, pull: &Pull, place: usize) -> Value {
    let (author, text) = &pull.comments[place - 1];
    let mut comment = openapi::example("POST /repos/{owner}/{repo}/issues/{issue_number}/comments");
    comment["id"] = json!(pull.number * PLACES + place as u64);
    comment["user"]["login"] = author.as_str().into();
    comment["body"] = text.as_str().into();
    comment["issue_url"] = format!("{}/repos/{}/issues/{}", state.url, request.repo, pull.number).into();
    comment
}

fn show_issue(state: &State, request: &Request, pull: &Pull) -> Value {
    let mut issue = openapi::example("POST /repos/{owner}/{repo}/issues/{issue_number}/assignees");
    let shown = pulls::show(state, state.repo(&request.repo).unwrap(), pull);
    for part in ["number", "title", "body", "state", "user", "labels", "assignees", "milestone", "html_url"] {
        issue[part] = shown[part].clone();
    }
    issue
}

pub fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
