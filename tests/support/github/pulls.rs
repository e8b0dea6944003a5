//! Pull requests, with the rules that GitHub has for them.

use serde_json::{Value, json};

use super::issues::{self, strings};
use super::openapi;
use super::serve::{Answer, Request};
use super::state::{Pull, Repo, State, tip};

/// The longest body that GitHub takes, in characters.
const LONGEST_BODY: usize = 65_536;

pub fn list(state: &mut State, request: &Request) -> Answer {
    let repo = state.repo(&request.repo).unwrap();
    let wanted = request.query("state").unwrap_or("open");
    // GitHub ignores a `head` without an owner.
    let head = request.query("head").and_then(|head| head.split_once(':'));
    let fits = |pull: &&Pull| {
        (wanted == "all" || (wanted == "open") == pull.open)
            && request.query("base").is_none_or(|base| base == pull.base)
            && head.is_none_or(|(owner, branch)| {
                branch == pull.head && pull.head_repo.split('/').next().is_some_and(|o| o.eq_ignore_ascii_case(owner))
            })
    };
    let mut found: Vec<&Pull> = repo.pulls.iter().filter(fits).collect();
    found.sort_by_key(|pull| std::cmp::Reverse(pull.number));
    let shown = found.into_iter().map(|pull| show(state, repo, pull)).collect();
    Answer::page(state, request, shown)
}

pub fn create(state: &mut State, request: &Request) -> Answer {
    let text = |name: &str| request.text(name).unwrap_or_default().to_owned();
    let repo = state.repo(&request.repo).unwrap();
    let wanted = text("head");
    let (owner, head) = match wanted.split_once(':') {
        Some((owner, branch)) => (owner, branch.to_owned()),
        None => (repo.owner(), wanted.clone()),
    };
    let name = request.text("head_repo").unwrap_or_else(|| repo.full_name.split('/').nth(1).unwrap());
    let head_repo = format!("{owner}/{name}");
    let Some(head_sha) = state.repo(&head_repo).and_then(|repo| tip(&repo.git, &head)) else {
        return Answer::invalid("PullRequest", "head", "invalid");
    };
    let base = text("base");
    let Some(base_sha) = tip(&repo.git, &base) else { return Answer::invalid("PullRequest", "base", "invalid") };
    let custom = |message: String| {
        Answer::unprocessable(json!([{ "resource": "PullRequest", "code": "custom", "message": message }]))
    };
    if head_repo == repo.full_name && head_sha == base_sha {
        return custom(format!("No commits between {base} and {head}"));
    }
    if repo.pulls.iter().any(|pull| pull.open && pull.head == head && pull.head_repo == head_repo && pull.base == base)
    {
        return custom(format!("A pull request already exists for {owner}:{head}."));
    }
    if request.body["draft"] == true && !repo.allows_drafts {
        return Answer::error(422, "Draft pull requests are not supported in this repository.");
    }
    if let Some(fault) = fault_of_body(request) {
        return fault;
    }
    let number = repo.pulls.iter().map(|pull| pull.number).max().unwrap_or(0) + 1;
    let pull = Pull {
        number,
        title: text("title"),
        body: text("body"),
        open: true,
        draft: request.body["draft"] == true,
        head_repo,
        head,
        head_sha,
        base,
        author: request.login(),
        created_at: state.now(),
        ..Pull::default()
    };
    state.repo_mut(&request.repo).pulls.push(pull.clone());
    Answer::new(201, show_full(state, request, &pull))
}

pub fn update(state: &mut State, request: &Request) -> Answer {
    if let Some(fault) = fault_of_body(request) {
        return fault;
    }
    let Some(pull) = find(state, request) else { return Answer::error(404, "Not Found") };
    if let Some(title) = request.text("title") {
        pull.title = title.to_owned();
    }
    if let Some(body) = request.text("body") {
        pull.body = body.to_owned();
    }
    if let Some(base) = request.text("base") {
        pull.base = base.to_owned();
    }
    match request.text("state") {
        Some("closed") => pull.open = false,
        Some("open") => pull.open = true,
        _ => {}
    }
    let pull = pull.clone();
    Answer::new(200, show_full(state, request, &pull))
}

pub fn ask_for_reviews(state: &mut State, request: &Request) -> Answer {
    let (users, teams) = (strings(&request.body["reviewers"]), strings(&request.body["team_reviewers"]));
    let repo = state.repo(&request.repo).unwrap();
    let known =
        users.iter().all(|user| repo.collaborators.contains(user)) && teams.iter().all(|t| repo.teams.contains(t));
    let name = repo.full_name.clone();
    let Some(pull) = find(state, request) else { return Answer::error(404, "Not Found") };
    if users.contains(&pull.author) {
        return Answer::error(422, "Review cannot be requested from pull request author.");
    }
    if !known {
        return Answer::error(
            422,
            &format!(
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the {name} repository."
            ),
        );
    }
    let add = |list: &mut Vec<String>, new: Vec<String>| {
        new.into_iter().for_each(|one| {
            if !list.contains(&one) {
                list.push(one)
            }
        })
    };
    add(&mut pull.reviewers, users);
    add(&mut pull.teams, teams);
    let pull = pull.clone();
    Answer::new(201, show(state, state.repo(&request.repo).unwrap(), &pull))
}

