//! Many files of one commit, one by one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use git2::Oid;

use super::tree::MISSING_BLOB;
use super::{Commit, Repository, failed};
use crate::error::Result;

/// Reads files of one commit. Unlike [`Repository::read`], it remembers the directories that it has looked into: libgit2
/// keeps no large one, and would take it apart again for each file in it.
pub struct Reader<'a> {
    repository: &'a Repository,
    root: Oid,
    /// By the id of the directory's tree.
    directories: HashMap<Oid, Directory>,
}

/// Id and mode by name.
type Directory = HashMap<Vec<u8>, (Oid, i32)>;

const DIRECTORY: i32 = 0o040000;

impl Repository {
    /// A reader of many files of `commit`.
    pub fn reader(&self, commit: Commit) -> Reader<'_> {
        Reader { repository: self, root: commit.tree, directories: HashMap::new() }
    }
}

impl Reader<'_> {
    /// The content of the file at `path`; `None` if there is no regular file.
    pub fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        let found = self.find(path).map_err(|error| failed(format!("cannot read {path}"), error))?;
        let Some((id, 0o100644 | 0o100755 | 0o100664)) = found else { return Ok(None) };
        let blob = self.repository.inner.find_blob(id);
        let blob = blob.map_err(|error| failed(format!("cannot read {path}"), error).hint(MISSING_BLOB))?;
        Ok(Some(blob.content().to_owned()))
    }

    fn find(&mut self, path: &str) -> Result<Option<(Oid, i32)>, git2::Error> {
        let mut found = (self.root, DIRECTORY);
        for name in path.split('/').filter(|name| !matches!(*name, "" | ".")) {
            if found.1 != DIRECTORY {
                return Ok(None);
            }
            let directory = match self.directories.entry(found.0) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => {
                    let tree = self.repository.inner.find_tree(found.0)?;
                    let entries = tree.iter().map(|e| (e.name_bytes().to_vec(), (e.id(), e.filemode())));
                    vacant.insert(entries.collect())
                }
            };
            match directory.get(name.as_bytes()) {
                Some(entry) => found = *entry,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;

    #[test]
    fn only_regular_files_are_read() {
        let (_directory, repository) = empty();
        let files = [("a/b", 0o100755, "1"), ("a/c/d", 0o100644, "2"), ("link", 0o120000, "a/b")];
        let base = repository.grow(&[], &files);
        let mut reader = repository.reader(base);
        for (path, content) in [("a/b", "1"), ("a/c/d", "2"), ("./a//b", "1")] {
            assert_eq!(reader.read(path).unwrap().as_deref(), Some(content.as_bytes()), "{path}");
        }
        for path in ["", "a", "a/c", "a/b/c", "a/../a/b", "link", "none"] {
            assert_eq!(reader.read(path).unwrap(), None, "{path}");
        }
    }
}
