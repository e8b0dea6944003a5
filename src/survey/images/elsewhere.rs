//! The build of an image that a job publishes and does not build in plain sight: a program of the tree calls make.
//!
//! It is told where one recipe alone builds an image of that name, and the program, or a file beside it, calls make for
//! that recipe in one way alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::command::Build;
use super::make::Makefile;
use super::path::parent;
use super::read::{Found, builds_given};

#[allow(clippy::expect_used, reason = "a constant pattern, which a test compiles")]
static LISTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"["']make["']\s*((?:,\s*["'][^"'\n]*["']\s*)+)"#).expect("a constant pattern"));

/// What the tree has.
pub struct Tree<'a> {
    /// What the recipes of its Makefiles build.
    pub recipes: &'a [Found],
    /// Its paths.
    pub paths: &'a [&'a str],
    /// The content of the file at a path.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

/// The build of `image`, a reference without its tag, by one of the programs `called`.
pub fn find(tree: &Tree<'_>, image: &str, called: &[String]) -> Option<Found> {
    let builds =
        |build: &Build| build.tags.iter().any(|tag| tag.strip_prefix(image).is_some_and(|rest| rest.starts_with(':')));
    let mut recipes = tree.recipes.iter().filter(|found| found.build.as_ref().is_ok_and(builds));
    let (recipe, None) = (recipes.next()?, recipes.next()) else { return None };
    let text = (tree.read)(&recipe.path)?;
    let targets = Makefile::read(&text).recipes.into_iter().find(|one| one.line == recipe.line)?.targets;
    let directories: BTreeSet<&str> = called.iter().filter_map(|program| home(tree, program)).collect();
    let scripts = tree.paths.iter().filter(|path| {
        let beside = directories.iter().any(|directory| {
            path.strip_prefix(directory).is_some_and(|rest| directory.is_empty() || rest.starts_with('/'))
        });
        beside && path.ends_with(".py")
    });
    let calls: BTreeSet<Vec<(String, String)>> =
        scripts.filter_map(|path| (tree.read)(path)).flat_map(|text| calls(&text, &targets)).collect();
    let mut calls = calls.into_iter();
    let (given, None) = (calls.next()?, calls.next()) else { return None };
    let given: BTreeMap<String, String> = given.into_iter().collect();
    let built = builds_given(&recipe.path, &text, tree.read, &given);
    built.into_iter().find(|found| found.line == recipe.line && found.build.as_ref().is_ok_and(builds))
}

/// The directory of the program at `path`, or, if there is only a link there, of the one file with its name.
fn home<'a>(tree: &Tree<'a>, path: &str) -> Option<&'a str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let named = |other: &&&str| other.rsplit('/').next() == Some(name);
    let mut same = tree.paths.iter().filter(named);
    match tree.paths.iter().find(|other| **other == path) {
        Some(found) => Some(parent(found)),
        None => match (same.next(), same.next()) {
            (Some(only), None) => Some(parent(only)),
            _ => None,
        },
    }
}

/// What `text` gives make where it calls it for one of `targets`.
fn calls(text: &str, targets: &[String]) -> Vec<Vec<(String, String)>> {
    let listed = LISTED.captures_iter(text).filter_map(|captures| Some(captures.get(1)?.as_str().to_owned()));
    let words = listed.map(|list| {
        let words = list.split(',').map(|word| word.trim().trim_matches(['"', '\'']).to_owned());
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>()
    });
    let of_targets = words.filter(|words| words.iter().any(|word| targets.contains(word)));
    of_targets
        .map(|words| {
            let given = words.iter().filter_map(|word| word.split_once('='));
            given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::read::builds;
    use super::*;

    const MAKEFILE: &str =
        "V ?= latest\nFULL ?= false\nflex:\n\tdocker build --build-arg FULL=$(FULL) -t gs/app:$(V) .\n";

    fn found(script: &str) -> Option<Found> {
        let read = |path: &str| match path {
            "k8s/Makefile" => Some(MAKEFILE.to_owned()),
            "tool/commands/dev.py" => Some(script.to_owned()),
            _ => None,
        };
        let recipes = builds("k8s/Makefile", MAKEFILE, &read);
        let tree =
            Tree { recipes: &recipes, paths: &["k8s/Makefile", "tool/commands/dev.py", "tool/tool.py"], read: &read };
        find(&tree, "gs/app", &["tool.py".to_owned()])
    }

    #[test]
    fn a_build_that_a_program_calls_in_one_way_is_told() {
        let build =
            found("cmd = [\"make\", \"flex\", \"FULL=true\"]\nrun([\"make\", \"other\"])\n").unwrap().build.unwrap();
        assert_eq!(build.args, [("FULL".to_owned(), "true".to_owned())]);
        for script in ["", "['make', 'flex']\n['make', 'flex', 'FULL=true']\n", "['make', 'other']"] {
            assert!(found(script).is_none(), "{script}");
        }
    }
}
