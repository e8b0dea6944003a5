//! The files that builds take from the tree, hashed once for each context, ignore file and selection.

use std::collections::HashMap;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::super::context::{Context, Selection, TreeEntry};
use super::super::graph::Node;
use super::super::pattern::{Patterns, clean};
use super::super::reach::ReachedTransfer;
use super::{hex, short};
use crate::error::Result;

/// A selection of more files than this is one part of the record.
const MOST_PARTS: usize = 24;

/// The files that one source selects.
#[derive(Debug)]
pub(super) struct Files {
    /// Hash of all of them: path in the context, mode and id.
    pub(super) digest: String,
    /// Path from the root and short hash of each, or of all together.
    pub(super) parts: Vec<(String, String)>,
}

/// One source of a transfer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'t> {
    /// Its path; `None` could be any.
    pub(super) path: Option<&'t str>,
    excludes: &'t [String],
    parents: bool,
    wildcards: bool,
}

impl<'t> Taken<'t> {
    /// The sources of `transfer`; `wildcards`: whether their paths may have any.
    pub(super) fn of(transfer: &'t ReachedTransfer, wildcards: bool) -> impl Iterator<Item = Self> {
        let (excludes, parents) = (&transfer.excludes[..], transfer.parents);
        transfer.paths.iter().map(move |path| Taken { path: path.as_deref(), excludes, parents, wildcards })
    }

    /// Everything.
    pub(super) fn all() -> Self {
        Taken { path: Some(""), excludes: &[], parents: false, wildcards: false }
    }
}

/// Gives the content of a file of the tree.
type Read<'a> = dyn FnMut(&str) -> Result<Option<Vec<u8>>> + 'a;

/// What has been looked at so far.
pub(super) struct Sources<'a> {
    tree: &'a [TreeEntry],
    read: &'a mut Read<'a>,
    ignores: HashMap<String, Option<Rc<Patterns>>>,
    contexts: HashMap<(String, Option<String>), usize>,
    opened: Vec<(String, Context<'a>)>,
    files: HashMap<(usize, String), Files>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(tree: &'a [TreeEntry], read: &'a mut Read<'a>) -> Self {
        Sources {
            tree,
            read,
            ignores: HashMap::new(),
            contexts: HashMap::new(),
            opened: Vec::new(),
            files: HashMap::new(),
        }
    }

    /// What `taken` selects of the build context of `node`. The ignore file beside the Dockerfile and named after it wins
    /// over the one of the context.
    pub(super) fn of_build_context(&mut self, node: &Node, taken: Taken<'_>) -> Result<&Files> {
        let own = format!("{}.dockerignore", node.dockerfile.path);
        let context = self.open(&node.context, &[own, beneath(&node.context, ".dockerignore")])?;
        Ok(self.select(context, taken))
    }

    /// What `taken` selects of the directory at `path` as a named context, which has an ignore file of its own.
    pub(super) fn of_directory(&mut self, path: &str, taken: Taken<'_>) -> Result<&Files> {
        let context = self.open(path, &[beneath(path, ".dockerignore")])?;
        Ok(self.select(context, taken))
    }

    fn open(&mut self, root: &str, ignore_files: &[String]) -> Result<usize> {
        let mut found = None;
        for path in ignore_files {
            if let Some(patterns) = self.ignore(path)? {
                found = Some((path.clone(), patterns));
                break;
            }
        }
        let key = (clean(root), found.as_ref().map(|(path, _)| path.clone()));
        if let Some(known) = self.contexts.get(&key) {
            return Ok(*known);
        }
        let none = Rc::default();
        let patterns = found.as_ref().map_or(&none, |(_, patterns)| patterns);
        self.opened.push((clean(root), Context::new(self.tree, root, patterns)));
        self.contexts.insert(key, self.opened.len() - 1);
        Ok(self.opened.len() - 1)
    }

    fn ignore(&mut self, path: &str) -> Result<Option<Rc<Patterns>>> {
        if let Some(known) = self.ignores.get(path) {
            return Ok(known.clone());
        }
        let patterns = (self.read)(path)?.map(|bytes| Rc::new(Patterns::of_ignore_file(&bytes)));
        self.ignores.insert(path.to_owned(), patterns.clone());
        Ok(patterns)
    }

    fn select(&mut self, context: usize, taken: Taken<'_>) -> &Files {
        let Taken { path, excludes, parents, wildcards } = taken;
        let key = format!("{path:?} {excludes:?} {parents} {wildcards}");
        let (root, opened) = &self.opened[context];
        self.files
            .entry((context, key))
            .or_insert_with(|| files(root, path, &opened.select(Selection { path, excludes, parents, wildcards })))
    }
}

fn files(root: &str, path: Option<&str>, selected: &[(&str, &TreeEntry)]) -> Files {
    let mut all = Sha256::new();
    for (path, entry) in selected {
        // lengths are not needed: neither a newline nor a NUL can be in a mode or an id, and no NUL in a path
        all.update(format!("{:o} {} {path}\0", entry.mode, entry.id));
    }
    let digest = hex(&all.finalize());
    let parts = if selected.len() > MOST_PARTS {
        let name = beneath(root, &clean(path.unwrap_or("")));
        vec![(if name.is_empty() { ".".to_owned() } else { name }, digest[..8].to_owned())]
    } else {
        let part = |entry: &TreeEntry| (entry.path.clone(), short(&format!("{:o} {}", entry.mode, entry.id)));
        selected.iter().map(|(_, entry)| part(entry)).collect()
    };
    Files { digest, parts }
}

fn beneath(root: &str, path: &str) -> String {
    let root = clean(root);
    if root.is_empty() { path.to_owned() } else { format!("{root}/{path}") }
}
