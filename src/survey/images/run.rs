//! What a script does with images, followed without running it: through `cd`, variables, `make` and scripts of the tree.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::act::{Act, Step, Written, acts};
use super::make::{Makefile, Recipe, Scope};
use super::mark::{bounded, marked, unknown};
use super::path::{join, parent};
use super::shell::{self, Command};
use super::words::Place;

/// Scripts and Makefiles call each other no deeper than this.
const DEEPEST: usize = 8;
/// More commands than this are followed nowhere.
const MOST_COMMANDS: usize = 20_000;

/// What does not change while scripts are followed.
pub struct World<'a> {
    /// The content of the file at a path from the root.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// What `uname -m` says.
    pub machine: &'a str,
}

/// A shell, as far as it can be told.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    /// The variables that commands see.
    exported: BTreeMap<String, String>,
    /// The others.
    variables: BTreeMap<String, String>,
    /// The directory, from the root.
    directory: Option<String>,
    /// What make was given, for the makes that it calls.
    given: BTreeMap<String, String>,
    /// What it has done.
    pub steps: Vec<Step>,
    /// What it has left for later steps.
    pub written: Vec<Written>,
    before: Vec<Option<String>>,
    followed: usize,
    depth: usize,
    conditional: bool,
}

/// The variables that name files whose content later steps see, and what each holds here.
const FILES: [&str; 2] = ["GITHUB_ENV", "GITHUB_OUTPUT"];

impl Shell {
    /// A shell in `directory` with these variables in its environment.
    pub fn new(exported: BTreeMap<String, String>, directory: Option<String>) -> Self {
        Shell { exported, directory, ..Shell::default() }
    }

    /// Follows `script`, whose first line is line `first` of the file at `path`.
    pub fn script(&mut self, world: &World<'_>, path: &str, first: usize, script: &str) {
        if self.depth > DEEPEST {
            return;
        }
        let outer = self.conditional;
        for command in shell::commands(script) {
            self.followed += 1;
            if self.followed > MOST_COMMANDS {
                return;
            }
            self.conditional = outer || command.conditional;
            match command.words[0].as_str() {
                "(" => self.before.push(self.directory.clone()),
                ")" => self.directory = self.before.pop().unwrap_or(self.directory.take()),
                _ => self.command(world, path, first, &command),
            }
        }
        self.conditional = outer;
    }

