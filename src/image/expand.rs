//! Words with variables, resolved, with the place where each byte was written.
//!
//! `$REGISTRY/graphscope-dev:$BUILDER_VERSION-$ARCH` becomes the reference it stands for, and the version in its tag
//! is traced back to the default of the ARG that carries it, through any number of ARGs.
//!
//! Source of the rules: "Environment replacement" and "Scope" in the Dockerfile reference,
//! <https://docs.docker.com/reference/dockerfile/>.

use std::collections::BTreeMap;
use std::ops::Range;

use super::dockerfile::{Definition, Dockerfile, Span, continuation_end};

/// Stands in an expanded text for a variable that has no value here. It cannot occur in a reference.
pub const UNKNOWN: char = '\u{1a}';

/// A longer text than this comes of variables that hold each other many times over; no builder takes it.
const LONGEST: usize = 64 * 1024;
/// Deeper than any default within a default that a person writes.
const DEEPEST: usize = 32;

/// A word after expansion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    /// The text, with [`UNKNOWN`] for each variable without a value.
    pub text: String,
    /// For each byte of `text`, the offset in the file of the byte that it is; `None` where it comes from elsewhere.
    origin: Vec<Option<usize>>,
}

impl Expanded {
    /// Where `range` of the text is written in the file, if it is written there in one piece.
    pub fn written(&self, range: Range<usize>) -> Option<Span> {
        let start = (*self.origin.get(range.start)?)?;
        let whole = self.origin[range.clone()].iter().enumerate().all(|(i, origin)| *origin == Some(start + i));
        whole.then(|| start..start + range.len())
    }

    fn push(&mut self, c: char, origin: Option<usize>) {
        self.text.push(c);
        self.origin.extend((0..c.len_utf8()).map(|i| origin.map(|o| o + i)));
    }

    fn extend(&mut self, other: &Expanded) {
        if self.text.len() + other.text.len() > LONGEST {
            return self.push(UNKNOWN, None);
        }
        self.text.push_str(&other.text);
        self.origin.extend_from_slice(&other.origin);
    }

    fn foreign(text: &str) -> Self {
        Expanded { text: text.to_owned(), origin: vec![None; text.len()] }
    }
}

/// The variables that a word can see.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    file: &'a Dockerfile,
    build_args: &'a BTreeMap<String, String>,
    values: BTreeMap<&'a str, Expanded>,
    /// Names that `ENV` has set: it wins over an `ARG` of the same name.
    env: Vec<&'a str>,
}

impl<'a> Scope<'a> {
    /// What a `FROM` sees: the global `ARG`s, each overridden by a build arg of its name.
    pub fn global(file: &'a Dockerfile, build_args: &'a BTreeMap<String, String>) -> Self {
        Self::global_with(file, build_args, &[])
    }

