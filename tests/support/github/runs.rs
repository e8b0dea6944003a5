//! Workflows and their runs. A run goes on until the test ends it, or by a script that each look at it moves on.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::openapi;
use super::rights::Kind;
use super::serve::{Answer, Request};
use super::state::{Repo, State, tip};

/// A workflow in `.github/workflows` of the default branch.
#[derive(Debug, Default)]
pub struct Workflow {
    pub file: String,
    /// The inputs of `workflow_dispatch`; `None`: it cannot be dispatched.
    pub inputs: Option<Vec<String>>,
    /// `run-name`, with `${{ inputs.NAME }}` in it.
    pub run_name: String,
    /// A tag that is made starts it.
    pub on_tags: bool,
    /// A run of it ends the one that goes on on the same commit: a concurrency group with `cancel-in-progress`.
    pub cancels: bool,
    /// A new run is missing in this many lists.
    pub lag: usize,
    /// The labels of the runner that its jobs wait for; none: they run.
    pub awaits: Vec<String>,
    /// What becomes of the next runs, in order.
    pub scripts: VecDeque<Script>,
}

impl Workflow {
    /// The usual one: inputs phase, commit and request, the latter in the name.
    pub fn usual(file: &str) -> Self {
        Workflow {
            file: file.to_owned(),
            inputs: Some(["phase", "commit", "request"].map(str::to_owned).to_vec()),
            run_name: "build ${{ inputs.phase }} (${{ inputs.request }})".to_owned(),
            ..Workflow::default()
        }
    }

    pub fn script(mut self, script: Script) -> Self {
        self.scripts.push_back(script);
        self
    }
}

/// What becomes of a run.
#[derive(Debug)]
pub struct Script {
    /// How often it is looked at before it ends.
    pub looks: usize,
    pub end: End,
    pub effect: Option<Effect>,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `success`, `failure`, `cancelled`, `timed_out`.
    Conclusion(&'static str),
    /// It is deleted.
    Deleted,
    /// It never began: GitHub has taken the request, and that was all.
    Lost,
}

/// What a run does before it ends.
pub struct Effect(pub Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Effect")
    }
}

impl Script {
    pub fn end(conclusion: &'static str) -> Self {
        Script { looks: 2, end: End::Conclusion(conclusion), effect: None }
    }

    pub fn vanish(end: End) -> Self {
        Script { looks: 2, end, effect: None }
    }

    pub fn after(self, effect: impl FnOnce() + Send + 'static) -> Self {
        Script { effect: Some(Effect(Box::new(effect))), ..self }
    }
}

/// A run.
#[derive(Debug)]
pub struct Run {
    pub id: u64,
    pub workflow: String,
    pub title: String,
    pub event: &'static str,
    pub branch: String,
    pub sha: String,
    pub inputs: BTreeMap<String, String>,
    pub attempt: u32,
    /// `None`: it goes on.
    pub conclusion: Option<String>,
    pub created_at: String,
    /// The labels of the runner that its job waits for.
    pub awaits: Vec<String>,
    script: Option<Script>,
    looks: usize,
    lag: usize,
}

impl Run {
    fn look(&mut self) {
        self.looks += 1;
        let Some(script) = &mut self.script else { return };
        if self.looks <= script.looks {
            return;
        }
        if let Some(Effect(effect)) = script.effect.take() {
            effect();
        }
        if let End::Conclusion(conclusion) = script.end {
            self.conclusion = Some(conclusion.to_owned());
            self.script = None;
        }
    }

    fn is_deleted(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.end == End::Deleted && self.looks > script.looks)
    }

    fn status(&self) -> &'static str {
        match (&self.conclusion, self.looks) {
            (Some(_), _) => "completed",
            (None, 0 | 1) => "queued",
            (None, _) if !self.awaits.is_empty() => "queued",
            (None, _) => "in_progress",
        }
    }
}

