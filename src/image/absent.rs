//! What builds ask of the tree and do not get: directories of contexts, sources of `COPY`, `ADD` and bind mounts.
//!
//! The rules are BuildKit's (`frontend/dockerfile/dockerfile2llb/convert_copy.go`, `solver/llbsolver/file`): a path must
//! exist, be it an empty directory; a wildcard need not match anything. Where it cannot be known, nothing is absent.

use indexmap::IndexSet;

use super::context::{Context, Selection, TreeEntry};
use super::contexts::Contexts;
use super::dockerfile::{Keyword, Span};
use super::graph::{Build, ContextFiles, Graph, Node};
use super::pattern::{clean, has_wildcard, unescaped};
use super::reach::{Origin, ReachedTransfer, is_fetched};
use crate::error::Result;

/// Something that is asked for and not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Absent {
    /// Index of the image.
    pub node: usize,
    /// What its build asks for.
    pub want: Want,
    /// The directory in question, by its path from the root; empty is the root itself.
    pub directory: String,
    /// Why it is not there.
    pub why: Why,
}

/// What a build asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Want {
    /// The directory of a named context; of the build context, where there is no name.
    Directory(Option<String>),
    /// A source, by its place in the Dockerfile and its path with every variable replaced.
    Source(Span, String),
}

/// Why it is not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Why {
    /// The tree does not have it.
    Missing,
    /// The ignore file at this path excludes it.
    Ignored(String),
    /// It is a wildcard that matches nothing, with which a build goes on.
    Unmatched,
}

impl Graph {
    /// What the builds of all images ask for and do not get, each once. `tree` is the tree that the graph was read from, with
    /// its symlinks and submodules; `read` gives the content of a file of it, and is asked for ignore files only.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn absent(
        &self,
        tree: &[TreeEntry],
        mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>>,
    ) -> Result<Vec<Absent>> {
        let mut search = Search { contexts: Contexts::new(tree, &mut read), found: IndexSet::new() };
        for (index, node) in self.nodes.iter().enumerate() {
            for build in &node.builds {
                search.build(index, node, build)?;
            }
        }
        Ok(search.found.into_iter().collect())
    }
}

struct Search<'a> {
    contexts: Contexts<'a>,
    found: IndexSet<Absent>,
}

