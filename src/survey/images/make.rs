//! Makefiles: their variables and recipes, as far as they can be told without running make.
//!
//! A value that cannot be told is marked with the name of what is missing, never guessed.
//! Source of the rules: the manual of GNU make, <https://www.gnu.org/software/make/manual/>.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use super::mark::{marked, unknown};
use super::path::{join, parent};

/// More replacements than this in one recipe come of variables that hold each other many times over.
const MOST_STEPS: usize = 5000;
const DEEPEST: usize = 32;

/// A line of a recipe, with the lines that continue it.
#[derive(Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Its first line, from 1.
    pub line: usize,
    /// The targets that it makes.
    pub targets: Vec<String>,
    /// As written.
    pub text: String,
    /// Whether it stands in a conditional.
    pub conditional: bool,
}

/// A Makefile.
#[derive(Debug, Default)]
pub struct Makefile {
    /// `None` is a variable with more than one value.
    variables: HashMap<String, Option<Definition>>,
    /// In order.
    pub recipes: Vec<Recipe>,
    /// What each target needs, as written.
    pub prerequisites: BTreeMap<String, String>,
    /// What is made where nothing is asked for.
    pub default: Option<String>,
}

#[derive(Debug)]
struct Definition {
    value: String,
    /// The environment goes before it: `?=`, or where the variable is asked to be empty.
    is_default: bool,
}

impl Makefile {
    /// Reads `text`.
    pub fn read(text: &str) -> Self {
        let mut file = Makefile::default();
        // for each open conditional, the variable that it asks to be empty
        let mut conditions: Vec<Option<String>> = Vec::new();
        let mut targets: Vec<String> = Vec::new();
        for (line, text) in logical_lines(text) {
            if let Some(recipe) = text.strip_prefix('\t') {
                let (targets, conditional) = (targets.clone(), !conditions.is_empty());
                file.recipes.push(Recipe { line, targets, text: recipe.to_owned(), conditional });
                continue;
            }
            let trimmed = text.trim();
            match trimmed.split([' ', '\t', '(']).next().unwrap_or_default() {
                "ifeq" | "ifneq" | "ifdef" | "ifndef" => conditions.push(asked_to_be_empty(trimmed)),
                "else" => conditions.iter_mut().last().into_iter().for_each(|last| *last = None),
                "endif" => drop(conditions.pop()),
                _ if assignment(bare(trimmed)).is_some() => file.define(bare(trimmed), &conditions),
                _ => {
                    if let Some((made, needed)) = trimmed.split_once(':').filter(|_| !trimmed.starts_with('#')) {
                        targets = made.split_whitespace().map(str::to_owned).collect();
                        file.rule(&targets, needed);
                    }
                }
            }
        }
        file
    }

    fn rule(&mut self, targets: &[String], needed: &str) {
        if let Some((name, ..)) = assignment(needed.trim_start()) {
            // `target: NAME = value` holds for that target alone
            self.variables.insert(name.to_owned(), None);
            return;
        }
        let needed = needed.trim_start_matches(':').split([';', '#']).next().unwrap_or_default();
        for target in targets.iter().filter(|target| !target.starts_with('.')) {
            self.default.get_or_insert_with(|| target.clone());
            *self.prerequisites.entry(target.clone()).or_default() += &format!(" {needed}");
        }
    }

    fn define(&mut self, line: &str, conditions: &[Option<String>]) {
        let Some((name, operator, value)) = assignment(line) else { return };
        let known = self.variables.contains_key(name);
        let certain = match conditions {
            [] => operator != "+=" && (!known || operator == "?="),
            [Some(empty)] => empty == name && !known,
            _ => false,
        };
        if !certain {
            self.variables.insert(name.to_owned(), None);
        } else if !known {
            let is_default = operator == "?=" || !conditions.is_empty();
            self.variables.insert(name.to_owned(), Some(Definition { value: value.to_owned(), is_default }));
        }
    }
}

/// Lines with those that continue them, each with the number of its first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (index, line) in text.lines().enumerate() {
        let part = line.strip_suffix('\\').unwrap_or(line);
        match found.last_mut().filter(|_| goes_on) {
            Some((_, before)) => *before += &format!(" {}", part.trim_start()),
            None => found.push((index + 1, part.to_owned())),
        }
        goes_on = part.len() < line.len();
    }
    found
}

