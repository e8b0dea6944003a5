//! The directories that builds take files from, each opened once for an ignore file.

use std::collections::HashMap;
use std::rc::Rc;

use super::context::{Context, TreeEntry};
use super::graph::Node;
use super::pattern::{Patterns, clean};
use crate::error::Result;

/// Gives the content of a file of the tree.
pub(super) type Read<'a> = dyn FnMut(&str) -> Result<Option<Vec<u8>>> + 'a;

/// What has been opened so far.
pub(super) struct Contexts<'a> {
    tree: &'a [TreeEntry],
    read: &'a mut Read<'a>,
    ignores: HashMap<String, Option<Rc<Patterns>>>,
    known: HashMap<(String, Option<String>), usize>,
    opened: Vec<Opened<'a>>,
}

/// A directory of the tree.
pub(super) struct Opened<'a> {
    /// Its path from the root; empty is the root itself.
    pub(super) root: String,
    /// What a build sees of it.
    pub(super) files: Context<'a>,
    /// The ignore file that holds, by its path, and its patterns.
    pub(super) ignore: Option<(String, Rc<Patterns>)>,
}

impl<'a> Contexts<'a> {
    pub(super) fn new(tree: &'a [TreeEntry], read: &'a mut Read<'a>) -> Self {
        Contexts { tree, read, ignores: HashMap::new(), known: HashMap::new(), opened: Vec::new() }
    }

    /// The build context of `node`. The ignore file beside the Dockerfile and named after it wins over the one of the
    /// context.
    pub(super) fn of_build(&mut self, node: &Node) -> Result<usize> {
        let own = format!("{}.dockerignore", node.dockerfile.path);
        self.open(&node.context, &[own, beneath(&node.context, ".dockerignore")])
    }

    /// The directory at `path` as a named context, which has an ignore file of its own.
    pub(super) fn of_directory(&mut self, path: &str) -> Result<usize> {
        self.open(path, &[beneath(path, ".dockerignore")])
    }

    /// All that is in the directory at `path`.
    pub(super) fn whole(&mut self, path: &str) -> Result<usize> {
        self.open(path, &[])
    }

    pub(super) fn get(&self, index: usize) -> &Opened<'a> {
        &self.opened[index]
    }

    fn open(&mut self, root: &str, ignore_files: &[String]) -> Result<usize> {
        let mut ignore = None;
        for path in ignore_files {
            if let Some(patterns) = self.ignore(path)? {
                ignore = Some((path.clone(), patterns));
                break;
            }
        }
        let key = (clean(root), ignore.as_ref().map(|(path, _)| path.clone()));
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let none = Rc::default();
        let patterns = ignore.as_ref().map_or(&none, |(_, patterns)| patterns);
        let files = Context::new(self.tree, root, patterns);
        self.opened.push(Opened { root: clean(root), files, ignore });
        self.known.insert(key, self.opened.len() - 1);
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
}

/// The path from the root of `path` in the directory `root`.
pub(super) fn beneath(root: &str, path: &str) -> String {
    let root = clean(root);
    if root.is_empty() { path.to_owned() } else { format!("{root}/{path}") }
}