fn fault_of_body(request: &Request) -> Option<Answer> {
    let long = request.text("body").is_some_and(|body| body.chars().count() > LONGEST_BODY);
    let message = format!("body is too long (maximum is {LONGEST_BODY} characters)");
    let fault = json!([{ "resource": "Issue", "code": "custom", "field": "body", "message": message }]);
    long.then(|| Answer::unprocessable(fault))
}

fn find<'a>(state: &'a mut State, request: &Request) -> Option<&'a mut Pull> {
    let number = request.number("pull_number");
    state.repo_mut(&request.repo).pulls.iter_mut().find(|pull| pull.number == number)
}

/// Repository and number behind an id for GraphQL.
pub fn by_node_id(state: &State, id: &str) -> Option<(String, u64)> {
    state.repositories.iter().find_map(|repo| {
        let pull = repo.pulls.iter().find(|pull| node_id(repo, pull) == id)?;
        Some((repo.full_name.clone(), pull.number))
    })
}

fn node_id(repo: &Repo, pull: &Pull) -> String {
    format!("PR_{}_{}", repo.id, pull.number)
}

/// A pull request as in lists.
pub fn show(state: &State, repo: &Repo, pull: &Pull) -> Value {
    let mut shown = openapi::example("GET /repos/{owner}/{repo}/pulls");
    fill(&mut shown, state, repo, pull);
    shown
}

fn show_full(state: &State, request: &Request, pull: &Pull) -> Value {
    let mut shown = openapi::example("POST /repos/{owner}/{repo}/pulls");
    fill(&mut shown, state, state.repo(&request.repo).unwrap(), pull);
    shown["merged"] = pull.merged.into();
    shown
}

fn fill(shown: &mut Value, state: &State, repo: &Repo, pull: &Pull) {
    let base = state.url.strip_suffix("/api/v3").unwrap_or(&state.url);
    let user = shown["user"].clone();
    let named = |login: &String| {
        let mut shown = user.clone();
        shown["login"] = login.as_str().into();
        shown
    };
    let label = shown["labels"][0].clone();
    let mut team = shown["requested_teams"][0].clone();
    // The example lacks what the schema demands.
    team["type"] = "organization".into();
    let with = |example: &Value, key: &str, value: &String| {
        let mut shown = example.clone();
        shown[key] = value.as_str().into();
        shown
    };
    shown["number"] = pull.number.into();
    shown["html_url"] = format!("{base}/{}/pull/{}", repo.full_name, pull.number).into();
    shown["node_id"] = node_id(repo, pull).into();
    shown["title"] = pull.title.as_str().into();
    shown["body"] = if pull.body.is_empty() { Value::Null } else { pull.body.as_str().into() };
    shown["state"] = if pull.open { "open" } else { "closed" }.into();
    shown["draft"] = pull.draft.into();
    shown["created_at"] = pull.created_at.as_str().into();
    shown["merged_at"] = if pull.merged { pull.created_at.as_str().into() } else { Value::Null };
    shown["user"] = named(&pull.author);
    shown["labels"] = pull.labels.iter().map(|name| with(&label, "name", name)).collect();
    shown["requested_reviewers"] = pull.reviewers.iter().map(named).collect();
    shown["requested_teams"] = pull.teams.iter().map(|slug| with(&team, "slug", slug)).collect();
    shown["assignees"] = pull.assignees.iter().map(named).collect();
    shown["assignee"] = pull.assignees.first().map_or(Value::Null, named);
    shown["milestone"] = pull
        .milestone
        .map_or(Value::Null, |number| issues::show_milestone(&repo.milestones[number as usize - 1], number));
    shown["auto_merge"] = pull.automerge.as_ref().map_or(Value::Null, |method| {
        json!({ "enabled_by": user, "merge_method": method.to_lowercase(), "commit_title": "", "commit_message": "" })
    });
    shown["head"]["ref"] = pull.head.as_str().into();
    shown["head"]["sha"] = pull.head_sha.as_str().into();
    shown["head"]["label"] = format!("{}:{}", pull.head_repo.split('/').next().unwrap(), pull.head).into();
    shown["head"]["repo"]["full_name"] = pull.head_repo.as_str().into();
    shown["base"]["ref"] = pull.base.as_str().into();
    shown["base"]["repo"]["full_name"] = repo.full_name.as_str().into();
    if let Some(sha) = tip(&repo.git, &pull.base) {
        shown["base"]["sha"] = sha.into();
    }
}
