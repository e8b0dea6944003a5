//! The facts of one workflow or action file of GitHub Actions: what starts it, its inputs, what it uses
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::edit::yaml::{Document, Value, documents};

/// A file that could be read.
pub(super) struct Workflow {
    /// Its text.
    pub text: String,
    document: Document,
}

/// An input that a file declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    pub name: String,
    /// Whoever starts it must give a value.
    pub required: bool,
}

/// A local file that is used, by its path in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    /// Of a workflow, or of the directory of an action.
    pub path: String,
    /// Bytes of the path as it is written.
    pub span: Range<usize>,
    /// Names of the inputs that it is given, and their bytes.
    pub with: Vec<(String, Range<usize>)>,
}

#[allow(clippy::expect_used, reason = "a constant pattern, which every test compiles")]
static EXPRESSION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)\$\{\{.*?\}\}").expect("a constant pattern"));
#[allow(clippy::expect_used, reason = "a constant pattern, which every test compiles")]
static INPUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^\w.'-]|github\.event\.)inputs\.([A-Za-z_][\w-]*)").expect("a constant pattern")
});

impl Workflow {
    /// Reads the file; `None` if it is no YAML, or more than one document.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut documents = documents(text).ok()?;
        let document = documents.pop().filter(|_| documents.is_empty())?;
        Some(Workflow { text: text.to_owned(), document })
    }

    fn get(&self, key: &str) -> Option<Value<'_>> {
        self.document.root()?.get(key)
    }

    /// What `event` may give it.
    pub fn inputs_of(&self, event: &str) -> Vec<Input> {
        inputs(self.get("on").and_then(|on| on.get(event)).and_then(|event| event.get("inputs")))
    }

    /// Every input that it declares, as a workflow or as an action.
    pub fn inputs(&self) -> Vec<Input> {
        let mut all = self.inputs_of("workflow_dispatch");
        all.extend(self.inputs_of("workflow_call"));
        all.extend(inputs(self.get("inputs")));
        all
    }

    /// The local workflows that its jobs call.
    pub fn calls(&self) -> Vec<Use> {
        self.jobs().filter_map(used).collect()
    }

    /// The local actions that its steps use, also those of a composite action.
    pub fn actions(&self) -> Vec<Use> {
        let own = self.get("runs").and_then(|runs| runs.get("steps"));
        let steps = self.jobs().filter_map(|job| job.get("steps")).chain(own);
        steps.flat_map(Value::items).filter_map(used).collect()
    }

    fn jobs(&self) -> impl Iterator<Item = Value<'_>> {
        self.get("jobs").into_iter().flat_map(Value::entries).map(|(_, job)| job)
    }

    /// Names of the inputs that its expressions read, and their bytes.
    pub fn reads(&self) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        for expression in EXPRESSION.find_iter(&self.text) {
            let line = self.text[..expression.start()].rsplit('\n').next().unwrap_or_default();
            if line.trim_start().starts_with('#') {
                continue;
            }
            for name in INPUT.captures_iter(expression.as_str()).filter_map(|captures| captures.get(1)) {
                let start = expression.start() + name.start();
                found.push((name.as_str().to_owned(), start..start + name.len()));
            }
        }
        found
    }
}

fn inputs(declared: Option<Value<'_>>) -> Vec<Input> {
    let entries = declared.into_iter().flat_map(Value::entries);
    let inputs = entries.filter_map(|(name, settings)| {
        let is = |key: &str, text: &str| settings.get(key).and_then(Value::text) == Some(text);
        let required = is("required", "true") && settings.get("default").is_none();
        Some(Input { name: name.text()?.to_owned(), required })
    });
    inputs.collect()
}

fn used(user: Value<'_>) -> Option<Use> {
    let uses = user.get("uses")?;
    let path = uses.text()?.strip_prefix("./")?.trim_end_matches('/').to_owned();
    let with = user.get("with").into_iter().flat_map(Value::entries);
    let with = with.filter_map(|(name, _)| Some((name.text()?.to_owned(), name.span()))).collect();
    Some(Use { path, span: uses.span(), with })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflow(text: &str) -> Workflow {
        Workflow::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn inputs_are_read_from_expressions_alone() {
        let text = "run-name: ${{ inputs.phase }} ${{ github.event.inputs.commit || matrix.inputs.no }}\n\
                    # ${{ inputs.comment }}\na: inputs.text\n";
        let found = workflow(text).reads();
        let names: Vec<(&str, &str)> = found.iter().map(|(name, span)| (&**name, &text[span.clone()])).collect();
        assert_eq!(names, [("phase", "phase"), ("commit", "commit")]);
    }

    #[test]
    fn what_is_declared_and_used_is_found() {
        let text = "on:\n  workflow_call:\n    inputs:\n      a: { required: true }\n      b: { required: true, default: 1 }\n\
                    jobs:\n  x:\n    uses: ./.github/workflows/y.yml\n    with: { c: 1 }\n  z:\n    steps:\n\
                    \x20     - uses: ./action/\n        with: { d: 1 }\n      - uses: actions/checkout@v4\n";
        let workflow = workflow(text);
        let inputs = workflow.inputs();
        assert_eq!(inputs.iter().map(|i| (&*i.name, i.required)).collect::<Vec<_>>(), [("a", true), ("b", false)]);
        let names = |uses: &[Use]| uses.iter().map(|u| (u.path.clone(), u.with[0].0.clone())).collect::<Vec<_>>();
        assert_eq!(names(&workflow.calls()), [(".github/workflows/y.yml".into(), "c".into())]);
        assert_eq!(names(&workflow.actions()), [("action".into(), "d".into())]);
    }
}
