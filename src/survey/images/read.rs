//! The builds of a tree: what its Makefiles and workflows say, with the name of a component in place of its version.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::assign::{Finding, Subject, Verdict};
use super::super::scan::Occurrence;
use super::act::Act;
use super::command::{self, Build, Doubt};
use super::expression::NAME_IN_YAML;
use super::ledger::{Elsewhere, Ledger};
use super::make::{Makefile, Scope};
use super::run::{Shell, World};
use super::workflow::Workflow;

/// What a command builds, and where it stands.
#[derive(Debug, Clone)]
pub struct Found {
    /// Path of the file that says so.
    pub path: String,
    /// Line of the command, from 1.
    pub line: usize,
    /// What it builds, or why that cannot be told.
    pub build: Result<Build, Doubt>,
    /// The kinds of machines that are known to build it: arm64, or amd64.
    pub is_arm: BTreeSet<bool>,
}

/// The kinds of machines, as `uname -m` has them.
const MACHINES: [&str; 2] = ["x86_64", "aarch64"];

/// Whether the file at `path` is a Makefile.
pub fn is_makefile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["Makefile", "makefile", "GNUmakefile"].contains(&name) || name.ends_with(".mk")
}

/// Whether the file at `path` is a workflow of GitHub.
pub fn is_workflow(path: &str) -> bool {
    path.strip_prefix(".github/workflows/").is_some_and(|name| !name.contains('/') && name.ends_with(['l']))
        && (path.ends_with(".yml") || path.ends_with(".yaml"))
}

/// `bytes`, the content of the file at `path`, with `{component}` for each version that is a site of it.
pub fn templated(
    path: &str,
    bytes: &[u8],
    subjects: &[Subject],
    places: &[Occurrence],
    findings: &[Finding],
) -> Option<String> {
    let [open, close] = if is_workflow(path) { NAME_IN_YAML } else { ['{', '}'] };
    let sites = findings.iter().filter(|finding| finding.verdict == Verdict::Site);
    let mut sites: Vec<_> = sites
        .filter(|finding| places[finding.place].path == path && places[finding.place].apart.is_empty())
        .map(|finding| (&places[finding.place].range, &subjects[finding.subject].name))
        .collect();
    sites.sort_by_key(|(range, _)| range.start);
    let mut text = String::from_utf8(bytes.to_owned()).ok()?;
    for (range, name) in sites.into_iter().rev() {
        text.get(range.clone())?;
        text.replace_range(range.clone(), &format!("{open}{name}{close}"));
    }
    Some(text)
}

/// What the recipes of the Makefile `text` at `path` build. `read` gives other files of the tree, [`templated`].
pub fn builds(path: &str, text: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<Found> {
    builds_given(path, text, read, &BTreeMap::new())
}

/// What the recipes build when make is given these variables.
pub fn builds_given(
    path: &str,
    text: &str,
    read: &dyn Fn(&str) -> Option<String>,
    given: &BTreeMap<String, String>,
) -> Vec<Found> {
    let file = Makefile::read(text);
    let environment = BTreeMap::new();
    let mut found = Vec::new();
    for recipe in file.recipes.iter().filter(|recipe| recipe.text.contains("docker")) {
        let [amd64, arm64] = MACHINES.map(|machine| {
            let steps = Cell::new(0);
            let scope = Scope { file: &file, path, machine, read, given, environment: &environment, steps };
            let mut shell = Shell::default();
            shell.recipe(&World { read, machine }, &scope, recipe);
            shell.steps
        });
        for (one, other) in amd64.iter().zip(&arm64).filter(|(one, _)| one.path == path) {
            let (Act::Build(a, directory), Act::Build(b, _)) = (&one.act, &other.act) else { continue };
            let build = match command::both(a, b, directory.as_deref()) {
                Ok(build) if one.conditional => {
                    Err(Doubt::about(&build, "it is built only under a condition".to_owned()))
                }
                build => build,
            };
            found.push(Found { path: path.to_owned(), line: recipe.line, build, is_arm: BTreeSet::new() });
        }
    }
    found
}

/// What the jobs of the workflow `text` at `path` build and publish. `own` is the component that the repository
/// releases, and `repository` the repository, as `owner/name`.
pub fn published(
    path: &str,
    text: &str,
    read: &dyn Fn(&str) -> Option<String>,
    (own, repository): (Option<&str>, Option<&str>),
    elsewhere: Elsewhere<'_>,
) -> Vec<Found> {
    let Some(workflow) = Workflow::read(path, text) else { return Vec::new() };
    let [amd64, arm64] = MACHINES.map(|machine| workflow.jobs(&World { read, machine }, own, repository));
    let mut ledger = Ledger::default();
    for (amd64, arm64) in amd64.iter().zip(&arm64) {
        ledger.job(amd64, arm64, elsewhere);
    }
    ledger.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_file_that_a_recipe_reads_says_whose_version_it_is() {
        let text = "V := $(shell cat ../V6D_VERSION)\na:\n\tcd .. && docker build -t g/a:$(V) -f k8s/a.Dockerfile .\n";
        let read = |path: &str| (path == "V6D_VERSION").then(|| "v{vineyard}\n".to_owned());
        let found = builds("k8s/Makefile", text, &read);
        assert_eq!(found[0].build.as_ref().unwrap().tags, ["g/a:v{vineyard}"]);
        assert_eq!(found[0].line, 3);
        let text = "ifdef X\na:\n\tdocker build -t g/a:1 .\nendif\n\t# docker build .\n";
        let found = builds("Makefile", text, &read);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].build.as_ref().unwrap_err().reason, "it is built only under a condition");
    }
}
