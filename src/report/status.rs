//! What `status` found: one screen, the document, and Markdown for the summary of a step.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::build::{color, short_digest};
use super::documents::{FailureBody, OpenPull};
use super::{BOLD, GREEN, RED, YELLOW, counted};
use crate::build::published::Published;
use crate::build::{BuildPlan, ImagePlan};
use crate::bump::policy::{Decision, PassedOver};
use crate::version::Version;

/// The document of `status`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Status<'a> {
    /// The version of each component.
    pub components: BTreeMap<String, String>,
    /// What upstream has of each component that has one, where GitHub was asked.
    pub upstream: BTreeMap<String, Upstream>,
    /// The open pull request of each component.
    pub pull_requests: Vec<OpenPull>,
    /// The last run for each phase that a workflow builds.
    pub runs: Vec<PhaseRun>,
    /// The images that are there.
    pub published: Vec<Published>,
    /// The images, with their states.
    #[serde(flatten)]
    pub plan: &'a BuildPlan,
    /// Why the registry could not be asked about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<FailureBody<'a>>,
}

/// What upstream has.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Upstream {
    /// What `watch` would do.
    #[serde(flatten)]
    pub decision: Decision,
    /// Newer versions that it passes over, the newest first.
    pub passed_over: Vec<PassedOver>,
}

/// A workflow run for a phase.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PhaseRun {
    /// The phase.
    pub phase: String,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// How far it is, in GitHub's words.
    pub state: String,
    /// The labels of the runners that its jobs wait for.
    pub awaits: Vec<String>,
    /// Its page.
    pub url: String,
    /// When it was started.
    #[schemars(with = "String")]
    pub started: Timestamp,
}

impl PhaseRun {
    /// `, waits for a runner labelled ubuntu-24.04-arm`, if it does.
    fn awaits(&self) -> String {
        match self.awaits.as_slice() {
            [] => String::new(),
            labels => format!(", waits for a runner labelled {}", labels.join(", ")),
        }
    }
}

impl<'a> Status<'a> {
    /// The part that needs no GitHub.
    pub fn new(versions: &BTreeMap<String, Version>, plan: &'a BuildPlan) -> Self {
        let components = versions.iter().map(|(name, version)| (name.clone(), version.to_string())).collect();
        let (upstream, pull_requests, runs, published) = Default::default();
        Status { components, upstream, pull_requests, runs, published, plan, error: None }
    }

    fn published(&self, image: &ImagePlan) -> Option<&Published> {
        self.published.iter().find(|published| published.image == image.image)
    }

    fn run(&self, phase: &str) -> Option<&PhaseRun> {
        self.runs.iter().find(|run| run.phase == phase)
    }

    /// The components as Markdown: what is here, upstream and under review.
    pub fn markdown(&self) -> String {
        let mut text = "| component | here | upstream | pull request |\n|---|---|---|---|\n".to_owned();
        for (component, version) in &self.components {
            let newer = self.upstream.get(component).map(newer).unwrap_or_default();
            let pulls = self.pull_requests.iter().filter(|pull| pull.component == *component);
            let pulls: Vec<String> = pulls.map(|pull| format!("[#{}]({})", pull.number, pull.url)).collect();
            // writing to a string cannot fail
            let _ = writeln!(text, "| {component} | {version} | {newer} | {} |", pulls.join(" "));
        }
        for run in &self.runs {
            let _ = writeln!(
                text,
                "\nPhase {}: attempt {} {}{} ({})",
                run.phase,
                run.attempt,
                run.state,
                run.awaits(),
                run.url
            );
        }
        text
    }
}

/// One screen, on stdout. `now` is what ages are counted to.
pub fn show(status: &Status<'_>, now: Timestamp) {
    for (component, version) in &status.components {
        let newer = status.upstream.get(component).map(newer).filter(|newer| !newer.is_empty());
        outln!("{BOLD}{component}{BOLD:#} {version}{}", newer.map(|newer| format!("  {newer}")).unwrap_or_default());
        for pull in status.pull_requests.iter().filter(|pull| pull.component == *component) {
            outln!("  {YELLOW}#{}{YELLOW:#} {} ({})", pull.number, pull.title, pull.url);
        }
    }
    let width = |text: &dyn Fn(&ImagePlan) -> usize| status.plan.images().map(text).max().unwrap_or(0);
    let (names, tags) = (width(&|image| image.image.len()), width(&|image| image.tags.join(", ").len()));
    for phase in &status.plan.phases {
        let run = status.run(&phase.name).map(|run| {
            let color = match run.state.as_str() {
                "success" => GREEN,
                "failure" | "cancelled" | "timed out" | "startup failure" => RED,
                _ => YELLOW,
            };
            format!("  run {} {color}{}{}{color:#} {}", run.attempt, run.state, run.awaits(), run.url)
        });
        outln!("{BOLD}phase {}{BOLD:#}{}", phase.name, run.unwrap_or_default());
        for image in &phase.images {
            let color = color(image);
            let facts = status.published(image).map(|published| facts(published, now)).unwrap_or_default();
            outln!(
                "  {:<names$}  {:<tags$}  {color}{}{color:#}{facts}",
                image.image,
                image.tags.join(", "),
                image.state
            );
        }
    }
    let due = status.plan.images().filter(|image| image.build).count();
    match due {
        0 if status.error.is_some() => outln!("not all is known"),
        0 => outln!("everything is published"),
        due => outln!("{due} of {} to build", counted(status.plan.images().count(), "image")),
    }
}

/// Platforms, digest and age on one line: `  linux/amd64 linux/arm64  3fa9c1d2e4b5  2 days old`.
fn facts(published: &Published, now: Timestamp) -> String {
    let digest = short_digest(&published.digest);
    let age = published.created.map(|created| format!("  {} old", age(now.duration_since(created).as_secs())));
    format!("  {}  {digest}{}", published.platforms.join(" "), age.unwrap_or_default())
}

/// Seconds as people say them.
fn age(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..3_600 => (seconds.max(0) / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    counted(usize::try_from(count).unwrap_or_default(), unit)
}

/// What is newer upstream, in a few words.
fn newer(upstream: &Upstream) -> String {
    match &upstream.decision {
        Decision::NoUpstream => String::new(),
        Decision::Held => "held".into(),
        Decision::UpToDate => "up to date".into(),
        Decision::NothingAllowed => match upstream.passed_over.first() {
            Some(newest) => format!("{} is out, and passed over", newest.version),
            None => "up to date".into(),
        },
        Decision::TurnedDown { version, number } => format!("{version} was turned down in #{number}"),
        Decision::Overtaken { version, number } => format!("{version} is asked for in #{number}"),
        Decision::Bump { version } => format!("{version} is out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_largest_unit_that_fits() {
        for (seconds, expected) in [
            (-5, "0 minutes"),
            (59, "0 minutes"),
            (61, "1 minute"),
            (7_300, "2 hours"),
            (86_400, "1 day"),
            (9_000_000, "104 days"),
        ] {
            assert_eq!(age(seconds), expected);
        }
    }

    #[test]
    fn what_is_newer_is_told_in_a_few_words() {
        let version: Version = "0.24.2".parse().unwrap();
        for (decision, expected) in [
            (Decision::UpToDate, "up to date"),
            (Decision::Bump { version: version.clone() }, "0.24.2 is out"),
            (Decision::TurnedDown { version, number: 7 }, "0.24.2 was turned down in #7"),
        ] {
            assert_eq!(newer(&Upstream { decision, passed_over: Vec::new() }), expected);
        }
    }
}
