//! Routes to a value in a YAML, JSON or TOML file: `a.b[0]."c.d"`.

use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};

use crate::error::{Error, Result};

/// `a.b[0].c`: a route to a value. A key that holds a dot, a bracket, a quote or a space is quoted: `a."b.c"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath {
    /// As written.
    pub text: String,
    /// From the root down.
    pub steps: Vec<Step>,
}

/// One step of a [`ValuePath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a sequence, from 0.
    Index(usize),
}

impl ValuePath {
    /// The route that goes through `keys`, whatever characters they hold.
    pub fn of_keys(keys: &[&str]) -> Self {
        let written: Vec<String> = keys.iter().map(|key| quoted_if_needed(key)).collect();
        ValuePath { text: written.join("."), steps: keys.iter().map(|key| Step::Key((*key).into())).collect() }
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ValuePath {
    type Err = Error;

    /// Reads keys joined by dots, each followed by any number of `[index]`. In a quoted key, `\` takes the next
    /// character as it is. Anything else is a usage error.
    fn from_str(text: &str) -> Result<Self> {
        let mut steps = Vec::new();
        let mut rest = text.chars().peekable();
        loop {
            // a file may be a list: `[0].version`
            if !(steps.is_empty() && rest.peek() == Some(&'[')) {
                steps.push(Step::Key(key(&mut rest).map_err(|why| bad_path(text, why))?));
            }
            while rest.next_if_eq(&'[').is_some() {
                steps.push(Step::Index(index(&mut rest).map_err(|why| bad_path(text, why))?));
            }
            match rest.next() {
                None => return Ok(ValuePath { text: text.into(), steps }),
                Some('.') => {}
                Some(_) => return Err(bad_path(text, "a dot or a bracket must follow `]` and a quoted key")),
            }
        }
    }
}

fn key(rest: &mut Peekable<Chars<'_>>) -> Result<String, &'static str> {
    let mut key = String::new();
    if rest.next_if_eq(&'"').is_some() {
        loop {
            match rest.next() {
                Some('"') => return Ok(key),
                Some('\\') => key.extend(rest.next()),
                Some(other) => key.push(other),
                None => return Err("a quote is not closed"),
            }
        }
    }
    while let Some(plain) = rest.next_if(|c| is_plain(*c)) {
        key.push(plain);
    }
    if key.is_empty() { Err("a key is empty") } else { Ok(key) }
}

fn index(rest: &mut Peekable<Chars<'_>>) -> Result<usize, &'static str> {
    let mut digits = String::new();
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    match (digits.parse(), rest.next()) {
        (Ok(index), Some(']')) => Ok(index),
        _ => Err("between brackets stands a number, from 0"),
    }
}

fn is_plain(c: char) -> bool {
    !matches!(c, '.' | '[' | ']' | '"' | '\\') && !c.is_whitespace()
}

fn quoted_if_needed(key: &str) -> String {
    if !key.is_empty() && key.chars().all(is_plain) {
        return key.into();
    }
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

fn bad_path(text: &str, why: &str) -> Error {
    Error::usage(format!("`{text}` is not a path: {why}"))
        .hint("write keys joined by dots, items by number, and quote a key that holds a dot: a.b[0].\"c.d\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_read_step_by_step() {
        let key = |text: &str| Step::Key(text.into());
        for (text, steps) in [
            ("appVersion", vec![key("appVersion")]),
            ("a.b[0].c", vec![key("a"), key("b"), Step::Index(0), key("c")]),
            ("a[1][2]", vec![key("a"), Step::Index(1), Step::Index(2)]),
            ("[0].a", vec![Step::Index(0), key("a")]),
            (r#"a."b.c"[3]"#, vec![key("a"), key("b.c"), Step::Index(3)]),
            (r#""say \"hi\"""#, vec![key(r#"say "hi""#)]),
            (r#""""#, vec![key("")]),
            ("image-tag.größe", vec![key("image-tag"), key("größe")]),
        ] {
            assert_eq!(text.parse::<ValuePath>().unwrap().steps, steps, "{text}");
        }
    }

    #[test]
    fn a_malformed_path_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "a key is empty"),
            (".a", "a key is empty"),
            ("a.", "a key is empty"),
            ("a..b", "a key is empty"),
            ("a[x]", "a number"),
            ("a[]", "a number"),
            ("a[1", "a number"),
            ("a[99999999999999999999999]", "a number"),
            ("a[0]b", "a dot or a bracket"),
            ("a b", "a dot or a bracket"),
            ("\"a", "not closed"),
        ] {
            let error = text.parse::<ValuePath>().unwrap_err();
            assert!(error.message.contains(reason), "{text}: {}", error.message);
        }
    }

    proptest! {
        #[test]
        fn a_path_of_any_keys_reads_back(keys in proptest::collection::vec(".*", 1..4)) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let path = ValuePath::of_keys(&keys);
            prop_assert_eq!(path.text.parse::<ValuePath>().unwrap(), path);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".*") {
            let _ = text.parse::<ValuePath>();
        }
    }
}
