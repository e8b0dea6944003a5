//! The images and phases of a tree, where that is certain; what is not becomes a comment with the reason.
//!
//! - `read` finds the builds: `make` tells what the variables of a Makefile stand for, `command` what a command builds.
//! - `select` keeps those whose tags hold a component's version, `render` writes them down.
//!
//! Nothing here runs make, Docker or a shell, or asks a registry.

mod command;
mod make;
mod path;
mod read;
mod render;
mod select;

use std::collections::BTreeMap;

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
}

/// What a config says after its components: registry and phases, as comments what is not certain.
///
/// # Errors
/// Usage, where a file of the tree cannot be read.
pub fn section(repository: &Repository, commit: Commit, files: &[File], known: &Known<'_>) -> Result<String> {
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
    let text = |path: &str| {
        let bytes = repository.read(commit, path).ok().flatten()?;
        read::templated(path, &bytes, known.subjects, known.places, known.findings)
    };
    let makefiles = files.iter().map(|file| file.path.as_str()).filter(|path| read::is_makefile(path));
    let found: Vec<read::Found> =
        makefiles.filter_map(|path| Some(read::builds(path, &text(path)?, &text))).flatten().collect();
    let components: Vec<&str> = known.subjects.iter().map(|subject| subject.name.as_str()).collect();
    let is_directory = |directory: &str| {
        let inside = |path: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
        directory.is_empty() || files.iter().any(|file| inside(&file.path))
    };
    let mut selection = select::select(&found, &components, &dockerfiles, is_directory);
    selection.doubts.extend(unreadable);
    let phases = phases(known, &selection.images, &dockerfiles);
    Ok(render::section(&phases, &selection.doubts))
}

/// The phases of `images` as text; as a comment with the reason, where the config would not stand with them.
fn phases(known: &Known<'_>, images: &[select::Image], dockerfiles: &BTreeMap<String, Dockerfile>) -> String {
    if images.is_empty() {
        return String::new();
    }
    let components: Vec<&str> = known.subjects.iter().map(|subject| subject.name.as_str()).collect();
    let order = select::order(images, dockerfiles);
    let text = |registry: &str| render::phases(registry, images, &order, &components);
    match registry(images, dockerfiles) {
        Ok(registry) => {
            let phases = text(&registry);
            match fault(&format!("{}\n{phases}", known.config), known.subjects, dockerfiles) {
                None => phases,
                Some(reason) => render::as_comment(&phases, &reason),
            }
        }
        Err(reason) => render::as_comment(&text("registry.example.com/project"), &reason),
    }
}

/// The registry that all images have in common, or why there is none.
fn registry(images: &[select::Image], dockerfiles: &BTreeMap<String, Dockerfile>) -> Result<String, String> {
    let Some(first) = images.first() else { return Err("there are no images".to_owned()) };
    if images.iter().any(|image| image.prefix != first.prefix) {
        return Err("the tags are under several registries or paths".to_owned());
    }
    let host = first.prefix.split('/').next().unwrap_or_default();
    if host.contains(['.', ':']) || host == "localhost" {
        return Ok(first.prefix.clone());
    }
    let hosts: Vec<String> = select::registries(images, dockerfiles).into_iter().collect();
    match hosts.as_slice() {
        [one] => Ok(format!("{one}/{}", first.prefix).trim_end_matches('/').to_owned()),
        [] => Err("no tag and no FROM says in which registry the images are".to_owned()),
        several => Err(format!("the images are in several registries: {}", several.join(", "))),
    }
}

/// What is wrong with the config `text`, or with its graph; the first fault.
fn fault(text: &str, subjects: &[Subject], dockerfiles: &BTreeMap<String, Dockerfile>) -> Option<String> {
    let versions: BTreeMap<String, Version> =
        subjects.iter().map(|subject| (subject.name.clone(), subject.version.clone())).collect();
    let read = |path: &str| Ok(dockerfiles.get(path).map(|file| file.text.clone().into_bytes()));
    let graph = Config::parse("release.yaml", text.as_bytes()).and_then(|config| {
        Graph::read(Release { config: &config, path: "release.yaml", text, versions: &versions }, read)
    });
    let error = graph.err()?;
    let place = |fault: &crate::error::Fault| match fault.path.as_str() {
        "release.yaml" => fault.message.clone(),
        path => format!("{path}:{}: {}", fault.line_column().0, fault.message),
    };
    Some(error.faults.first().map_or(error.message.clone(), place))
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
        let images = select::select(&found, &["v6d"], &dockerfiles, |_| true).images;
        let config = "components:\n  v6d: { version: 0.24.2 }\n";
        let known = Known { subjects: &[subject], places: &[], findings: &[], config };
        phases(&known, &images, &dockerfiles)
    }

    #[test]
    fn phases_that_would_not_stand_are_comments_with_the_reason() {
        let stands = phases_with("FROM ubuntu:22.04\n", "FROM r.example.com/gs/dev:v0.24.2\n");
        assert!(stands.starts_with("registry: r.example.com/gs\n\nphases:\n"), "{stands}");
        for (dev, app, reason) in [
            ("FROM ubuntu:22.04\n", "FROM ubuntu:22.04\n", "no tag and no FROM says in which registry the images are"),
            ("FROM ubuntu:22.04\n", "FROM r.example.com/gs/dev:v0.24.9\n", "app.Dockerfile:1: "),
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
}
