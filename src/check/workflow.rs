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

    /// Whether `event` starts it.
    pub fn is_started_by(&self, event: &str) -> bool {
        let Some(on) = self.get("on") else { return false };
        on.text() == Some(event)
            || on.items().any(|item| item.text() == Some(event))
            || on.entries().any(|(key, _)| key.text() == Some(event))
    }

    /// The bytes that say that `event` starts it, or else what does; the start of the file, if nothing does.
    pub fn trigger(&self, event: &str) -> Range<usize> {
        let Some(on) = self.get("on") else { return 0..0 };
        let keys = on.entries().map(|(key, _)| key);
        let named: Vec<Value<'_>> = on.items().chain(keys).chain(on.text().map(|_| on)).collect();
        let found = named.iter().find(|name| name.text() == Some(event)).or(named.first());
        found.map_or(0..0, |name| name.span())
    }

    /// What its runs are called.
    pub fn run_name(&self) -> Option<&str> {
        self.get("run-name")?.text()
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

    /// Whether pushing the git tag `tag` starts it.
    pub fn is_started_by_tag(&self, tag: &str) -> bool {
        let push = self.get("on").and_then(|on| on.get("push"));
        let filters = |key: &str| -> Option<Vec<&str>> {
            let value = push?.get(key)?;
            Some(value.items().chain([value]).filter_map(Value::text).collect())
        };
        match (filters("tags"), filters("tags-ignore")) {
            (Some(patterns), _) => is_matched(&patterns, tag),
            (None, Some(patterns)) => !is_matched(&patterns, tag),
            // a filter of branches alone leaves out every tag
            (None, None) => self.is_started_by("push") && filters("branches").or(filters("branches-ignore")).is_none(),
        }
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

/// Whether the filter patterns of an event select `name`: the last one that matches decides.
fn is_matched(patterns: &[&str], name: &str) -> bool {
    let decides = patterns.iter().rev().find(|pattern| matches(pattern.strip_prefix('!').unwrap_or(pattern), name));
    decides.is_some_and(|pattern| !pattern.starts_with('!'))
}

/// Whether a filter pattern matches: `*` within a path part, `**` across, `?` and `+` count the character before them, as
/// the filter pattern cheat sheet of GitHub has it. A pattern that cannot be read matches nothing.
fn matches(pattern: &str, name: &str) -> bool {
    let mut regex = String::from("^");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("**") { 2 } else { c.len_utf8() };
        match c {
            '*' => regex.push_str(if length == 2 { ".*" } else { "[^/]*" }),
            '?' | '+' | '[' | ']' => regex.push(c),
            '-' if regex.rfind('[') > regex.rfind(']') => regex.push(c),
            '\\' => {}
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        rest = &rest[length..];
    }
    regex.push('$');
    Regex::new(&regex).is_ok_and(|regex| regex.is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflow(text: &str) -> Workflow {
        Workflow::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_workflow_is_started_by_what_it_says_in_any_of_the_three_ways() {
        for on in ["workflow_dispatch", "[push, workflow_dispatch]", "{ workflow_dispatch: , push: { branches: [a] } }"]
        {
            let workflow = workflow(&format!("on: {on}\n"));
            assert!(workflow.is_started_by("workflow_dispatch") && !workflow.is_started_by("schedule"), "{on}");
        }
    }

    #[test]
    fn a_tag_starts_a_workflow_as_its_filters_say() {
        for (on, expected) in [
            ("push", true),
            ("[push]", true),
            ("{ push: }", true),
            ("{ push: { tags: ['v*'] } }", true),
            ("{ push: { tags: 'v*' } }", true),
            ("{ push: { tags: ['v[0-9]+.[0-9]+.[0-9]+'] } }", true),
            ("{ push: { tags: ['**'] } }", true),
            ("{ push: { tags: ['v*', '!v0.29.*'] } }", false),
            ("{ push: { tags: ['release-*'] } }", false),
            ("{ push: { tags-ignore: ['v*'] } }", false),
            ("{ push: { branches: [main] } }", false),
            ("{ push: { branches: [main], tags: ['v*'] } }", true),
            ("{ pull_request: }", false),
        ] {
            assert_eq!(workflow(&format!("on: {on}\n")).is_started_by_tag("v0.29.0"), expected, "{on}");
        }
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