pub fn dispatch(state: &mut State, request: &Request) -> Answer {
    let now = state.now();
    let url = state.url.clone();
    let repo = state.repo_mut(&request.repo);
    let file = request.operation.parameter("workflow_id").to_owned();
    let branch = request.text("ref").unwrap_or_default().to_owned();
    let Some(workflow) = repo.workflows.iter().find(|workflow| workflow.file == file) else {
        return Answer::error(404, "Not Found");
    };
    let Some(known) = &workflow.inputs else {
        return Answer::error(422, "Workflow does not have 'workflow_dispatch' trigger");
    };
    let Some(sha) = tip(&repo.git, &branch) else {
        return Answer::error(422, &format!("No ref found for: {branch}"));
    };
    let given = request.body["inputs"].as_object().cloned().unwrap_or_default();
    let inputs: BTreeMap<String, String> =
        given.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect();
    let unknown: Vec<&String> = inputs.keys().filter(|name| !known.contains(name)).collect();
    if !unknown.is_empty() {
        return Answer::error(422, &format!("Unexpected inputs provided: {unknown:?}"));
    }
    let id = begin(repo, &file, "workflow_dispatch", &branch, sha, inputs, now);
    if request.body["return_run_details"] != true {
        return Answer::new(204, Value::Null);
    }
    let (api, page) = (format!("{url}/repos/{}/actions/runs/{id}", request.repo), page(&request.repo, id));
    Answer::new(200, json!({ "workflow_run_id": id, "run_url": api, "html_url": page }))
}

/// What a tag starts that was made with this token.
pub fn tagged(state: &mut State, request: &Request, tag: &str, sha: &str) {
    if request.token.as_ref().is_some_and(|token| matches!(token.kind, Kind::Actions(_))) {
        return;
    }
    let now = state.now();
    let repo = state.repo_mut(&request.repo);
    let files = repo.workflows.iter().filter(|workflow| workflow.on_tags).map(|workflow| workflow.file.clone());
    for file in files.collect::<Vec<_>>() {
        begin(repo, &file, "push", tag, sha.to_owned(), BTreeMap::new(), now.clone());
    }
}

fn begin(
    repo: &mut Repo,
    file: &str,
    event: &'static str,
    branch: &str,
    sha: String,
    inputs: BTreeMap<String, String>,
    created_at: String,
) -> u64 {
    let id = 500 + repo.started;
    repo.started += 1;
    let workflow = repo.workflow(file);
    let title = inputs.iter().fold(workflow.run_name.clone(), |title, (name, value)| {
        title.replace(&format!("${{{{ inputs.{name} }}}}"), value)
    });
    let script = workflow.scripts.pop_front();
    if script.as_ref().is_some_and(|script| script.end == End::Lost) {
        return id;
    }
    let (cancels, lag, awaits) = (workflow.cancels, workflow.lag, workflow.awaits.clone());
    for run in repo.runs.iter_mut().filter(|run| cancels && run.workflow == file && run.sha == sha) {
        run.conclusion.get_or_insert_with(|| "cancelled".into());
    }
    let (workflow, branch) = (file.to_owned(), branch.to_owned());
    let (attempt, conclusion, looks) = (1, None, 0);
    repo.runs.push(Run {
        id,
        workflow,
        title,
        event,
        branch,
        sha,
        inputs,
        attempt,
        conclusion,
        created_at,
        awaits,
        script,
        looks,
        lag,
    });
    id
}

impl Repo {
    /// Adds a run as a dispatch would, whatever there is already.
    pub fn add_run(&mut self, file: &str, title: &str, branch: &str, sha: &str) -> u64 {
        let name = std::mem::replace(&mut self.workflow(file).run_name, title.to_owned());
        let now = "2025-05-20T12:30:00Z".to_owned();
        let id = begin(self, file, "workflow_dispatch", branch, sha.to_owned(), BTreeMap::new(), now);
        self.workflow(file).run_name = name;
        id
    }

    fn workflow(&mut self, file: &str) -> &mut Workflow {
        self.workflows.iter_mut().find(|workflow| workflow.file == file).unwrap()
    }
}

pub fn list(state: &mut State, request: &Request) -> Answer {
    let file = request.operation.parameter("workflow_id").to_owned();
    let url = state.url.clone();
    let repo = state.repo_mut(&request.repo);
    if !repo.workflows.iter().any(|workflow| workflow.file == file) {
        return Answer::error(404, "Not Found");
    }
    let wanted = |run: &&mut Run| {
        run.workflow == file
            && request.query("event").is_none_or(|event| event == run.event)
            && request.query("branch").is_none_or(|branch| branch == run.branch)
    };
    let mut shown = Vec::new();
    for run in repo.runs.iter_mut().rev().filter(wanted) {
        if run.lag > 0 {
            run.lag -= 1;
            continue;
        }
        run.look();
        if !run.is_deleted() {
            shown.push(show(&url, &request.repo, run));
        }
    }
    let count = shown.len();
    let page = Answer::page(state, request, shown);
    Answer { body: json!({ "total_count": count, "workflow_runs": page.body }), ..page }
}