    /// The same, where the builder provides `automatic` values, such as `TARGETARCH`. A default in the file wins over them.
    pub fn global_with(
        file: &'a Dockerfile,
        build_args: &'a BTreeMap<String, String>,
        automatic: &'a [(&'static str, String)],
    ) -> Self {
        let provided = automatic.iter().map(|(name, value)| (*name, Expanded::foreign(value)));
        let mut scope = Scope { file, build_args, values: provided.collect(), env: Vec::new() };
        file.globals.iter().for_each(|definition| scope.define(definition, None));
        scope
    }

    /// What the first instruction of a stage sees: nothing yet. A stage that is built on another one goes on with a clone
    /// of the scope at that one's end.
    pub fn stage(&self) -> Scope<'a> {
        Scope { values: BTreeMap::new(), env: Vec::new(), ..self.clone() }
    }

    /// Takes in a definition, as it is met. In a stage, `ARG NAME` takes the default of the same global ARG.
    pub fn define(&mut self, definition: &'a Definition, global: Option<&Scope<'a>>) {
        let name = definition.name.as_str();
        if definition.env {
            self.env.push(name);
        } else if self.env.contains(&name) {
            return;
        }
        let given = (!definition.env).then(|| self.build_args.get(name)).flatten();
        let inherited = || global.and_then(|scope| scope.values.get(name)).cloned();
        let value = match (given, &definition.value) {
            (Some(given), _) => Some(Expanded::foreign(given)),
            (None, Some(value)) => Some(self.expand(value.clone())),
            (None, None) => inherited(),
        };
        if let Some(value) = value {
            self.values.insert(name, value);
        }
    }

    /// The `ARG`s that have a value here, with it, by name. One that an `ENV` covers is not among them.
    pub fn args(&self) -> impl Iterator<Item = (&'a str, &Expanded)> {
        self.values.iter().filter(|(name, _)| !self.env.contains(name)).map(|(name, value)| (*name, value))
    }

    /// The word at `span`, its quotes removed and its variables replaced.
    pub fn expand(&self, span: Span) -> Expanded {
        let mut expanded = Expanded::default();
        self.expand_into(span, 0, &mut expanded);
        expanded
    }

    fn expand_into(&self, span: Span, depth: usize, out: &mut Expanded) {
        let text = &self.file.text[..span.end];
        let bytes = text.as_bytes();
        let mut quote = None;
        let mut at = span.start;
        while let Some(c) = text[at..].chars().next() {
            if let Some(next) = continuation_end(bytes, at, self.file.escape) {
                at = next.min(span.end);
                continue;
            }
            let escaped = bytes[at] == self.file.escape && quote != Some('\'');
            match c {
                _ if escaped => {
                    at += 1;
                    let Some(next) = text[at..].chars().next() else { break };
                    out.push(next, Some(at));
                    at += next.len_utf8();
                    continue;
                }
                '"' | '\'' if quote.is_none() => quote = Some(c),
                _ if quote == Some(c) => quote = None,
                '$' if quote != Some('\'') => {
                    at = self.variable(at, span.end, depth, out);
                    continue;
                }
                _ => out.push(c, Some(at)),
            }
            at += c.len_utf8();
        }
    }

    /// Expands the variable at `at` (its `$`), and returns where it ends.
    fn variable(&self, at: usize, end: usize, depth: usize, out: &mut Expanded) -> usize {
        let rest = &self.file.text[at + 1..end];
        let name_len = |text: &str| text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let Some(inner) = rest.strip_prefix('{') else {
            let len = name_len(rest);
            match len {
                0 => out.push('$', Some(at)),
                _ => self.value_or_unknown(&rest[..len], out),
            }
            return at + 1 + len;
        };
        let Some(close) = closing_brace(inner).filter(|_| depth < DEEPEST) else {
            out.push(UNKNOWN, None);
            return end;
        };
        let after = at + 2 + close + 1;
        let name = &inner[..name_len(&inner[..close])];
        let word = at + 2 + name.len()..at + 2 + close;
        let value = self.values.get(name);
        let set = value.is_some_and(|v| !v.text.is_empty());
        let operator = &self.file.text[word.clone()];
        let operand = |len: usize| word.start + len..word.end;
        match operator {
            "" => self.value_or_unknown(name, out),
            _ if operator.starts_with(":-") && !set => self.expand_into(operand(2), depth + 1, out),
            _ if operator.starts_with('-') && value.is_none() => self.expand_into(operand(1), depth + 1, out),
            _ if operator.starts_with(":+") && set => self.expand_into(operand(2), depth + 1, out),
            _ if operator.starts_with('+') && value.is_some() => self.expand_into(operand(1), depth + 1, out),
            _ if operator.starts_with(":+") || operator.starts_with('+') => {}
            _ if [":-", "-", ":?", "?"].iter().any(|o| operator.starts_with(o)) => self.value_or_unknown(name, out),
            // patterns (`#`, `%`, `/`) compute a new text: it is written nowhere
            _ => out.push(UNKNOWN, None),
        }
        after
    }

    fn value_or_unknown(&self, name: &str, out: &mut Expanded) {
        match self.values.get(name) {
            Some(value) => out.extend(value),
            None => out.push(UNKNOWN, None),
        }
    }
}

