//! Build contexts: which files of the tree a `COPY`, `ADD` or bind mount selects.
//!
//! The tree is given as a list ([`TreeEntry`]); contents are named by their ids and never read. Where it cannot be known
//! what is selected, everything is.

use std::collections::BTreeSet;

use super::pattern::{Patterns, clean, copied, copied_with_parents, has_wildcard, unescaped};

/// An entry of a commit's tree: a file, a symlink or a submodule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Path from the root, with `/` between parts.
    pub path: String,
    /// Mode as git has it: `0o100644`, `0o100755`, `0o120000` (symlink) or `0o160000` (submodule).
    pub mode: u32,
    /// Id of the blob, or of the submodule's commit, in hexadecimal digits.
    pub id: String,
    /// Where a symlink points; `None` for everything else, and where the blob is not here.
    pub link: Option<String>,
}

const SYMLINK: u32 = 0o120000;
const SUBMODULE: u32 = 0o160000;
/// As many symlinks Linux follows in one path.
const MAX_LINKS: usize = 40;

/// A directory of the tree as a build sees it: paths relative to it, ignored files left out.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// By path.
    entries: Vec<(&'a str, &'a TreeEntry)>,
}

/// What is taken from a context.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection<'p> {
    /// A path as the Dockerfile has it; `None` could be any.
    pub(super) path: Option<&'p str>,
    /// Patterns of `--exclude`.
    pub(super) excludes: &'p [String],
    /// Whether `--parents` is there.
    pub(super) parents: bool,
    /// Whether the path may have wildcards: in `COPY` and `ADD`, not in mounts.
    pub(super) wildcards: bool,
}

