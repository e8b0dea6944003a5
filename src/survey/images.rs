//! The images and phases of a tree, where that is certain; what is not becomes a comment with the reason.
//!
//! - `read` finds the builds in Makefiles and workflows. `shell` takes scripts apart, `run` follows them: `words`,
//!   `make` and `expression` tell what variables stand for, `mark` what cannot be told, `act`, `actions` and `command`
//!   what is done with images.
//! - `workflow` follows the jobs of a workflow, `ledger` tells what they publish.
//! - `select` keeps those whose tags hold a component's version, `render` writes them down.
//!
//! Nothing here runs make, Docker or a shell, or asks a registry.

mod act;
mod actions;
mod command;
mod elsewhere;
mod expression;
mod ledger;
mod make;
mod mark;
mod path;
mod read;
mod render;
mod run;
mod select;
mod shell;
mod words;
mod workflow;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use super::assign::{Finding, Subject};
use super::scan::Occurrence;
use crate::config::Config;
use crate::edit::is_dockerfile;
use crate::error::Result;
use crate::git::{Commit, File, Repository};
use crate::image::{Dockerfile, Graph, Release};
use crate::version::Version;

/// What is known of the tree before its images are looked for.
pub struct Known<'a> {
    /// The components.
    pub subjects: &'a [Subject],
    /// Every version in the tree.
    pub places: &'a [Occurrence],
    /// Whose they are.
    pub findings: &'a [Finding],
    /// The text of the config so far.
    pub config: &'a str,
    /// The repository, as `owner/name`, where that is known.
    pub repository: Option<String>,
}

/// The component that this repository releases itself, if it is one alone.
fn own(known: &Known<'_>) -> Option<String> {
    let is_own = |subject: &&Subject| subject.upstream.is_none() || subject.upstream == known.repository;
    let mut own = known.subjects.iter().filter(is_own);
    own.next().filter(|_| own.next().is_none()).map(|subject| subject.name.clone())
}

/// What was found of images.
#[derive(Debug)]
pub struct Section {
    /// What a config says after its components: registry and phases, as comments what is not certain.
    pub text: String,
    /// What builds an image and is none of the config, with the reason.
    pub doubts: Vec<String>,
}

/// Looks for the images of the tree of `commit`, which has `files`.
///
/// # Errors
/// Usage, where a file of the tree cannot be read.
pub fn section(repository: &Repository, commit: Commit, files: &[File], known: &Known<'_>) -> Result<Section> {
    let mut dockerfiles = BTreeMap::new();
    let mut unreadable = Vec::new();
    for file in files.iter().filter(|file| is_dockerfile(&file.path)) {
        let Some(bytes) = repository.read(commit, &file.path)? else { continue };
        match Dockerfile::parse(&bytes) {
            // a file without any FROM is a part of one
            Ok(parsed) if parsed.stages.is_empty() => {}
            Ok(parsed) => drop(dockerfiles.insert(file.path.clone(), parsed)),
            Err(error) => unreadable.push(format!("{}:{}: {}", file.path, error.line, error.message)),
        }
    }
    // a script or a Makefile is called from many places
    let texts = RefCell::new(HashMap::<String, Option<String>>::new());
    let text = |path: &str| {
        if let Some(known) = texts.borrow().get(path) {
            return known.clone();
        }
        let bytes = repository.read(commit, path).ok().flatten();
        let text = bytes.and_then(|bytes| read::templated(path, &bytes, known.subjects, known.places, known.findings));
        texts.borrow_mut().insert(path.to_owned(), text.clone());
        text
    };
    let makefiles = files.iter().map(|file| file.path.as_str()).filter(|path| read::is_makefile(path));
    let recipes: Vec<read::Found> =
        makefiles.filter_map(|path| Some(read::builds(path, &text(path)?, &text))).flatten().collect();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let tree = elsewhere::Tree { recipes: &recipes, paths: &paths, read: &text };
    let elsewhere = |image: &str, called: &[String]| elsewhere::find(&tree, image, called);
    let own = own(known);
    let names = (own.as_deref(), known.repository.as_deref());
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| read::is_workflow(path)) {
        found.extend(text(path).into_iter().flat_map(|yaml| read::published(path, &yaml, &text, names, &elsewhere)));
    }
    found.extend(recipes.iter().cloned());
    let components: Vec<&str> = known.subjects.iter().map(|subject| subject.name.as_str()).collect();
    let is_directory = |directory: &str| {
        let inside = |path: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
        directory.is_empty() || files.iter().any(|file| inside(&file.path))
    };
    let mut selection = select::select(&found, &components, &dockerfiles, is_directory);
    selection.doubts.extend(unreadable);
    let phases = phases(known, &mut selection, &dockerfiles);
    Ok(Section { text: render::section(&phases, &selection.doubts), doubts: selection.doubts })
}

/// The phases of the images of `selection` as text, without those at whose Dockerfiles the graph has a fault; as a
/// comment with the reason, where the config would not stand with them.
fn phases(known: &Known<'_>, selection: &mut select::Selection, dockerfiles: &BTreeMap<String, Dockerfile>) -> String {
    let components: Vec<&str> = known.subjects.iter().map(|subject| subject.name.as_str()).collect();
    while !selection.images.is_empty() {
        let images = &selection.images;
        let order = select::order(images, dockerfiles);
        let text = |registry: &str| render::phases(registry, images, &order, &components);
        let registry = match registry(images, dockerfiles) {
            Ok(registry) => registry,
            Err(reason) => return render::as_comment(&text("registry.example.com/project"), &reason),
        };
        let phases = text(&registry);
        let Some((path, reason)) = fault(&format!("{}\n{phases}", known.config), known.subjects, dockerfiles) else {
            return phases;
        };
        let before = images.len();
        selection.images.retain(|image| Some(&image.build.dockerfile) != path.as_ref());
        if selection.images.len() == before {
            return render::as_comment(&phases, &reason);
        }
        selection.doubts.push(reason);
    }
    String::new()
}

