//! What the jobs of a GitHub workflow do with images, when the release of a version starts it
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>).

use std::collections::BTreeMap;

use super::act::{Act, Step};
use super::actions;
use super::expression::{Known, is_never, substitute};
use super::mark::marked;
use super::path::join;
use super::run::{Shell, World};
use crate::edit::yaml::{Document, Value, documents};

/// Combinations of a matrix that are looked at: GitHub starts no more jobs for one.
const MOST_COMBINATIONS: usize = 256;

/// What one job did, on one combination of its matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Whether its machine is an arm64 one; else it is amd64.
    pub is_arm: bool,
    /// What it did with images.
    pub steps: Vec<Step>,
}

/// A workflow that could be read.
pub struct Workflow {
    path: String,
    text: String,
    document: Document,
}

impl Workflow {
    /// Reads the workflow `text` at `path`; `None` if it is no YAML, or more than one document.
    pub fn read(path: &str, text: &str) -> Option<Self> {
        let mut documents = documents(text).ok()?;
        let document = documents.pop().filter(|_| documents.is_empty())?;
        Some(Workflow { path: path.to_owned(), text: text.to_owned(), document })
    }

    fn get(&self, key: &str) -> Option<Value<'_>> {
        self.document.root()?.get(key)
    }

    /// The `refs/tags/...` of a release of the component `own`, if the push of a tag starts this workflow.
    fn reference(&self, own: Option<&str>) -> Option<String> {
        let (on, own) = (self.get("on")?, own?);
        let tags = on.get("push").and_then(|push| push.get("tags"));
        let patterns: Vec<&str> =
            tags.into_iter().flat_map(|tags| tags.items().chain([tags])).filter_map(Value::text).collect();
        let names = on.items().chain(on.entries().map(|(key, _)| key)).chain([on]);
        let released = names.filter_map(Value::text).any(|name| name == "release");
        let before = |pattern: &&str| pattern.split(['*', '[', '?', '+']).next().unwrap_or_default().to_owned();
        let first =
            patterns.iter().find(|pattern| !pattern.starts_with('!')).map(|pattern| (before(pattern), *pattern));
        match first {
            Some((before, pattern)) if !before.is_empty() || pattern.starts_with("[0-9]") => {
                Some(format!("refs/tags/{before}{{{own}}}"))
            }
            // as `tag:` of the config says
            Some(_) => Some(format!("refs/tags/v{{{own}}}")),
            None => released.then(|| format!("refs/tags/v{{{own}}}")),
        }
    }

    /// What its jobs do on machines of the kind `world.machine`. `own` is the component that this repository releases,
    /// `repository` this repository. `plain` makes plain text of the values.
    pub fn jobs(&self, world: &World<'_>, own: Option<&str>, repository: Option<&str>) -> Vec<Job> {
        let reference = self.reference(own);
        let mut known = Known::new();
        for (name, value) in [
            ("github.workspace", Some("/")),
            ("github.repository", repository),
            ("github.repository_owner", repository.and_then(|name| name.split('/').next())),
            ("github.ref", reference.as_deref()),
            ("github.ref_name", reference.as_deref().map(|name| &name["refs/tags/".len()..])),
            ("github.event.release.tag_name", reference.as_deref().map(|name| &name["refs/tags/".len()..])),
            ("github.sha", Some(&*marked("github.sha"))),
        ] {
            value.into_iter().for_each(|value| drop(known.insert(name.to_owned(), value.to_owned())));
        }
        self.environment(self.get("env"), &mut known);
        let mut found = Vec::new();
        for (name, job) in self.get("jobs").into_iter().flat_map(Value::entries) {
            let condition = job.get("if").and_then(Value::text).unwrap_or_default();
            if is_never(condition, reference.as_deref()) {
                continue;
            }
            for combination in combinations(job) {
                let mut local = known.clone();
                local.extend(combination);
                let outputs = self.job(world, job, &mut local, reference.as_deref(), &mut found);
                let name = name.text().unwrap_or_default();
                known.extend(outputs.into_iter().map(|(key, value)| (format!("needs.{name}.outputs.{key}"), value)));
            }
        }
        found
    }

    /// Follows one job; its outputs.
    fn job(
        &self,
        world: &World<'_>,
        job: Value<'_>,
        known: &mut Known,
        reference: Option<&str>,
        found: &mut Vec<Job>,
    ) -> Vec<(String, String)> {
        self.environment(job.get("env"), known);
        let runs_on = job.get("runs-on");
        let labels = runs_on.into_iter().flat_map(|labels| labels.items().chain([labels])).filter_map(Value::text);
        let is_arm = labels.map(|label| substitute(label, known).to_ascii_lowercase()).any(|label| {
            label.split(['-', '_']).any(|part| part == "arm" || part.starts_with("arm64") || part == "aarch64")
        });
        let directory = |of: Option<Value<'_>>| {
            let run = of.and_then(|of| of.get("defaults")).and_then(|defaults| defaults.get("run"));
            run.and_then(|run| run.get("working-directory")).and_then(Value::text).map(str::to_owned)
        };
        let usual = directory(Some(job)).or_else(|| directory(self.document.root()));
        let mut steps = Vec::new();
        for step in job.get("steps").into_iter().flat_map(Value::items) {
            let text = |key: &str| step.get(key).and_then(Value::text);
            if is_never(text("if").unwrap_or_default(), reference) {
                continue;
            }
            let mut local = known.clone();
            self.environment(step.get("env"), &mut local);
            let id = text("id").unwrap_or_default();
            if let Some(run) = step.get("run") {
                let at = text("working-directory").or(usual.as_deref()).unwrap_or_default();
                let mut shell = Shell::new(environment(&local), join("", &substitute(at, &local)));
                shell.script(world, &self.path, self.line(run), &substitute(run.text().unwrap_or_default(), &local));
                steps.append(&mut shell.steps);
                for written in shell.written {
                    let name = match written.file.as_str() {
                        "GITHUB_ENV" => format!("env.{}", written.name),
                        _ => format!("steps.{id}.outputs.{}", written.name),
                    };
                    known.insert(name, written.value);
                }
            } else if let Some(uses) = text("uses") {
                let with = |key: &str| {
                    let value = step.get("with").and_then(|with| with.get(key)).and_then(Value::text);
                    value.map(|value| substitute(value, &local))
                };
                let line = step.get("uses").map_or(1, |uses| self.line(uses));
                let note = |act: Act| Step { path: self.path.clone(), line, conditional: false, act };
                steps.extend(actions::acts(uses, &with).into_iter().map(note));
                let outputs = actions::outputs(uses, &with, reference);
                known.extend(outputs.into_iter().map(|(name, value)| (format!("steps.{id}.outputs.{name}"), value)));
            }
        }
        found.push(Job { is_arm, steps });
        let outputs = job.get("outputs").into_iter().flat_map(Value::entries);
        outputs.filter_map(|(key, value)| Some((key.text()?.to_owned(), substitute(value.text()?, known)))).collect()
    }

    /// Adds what an `env:` says to `known`.
    fn environment(&self, env: Option<Value<'_>>, known: &mut Known) {
        for (name, value) in env.into_iter().flat_map(Value::entries) {
            if let (Some(name), Some(value)) = (name.text(), value.text()) {
                let value = substitute(value, known);
                known.insert(format!("env.{name}"), value);
            }
        }
    }

    /// The line on which the text of `value` begins, from 1.
    fn line(&self, value: Value<'_>) -> usize {
        let start = value.span().start;
        let is_block = self.text[start..].starts_with(['|', '>']);
        1 + self.text[..start].matches('\n').count() + usize::from(is_block)
    }
}

