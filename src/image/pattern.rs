//! Patterns for paths: those of `COPY` (Go's `filepath.Match`) and those of `.dockerignore` (moby's `patternmatcher`).
//!
//! Both become regular expressions. Paths are relative to the build context, with `/` between parts.

use regex::Regex;

/// Whether `path` has a wildcard in the sense of `COPY`; a backslash takes the meaning of the next character away.
pub(super) fn has_wildcard(path: &str) -> bool {
    let mut escaped = false;
    path.chars().any(|c| {
        let special = !escaped && matches!(c, '*' | '?' | '[');
        escaped = !escaped && c == '\\';
        special
    })
}

/// `path` without the backslashes that take a meaning away.
pub(super) fn unescaped(path: &str) -> String {
    let mut chars = path.chars();
    let mut plain = String::with_capacity(path.len());
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

/// The shortest spelling of a path: no `.`, no empty part, and `..` taken back, never above the root. Go's
/// `filepath.Clean` for a path that is read from `/`.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a relative pattern climbs above the root; it then matches nothing.
fn leaves(pattern: &str) -> bool {
    let mut depth = 0i32;
    !pattern.starts_with('/')
        && pattern.split('/').any(|part| {
            depth += match part {
                "" | "." => 0,
                ".." => -1,
                _ => 1,
            };
            depth < 0
        })
}

/// What the paths that match `pattern` of a `COPY` look like, and everything beneath them. `None` is a bad pattern.
pub(super) fn copied(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{})(?:/|$)", expression(pattern, false))).ok()
}

/// The same for `COPY --parents`, where `**` stands for any number of directories.
pub(super) fn copied_with_parents(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{})(?:/|$)", expression(pattern, true))).ok()
}

/// The regular expression of a pattern, without anchors. `deep`: whether `**` crosses directories.
fn expression(pattern: &str, deep: bool) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if deep && chars.peek() == Some(&'*') => {
                chars.next();
                // `**/` is taken as `**`
                chars.next_if_eq(&'/');
                out.push_str(if chars.peek().is_none() { ".*" } else { "(?:.*/)?" });
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '\\' => out.push_str(&chars.next().map_or("\\\\".into(), |next| regex::escape(&next.to_string()))),
            '[' => class(&mut chars, &mut out),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out
}

/// A character class, from behind its `[`. Nothing but `^`, `-`, `\` and `]` has a meaning inside.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        // a class never matches a separator
        out.push_str("^/");
    }
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if !first => break,
            '-' => out.push('-'),
            '\\' => out.extend(chars.next().map(|next| regex::escape(&next.to_string())).iter().map(String::as_str)),
            c => {
                if matches!(c, '[' | ']' | '&' | '~' | '^') {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        first = false;
    }
    out.push(']');
}

/// An ordered list of patterns, some of which (`!`) take back what earlier ones matched.
#[derive(Debug, Clone, Default)]
pub(super) struct Patterns {
    patterns: Vec<(Regex, bool)>,
}

impl Patterns {
    /// Reads a `.dockerignore`: one pattern a line, comments begin with `#` in the first column.
    pub(super) fn of_ignore_file(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
        Self::new(text.lines().filter(|line| !line.starts_with('#')))
    }

