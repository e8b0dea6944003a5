//! The files that builds take from the tree, hashed once for each context, ignore file and selection.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::super::context::{Selection, TreeEntry};
use super::super::contexts::{Contexts, Opened, Read, beneath};
use super::super::graph::Node;
use super::super::pattern::clean;
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

/// What has been looked at so far.
pub(super) struct Sources<'a> {
    contexts: Contexts<'a>,
    files: HashMap<(usize, String), Files>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(tree: &'a [TreeEntry], read: &'a mut Read<'a>) -> Self {
        Sources { contexts: Contexts::new(tree, read), files: HashMap::new() }
    }

    /// What `taken` selects of the build context of `node`.
    pub(super) fn of_build_context(&mut self, node: &Node, taken: Taken<'_>) -> Result<&Files> {
        let context = self.contexts.of_build(node)?;
        Ok(self.select(context, taken))
    }

    /// What `taken` selects of the directory at `path` as a named context.
    pub(super) fn of_directory(&mut self, path: &str, taken: Taken<'_>) -> Result<&Files> {
        let context = self.contexts.of_directory(path)?;
        Ok(self.select(context, taken))
    }

    fn select(&mut self, context: usize, taken: Taken<'_>) -> &Files {
        let Taken { path, excludes, parents, wildcards } = taken;
        let key = format!("{path:?} {excludes:?} {parents} {wildcards}");
        let Opened { root, files: opened, .. } = self.contexts.get(context);
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
