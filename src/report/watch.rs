//! What `watch` did and did not do, and why: the table and the document.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::documents::{self, FailureBody, PullRequest, json_of};
use super::{BOLD, GREEN, RED, YELLOW, counted, markdown};
use crate::bump::policy::{Decision, PassedOver};
use crate::bump::publish::Published;
use crate::error::{Error, Result};
use crate::github::Action;
use crate::version::Version;

/// One component.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub component: String,
    /// Its version on the base branch, if that could be read.
    pub current: Option<Version>,
    /// What was decided, if it came to that.
    pub decision: Option<Decision>,
    /// Newer versions that were passed over.
    pub passed_over: Vec<PassedOver>,
    /// What came of it.
    pub outcome: Result<Outcome>,
}

/// What came of a decision.
#[derive(Debug)]
pub enum Outcome {
    /// There was nothing to do.
    None,
    /// It was planned and not carried out.
    Planned {
        /// How many places change.
        places: usize,
        /// In how many files.
        files: usize,
    },
    /// Branch and pull request are there.
    Published(Box<Published>),
}

impl Row {
    /// A row about which nothing is known yet.
    pub fn new(component: &str) -> Self {
        let (current, decision, outcome) = (None, None, Ok(Outcome::None));
        Row { component: component.to_owned(), current, decision, passed_over: Vec::new(), outcome }
    }

    /// The branch and the pull request, if there are some.
    pub fn published(&self) -> Option<&Published> {
        match &self.outcome {
            Ok(Outcome::Published(published)) => Some(published),
            _ => None,
        }
    }
}

/// The document of `watch`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Watch<'a> {
    /// The commit of the base branch that was looked at.
    pub base: &'a str,
    /// Every component, in the order of release.yaml.
    pub components: Vec<Watched<'a>>,
    /// With `--build`, where release.yaml has phases: what came of that.
    pub build: Option<Due<'a>>,
}

/// What came of the build that was due, in the document of `watch`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Due<'a> {
    /// The document of `build`, or of `plan` where nothing is carried out; none of a build that did not begin.
    pub document: Option<&'a Value>,
    /// Why it failed.
    pub error: Option<FailureBody<'a>>,
}

/// A component in the document of `watch`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Watched<'a> {
    /// Its name.
    pub component: &'a str,
    /// Its version on the base branch, if that could be read.
    pub from: Option<String>,
    /// What was decided; none where it did not come to that.
    #[serde(flatten)]
    pub decision: Option<&'a Decision>,
    /// Newer versions that were passed over, the newest first.
    pub passed_over: &'a [PassedOver],
    /// What came of it, as one sentence.
    pub text: String,
    /// The commit on the bump branch, if one is there.
    pub commit: Option<&'a str>,
    /// What became of the pull request.
    pub pull_request: PullRequest,
    /// Why nothing came of it.
    pub error: Option<FailureBody<'a>>,
}

/// The document of a finished watch over the base branch at `base`. `due` is the document and the failure of the build, if one was asked for.
///
/// # Errors
/// None in practice.
pub fn json(base: &str, rows: &[Row], due: Option<&(Option<Value>, Option<Error>)>) -> Result<Value> {
    let components = rows.iter().map(|row| {
        let published = row.published();
        Watched {
            component: &row.component,
            from: row.current.as_ref().map(ToString::to_string),
            decision: row.decision.as_ref(),
            passed_over: &row.passed_over,
            text: sentence(row),
            commit: published.map(|published| &*published.commit),
            pull_request: PullRequest::of(published.map(|published| &published.pull_request)),
            error: row.outcome.as_ref().err().map(documents::failure),
        }
    });
    let build =
        due.map(|(document, error)| Due { document: document.as_ref(), error: error.as_ref().map(documents::failure) });
    json_of(&Watch { base, components: components.collect(), build })
}

/// The table, on stdout.
pub fn table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.component.len()).max().unwrap_or(0);
    for row in rows {
        let colour = match (&row.outcome, &row.decision) {
            (Err(_), _) => RED,
            (Ok(_), Some(Decision::Bump { .. })) => GREEN,
            (Ok(_), Some(Decision::UpToDate)) => anstyle::Style::new(),
            _ => YELLOW,
        };
        let version = row.current.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        let sentence = sentence(row);
        outln!("{BOLD}{:<width$}{BOLD:#}  {version:<9}  {colour}{sentence}{colour:#}", row.component);
        let indent = width + 13;
        for passed_over in &row.passed_over {
            outln!("{:indent$}{passed_over}", "");
        }
        for hint in row.outcome.as_ref().err().map(|error| &error.hints).into_iter().flatten() {
            outln!("{:indent$}hint: {hint}", "");
        }
    }
}

/// The table, for the summary of a step.
pub fn markdown(rows: &[Row]) -> String {
    let rows = rows.iter().map(|row| {
        let version = row.current.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
        let pull = row.published().map(|published| &published.pull_request.pull_request);
        let pull = pull.map(|pull| format!("[#{}]({})", pull.number, pull.url)).unwrap_or_default();
        [row.component.clone(), version, sentence(row), pull].map(markdown::cell)
    });
    markdown::table(["component", "here", "", "pull request"], rows)
}

/// What was done about a component and why, as one sentence.
fn sentence(row: &Row) -> String {
    let decision = match &row.decision {
        None => String::new(),
        Some(Decision::NoUpstream) => "left alone: it has no `upstream:`".into(),
        Some(Decision::Held) => "left alone: `update.hold` is set".into(),
        Some(Decision::UpToDate) => "up to date".into(),
        Some(Decision::NothingAllowed) => "nothing that may be taken".into(),
        Some(Decision::TurnedDown { version, number }) => {
            format!("{version} left alone: a person has closed #{number}")
        }
        Some(Decision::Overtaken { version, number }) => format!("left alone: #{number} brings {version} already"),
        Some(Decision::Bump { version }) => version.to_string(),
    };
    match &row.outcome {
        Err(error) if decision.is_empty() => failed(error),
        Err(error) => format!("{decision}: {}", failed(error)),
        Ok(Outcome::None) => decision,
        Ok(Outcome::Planned { places, files }) => {
            format!("{decision}: would change {} in {}", counted(*places, "place"), counted(*files, "file"))
        }
        Ok(Outcome::Published(published)) => {
            let pull = &published.pull_request;
            let done = match pull.action {
                Action::Created => "opened",
                Action::Updated => "updated",
                Action::Unchanged => "unchanged",
            };
            format!("{decision}: pull request #{} {done}: {}", pull.pull_request.number, pull.pull_request.url)
        }
    }
}

fn failed(error: &Error) -> String {
    format!("failed: {}", error.message)
}