/// The variable of `ifeq ($(NAME),)` and `ifndef NAME`.
fn asked_to_be_empty(line: &str) -> Option<String> {
    let name = match line.strip_prefix("ifndef ") {
        Some(name) => name.trim(),
        None => {
            let asked = line.strip_prefix("ifeq")?.trim().strip_prefix('(')?.strip_suffix(')')?;
            let (variable, empty) = asked.rsplit_once(',')?;
            let variable = variable.trim().strip_prefix('$').filter(|_| empty.trim().is_empty())?;
            variable.strip_prefix(['(', '{'])?.strip_suffix([')', '}'])?
        }
    };
    Some(name.to_owned())
}

/// `line` without the words before an assignment.
fn bare(line: &str) -> &str {
    ["export ", "override "].iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line))
}

/// Name, operator and value of `NAME := value`.
fn assignment(line: &str) -> Option<(&str, &str, &str)> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c)))?;
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let operator = [":=", "::=", "?=", "+=", "="].into_iter().find(|operator| rest.starts_with(operator))?;
    let value = rest[operator.len()..].split(" #").next().unwrap_or_default();
    (!name.is_empty()).then_some((name, operator, value.trim()))
}

/// What the variables of a Makefile stand for.
pub struct Scope<'a> {
    /// The Makefile.
    pub file: &'a Makefile,
    /// Its path from the root of the repository, which stands for `/` here.
    pub path: &'a str,
    /// What `uname -m` says.
    pub machine: &'a str,
    /// The content of the file at a path from the root.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// What is given on the command line.
    pub given: &'a BTreeMap<String, String>,
    /// What the environment holds.
    pub environment: &'a BTreeMap<String, String>,
    /// How often something was replaced; 0 to begin with.
    pub steps: Cell<usize>,
}

