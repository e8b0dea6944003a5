//! Globs against the paths of a tree.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// Globs against the paths of the tree: `*` stays within a directory, `**` crosses them, `!` before one excludes.
#[derive(Debug, Clone)]
pub struct FileGlobs {
    /// As written.
    pub patterns: Vec<String>,
    include: GlobSet,
    exclude: GlobSet,
}

impl FileGlobs {
    /// Reads `patterns`, whose order does not matter. A pattern that no path of a tree can match is a usage error.
    pub fn new(patterns: Vec<String>) -> Result<Self> {
        let (exclude, include): (Vec<&str>, Vec<&str>) =
            patterns.iter().map(String::as_str).partition(|pattern| pattern.starts_with('!'));
        if include.is_empty() {
            return Err(Error::usage("there is no glob that selects a file").hint("add one without a leading `!`"));
        }
        let exclude = glob_set(exclude.iter().map(|pattern| &pattern[1..]))?;
        Ok(FileGlobs { include: glob_set(include.into_iter())?, exclude, patterns })
    }

    /// Whether the file at `path` (relative to the root, `/` between parts) is selected.
    pub fn matches(&self, path: &str) -> bool {
        self.include.is_match(path) && !self.exclude.is_match(path)
    }
}

/// `path` as a glob that selects only the file there.
pub fn glob_of(path: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!');
    path.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// A set of `patterns`, none of them an exclusion.
pub(super) fn glob_set<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(glob(pattern)?);
    }
    builder.build().map_err(|error| Error::usage(format!("the globs are too large: {error}")))
}

/// One glob, or the reason why no path of a tree can match it.
pub(super) fn glob(pattern: &str) -> Result<Glob> {
    let bare = pattern.strip_prefix("./").unwrap_or(pattern);
    let refuse = |why: &str, hint: &str| Err(Error::usage(format!("the glob `{pattern}` {why}")).hint(hint));
    if bare.is_empty() {
        return refuse("is empty", "write `**` for every file");
    }
    if bare.starts_with('/') || bare.split('/').any(|part| part == "..") {
        return refuse("leads out of the repository", "paths are relative to the root of the repository");
    }
    if bare.ends_with('/') {
        return refuse("selects no file", &format!("write `{bare}**` for all files in the directory"));
    }
    let glob = GlobBuilder::new(bare).literal_separator(true).backslash_escape(true).build();
    glob.map_err(|error| Error::usage(format!("the glob `{pattern}` is malformed: {}", error.kind())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(patterns: &[&str]) -> FileGlobs {
        FileGlobs::new(patterns.iter().map(|p| (*p).to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_star_stays_within_a_directory_and_two_cross_them() {
        let globs = globs(&["dockerfiles/*.Dockerfile", "**/Makefile", "./VERSION"]);
        for (path, expected) in [
            ("dockerfiles/a.Dockerfile", true),
            ("dockerfiles/sub/a.Dockerfile", false),
            ("Makefile", true),
            ("k8s/images/Makefile", true),
            ("VERSION", true),
            ("python/VERSION", false),
        ] {
            assert_eq!(globs.matches(path), expected, "{path}");
        }
    }

    #[test]
    fn an_exclusion_wins_wherever_it_stands() {
        for patterns in [&["!a/b.yml", "a/*.yml"], &["a/*.yml", "!a/b.yml"]] {
            let globs = globs(patterns);
            assert!(globs.matches("a/c.yml") && !globs.matches("a/b.yml"));
        }
    }

    #[test]
    fn a_glob_that_can_match_nothing_is_refused() {
        for (pattern, reason) in [
            ("", "is empty"),
            ("/etc/passwd", "leads out"),
            ("../x", "leads out"),
            ("a/../../x", "leads out"),
            ("docs/", "selects no file"),
            ("a/[", "malformed: unclosed character class"),
            ("!a", "no glob that selects"),
        ] {
            let error = FileGlobs::new(vec![pattern.into()]).unwrap_err();
            assert!(error.message.contains(reason), "{pattern}: {}", error.message);
        }
    }
}