/// The environment of a step.
fn environment(known: &Known) -> BTreeMap<String, String> {
    let own = known.iter().filter_map(|(name, value)| Some((name.strip_prefix("env.")?.to_owned(), value.clone())));
    let of_runner = [
        ("CI", Some("true".to_owned())),
        ("GITHUB_WORKSPACE", Some("/".to_owned())),
        ("GITHUB_REF", known.get("github.ref").cloned()),
        ("GITHUB_REF_NAME", known.get("github.ref_name").cloned()),
        ("GITHUB_REPOSITORY", known.get("github.repository").cloned()),
        ("GITHUB_SHA", Some(marked("github.sha"))),
    ];
    let of_runner = of_runner.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    of_runner.chain(own).collect()
}

/// The combinations of the matrix of `job`, each as what `matrix.*` stands for; one where there is no matrix.
fn combinations(job: Value<'_>) -> Vec<Known> {
    let matrix = job.get("strategy").and_then(|strategy| strategy.get("matrix"));
    let entries = || matrix.into_iter().flat_map(Value::entries);
    let mut found = vec![Known::new()];
    for (name, values) in entries() {
        let Some(name) = name.text().filter(|name| !["include", "exclude"].contains(name)) else { continue };
        let values: Vec<&str> = values.items().filter_map(Value::text).collect();
        if !values.is_empty() {
            let with = |one: &Known, value: &str| {
                let mut one = one.clone();
                one.insert(format!("matrix.{name}"), value.to_owned());
                one
            };
            let all = found.iter().flat_map(|one| values.iter().map(move |value| with(one, value)));
            found = all.take(MOST_COMBINATIONS).collect();
        }
    }
    for excluded in entries().filter(|(name, _)| name.text() == Some("exclude")).flat_map(|(_, list)| list.items()) {
        let pairs = pairs(excluded);
        let is_excluded = |one: &Known| pairs.iter().all(|(name, value)| one.get(name) == Some(value));
        found.retain(|one| pairs.is_empty() || !is_excluded(one));
    }
    for included in entries().filter(|(name, _)| name.text() == Some("include")).flat_map(|(_, list)| list.items()) {
        let pairs = pairs(included);
        let fits = |one: &Known| {
            !one.is_empty() && pairs.iter().all(|(name, value)| one.get(name).is_none_or(|own| own == value))
        };
        let shares = |one: &Known| pairs.keys().any(|name| one.contains_key(name));
        match found.iter_mut().filter(|one| fits(one) && shares(one)).map(|one| one.extend(pairs.clone())).count() {
            0 if found.len() == 1 && found[0].is_empty() => found = vec![pairs],
            0 if found.len() < MOST_COMBINATIONS => found.push(pairs),
            _ => {}
        }
    }
    found
}

