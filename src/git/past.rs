//! What some files were at earlier commits.

use git2::{ErrorCode, Oid};

use super::{Commit, File, Repository, failed};
use crate::error::Result;

/// A content that a file had, from a commit on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastContent {
    /// How many commits back from the newest the last one with this content is.
    pub step: usize,
    /// The file as it was; `None` where there was no such regular file.
    pub file: Option<File>,
}

/// A path's part in the walk: directories are only looked into where they differ from the commit after.
struct Node {
    name: String,
    id: Option<Oid>,
    /// Index of the path that ends here.
    path: Option<usize>,
    children: Vec<Node>,
}

const MODE_LINK: i32 = 0o120000;
const MODE_DIRECTORY: i32 = 0o040000;

impl Repository {
    /// What the files at `paths` were at `newest` and up to `most - 1` commits before it, following first parents: of
    /// each file its contents, from the newest back. The second value is how many commits were looked at; a shallow
    /// clone ends early.
    pub fn past(&self, newest: Commit, paths: &[&str], most: usize) -> Result<(Vec<Vec<PastContent>>, usize)> {
        let mut root = Node { name: String::new(), id: None, path: None, children: Vec::new() };
        for (index, path) in paths.iter().enumerate() {
            let mut node = &mut root;
            for part in path.split('/') {
                let known = node.children.iter().position(|child| child.name == part).unwrap_or_else(|| {
                    node.children.push(Node { name: part.to_owned(), id: None, path: None, children: Vec::new() });
                    node.children.len() - 1
                });
                node = &mut node.children[known];
            }
            node.path = Some(index);
        }
        let mut past = vec![Vec::new(); paths.len()];
        let trouble = |error| failed("cannot read the history", error);
        let mut commit = self.inner.find_commit(newest.id).map_err(trouble)?;
        let mut step = 0;
        loop {
            self.look(&mut root, Some((commit.tree_id(), MODE_DIRECTORY)), step, paths, &mut past).map_err(trouble)?;
            step += 1;
            if step >= most {
                break;
            }
            commit = match commit.parent(0) {
                Ok(parent) => parent,
                Err(error) if error.code() == ErrorCode::NotFound => break,
                Err(error) => return Err(trouble(error)),
            };
        }
        Ok((past, step))
    }

    /// Notes what differs at and below `node`, whose entry at this step is `entry` (id and mode).
    fn look(
        &self,
        node: &mut Node,
        entry: Option<(Oid, i32)>,
        step: usize,
        paths: &[&str],
        past: &mut [Vec<PastContent>],
    ) -> Result<(), git2::Error> {
        let id = entry.filter(|(_, mode)| *mode != MODE_LINK).map(|(id, _)| id);
        if node.id == id && step > 0 {
            return Ok(());
        }
        node.id = id;
        if let Some(path) = node.path {
            let blob = entry.filter(|(_, mode)| *mode != MODE_LINK && *mode != MODE_DIRECTORY);
            let file = blob.map(|(id, _)| File { path: paths[path].to_owned(), id });
            past[path].push(PastContent { step, file });
        }
        if node.children.is_empty() {
            return Ok(());
        }
        let tree = match id.map(|id| self.inner.find_tree(id)).transpose() {
            Ok(tree) => tree,
            // a file where there is a directory now
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        for child in &mut node.children {
            let entry = tree.as_ref().and_then(|tree| tree.get_name(&child.name));
            let entry = entry.map(|entry| (entry.id(), entry.filemode()));
            self.look(child, entry, step, paths, past)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::empty;

    #[test]
    fn each_content_is_told_with_the_last_commit_that_had_it() {
        let (_directory, repository) = empty();
        let file = |text| ("a/VERSION", 0o100644, text);
        let mut parents = Vec::new();
        let mut newest = None;
        for files in
            [vec![("b", 0o100644, "x")], vec![file("1")], vec![file("1"), ("b", 0o100644, "y")], vec![file("2")]]
        {
            let commit = repository.grow(&parents, &files);
            parents = vec![commit];
            newest = Some(commit);
        }
        let (past, steps) = repository.past(newest.unwrap(), &["a/VERSION", "none"], 10).unwrap();
        let blob = |text: &str| Some(git2::Oid::hash_object(git2::ObjectType::Blob, text.as_bytes()).unwrap());
        let told: Vec<_> = past[0].iter().map(|content| (content.step, content.file.as_ref().map(|f| f.id))).collect();
        assert_eq!(told, [(0, blob("2")), (1, blob("1")), (3, None)]);
        assert_eq!(past[1].len(), 1);
        assert_eq!(steps, 4);
        assert_eq!(repository.past(newest.unwrap(), &["a/VERSION"], 1).unwrap().1, 1);
    }
}
