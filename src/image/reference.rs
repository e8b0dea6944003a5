//! An image reference, taken apart: `[registry/]path[:tag][@digest]`.
//!
//! The grammar is the distribution project's (<https://pkg.go.dev/github.com/distribution/reference>). Nothing here
//! fills in a default registry or tag: what is not written is not there.

use std::ops::Range;

/// The parts of a reference, as byte ranges of the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    text: &'a str,
    name: Range<usize>,
    tag: Option<Range<usize>>,
    digest: Option<Range<usize>>,
}

impl<'a> Reference<'a> {
    /// Takes `text` apart. Any text has a name; what follows the last `:` after the last `/` is the tag, what follows
    /// `@` the digest.
    pub fn parse(text: &'a str) -> Self {
        let (before_digest, digest) = match text.find('@') {
            Some(at) => (at, Some(at + 1..text.len())),
            None => (text.len(), None),
        };
        let last_part = text[..before_digest].rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match text[last_part..before_digest].find(':') {
            Some(colon) => (0..last_part + colon, Some(last_part + colon + 1..before_digest)),
            None => (0..before_digest, None),
        };
        Reference { text, name, tag, digest }
    }

    /// Registry and path, without tag and digest.
    pub fn name(&self) -> &'a str {
        &self.text[self.name.clone()]
    }

    /// The tag.
    pub fn tag(&self) -> Option<&'a str> {
        self.tag.clone().map(|range| &self.text[range])
    }

    /// Where the tag stands.
    pub fn tag_range(&self) -> Option<Range<usize>> {
        self.tag.clone()
    }

    /// The digest, such as `sha256:...`.
    pub fn digest(&self) -> Option<&'a str> {
        self.digest.clone().map(|range| &self.text[range])
    }

    /// Whether this is `repository`, whatever registry is written before it.
    ///
    /// What stands before the name is a registry if it is one part and has a dot or a port or is `localhost`, or if
    /// `may_be_registry` says so: it is not written out, or known as one with its path. `other/app` is no `app`.
    pub fn is_repository(&self, repository: &str, may_be_registry: impl Fn(&str) -> bool) -> bool {
        let Some(before) = self.name().strip_suffix(repository) else { return false };
        let Some(registry) = before.strip_suffix('/') else { return before.is_empty() };
        let host = registry.split('/').next().unwrap_or(registry);
        may_be_registry(registry) || registry == host && (host.contains(['.', ':']) || host == "localhost")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_taken_apart() {
        for (text, name, tag, digest) in [
            ("debian", "debian", None, None),
            ("debian:12-slim", "debian", Some("12-slim"), None),
            ("localhost:5000/a/b", "localhost:5000/a/b", None, None),
            ("localhost:5000/a/b:v1", "localhost:5000/a/b", Some("v1"), None),
            ("a/b:v1@sha256:00ff", "a/b", Some("v1"), Some("sha256:00ff")),
            ("a/b@sha256:00ff", "a/b", None, Some("sha256:00ff")),
        ] {
            let reference = Reference::parse(text);
            assert_eq!((reference.name(), reference.tag(), reference.digest()), (name, tag, digest), "{text}");
        }
    }

    #[test]
    fn a_repository_is_recognised_behind_any_registry() {
        let is = |text: &str| Reference::parse(text).is_repository("graphscope/graphscope-dev", |p| p.contains('$'));
        for yes in [
            "graphscope/graphscope-dev:v1",
            "registry.cn-hongkong.aliyuncs.com/graphscope/graphscope-dev:v1",
            "127.0.0.1:5000/graphscope/graphscope-dev",
            "localhost/graphscope/graphscope-dev",
            "$REGISTRY/graphscope/graphscope-dev:v1",
        ] {
            assert!(is(yes), "{yes}");
        }
        for no in [
            "graphscope/graphscope-dev-base:v1",
            "mygraphscope/graphscope-dev:v1",
            "fork/graphscope/graphscope-dev:v1",
            "graphscope-dev:v1",
            "registry.example.com/fork/graphscope/graphscope-dev:v1",
        ] {
            assert!(!is(no), "{no}");
        }
    }
}