/// The registry that all images have in common, or why there is none.
fn registry(images: &[select::Image], dockerfiles: &BTreeMap<String, Dockerfile>) -> Result<String, String> {
    // what is pushed is named in full; a local name may lack the host
    let Some(longest) = images.iter().map(|image| image.prefix.as_str()).max_by_key(|prefix| prefix.len()) else {
        return Err("there are no images".to_owned());
    };
    let is_part = |prefix: &str| prefix == longest || longest.ends_with(&format!("/{prefix}"));
    if !images.iter().all(|image| is_part(&image.prefix)) {
        return Err("the tags are under several registries or paths".to_owned());
    }
    let host = longest.split('/').next().unwrap_or_default();
    if host.contains(['.', ':']) || host == "localhost" {
        return Ok(longest.to_owned());
    }
    let hosts: Vec<String> = select::registries(images, dockerfiles).into_iter().collect();
    match hosts.as_slice() {
        [one] => Ok(format!("{one}/{longest}").trim_end_matches('/').to_owned()),
        [] => Err("no tag and no FROM says in which registry the images are".to_owned()),
        several => Err(format!("the images are in several registries: {}", several.join(", "))),
    }
}

/// What is wrong with the config `text`, or with its graph; the first fault, and the Dockerfile that has it.
fn fault(
    text: &str,
    subjects: &[Subject],
    dockerfiles: &BTreeMap<String, Dockerfile>,
) -> Option<(Option<String>, String)> {
    let versions: BTreeMap<String, Version> =
        subjects.iter().map(|subject| (subject.name.clone(), subject.version.clone())).collect();
    let read = |path: &str| Ok(dockerfiles.get(path).map(|file| file.text.clone().into_bytes()));
    let graph = Config::parse("release.yaml", text.as_bytes()).and_then(|config| {
        Graph::read(Release { config: &config, path: "release.yaml", text, versions: &versions }, read)
    });
    let error = graph.err()?;
    Some(match error.faults.first() {
        None => (None, error.message.clone()),
        Some(fault) if fault.path == "release.yaml" => (None, fault.message.clone()),
        Some(fault) => {
            let reason = format!("{}:{}: {}", fault.path, fault.line_column().0, fault.message);
            (Some(fault.path.clone()), reason)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::names::Names;
    use super::*;

    /// The phases of a tree with an image `gs/dev`, whose Dockerfile is this, and an image that is built on it.
    fn phases_with(dev: &str, app: &str) -> String {
        let parse = |text: &str| Dockerfile::parse(text.as_bytes()).unwrap();
        let dockerfiles = [("app.Dockerfile", parse(app)), ("dev.Dockerfile", parse(dev))];
        let dockerfiles = dockerfiles.map(|(path, file)| (path.to_owned(), file)).into();
        let subject =
            Subject { name: "v6d".into(), version: "0.24.2".parse().unwrap(), upstream: None, names: Names::default() };
        let text = "dev:\n\tdocker build -t gs/dev:v{v6d} -f dev.Dockerfile .\n\
            app:\n\tdocker build -t gs/app:v{v6d} -f app.Dockerfile .\n";
        let found = read::builds("Makefile", text, &|_| None);
        let mut selection = select::select(&found, &["v6d"], &dockerfiles, |_| true);
        let config = "components:\n  v6d: { version: 0.24.2 }\n";
        let known = Known { subjects: &[subject], places: &[], findings: &[], config, repository: None };
        let phases = phases(&known, &mut selection, &dockerfiles);
        render::section(&phases, &selection.doubts)
    }

    #[test]
    fn phases_that_would_not_stand_are_comments_with_the_reason() {
        let stands = phases_with("FROM ubuntu:22.04\n", "FROM r.example.com/gs/dev:v0.24.2\n");
        assert!(stands.starts_with("registry: r.example.com/gs\n\nphases:\n"), "{stands}");
        for (dev, app, reason) in [
            ("FROM ubuntu:22.04\n", "FROM ubuntu:22.04\n", "no tag and no FROM says in which registry the images are"),
            (
                "FROM a.example.com/gs/app:v1\n",
                "FROM r.example.com/gs/dev:v0.24.2\n",
                "several registries: a.example.com",
            ),
        ] {
            let text = phases_with(dev, app);
            assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
            assert!(text.lines().next().is_some_and(|first| first.contains(reason)), "{text}");
        }
    }

    #[test]
    fn an_image_that_the_graph_finds_fault_with_is_left_out() {
        let host = "FROM r.example.com/gs/dev:v0.24.2 AS a\n";
        let text = phases_with("FROM ubuntu:22.04\n", &format!("{host}FROM r.example.com/gs/dev:v0.24.9\n"));
        assert!(text.contains("      dev:\n") && !text.contains("      app:\n"), "{text}");
        assert!(text.contains("#   app.Dockerfile:2: "), "{text}");
    }
}
