//! What the words of the shell stand for, as far as it can be told.
//!
//! Source: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_06>.

use std::cell::Cell;

use super::mark::{LONGEST, MARK, marked, unknown};
use super::path::join;
use super::shell::DEEPEST;

/// Of a word that cannot be told, no more characters than this are its name.
const LONGEST_NAME: usize = 64;

/// What is known where a word stands.
pub struct Place<'a> {
    /// The value of a variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The content of the file at a path from the root.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// The directory, from the root; `None` where it cannot be told.
    pub directory: Option<&'a str>,
    /// What `uname -m` says.
    pub machine: &'a str,
    /// How many quotes and commands are open around what is told.
    pub depth: Cell<usize>,
}

impl Place<'_> {
    /// The words that `word` stands for: several, where a variable without quotes holds them.
    pub fn words(&self, word: &str) -> Vec<String> {
        let value = self.value(word);
        match word.contains(['"', '\'', '\\']) || !word.contains('$') || value.contains(MARK) {
            true => vec![value],
            false => value.split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// What `word` stands for, without its quotes.
    pub fn value(&self, word: &str) -> String {
        if self.depth.get() > DEEPEST {
            return named(word);
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.within(word);
        self.depth.set(self.depth.get() - 1);
        value
    }

    fn within(&self, word: &str) -> String {
        let mut out = String::new();
        let mut rest = word;
        while let Some(c) = rest.chars().next() {
            let inside = |end: char| rest[1..].find(end).map_or(rest.len(), |at| at + 1);
            let end = match c {
                '\'' => {
                    out += &rest[1..inside('\'').max(1)];
                    inside('\'') + 1
                }
                '"' => {
                    let end = quoted(rest);
                    out += &self.value(&rest[1..end].replace('\'', "\\'"));
                    end + 1
                }
                '\\' => {
                    let escaped = rest[1..].chars().next();
                    out.extend(escaped);
                    1 + escaped.map_or(0, char::len_utf8)
                }
                '`' => {
                    out += &self.output(&rest[1..inside('`').max(1)]);
                    inside('`') + 1
                }
                MARK => {
                    out += &rest[..(inside(MARK) + 1).min(rest.len())];
                    inside(MARK) + 1
                }
                '$' => {
                    let (value, length) = self.dollar(rest);
                    out += &value;
                    length
                }
                c => {
                    out.push(c);
                    c.len_utf8()
                }
            };
            if out.len() > word.len() + LONGEST {
                return named(word);
            }
            rest = rest.get(end..).unwrap_or_default();
        }
        out
    }

    /// The value of what begins with a `$`, and its length.
    fn dollar(&self, text: &str) -> (String, usize) {
        let bytes = text.as_bytes();
        match bytes.get(1) {
            Some(b'(') => {
                let end = closing(text, '(', ')');
                (self.output(&text[2..end.max(2)]), end + 1)
            }
            Some(b'{') => {
                let end = closing(text, '{', '}');
                (self.parameter(&text[2..end.max(2)]), end + 1)
            }
            Some(b) if b.is_ascii_alphabetic() || *b == b'_' => {
                let is_name = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
                let end = 1 + bytes[1..].iter().take_while(is_name).count();
                (self.parameter(&text[1..end]), end)
            }
            Some(b) if b.is_ascii_digit() || b"@*#?$!".contains(b) => (self.parameter(&text[1..2]), 2),
            _ => ("$".to_owned(), 1),
        }
    }

    /// What `${body}` stands for.
    fn parameter(&self, body: &str) -> String {
        let end = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(body.len());
        // `$@` and the like have names of one sign
        let end = if end == 0 { body.chars().next().map_or(0, char::len_utf8) } else { end };
        let (name, operation) = body.split_at(end);
        let value = (self.variable)(name);
        let told = value.as_deref().filter(|value| unknown(value).is_none());
        let changed = match (told, operation) {
            (_, "") => Some(value.clone().unwrap_or_else(|| marked(name))),
            (Some(told), _) => self.change(told, operation),
            (None, _) => None,
        };
        changed.unwrap_or_else(|| marked(&format!("${{{body}}}")))
    }

    fn change(&self, value: &str, operation: &str) -> Option<String> {
        let pattern = |length: usize| self.value(operation.get(length..).unwrap_or_default());
        if operation.starts_with(":-") || operation.starts_with(":=") {
            return Some(if value.is_empty() { pattern(2) } else { value.to_owned() });
        }
        if let Some(replacement) = operation.strip_prefix("//") {
            let (from, to) = replacement.split_once('/')?;
            let (from, to) = (self.value(from), self.value(to));
            return (!from.is_empty() && !from.contains(['*', '?', '['])).then(|| value.replace(&from, &to));
        }
        let longest = operation.starts_with("##") || operation.starts_with("%%");
        let pattern = pattern(if longest { 2 } else { 1 });
        let kept = match operation.chars().next()? {
            '#' => match pattern.strip_prefix('*') {
                None => value.strip_prefix(&*pattern).unwrap_or(value),
                Some(end) if longest => value.rfind(end).map_or(value, |at| &value[at + end.len()..]),
                Some(end) => value.find(end).map_or(value, |at| &value[at + end.len()..]),
            },
            '%' => match pattern.strip_suffix('*') {
                None => value.strip_suffix(&*pattern).unwrap_or(value),
                Some(start) if longest => value.find(start).map_or(value, |at| &value[..at]),
                Some(start) => value.rfind(start).map_or(value, |at| &value[..at]),
            },
            '-' => value,
            _ => return None,
        };
        (!pattern.trim_matches('*').contains(['*', '?', '['])).then(|| kept.to_owned())
    }

    /// What the command writes.
    fn output(&self, command: &str) -> String {
        let words: Vec<String> = command.split_whitespace().map(|word| self.value(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let told = match words.as_slice() {
            ["uname", "-m"] | ["arch"] => Some(self.machine.to_owned()),
            ["pwd"] => self.directory.map(|directory| format!("/{directory}")),
            ["echo", text] if unknown(text).is_none() => Some((*text).to_owned()),
            ["cat", path] | ["<", path] if unknown(path).is_none() => {
                let path = join(self.directory.unwrap_or_default(), path);
                let known = self.directory.is_some() || words[1].starts_with('/');
                path.filter(|_| known).and_then(|path| (self.read)(&path)).map(|text| text.trim().to_owned())
            }
            _ => None,
        };
        told.unwrap_or_else(|| marked(&format!("$({command})")))
    }
}

/// A word that cannot be told.
fn named(word: &str) -> String {
    marked(&word.chars().take(LONGEST_NAME).collect::<String>())
}

/// Where the quote at the start of `text` is closed.
fn quoted(text: &str) -> usize {
    let (mut escaped, mut depth) = (false, 0);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | '{' if text[..at].ends_with('$') => depth += 1,
            ')' | '}' if depth > 0 => depth -= 1,
            '"' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Where the bracket after the `$` at the start of `text` is closed.
fn closing(text: &str, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == open) - i32::from(c == close);
        if depth == 0 && at > 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(word: &str) -> String {
        let variable = |name: &str| match name {
            "V" => Some("v{v6d}".to_owned()),
            "REF" => Some("refs/tags/v{gs}".to_owned()),
            "LONG" => Some("x".repeat(4000)),
            "EMPTY" => Some(String::new()),
            "ARGS" => Some("--pull -q".to_owned()),
            "SHA" => Some(marked("sha")),
            _ => None,
        };
        let read = |path: &str| (path == "VERSION").then(|| "{gs}\n".to_owned());
        let place = Place {
            variable: &variable,
            read: &read,
            directory: Some("k8s"),
            machine: "aarch64",
            depth: Cell::default(),
        };
        place.words(word).join(" | ")
    }

    #[test]
    fn words_are_told_without_their_quotes() {
        for (word, expected) in [
            ("a'b $V'\"c $V\"", "ab $Vc v{v6d}"),
            ("\"it's\"", "it's"),
            ("x:${V}-$(uname -m)", "x:v{v6d}-aarch64"),
            ("${REF#refs/tags/v}", "{gs}"),
            ("${REF##*/}", "v{gs}"),
            ("${REF%/*}", "refs/tags"),
            ("${V//v/}", "{6d}"),
            ("${EMPTY:-main}", "main"),
            ("$(cat ../VERSION)", "{gs}"),
            ("`pwd`/a", "/k8s/a"),
            ("$ARGS", "--pull | -q"),
            ("\"$ARGS\"", "--pull -q"),
            ("\\$V$", "$V$"),
        ] {
            assert_eq!(value(word), expected, "{word}");
        }
    }

    #[test]
    fn a_word_that_grows_too_long_is_named() {
        let word = "$LONG$LONG";
        assert_eq!(unknown(&value(word)), Some(word));
        assert_eq!(unknown(&value("${LONG//x/$LONG}")), Some("${LONG//x/$LONG}"));
    }

    #[test]
    fn a_word_nested_too_deep_is_marked() {
        let value = value(&"\"$(".repeat(60_000));
        assert!(unknown(&value).is_some());
    }

    #[test]
    fn what_cannot_be_told_is_named() {
        for (word, missing) in [
            ("$(date +%s)", "$(date +%s)"),
            ("${NONE:-x}", "${NONE:-x}"),
            ("$1", "1"),
            ("a-$SHA", "sha"),
            ("${SHA::7}", "${SHA::7}"),
            ("${V^^}", "${V^^}"),
        ] {
            assert_eq!(unknown(&value(word)), Some(missing), "{word}");
        }
        for word in ["'", "\"", "$(", "${", "`", "\u{1a}", "\\"] {
            value(word);
        }
    }
}
