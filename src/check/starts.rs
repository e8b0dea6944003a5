//! Findings about the workflows that engine `actions` starts: whether they exist, and whether what starts them does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::workflow::Workflow;
use super::workflows::{DIRECTORY, suggest};
use super::{Finding, Subject};
use crate::config::{Code, EngineKind, Phase, REQUEST, Template};
use crate::edit::yaml::{Document, Value, documents};
use crate::version::Version;

/// What is wrong with the workflows of the phases. `all` holds every workflow.
pub(super) fn findings(subject: &Subject<'_>, all: &BTreeMap<&str, Workflow>) -> Vec<Finding> {
    if subject.config.build.engine != EngineKind::Actions {
        return Vec::new();
    }
    // the config is valid, so it is one document
    let config = documents(subject.text).ok().and_then(|mut documents| documents.pop());
    let phases = subject.config.phases.iter().enumerate();
    let mut missing = BTreeSet::new();
    let findings = phases.flat_map(|(index, phase)| of_phase(subject, config.as_ref(), index, phase, all));
    // a file that is missing is missing once, however many phases it should build
    findings.filter(|found| found.code != Code::MissingWorkflow || missing.insert(found.message.clone())).collect()
}

fn of_phase(
    subject: &Subject<'_>,
    config: Option<&Document>,
    index: usize,
    phase: &Phase,
    all: &BTreeMap<&str, Workflow>,
) -> Vec<Finding> {
    let actions = subject.config.build.actions.as_ref();
    let Some(name) = phase.trigger.workflow.as_ref().or(actions.map(|actions| &actions.workflow)) else {
        return Vec::new();
    };
    let trigger = |key: &str| {
        let phase = config?.root()?.get("phases")?.items().nth(index)?;
        phase.get("trigger")?.get(key).map(Value::span)
    };
    let in_config = |code, span: Option<Range<usize>>, message: String| {
        Finding::at(code, subject.path, subject.text.as_bytes(), span.unwrap_or_default(), message)
    };
    let path = format!("{DIRECTORY}{name}");
    let Some(workflow) = all.get(&*path) else {
        let general = || config?.root()?.get("build")?.get("actions")?.get("workflow").map(Value::span);
        let message = format!("there is no workflow {path}, which a build starts");
        let finding = in_config(Code::MissingWorkflow, trigger("workflow").or_else(general), message);
        return vec![finding.help("commit it as a YAML file, or name another one")];
    };
    let version = |name: &str| subject.versions.get(name).map(Version::to_string);
    if let Some(tag) = phase.trigger.tag.as_ref().map(|tag| tag.render(version)) {
        let message = format!("tag `{tag}` does not start {path}, so nothing builds phase {}", phase.name);
        let finding = || in_config(Code::UnbuiltTag, trigger("tag"), message);
        return match workflow.is_started_by_tag(&tag) {
            true => Vec::new(),
            false => vec![finding().help("let the workflow start `on: push: tags:` of such a tag")],
        };
    }
    let at = |code, span, message: String| Finding::at(code, &path, workflow.text.as_bytes(), span, message);
    if !workflow.is_started_by("workflow_dispatch") {
        let message = format!("it builds phase {}, but cannot be dispatched", phase.name);
        let finding = at(Code::WorkflowTrigger, workflow.trigger("workflow_dispatch"), message);
        return vec![finding.help("add `workflow_dispatch:` under `on:`")];
    }
    let sent = phase.trigger.inputs.as_deref().or(actions.map(|actions| &*actions.inputs)).unwrap_or_default();
    wrong_inputs(workflow, sent, at)
}

/// Inputs that a dispatch gives and the workflow does not have, or the other way round: GitHub refuses it. An id in no
/// run's name: the run is never found again.
fn wrong_inputs(
    workflow: &Workflow,
    sent: &[(String, Template)],
    at: impl Fn(Code, Range<usize>, String) -> Finding,
) -> Vec<Finding> {
    let inputs = workflow.inputs_of("workflow_dispatch");
    let at = |code, message: String| at(code, workflow.trigger("workflow_dispatch"), message);
    let is_sent = |name: &str| sent.iter().any(|(sent, _)| sent.eq_ignore_ascii_case(name));
    let unknown = sent.iter().filter(|(name, _)| !inputs.iter().any(|input| input.name.eq_ignore_ascii_case(name)));
    let unknown = unknown.map(|(name, _)| {
        let message = format!("a build gives the input `{name}`, which is not declared");
        at(Code::WorkflowInput, message).help(suggest(name, &inputs))
    });
    let missing = inputs.iter().filter(|input| input.required && !is_sent(&input.name)).map(|input| {
        let message = format!("it must be given its input `{}`, which a build does not", input.name);
        at(Code::WorkflowInput, message).help("give it under `inputs:` in release.yaml, or let it have a default")
    });
    let request = sent.iter().find(|(_, value)| value.places().any(|place| place == REQUEST)).map(|(name, _)| name);
    let is_named = |name: &&String| workflow.run_name().is_some_and(|run| run.contains(&format!("inputs.{name}")));
    let lost = request.filter(|name| !is_named(name)).map(|name| {
        let message = format!("its runs do not carry the input `{name}` in their name, so a build cannot find its own");
        at(Code::WorkflowTrigger, message).help(format!("add `run-name: ... ${{{{ inputs.{name} }}}}`"))
    });
    unknown.chain(missing).chain(lost).collect()
}