    fn place<'a>(&'a self, world: &'a World<'_>, variable: &'a dyn Fn(&str) -> Option<String>) -> Place<'a> {
        Place {
            variable,
            read: world.read,
            directory: self.directory.as_deref(),
            machine: world.machine,
            depth: Cell::default(),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let file = FILES.contains(&name).then(|| name.to_owned());
        file.or_else(|| self.variables.get(name).or(self.exported.get(name)).cloned())
    }

    fn command(&mut self, world: &World<'_>, path: &str, first: usize, command: &Command) {
        let variable = |name: &str| self.variable(name);
        let place = self.place(world, &variable);
        let is_assignment = |word: &&String| assignment(word).is_some();
        let assigned: Vec<(String, String)> = command
            .words
            .iter()
            .take_while(is_assignment)
            .filter_map(|word| assignment(word))
            .map(|(name, value)| match value.starts_with('(') {
                true => (name.to_owned(), marked(name)),
                false => (name.to_owned(), bounded(name, place.value(value))),
            })
            .collect();
        let words: Vec<String> = command.words.iter().skip(assigned.len()).flat_map(|word| place.words(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let words = without_prefix(&words);
        let line = first + command.line;
        match words {
            [] => assigned.into_iter().for_each(|(name, value)| self.assign(&name, value, false)),
            _ => {
                let kept = self.exported.clone();
                self.exported.extend(assigned);
                let changes = self.run(world, path, line, words, command.conditional);
                if !changes {
                    self.exported = kept;
                }
            }
        }
    }

    /// Follows one command, which is `unsure` if this script may leave it out. Whether it may have changed the variables.
    fn run(&mut self, world: &World<'_>, path: &str, line: usize, words: &[&str], unsure: bool) -> bool {
        match words {
            ["export" | "readonly" | "local" | "declare" | "typeset", rest @ ..] => {
                for word in rest.iter().filter(|word| !word.starts_with('-')) {
                    match word.split_once('=') {
                        Some((name, value)) => self.assign(name, value.to_owned(), words[0] == "export"),
                        None => {
                            let value = self.variables.remove(*word);
                            value.into_iter().for_each(|value| drop(self.exported.insert((*word).to_owned(), value)));
                        }
                    }
                }
                return true;
            }
            ["unset", names @ ..] => {
                for name in names {
                    self.variables.remove(*name);
                    self.exported.remove(*name);
                }
                return true;
            }
            ["cd" | "pushd", rest @ ..] => {
                if words[0] == "pushd" {
                    self.before.push(self.directory.clone());
                }
                let to = rest.iter().find(|word| !word.starts_with('-') && !word.starts_with(['>', '|']));
                self.directory = match (to, unsure) {
                    (Some(to), false) => self.path(to),
                    _ => None,
                };
            }
            ["popd", ..] => self.directory = self.before.pop().unwrap_or(None),
            ["echo" | "printf", text @ ..] => self.write(text),
            ["make" | "gmake", rest @ ..] => self.make(world, rest),
            ["docker" | "podman", options @ ..] => {
                let acts = acts(options, self.directory.as_deref());
                acts.into_iter().for_each(|act| self.note(path, line, act));
            }
            ["bash" | "sh", "-c", text, ..] => {
                let mut inner = self.inner();
                inner.script(world, path, line, text);
                self.take(inner);
            }
            ["bash" | "sh" | "source" | ".", script, rest @ ..] if !script.starts_with('-') => {
                self.file(world, script, rest, matches!(words[0], "source" | "."));
            }
            ["python" | "python3", script, ..] if script.ends_with(".py") => {
                let called = self.path(script);
                called.into_iter().for_each(|called| self.note(path, line, Act::Call(called)));
            }
            [script, rest @ ..] if script.ends_with(".sh") && script.contains('/') => {
                self.file(world, script, rest, false);
            }
            _ => {}
        }
        false
    }

    fn note(&mut self, path: &str, line: usize, act: Act) {
        self.steps.push(Step { path: path.to_owned(), line, conditional: self.conditional, act });
    }

    /// `path` from the root, where that can be told.
    fn path(&self, path: &str) -> Option<String> {
        let directory = if path.starts_with('/') { "" } else { self.directory.as_deref()? };
        join(directory, path).filter(|path| unknown(path).is_none())
    }

    fn assign(&mut self, name: &str, value: String, export: bool) {
        // whether it has this value later cannot be told
        let value = if self.conditional { marked(name) } else { bounded(name, value) };
        match export || self.exported.contains_key(name) {
            true => drop(self.exported.insert(name.to_owned(), value)),
            false => drop(self.variables.insert(name.to_owned(), value)),
        }
    }

    /// `echo NAME=value >> $GITHUB_ENV`, and the command in the output that came before it.
    fn write(&mut self, words: &[&str]) {
        let text: Vec<&str> = words.iter().copied().take_while(|word| !word.starts_with('>')).collect();
        let text = text.join(" ");
        let old = text.strip_prefix("::set-output name=").and_then(|rest| rest.split_once("::"));
        let target = words.iter().rev().find_map(|word| FILES.iter().find(|file| word.trim_matches('>') == **file));
        let (file, found) = match (old, target) {
            (Some(found), _) => ("GITHUB_OUTPUT", Some(found)),
            (None, Some(file)) => (*file, text.split_once('=')),
            (None, None) => return,
        };
        if let Some((name, value)) = found {
            let value = if self.conditional { marked(name) } else { bounded(name, value.to_owned()) };
            self.written.push(Written { file: file.to_owned(), name: name.trim().to_owned(), value });
        }
    }

    /// A shell for a script that this one calls.
    fn inner(&self) -> Shell {
        Shell {
            exported: self.exported.clone(),
            directory: self.directory.clone(),
            given: self.given.clone(),
            followed: self.followed,
            depth: self.depth + 1,
            conditional: self.conditional,
            ..Shell::default()
        }
    }

    fn take(&mut self, inner: Shell) {
        self.steps.extend(inner.steps);
        self.written.extend(inner.written);
        self.followed = inner.followed;
    }

    /// Follows the script at `path`; `here`, if it may change this shell.
    fn file(&mut self, world: &World<'_>, path: &str, arguments: &[&str], here: bool) {
        let Some(path) = self.path(path) else { return };
        let Some(text) = (world.read)(&path) else { return };
        let mut inner = self.inner();
        if here {
            inner.variables = self.variables.clone();
        }
        for (index, argument) in arguments.iter().enumerate() {
            inner.variables.insert((index + 1).to_string(), (*argument).to_owned());
        }
        inner.script(world, &path, 1, &text);
        if here {
            (self.variables, self.exported) = (inner.variables.clone(), inner.exported.clone());
            self.directory = inner.directory.clone();
        }
        self.take(inner);
    }

    /// Follows `make` with these arguments.
    fn make(&mut self, world: &World<'_>, arguments: &[&str]) {
        let (mut file, mut targets, mut given) = (None, Vec::new(), self.given.clone());
        let mut directory = self.directory.clone();
        let mut arguments = arguments.iter().copied();
        while let Some(argument) = arguments.next() {
            match argument.split_once('=') {
                Some(("--directory", to)) => directory = self.path(to),
                Some((name, value)) if !name.starts_with('-') => {
                    given.insert(name.trim_end_matches([':', '?']).to_owned(), value.to_owned());
                }
                _ if argument == "-C" => directory = arguments.next().and_then(|to| self.path(to)),
                _ if argument == "-f" => file = arguments.next(),
                _ if argument.starts_with(['-', '>', '2']) => {}
                _ => targets.push(argument.to_owned()),
            }
        }
        let Some(directory) = directory else { return };
        let names = file.map_or(vec!["GNUmakefile", "makefile", "Makefile"], |file| vec![file]);
        let found = names.iter().filter_map(|name| join(&directory, name)).find_map(|path| {
            let text = (world.read)(&path)?;
            Some((path, text))
        });
        let Some((path, text)) = found else { return };
        let made = Makefile::read(&text);
        let mut inner = self.inner();
        (inner.directory, inner.given) = (Some(directory), given);
        let mut seen = BTreeSet::new();
        let targets = if targets.is_empty() { made.default.iter().cloned().collect() } else { targets };
        for target in targets {
            inner.target(world, &path, &made, &target, &mut seen);
        }
        self.take(inner);
    }

    /// Makes `target` of the Makefile `file` at `path`, and what it needs.
    fn target(&mut self, world: &World<'_>, path: &str, file: &Makefile, target: &str, seen: &mut BTreeSet<String>) {
        if !seen.insert(target.to_owned()) || seen.len() > MOST_COMMANDS {
            return;
        }
        let steps = Cell::new(0);
        let (given, environment) = (self.given.clone(), self.exported.clone());
        let scope = Scope {
            file,
            path,
            machine: world.machine,
            read: world.read,
            given: &given,
            environment: &environment,
            steps,
        };
        let mut needed = vec![(target.to_owned(), false)];
        while let Some((next, is_done)) = needed.pop() {
            if !is_done {
                needed.push((next.clone(), true));
                let before = file.prerequisites.get(&next).map(|needs| scope.expand(needs)).unwrap_or_default();
                let new: Vec<&str> =
                    before.split_whitespace().rev().filter(|name| seen.insert((*name).to_owned())).collect();
                needed.extend(new.into_iter().map(|name| (name.to_owned(), false)));
                continue;
            }
            for recipe in file.recipes.iter().filter(|recipe| recipe.targets.contains(&next)) {
                self.recipe(world, &scope, recipe);
            }
        }
    }

    /// Follows one line of a recipe, which has a shell of its own.
    pub fn recipe(&mut self, world: &World<'_>, scope: &Scope<'_>, recipe: &Recipe) {
        let text = scope.expand(&recipe.text);
        let mut inner = self.inner();
        inner.directory = Some(self.directory.clone().unwrap_or_else(|| parent(scope.path).to_owned()));
        inner.conditional |= recipe.conditional;
        inner.script(world, scope.path, recipe.line, text.trim_start_matches(['@', '-', '+', ' ', '\t']));
        self.take(inner);
    }
}

/// Name and value of an assignment.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((name, value))
}

/// `words` without what only says how a command is run.
fn without_prefix<'a, 'w>(mut words: &'a [&'w str]) -> &'a [&'w str] {
    let mut is_prefix = false;
    loop {
        words = match words {
            ["sudo" | "env" | "exec" | "command" | "nohup" | "time", rest @ ..] => {
                is_prefix = true;
                rest
            }
            ["-u" | "-g", _, rest @ ..] if is_prefix => rest,
            [word, rest @ ..] if is_prefix && (word.starts_with('-') || word.contains('=')) => rest,
            _ => return words,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `script` builds: the directory and the options.
    fn built(script: &str) -> Vec<String> {
        let read = |path: &str| match path {
            "a/Makefile" => Some(
                "X := a\nall: one\none: two\n\tdocker build -t $(X)$$Y one\ntwo:\n\tcd b && docker build two\n"
                    .to_owned(),
            ),
            "s/call.sh" => Some("docker build -t $1:$E .\ncd b\nV=changed\n".to_owned()),
            "Makefile" => Some("loop:\n\t$(MAKE) loop\nsub:\n\t$(MAKE) -C a one\n".to_owned()),
            _ => None,
        };
        let mut shell = Shell::new([("E".to_owned(), "e".to_owned())].into(), Some(String::new()));
        shell.script(&World { read: &read, machine: "x86_64" }, "a.yml", 1, script);
        let told = |step: Step| match step.act {
            Act::Build(options, directory) => {
                let place = format!("{}:{}", step.path, step.line);
                Some(format!("{place} {}: {}", directory.unwrap_or_else(|| "?".into()), options.join(" ")))
            }
            _ => None,
        };
        shell.steps.into_iter().filter_map(told).collect()
    }

    #[test]
    fn make_makes_what_a_target_needs_first_with_what_it_is_given() {
        let made = ["a/Makefile:6 a/b: two", "a/Makefile:4 a: -t xy one"];
        for script in ["cd a; export Y=y; make X=x", "export Y=y\nsudo make -j4 -C a one X=x", "Y=y make sub X=x"] {
            assert_eq!(built(script), made, "{script}");
        }
        assert!(built("make loop").is_empty() && built("make -C none").is_empty());
    }

    #[test]
    fn a_script_has_its_own_variables_unless_it_is_sourced() {
        let told = |last: &str| ["s/call.sh:1 : -t app:e .".to_owned(), last.to_owned()];
        assert_eq!(built("V=v; bash s/call.sh app\ndocker build $V"), told("a.yml:2 : v"));
        assert_eq!(built("V=v; . s/call.sh app\ndocker build $V"), told("a.yml:2 b: changed"));
        assert_eq!(built("(cd x; docker build .) && docker build ."), ["a.yml:1 x: .", "a.yml:1 : ."]);
        assert_eq!(built("if x; then cd y; fi; docker build ."), ["a.yml:1 ?: ."]);
        assert_eq!(built("sh -c 'cd x && docker build .'"), ["a.yml:1 x: ."]);
    }

    #[test]
    fn a_value_that_grows_without_end_is_not_kept() {
        let script = format!("A=xxxxxxxxxxxxxxxx\n{}docker build $A", "A=$A$A\n".repeat(16));
        assert_eq!(built(&script), [format!("a.yml:18 : {}", marked("$A$A").repeat(1 << 7))]);
        let text = "x".repeat(5000);
        let mut shell = Shell::new(BTreeMap::new(), None);
        let world = World { read: &|_| None, machine: "x86_64" };
        shell.script(&world, "a.yml", 1, &format!("echo A={text} >> $GITHUB_ENV"));
        assert_eq!(shell.written[0].value, marked("A"));
    }
}