impl<'a> Context<'a> {
    /// The directory at `root` (empty: all) of `tree`, without what `ignore` matches.
    pub(super) fn new(tree: &'a [TreeEntry], root: &str, ignore: &Patterns) -> Self {
        let root = clean(root);
        let inside = |path: &'a str| match root.is_empty() {
            true => Some(path),
            false => path.strip_prefix(root.as_str())?.strip_prefix('/'),
        };
        // what lies in a submodule is not known, so an exception may bring some of it back
        let ignored = |path: &str, entry: &TreeEntry| {
            ignore.matches(path) && !(entry.mode == SUBMODULE && ignore.has_exceptions())
        };
        let entries = tree.iter().filter_map(|entry| Some((inside(&entry.path)?, entry)));
        let mut entries: Vec<_> = entries.filter(|(path, entry)| !ignored(path, entry)).collect();
        entries.sort_unstable_by_key(|(path, _)| *path);
        Context { entries }
    }

    /// Whether there is a directory at `path`; `None` if that lies behind a symlink or in a submodule.
    pub(super) fn directory(&self, path: &str) -> Option<bool> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            if let Ok(index) = self.entries.binary_search_by_key(&&path[..end], |(path, _)| path) {
                return (!matches!(self.entries[index].1.mode, SYMLINK | SUBMODULE)).then_some(false);
            }
        }
        let directory = format!("{path}/");
        let start = self.entries.partition_point(|(path, _)| *path < directory.as_str());
        Some(path.is_empty() || self.entries.get(start).is_some_and(|(path, _)| path.starts_with(&directory)))
    }

    /// What `selection` selects, by path.
    pub(super) fn select(&self, selection: Selection<'_>) -> Vec<(&'a str, &'a TreeEntry)> {
        let Some(path) = selection.path else { return self.entries.clone() };
        let mut found = BTreeSet::new();
        let cleaned = clean(path);
        let excludes = Patterns::new(selection.excludes.iter().map(String::as_str));
        let known = match (selection.parents, selection.wildcards && has_wildcard(&cleaned)) {
            (true, _) => self.walk(path, &cleaned, &excludes, &mut found),
            (false, true) => self.glob(&cleaned, &excludes, &mut found),
            (false, false) if selection.wildcards => self.follow(&unescaped(&cleaned), &excludes, 0, &mut found),
            (false, false) => self.follow(&cleaned, &excludes, 0, &mut found),
        };
        match known {
            Some(()) => found.into_iter().map(|index| self.entries[index]).collect(),
            None => self.entries.clone(),
        }
    }

    /// Takes what a pattern of `COPY --parents` matches. In `a/./b`, what is excluded counts from behind the `/./`.
    fn walk(&self, path: &str, cleaned: &str, excludes: &Patterns, found: &mut BTreeSet<usize>) -> Option<()> {
        let regex = copied_with_parents(cleaned)?;
        let pivot = path.split_once("/./").map_or(0, |(before, _)| clean(before).len() + 1);
        for (index, (path, entry)) in self.entries.iter().enumerate() {
            let inside = path.get(pivot..).unwrap_or(path);
            if regex.is_match(path) && !excludes.matches(inside) || entry.mode == SUBMODULE && leads_to(path, cleaned) {
                found.insert(index);
            } else if entry.mode == SYMLINK && !cleaned.contains("**") && leads_to(path, cleaned) {
                return None;
            }
        }
        Some(())
    }

    /// Takes what a wildcard of `COPY` matches.
    fn glob(&self, pattern: &str, excludes: &Patterns, found: &mut BTreeSet<usize>) -> Option<()> {
        let regex = copied(pattern)?;
        let fixed = pattern.find(['*', '?', '[', '\\']).map_or(pattern, |at| &pattern[..at]);
        let start = self.entries.partition_point(|(path, _)| *path < fixed);
        let candidates = self.entries[start..].iter().take_while(|(path, _)| path.starts_with(fixed));
        for (index, (path, entry)) in (start..).zip(candidates) {
            let Some(matched) = regex.find(path) else { continue };
            let top = path[..matched.end()].trim_end_matches('/');
            match path.get(top.len() + 1..) {
                // a symlink that is matched itself is followed
                None if entry.mode == SYMLINK => self.follow(path, excludes, 0, found)?,
                Some(inside) if excludes.matches(inside) => {}
                _ => {
                    found.insert(index);
                }
            }
        }
        // what the pattern is about may lie behind a submodule or a symlink
        for (index, (path, entry)) in self.entries.iter().enumerate() {
            match entry.mode {
                SUBMODULE if leads_to(path, pattern) => {
                    found.insert(index);
                }
                SYMLINK if leads_to(path, pattern) => return None,
                _ => {}
            }
        }
        Some(())
    }

    /// Takes what is at `path`: a file, or everything in a directory that is not excluded. Symlinks on the way and at its
    /// end are taken, and followed; those in a directory are only taken. `None`: it leads nobody knows where.
    fn follow(&self, path: &str, excludes: &Patterns, links: usize, found: &mut BTreeSet<usize>) -> Option<()> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let Ok(index) = self.entries.binary_search_by_key(&&path[..end], |(path, _)| path) else { continue };
            let entry = self.entries[index].1;
            found.insert(index);
            if entry.mode == SYMLINK {
                let target = entry.link.as_deref().filter(|_| links < MAX_LINKS)?;
                let parent = path[..end].rsplit_once('/').map_or("", |(parent, _)| parent);
                let absolute = target.starts_with('/');
                let rest = &path[end..];
                let next = if absolute { format!("{target}{rest}") } else { format!("{parent}/{target}{rest}") };
                return self.follow(&clean(&next), excludes, links + 1, found);
            }
            // a file, or a submodule, whose commit stands for all that is in it
            return Some(());
        }
        let directory = if path.is_empty() { String::new() } else { format!("{path}/") };
        let start = self.entries.partition_point(|(path, _)| *path < directory.as_str());
        let inside = self.entries[start..].iter().take_while(|(path, _)| path.starts_with(&directory));
        let taken = (start..).zip(inside).filter(|(_, (path, _))| !excludes.matches(&path[directory.len()..]));
        found.extend(taken.map(|(index, _)| index));
        Some(())
    }
}

/// Whether a path that `pattern` matches may lie beneath the directory `path`.
fn leads_to(path: &str, pattern: &str) -> bool {
    let depth = path.split('/').count();
    let parts: Vec<&str> = pattern.split('/').collect();
    if parts.contains(&"**") {
        return true;
    }
    parts.len() > depth && copied(&parts[..depth].join("/")).is_none_or(|regex| regex.is_match(path))
}