/// What an entry of `include:` or `exclude:` says.
fn pairs(entry: Value<'_>) -> Known {
    let pair =
        |(name, value): (Value<'_>, Value<'_>)| Some((format!("matrix.{}", name.text()?), value.text()?.to_owned()));
    entry.entries().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(matrix: &str) -> Vec<String> {
        let text = format!("strategy:\n  matrix:\n{matrix}");
        let document = documents(&text).ok().unwrap().pop().unwrap();
        let told = combinations(document.root().unwrap());
        told.into_iter().map(|one| one.into_values().collect::<Vec<_>>().join("-")).collect()
    }

    #[test]
    fn a_matrix_has_as_many_combinations_as_github_starts_without_the_excluded_ones() {
        assert_eq!(told("    a: [1, 2, 3, 4, 5, 6, 7]\n    b: [1, 2, 3, 4]\n").len(), 28);
        let list = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
        let include = "    include:\n      - d: 1\n        a: 99\n";
        assert_eq!(told(&format!("    a: {list}\n    b: {list}\n    c: {list}\n{include}")).len(), MOST_COMBINATIONS);
        let excluded = "    a: [x, y]\n    b: [x, y]\n    exclude:\n      - a: x\n        b: y\n      - a: y\n    include:\n      - a: y\n        b: z\n";
        assert_eq!(told(excluded), ["x-x", "y-z"]);
    }
}