impl Scope<'_> {
    /// `text` with its variables and functions replaced, or marked.
    pub fn expand(&self, text: &str) -> String {
        self.steps.set(0);
        self.expand_to(text, 0)
    }

    fn expand_to(&self, text: &str, depth: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out += before;
            let mut characters = after.chars();
            rest = match characters.next() {
                Some(open @ ('(' | '{')) => match matching(after, open) {
                    Some(end) => {
                        out += &self.value(&after[1..end], depth + 1);
                        &after[end + 1..]
                    }
                    None => {
                        out += &marked("an unfinished variable");
                        ""
                    }
                },
                Some('$') => {
                    out.push('$');
                    characters.as_str()
                }
                Some(name) => {
                    out += &marked(&name.to_string());
                    characters.as_str()
                }
                None => "",
            };
        }
        out + rest
    }

    /// What `$(body)` stands for.
    fn value(&self, body: &str, depth: usize) -> String {
        self.steps.set(self.steps.get() + 1);
        if depth > DEEPEST || self.steps.get() > MOST_STEPS {
            return marked(body);
        }
        if let Some((function, arguments)) = body.split_once(char::is_whitespace) {
            let value = self.call(function, arguments.trim_start(), depth);
            return value.unwrap_or_else(|| marked(&format!("$({body})")));
        }
        if let Some(given) = self.given.get(body) {
            return given.clone();
        }
        match (body, self.file.variables.get(body), self.environment.get(body)) {
            (_, Some(Some(Definition { is_default: true, .. })) | None, Some(value)) => value.clone(),
            (_, Some(Some(definition)), _) => self.expand_to(&definition.value, depth),
            ("MAKE", None, _) => "make".to_owned(),
            ("MAKEFILE_LIST", None, _) => format!("/{}", self.path),
            ("CURDIR", None, _) => format!("/{}", parent(self.path)),
            _ => marked(body),
        }
    }

    fn call(&self, function: &str, arguments: &str, depth: usize) -> Option<String> {
        let given = self.expand_to(arguments, depth);
        if let Some(name) = unknown(&given) {
            return Some(marked(name));
        }
        let here = parent(self.path);
        match function {
            "abspath" | "realpath" => Some(format!("/{}", join(here, &given)?)),
            "dir" => Some(given[..=given.rfind('/')?].to_owned()),
            "lastword" => given.split_whitespace().last().map(str::to_owned),
            "strip" => Some(given.trim().to_owned()),
            "subst" => {
                let mut parts = given.splitn(3, ',');
                let (from, to, text) = (parts.next()?, parts.next()?, parts.next()?);
                (!from.is_empty()).then(|| text.replace(from, to))
            }
            "shell" => match given.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["uname", "-m"] | ["arch"] => Some(self.machine.to_owned()),
                ["pwd"] => Some(format!("/{here}")),
                ["cat", path] => (self.read)(&join(here, path)?).map(|text| text.trim().to_owned()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Where the bracket at the start of `text` is closed.
fn matching(text: &str, open: char) -> Option<usize> {
    let close = if open == '(' { ')' } else { '}' };
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == open) - i32::from(c == close);
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "MKFILE := $(abspath $(lastword $(MAKEFILE_LIST)))\nDIR := $(dir $(MKFILE))\n\
        ifeq ($(REGISTRY),)\n    REGISTRY := r.example.com\nendif\nifeq ($(X),y)\nOS = a\nendif\n\
        V ?= $(shell cat ${DIR}/../V6D_VERSION)\nSHA := $(shell git rev-parse HEAD)\nA = $(A)\n\
        PLATFORM := $(shell uname -m)\nARCH := $(subst x86_64,amd64,$(subst aarch64,arm64,$(PLATFORM)))\n\
        one: TARGETED := 1\n\techo a \\\n\t\tb\n";

    #[test]
    fn a_value_is_told_or_what_is_missing_is_named() {
        let file = Makefile::read(TEXT);
        let read = |path: &str| (path == "V6D_VERSION").then(|| "v0.24.2\n".to_owned());
        let given = BTreeMap::from([("SHA".to_owned(), "abc".to_owned())]);
        let environment = ["V", "DIR", "HOME"].map(|name| (name.to_owned(), format!("of {name}"))).into();
        let scope = |given, environment| Scope {
            file: &file,
            path: "k8s/Makefile",
            machine: "aarch64",
            read: &read,
            given,
            environment,
            steps: Cell::new(0),
        };
        let told = scope(&given, &environment);
        for (text, expected) in [("$(SHA)", "abc"), ("$(V)", "of V"), ("$(DIR)", "/k8s/"), ("$(HOME)", "of HOME")] {
            assert_eq!(told.expand(text), expected, "{text}");
        }
        let none = BTreeMap::new();
        let scope = scope(&none, &none);
        assert_eq!(scope.expand("$$x $(MAKE)"), "$x make");
        for (text, expected) in [("$(DIR)a", "/k8s/a"), ("${REGISTRY}/x:$(V)-$(ARCH)", "r.example.com/x:v0.24.2-arm64")]
        {
            assert_eq!(scope.expand(text), expected);
        }
        for (text, missing) in [
            ("$(OS)", "OS"),
            ("a$(SHA)", "$(shell git rev-parse HEAD)"),
            ("$(NONE)", "NONE"),
            ("$(TARGETED)", "TARGETED"),
            ("$(A)", "A"),
        ] {
            assert_eq!(unknown(&scope.expand(text)), Some(missing), "{text}");
        }
    }

    #[test]
    fn a_recipe_is_one_line_with_those_that_continue_it() {
        let recipes = Makefile::read(TEXT).recipes;
        let targets = vec!["one".to_owned()];
        assert_eq!(recipes, [Recipe { line: 15, targets, text: "echo a  b".into(), conditional: false }]);
    }

    #[test]
    fn targets_are_told_with_what_they_need() {
        let file = Makefile::read(".PHONY: a\nall: a b # c\na b:\n\techo\na: d\n");
        assert_eq!(file.default.as_deref(), Some("all"));
        assert_eq!(file.recipes[0].targets, ["a", "b"]);
        let needs = |target: &str| file.prerequisites[target].split_whitespace().collect::<Vec<_>>();
        assert_eq!((needs("all"), needs("a"), needs("b")), (vec!["a", "b"], vec!["d"], vec![]));
    }
}
