//! Findings about build contexts: directories that do not exist, and what Dockerfiles take that is not in them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use super::{Finding, Subject};
use crate::config::Code;
use crate::edit::yaml::{Document, Value, documents};
use crate::image::{Absent, Graph, TreeEntry, Want, Why};

/// Whether the file at `path` says what a context leaves out.
pub(super) fn reads(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.ends_with(".dockerignore"))
}

/// A finding for each of `absent`. `files` holds the Dockerfiles, `tree` is everything by its path.
pub(super) fn findings(
    subject: &Subject<'_>,
    graph: &Graph,
    absent: Vec<Absent>,
    files: &HashMap<&str, Vec<u8>>,
    tree: &[TreeEntry],
) -> Vec<Finding> {
    let exists = |path: &str| {
        let start = tree.partition_point(|entry| *entry.path < *path);
        tree[start..].first().is_some_and(|entry| Path::new(&entry.path).starts_with(path))
    };
    // the config is valid, so it is one document
    let config = documents(subject.text).ok().and_then(|mut documents| documents.pop());
    let mut findings = Vec::new();
    let mut told = HashSet::new();
    for Absent { node, want, directory, why } in absent {
        let node = &graph.nodes[node];
        let found = match want {
            Want::Directory(name) => {
                let place = place(config.as_ref(), node.phase, &node.image, name.as_deref());
                let what = name.map_or("build context".to_owned(), |name| format!("context `{name}`"));
                let message = format!("there is no directory `{directory}`, the {what} of `{}`", node.image);
                Finding::at(Code::MissingContext, subject.path, subject.text.as_bytes(), place, message)
                    .help("commit it with what belongs in it, or mend its path")
            }
            Want::Source(span, path) => {
                let Some(bytes) = files.get(&*node.dockerfile.path) else { continue };
                let (code, message, help) = source(&path, &directory, why, exists);
                Finding::at(code, &node.dockerfile.path, bytes, span, message).help(help)
            }
        };
        // images share Dockerfiles
        if told.insert((found.path.clone(), found.line, found.column, found.message.clone())) {
            findings.push(found);
        }
    }
    findings
}

/// What is said of a source that `directory` does not have.
fn source(path: &str, directory: &str, why: Why, exists: impl Fn(&str) -> bool) -> (Code, String, String) {
    let context = match directory {
        "" => "the context, which is the repository's root".to_owned(),
        directory => format!("the context `{directory}`"),
    };
    match why {
        Why::Missing if !directory.is_empty() && exists(path.trim_start_matches('/')) => (
            Code::MissingSource,
            format!("there is no `{path}` in {context}"),
            "the repository has it, outside of the context: mend the path, or `context:`".into(),
        ),
        Why::Missing => (
            Code::MissingSource,
            format!("there is no `{path}` in {context}"),
            "a build takes what is committed: commit it, or mend the path".into(),
        ),
        Why::Ignored(ignore) => (
            Code::IgnoredSource,
            format!("`{path}` exists, but {ignore} leaves it out of the context"),
            "take it back there with a `!` pattern, or mend the path".into(),
        ),
        Why::Unmatched => (
            Code::EmptyWildcard,
            format!("`{path}` matches nothing in {context}"),
            "a build goes on without it; if it must not, commit what should match".into(),
        ),
    }
}

/// Where the config says which directory it is; else where it names the image.
fn place(config: Option<&Document>, phase: usize, image: &str, name: Option<&str>) -> Range<usize> {
    let images = || config?.root()?.get("phases")?.items().nth(phase)?.get("images");
    let entry = || images()?.entries().find(|(key, _)| key.text() == Some(image));
    let value = |entry: Value<'_>| match name {
        None => entry.get("context").map(Value::span),
        Some(name) => entry.get("contexts")?.get(name).map(Value::span),
    };
    entry().map_or(0..0, |(key, entry)| value(entry).unwrap_or_else(|| key.span()))
}