    /// Reads patterns. One that is malformed, for which a build would fail, is passed over.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        let read = patterns.filter_map(|pattern| {
            let pattern = pattern.trim();
            let (pattern, negative) = match pattern.strip_prefix('!') {
                Some(rest) => (rest.trim(), true),
                None => (pattern, false),
            };
            let cleaned = clean(pattern);
            if cleaned.is_empty() || leaves(pattern) {
                return None;
            }
            // a pattern that matches a directory matches everything beneath it
            let regex = Regex::new(&format!("^(?:{})(?:/|$)", expression(&cleaned, true))).ok()?;
            Some((regex, negative))
        });
        Patterns { patterns: read.collect() }
    }

    /// Whether the path is matched, and not taken back by a later pattern.
    pub(super) fn matches(&self, path: &str) -> bool {
        let mut matched = false;
        for (regex, negative) in &self.patterns {
            if *negative == matched && regex.is_match(path) {
                matched = !negative;
            }
        }
        matched
    }

    /// Whether some pattern takes matches back.
    pub(super) fn has_exceptions(&self) -> bool {
        self.patterns.iter().any(|(_, negative)| *negative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_patterns_follow_filepath_match() {
        for (pattern, yes, no) in [
            ("a*", &["a", "abc", "abc/d"][..], &["b/a", "ba"][..]),
            ("*.sh", &["x.sh", ".sh"], &["x.sh2", "d/x.sh"]),
            ("d/*/f?", &["d/e/f1", "d/e/f1/g"], &["d/f1", "d/e/e/f1", "d/e/f"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "[a-c]x"]),
            ("[^a-c]x", &["dx"], &["ax", "/x"]),
            ("a\\*", &["a*"], &["ab"]),
            ("a.b+c", &["a.b+c"], &["aXb+c", "a.bbc"]),
            ("[]a]x", &[], &["bx"]),
            ("**", &["a", "a/b"], &[]),
            ("a/**/b", &["a/x/b"], &["a/b", "a/x/y/b"]),
        ] {
            let regex = copied(pattern).unwrap();
            yes.iter().for_each(|path| assert!(regex.is_match(path), "{pattern} takes {path}"));
            no.iter().for_each(|path| assert!(!regex.is_match(path), "{pattern} leaves {path}"));
        }
    }

    #[test]
    fn with_parents_two_stars_cross_directories() {
        let regex = copied_with_parents("src/**/*.rs").unwrap();
        assert!(regex.is_match("src/a.rs") && regex.is_match("src/x/y/a.rs"));
        assert!(!regex.is_match("a.rs") && !regex.is_match("src/a.sh"));
    }

    #[test]
    fn ignore_files_follow_moby() {
        for (file, ignored, kept) in [
            ("*", &["a", "a/b"][..], &[][..]),
            ("*\n!a", &["b", "c/a"], &["a", "a/b"]),
            ("*\n!d\nd/*.x", &["d/a.x", "b"], &["d/a", "d/e/a.x"]),
            ("**/*.o", &["a.o", "d/e/a.o"], &["a.c"]),
            ("d/**", &["d/a", "d/e/f"], &["e/d/a"]),
            ("/d/", &["d/a"], &["e/d"]),
            ("./d/../e", &["e/a"], &["d/a"]),
            ("# d\n #e", &["#e"], &["d", "# d"]),
            ("d\n!d/keep\nd/keep/not", &["d/a", "d/keep/not"], &["d/keep", "d/keep/x"]),
            ("! a\na", &["a"], &["b"]),
            ("\u{feff}a\r\nb\r\n", &["a", "b"], &["c"]),
            ("a?c\n[xy]", &["abc", "x"], &["ac", "z", "a/c"]),
            ("\\!a", &["!a"], &["a"]),
            ("**", &["a", "a/b"], &[]),
            ("**\n!**/keep", &["a", "d/a"], &["keep", "d/e/keep", "d/keep/x"]),
            ("!\n.\n\n", &[], &["a"]),
            ("../a\n/../b", &["b"], &["a"]),
        ] {
            let patterns = Patterns::of_ignore_file(file.as_bytes());
            ignored.iter().for_each(|path| assert!(patterns.matches(path), "{file:?} ignores {path}"));
            kept.iter().for_each(|path| assert!(!patterns.matches(path), "{file:?} keeps {path}"));
        }
    }

    #[test]
    fn paths_are_cleaned_as_from_the_root() {
        for (path, cleaned) in [("./a//b/", "a/b"), ("/a", "a"), ("../a", "a"), ("a/../b", "b"), (".", ""), ("/", "")] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
        assert!(has_wildcard("a*") && has_wildcard("[a]") && !has_wildcard("a\\*"));
        assert_eq!(unescaped("a\\*b"), "a*b");
    }
}