pub fn one(state: &mut State, request: &Request) -> Answer {
    let (url, id) = (state.url.clone(), request.number("run_id"));
    let Some(run) = state.repo_mut(&request.repo).runs.iter_mut().find(|run| run.id == id) else {
        return Answer::error(404, "Not Found");
    };
    run.look();
    match run.is_deleted() {
        true => Answer::error(404, "Not Found"),
        false => Answer::new(200, show(&url, &request.repo, run)),
    }
}

/// One job, which ended as the run did, with one annotation.
pub fn jobs(state: &mut State, request: &Request) -> Answer {
    let (url, id) = (state.url.clone(), request.number("run_id"));
    let Some(run) = state.repo(&request.repo).unwrap().runs.iter().find(|run| run.id == id) else {
        return Answer::error(404, "Not Found");
    };
    let mut shown = openapi::example(request.operation.name);
    if run.conclusion.as_deref() == Some("startup_failure") {
        return Answer::new(200, json!({ "total_count": 0, "jobs": [] }));
    }
    let job = &mut shown["jobs"][0];
    job["name"] = "share of linux/arm64".into();
    job["run_id"] = id.into();
    // The example lacks what the schema demands.
    job["created_at"] = run.created_at.as_str().into();
    job["html_url"] = format!("{}/job/1", page(&request.repo, id)).into();
    job["check_run_url"] = format!("{url}/repos/{}/check-runs/{}", request.repo, 9_000 + id).into();
    job["status"] = match (&run.conclusion, run.awaits.is_empty()) {
        (Some(_), _) => "completed",
        (None, true) => "in_progress",
        (None, false) => "queued",
    }
    .into();
    if run.conclusion.is_none() {
        (job["completed_at"], job["labels"]) = (Value::Null, json!(run.awaits));
    }
    job["conclusion"] = run.conclusion.clone().map_or(Value::Null, Value::from);
    job["steps"][0]["name"] = "build".into();
    job["steps"][0]["conclusion"] =
        if run.conclusion.as_deref() == Some("success") { "success" } else { "failure" }.into();
    Answer::new(200, shown)
}

pub fn annotations(_: &mut State, request: &Request) -> Answer {
    let mut shown = openapi::example(request.operation.name);
    shown["path"] = "dockerfiles/analytical.Dockerfile".into();
    shown["start_line"] = 7.into();
    shown["annotation_level"] = "failure".into();
    shown["message"] = "no space left on device".into();
    Answer::new(200, json!([shown]))
}

pub fn cancel(state: &mut State, request: &Request) -> Answer {
    let id = request.number("run_id");
    match state.repo_mut(&request.repo).runs.iter_mut().find(|run| run.id == id) {
        None => Answer::error(404, "Not Found"),
        Some(run) if run.conclusion.is_some() => Answer::error(409, "Cannot cancel a workflow run that is completed"),
        Some(run) => {
            run.conclusion = Some("cancelled".into());
            Answer::new(202, json!({}))
        }
    }
}

pub fn rerun(state: &mut State, request: &Request) -> Answer {
    let id = request.number("run_id");
    let repo = state.repo_mut(&request.repo);
    match repo.runs.iter_mut().find(|run| run.id == id) {
        None => Answer::error(404, "Not Found"),
        Some(run) if run.conclusion.is_none() => Answer::error(403, "This workflow is already running"),
        Some(run) => {
            let workflow = repo.workflows.iter_mut().find(|workflow| workflow.file == run.workflow).unwrap();
            (run.conclusion, run.attempt, run.looks) = (None, run.attempt + 1, 0);
            run.script = workflow.scripts.pop_front();
            Answer::new(201, json!({}))
        }
    }
}

fn page(repo: &str, id: u64) -> String {
    format!("https://github.com/{repo}/actions/runs/{id}")
}

fn show(url: &str, repo: &str, run: &Run) -> Value {
    let mut shown = openapi::example("GET /repos/{owner}/{repo}/actions/runs/{run_id}");
    shown["id"] = run.id.into();
    shown["name"] = run.workflow.as_str().into();
    shown["display_title"] = run.title.as_str().into();
    shown["event"] = run.event.into();
    shown["status"] = run.status().into();
    shown["conclusion"] = run.conclusion.clone().map_or(Value::Null, Value::from);
    shown["head_branch"] = run.branch.as_str().into();
    shown["head_sha"] = run.sha.as_str().into();
    shown["run_attempt"] = run.attempt.into();
    shown["created_at"] = run.created_at.as_str().into();
    shown["run_started_at"] = run.created_at.as_str().into();
    shown["html_url"] = page(repo, run.id).into();
    shown["url"] = format!("{url}/repos/{repo}/actions/runs/{}", run.id).into();
    shown
}
