//! The phase workflow as it stands in `.github/workflows`, read for its `run:` lines.

use std::collections::BTreeMap;

use serde_yaml::Value;

/// A job of the workflow, as far as it runs commands.
#[derive(Debug)]
pub struct WorkflowJob {
    pub name: String,
    /// What it checks out, with its expressions.
    pub checkout: String,
    /// Each step that runs something.
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub struct Step {
    pub run: String,
    /// `if:`, as it is written.
    pub condition: Option<String>,
    /// Its environment, with its expressions.
    pub env: Vec<(String, String)>,
}

/// The jobs of `build-images.yml`, in the order of the file.
pub fn jobs() -> Vec<WorkflowJob> {
    let workflow: Value = serde_yaml::from_str(include_str!("../../.github/workflows/build-images.yml")).unwrap();
    let jobs = workflow["jobs"].as_mapping().unwrap().iter();
    let read = jobs.map(|(name, job)| {
        let steps = job["steps"].as_sequence().unwrap();
        let checkout = steps.iter().find(|step| text(&step["uses"]).starts_with("actions/checkout@"));
        let checkout = checkout.map(|step| text(&step["with"]["ref"])).unwrap_or_default();
        let steps = steps.iter().filter(|step| !step["run"].is_null()).map(|step| Step {
            run: text(&step["run"]),
            condition: (!step["if"].is_null()).then(|| text(&step["if"])),
            env: step["env"]
                .as_mapping()
                .into_iter()
                .flatten()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        });
        WorkflowJob { name: text(name), checkout, steps: steps.collect() }
    });
    read.collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `text` with its expressions replaced by their values; one that has none fails the test.
pub fn filled(text: &str, values: &BTreeMap<&str, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap();
        let value = values.get(expression.trim());
        filled.push_str(before);
        filled.push_str(value.unwrap_or_else(|| panic!("the tests do not know ${{{{{expression}}}}}")));
        rest = after;
    }
    filled + rest
}