/// Offset of the brace that closes a `${`, whose inside `inner` begins with.
fn closing_brace(inner: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expansion of the last FROM, and what is written where its tag is.
    fn from(text: &str) -> (String, Option<String>) {
        let file = Dockerfile::parse(text.as_bytes()).unwrap();
        let args = BTreeMap::new();
        let expanded = Scope::global(&file, &args).expand(file.stages.last().unwrap().from.clone());
        let reference = super::super::Reference::parse(&expanded.text);
        let tag = reference.tag_range().and_then(|tag| expanded.written(tag)).map(|span| text[span].to_owned());
        (expanded.text, tag)
    }

    #[test]
    fn a_tag_is_traced_to_where_it_is_written() {
        for (text, expanded, tag) in [
            ("FROM a:v1", "a:v1", Some("v1")),
            ("ARG V=v1\nFROM a:$V", "a:v1", Some("v1")),
            ("ARG V=\"v1\"\nFROM a:${V}", "a:v1", Some("v1")),
            ("ARG A=v1\nARG B=$A\nFROM a:$B", "a:v1", Some("v1")),
            ("FROM a:${V:-v1}", "a:v1", Some("v1")),
            ("ARG V=v2\nFROM a:${V:-v1}", "a:v2", Some("v2")),
            ("ARG V\nFROM ${I:-a:v1}", "a:v1", Some("v1")),
            ("ARG I=a:v1\nFROM $I", "a:v1", Some("v1")),
            ("ARG V=v1 A=amd64\nFROM a:$V-$A", "a:v1-amd64", None),
            ("FROM $R/a:v1", "\u{1a}/a:v1", Some("v1")),
            ("ARG V=1\nARG V=2\nFROM a:$V", "a:2", Some("2")),
            ("FROM x\nARG V=1\nFROM a:$V", "a:\u{1a}", None),
            ("ARG V=v1\nFROM a:${V#v}", "a:\u{1a}", None),
            ("ARG V=v1\nFROM a:${V:+x}", "a:x", Some("x")),
            ("ARG S=scratch\nFROM $S", "scratch", None),
        ] {
            assert_eq!(from(text), (expanded.to_owned(), tag.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn what_no_person_writes_ends_as_unknown() {
        let doubled: String = (1..64).map(|i| format!("ARG V{i}=${{V{}}}${{V{}}}\n", i - 1, i - 1)).collect();
        let (text, _) = from(&format!("ARG V0=a\n{doubled}FROM $V63"));
        assert!(text.contains(UNKNOWN) && text.len() < 2 * LONGEST);
        let nested = format!("FROM {}x{}", "${A:-".repeat(100_000), "}".repeat(100_000));
        assert_eq!(from(&nested).0, "\u{1a}");
    }

    #[test]
    fn build_args_override_defaults_and_are_written_nowhere() {
        let file = Dockerfile::parse(b"ARG V=v1\nFROM a:$V").unwrap();
        let args = BTreeMap::from([("V".to_owned(), "v9".to_owned())]);
        let expanded = Scope::global(&file, &args).expand(file.stages[0].from.clone());
        assert_eq!(expanded.text, "a:v9");
        assert_eq!(expanded.written(2..4), None);
    }

    #[test]
    fn a_stage_sees_a_global_arg_only_after_declaring_it() {
        let text = "ARG V=v1\nFROM x\nARG V\nENV V=v2\nARG V=v3\nCOPY --from=a:$V /x /y";
        let file = Dockerfile::parse(text.as_bytes()).unwrap();
        let args = BTreeMap::new();
        let global = Scope::global(&file, &args);
        let mut scope = global.stage();
        let word = file.stages[0].instructions.last().unwrap().references().next().unwrap().clone();
        assert_eq!(scope.expand(word.clone()).text, "a:\u{1a}");
        let definitions: Vec<_> = file.stages[0].instructions.iter().flat_map(|i| &i.definitions).collect();
        scope.define(definitions[0], Some(&global));
        assert_eq!(scope.expand(word.clone()).text, "a:v1");
        scope.define(definitions[1], Some(&global));
        scope.define(definitions[2], Some(&global));
        assert_eq!(scope.expand(word).text, "a:v2", "ENV wins over ARG");
    }
}