impl Search<'_> {
    fn build(&mut self, index: usize, node: &Node, build: &Build) -> Result<()> {
        let directories = build.contexts.iter().filter_map(|context| match &context.files {
            ContextFiles::Directory(path) => Some((Some(context.name.clone()), path.as_str())),
            ContextFiles::Git(_) | ContextFiles::Image(_) => None,
        });
        for (name, path) in directories.chain([(None, node.context.as_str())]) {
            let directory = clean(path);
            let whole = self.contexts.whole("")?;
            if self.contexts.get(whole).files.directory(&directory) == Some(false) {
                self.found.insert(Absent { node: index, want: Want::Directory(name), directory, why: Why::Missing });
            }
        }
        for stage in &build.reach.stages {
            let instructions = &node.dockerfile.file.stages[stage.index].instructions;
            for step in &stage.steps {
                let instruction = &instructions[step.instruction];
                let wildcards = instruction.keyword != Keyword::Run;
                for (reached, written) in step.transfers.iter().zip(&instruction.transfers) {
                    let Some((context, whole)) = self.opened(node, build, &reached.from)? else { continue };
                    for (path, span) in reached.paths.iter().zip(&written.paths) {
                        let Some(path) = path.as_deref().filter(|path| !is_fetched(instruction.keyword, path)) else {
                            continue;
                        };
                        let Some(why) = self.why(context, whole, path, reached, wildcards) else { continue };
                        let directory = self.contexts.get(context).root.clone();
                        let want = Want::Source(span.clone(), path.to_owned());
                        self.found.insert(Absent { node: index, want, directory, why });
                    }
                }
            }
        }
        Ok(())
    }

    /// The directory that files come from, as a build sees it and as a whole; `None`, where they come from elsewhere.
    fn opened(&mut self, node: &Node, build: &Build, from: &Origin) -> Result<Option<(usize, usize)>> {
        let (context, path) = match from {
            Origin::Main => (self.contexts.of_build(node)?, node.context.as_str()),
            Origin::Context(index) => match &build.contexts[*index].files {
                ContextFiles::Directory(path) => (self.contexts.of_directory(path)?, path.as_str()),
                ContextFiles::Git(_) | ContextFiles::Image(_) => return Ok(None),
            },
            Origin::Scratch | Origin::Stage(_) | Origin::Image(_) => return Ok(None),
        };
        let root = self.contexts.whole("")?;
        // a directory that is not there is told of once, and what lies in a submodule or behind a symlink is not known
        if self.contexts.get(root).files.directory(&clean(path)) != Some(true) {
            return Ok(None);
        }
        Ok(Some((context, self.contexts.whole(path)?)))
    }

    /// Why the source `path` is not there; `None` if it is.
    fn why(
        &self,
        context: usize,
        whole: usize,
        path: &str,
        transfer: &ReachedTransfer,
        wildcards: bool,
    ) -> Option<Why> {
        let cleaned = clean(path);
        if cleaned.is_empty() {
            return None;
        }
        // what is left out by `--exclude` is there all the same
        let selection = Selection { path: Some(path), excludes: &[], parents: transfer.parents, wildcards };
        let is_in = |context: &Context<'_>| !context.select(selection).is_empty();
        let (seen, whole) = (self.contexts.get(context), self.contexts.get(whole));
        if is_in(&seen.files) {
            return None;
        }
        if wildcards && has_wildcard(&cleaned) {
            return Some(Why::Unmatched);
        }
        let plain = if wildcards { unescaped(&cleaned) } else { cleaned };
        match &seen.ignore {
            Some((ignore, patterns)) if is_in(&whole.files) => {
                // a directory that the ignore file empties without matching it is there
                patterns.matches(&plain).then(|| Why::Ignored(ignore.clone()))
            }
            _ => Some(Why::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Tree, phase};
    use super::*;

    const FILES: [(&str, &str); 6] = [
        ("a.txt", "1"),
        ("d/a.txt", "2"),
        ("d/e/b.md", "3"),
        ("odd [x].txt", "4"),
        ("Dockerfile", ""),
        ("z/.keep", ""),
    ];

    /// What is absent: the path with `?` for a missing one, `!` for an ignored one, `*` for a wildcard.
    fn absent(tree: &Tree) -> Vec<String> {
        let found = tree.graph().unwrap().absent(&tree.entries(), |path| tree.read(path)).unwrap();
        let told = found.into_iter().map(|absent| match (absent.want, absent.why) {
            (Want::Directory(name), _) => format!("{}/ {name:?}", absent.directory),
            (Want::Source(_, path), Why::Missing) => format!("? {path}"),
            (Want::Source(_, path), Why::Ignored(by)) => format!("! {path} {by}"),
            (Want::Source(_, path), Why::Unmatched) => format!("* {path}"),
        });
        told.collect()
    }

    fn absent_of(instructions: &str, ignore: &str) -> Vec<String> {
        let mut tree = Tree::one(&format!("FROM scratch\n{instructions}\n"), &FILES);
        if !ignore.is_empty() {
            tree.write(".dockerignore", ignore);
        }
        tree.entry("link", 0o120000, "d");
        tree.entry("outside", 0o120000, "/etc");
        tree.entry("module", 0o160000, "c0ffee");
        absent(&tree)
    }

    #[test]
    fn what_a_build_finds_is_not_absent() {
        for (instructions, ignore) in [
            ("COPY . a.txt ./d/ /d/e/../a.txt ../a.txt /x/", ""),
            ("COPY / /x", "*"),
            ("COPY [\"odd [[]x].txt\", \"odd \\\\[x].txt\", \"/x/\"]", ""),
            ("COPY link/a.txt link/e outside/passwd module/any/file /x/", ""),
            ("COPY $UNKNOWN d/$UNKNOWN.txt /x/", ""),
            ("ARG F=a\nENV D=d/e\nCOPY ${F}.txt ${D}/b.md ${NO:-a.txt} /x/", ""),
            ("ADD https://example.com/none.txt git@example.com:a/b.git#v1 a.txt /x/", ""),
            ("ADD someone@example.com:a/b.git ssh://git@example.com/a/b.git /x/", ""),
            ("COPY <<none.txt a.txt /x/\nnone.md\nnone.txt", ""),
            ("ONBUILD COPY none /x", ""),
            ("COPY --from=other:1 none /x", ""),
            ("RUN --mount=type=bind,target=/m --mount=type=cache,source=none,target=/c x", ""),
            ("RUN --mount=type=secret,id=none,src=none x", ""),
            ("COPY --exclude=*.txt --exclude=e d /x", ""),
            ("COPY --parents ./d/./e/b.md d/*/b.md **/*.md /x/", ""),
            // the directory is there, if empty
            ("COPY d /x", "d/*"),
            ("COPY d /x", "**/*.md\n**/*.txt"),
            ("COPY d/a.txt d /x/", "*\n!d/a.txt"),
            ("COPY module/x /x/", "module\n!module/x"),
        ] {
            assert_eq!(absent_of(instructions, ignore), Vec::<String>::new(), "{instructions} with {ignore:?}");
        }
    }

    #[test]
    fn what_a_build_does_not_find_is_absent() {
        for (instructions, ignore, expected) in [
            ("COPY none a.txt ./d/none.txt /x/", "", vec!["? none", "? ./d/none.txt"]),
            ("COPY A.txt /x", "", vec!["? A.txt"]),
            ("ADD none https://example.com/a /x/", "", vec!["? none"]),
            ("ARG F=b\nCOPY $F.txt /x", "", vec!["? b.txt"]),
            ("COPY *.whl a.* [b]none /x/", "", vec!["* *.whl", "* [b]none"]),
            ("COPY *.txt /x/", "*.txt", vec!["* *.txt"]),
            ("COPY --parents d/none *.rs /x/", "", vec!["? d/none", "* *.rs"]),
            (
                "RUN --mount=type=bind,source=none,target=/m --mount=source=*.txt,target=/n x",
                "",
                vec!["? none", "? *.txt"],
            ),
            ("COPY a.txt d/e /x/", "a.*\n**/e", vec!["! a.txt .dockerignore", "! d/e .dockerignore"]),
            ("COPY d none /x/", "*\n!z", vec!["! d .dockerignore", "? none"]),
            ("COPY [\"odd \\\\[x].txt\", \"/x\"]", "odd*", vec!["! odd \\[x].txt .dockerignore"]),
        ] {
            assert_eq!(absent_of(instructions, ignore), expected, "{instructions} with {ignore:?}");
        }
    }

    #[test]
    fn contexts_are_directories_of_the_tree() {
        let image = |context: &str| format!("a: {{ dockerfile: Dockerfile, tags: ['v{{v}}'], {context} }}");
        let mut found = Vec::new();
        for context in [
            "context: d/e",
            "context: ./d/",
            "context: link",
            "context: module/inside",
            "context: a.txt",
            "context: e",
            "contexts: { one: d, two: none, three: 'docker-image://x:1', four: 'https://example.com/a.git#v1' }",
        ] {
            let mut tree = Tree::new(&phase("one", "v", &[&image(context)]), &FILES);
            tree.write("Dockerfile", "FROM scratch\n");
            tree.entry("link", 0o120000, "d");
            tree.entry("module", 0o160000, "c0ffee");
            found.extend(absent(&tree));
        }
        assert_eq!(found, ["a.txt/ None", "e/ None", "none/ Some(\"two\")"]);
    }

    #[test]
    fn a_named_directory_has_an_ignore_file_of_its_own() {
        let image = "a: { dockerfile: Dockerfile, tags: ['v{v}'], contexts: { src: d } }";
        let mut tree = Tree::new(&phase("one", "v", &[image]), &FILES);
        tree.write("Dockerfile", "FROM scratch\nCOPY --from=src a.txt e none /x/\nCOPY a.txt /y");
        tree.write(".dockerignore", "*\n!a.txt");
        tree.write("d/.dockerignore", "a.txt");
        assert_eq!(absent(&tree), ["! a.txt d/.dockerignore", "? none"]);
    }
}
