//! Findings about workflows: inputs that they read, or give to others, and that do not exist.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::Finding;
use super::workflow::{Input, Use, Workflow};
use crate::config::{Code, nearest};

/// Where GitHub looks for workflows.
pub(super) const DIRECTORY: &str = ".github/workflows/";
/// What every action that runs in a container takes.
const CONTAINER: [&str; 2] = ["args", "entrypoint"];

/// Whether the file at `path` is a workflow or an action.
pub(super) fn reads(path: &str) -> bool {
    is_workflow(path) || matches!(path.rsplit('/').next(), Some("action.yml" | "action.yaml"))
}

fn is_workflow(path: &str) -> bool {
    let name = path.strip_prefix(DIRECTORY).filter(|name| !name.contains('/'));
    name.is_some_and(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
}

/// The workflows and actions of `files`, by path; one that is no YAML is left out.
pub(super) fn read<'f>(files: &HashMap<&'f str, Vec<u8>>) -> BTreeMap<&'f str, Workflow> {
    let read = files.iter().filter(|(path, _)| reads(path));
    read.filter_map(|(path, bytes)| Some((*path, Workflow::read(bytes)?))).collect()
}

/// What is wrong with the inputs of the workflows and actions `all`.
pub(super) fn findings(all: &BTreeMap<&str, Workflow>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, workflow) in all {
        let at = |code, span, message: String| Finding::at(code, path, workflow.text.as_bytes(), span, message);
        findings.extend(undeclared(workflow, at));
        for call in workflow.calls() {
            findings.extend(wrong_call(&call, all, at));
        }
        for action in workflow.actions() {
            findings.extend(unknown_to_action(&action, all, at));
        }
    }
    findings
}

/// Inputs that a file reads and does not declare: they are always empty.
fn undeclared(workflow: &Workflow, at: impl Fn(Code, Range<usize>, String) -> Finding) -> Vec<Finding> {
    let declared = workflow.inputs();
    let is_declared = |name: &str| declared.iter().any(|input| input.name.eq_ignore_ascii_case(name));
    let unknown = workflow.reads().into_iter().filter(|(name, _)| !is_declared(name));
    let finding = |(name, span): (String, Range<usize>)| {
        let message = format!("there is no input `{name}`, so this is always empty");
        at(Code::UndeclaredInput, span, message).help(suggest(&name, &declared))
    };
    unknown.map(finding).collect()
}

/// What is wrong with a call of a local workflow: GitHub refuses to start the caller.
fn wrong_call(
    call: &Use,
    all: &BTreeMap<&str, Workflow>,
    at: impl Fn(Code, Range<usize>, String) -> Finding,
) -> Vec<Finding> {
    let Some(callee) = all.get(&*call.path) else { return Vec::new() };
    let inputs = callee.inputs_of("workflow_call");
    let unknown =
        call.with.iter().filter(|(name, _)| !inputs.iter().any(|input| input.name.eq_ignore_ascii_case(name)));
    let unknown = unknown.map(|(name, span)| {
        let message = format!("`{}` has no input `{name}`", call.path);
        at(Code::WorkflowInput, span.clone(), message).help(suggest(name, &inputs))
    });
    let given = |input: &&Input| call.with.iter().any(|(name, _)| input.name.eq_ignore_ascii_case(name));
    let missing = inputs.iter().filter(|input| input.required && !given(input)).map(|input| {
        let message = format!("`{}` must be given its input `{}`", call.path, input.name);
        at(Code::WorkflowInput, call.span.clone(), message).help("give it under `with:`")
    });
    unknown.chain(missing).collect()
}

/// Inputs that a local action is given and does not have: the runner warns, and drops them.
fn unknown_to_action(
    action: &Use,
    all: &BTreeMap<&str, Workflow>,
    at: impl Fn(Code, Range<usize>, String) -> Finding,
) -> Vec<Finding> {
    let file = |name: &str| if action.path.is_empty() { name.to_owned() } else { format!("{}/{name}", action.path) };
    let Some(found) = ["action.yml", "action.yaml"].iter().find_map(|name| all.get(&*file(name))) else {
        return Vec::new();
    };
    let inputs = found.inputs();
    let is_known =
        |name: &str| CONTAINER.contains(&name) || inputs.iter().any(|input| input.name.eq_ignore_ascii_case(name));
    let unknown = action.with.iter().filter(|(name, _)| !is_known(name));
    let finding = |(name, span): &(String, Range<usize>)| {
        let message = format!("the action has no input `{name}`");
        at(Code::UndeclaredInput, span.clone(), message).help(suggest(name, &inputs))
    };
    unknown.map(finding).collect()
}

/// What to do about an input `name` that is none of `inputs`.
pub(super) fn suggest(name: &str, inputs: &[Input]) -> String {
    let names = || inputs.iter().map(|input| input.name.as_str());
    match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if inputs.is_empty() => "declare it, or remove it".into(),
        None => format!("declare it, or remove it; its inputs are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect();
        let tell =
            |f: Finding| format!("{}:{}:{} {} | {}", f.path, f.line, f.column, f.message, f.help.unwrap_or_default());
        findings(&read(&files)).into_iter().map(tell).collect()
    }

    #[test]
    fn a_call_gives_what_the_called_workflow_takes() {
        let callee = "on:\n  workflow_call:\n    inputs:\n      version: { required: true }\n      push: {}\n";
        let caller = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/callee.yml\n    with: { versoin: 1 }\n";
        assert_eq!(
            told(&[(".github/workflows/callee.yml", callee), (".github/workflows/ci.yml", caller)]),
            [
                ".github/workflows/ci.yml:5:13 `.github/workflows/callee.yml` has no input `versoin` | did you mean `version`?",
                ".github/workflows/ci.yml:4:11 `.github/workflows/callee.yml` must be given its input `version` | give it under `with:`",
            ]
        );
    }

    #[test]
    fn an_action_is_given_what_it_takes() {
        let action = "inputs: { name: {} }\nruns: { using: composite, steps: [] }\n";
        let ci = "on: push\njobs: { a: { steps: [{ uses: ./setup, with: { nam: x, args: y } }, { uses: ./made/later, with: { z: 1 } }] } }\n";
        assert_eq!(
            told(&[("setup/action.yml", action), (".github/workflows/ci.yml", ci)]),
            [".github/workflows/ci.yml:2:47 the action has no input `nam` | did you mean `name`?"]
        );
    }

    #[test]
    fn what_is_read_is_declared() {
        let ci = "on: { workflow_dispatch: { inputs: { phase: {} } } }\nrun-name: ${{ inputs.Phase }} ${{ inputs.commit }}\n";
        assert_eq!(
            told(&[(".github/workflows/ci.yml", ci)]),
            [
                ".github/workflows/ci.yml:2:42 there is no input `commit`, so this is always empty | declare it, or remove it; its inputs are phase"
            ]
        );
    }
}
