//! YAML as a tree in which every key and every value knows its bytes.
//!
//! [`read`] notes what is wrong with the text as YAML: syntax, duplicate keys, tags. What the keys mean is not
//! known here.

use std::collections::HashMap;
use std::ops::Range;

use super::faults::Faults;
use super::yaml_events::{Event, ScalarStyle, YamlError, YamlEvents};

/// Deeper than any meaningful file, shallow enough for every recursion over the tree.
const MAX_DEPTH: usize = 64;
/// Far more values than a file for a thousand images has.
const MAX_VALUES: usize = 100_000;
/// How many values aliases may stand for: a few lines of aliases of aliases can stand for billions.
const MAX_COPIES: usize = 10_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The bytes of a scalar; of a list or mapping no more than its first line.
    pub(super) span: Range<usize>,
    pub(super) value: Value,
    /// Something in this list or mapping was at fault and has been taken out: what is absent may not be missing.
    pub(super) damaged: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    fn new(span: Range<usize>, value: Value) -> Self {
        Node { span, value, damaged: false }
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value of `key`; the node itself where there is none, so that a fault has a place in any case.
    pub(super) fn get(&self, key: &str) -> &Node {
        self.entry(key).map_or(self, |entry| &entry.value)
    }

    /// Whether there is a `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The bytes of `key` itself; those of the node where there is none.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.entry(key).map_or(self.span.clone(), |entry| entry.key_span.clone())
    }

    /// The entries by key, where there are many to look up. Of duplicate keys the first counts.
    pub(super) fn by_key(&self) -> HashMap<&str, &Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().rev().map(|entry| (&*entry.key, entry)).collect(),
            _ => HashMap::new(),
        }
    }

    /// The item at `index`; the node itself where there is none, which is right for a list written as its only item.
    pub(super) fn item(&self, index: usize) -> &Node {
        match &self.value {
            Value::List(items) => items.get(index).unwrap_or(self),
            _ => self,
        }
    }

    /// The tree without places, for serde. Of duplicate keys the first counts.
    pub(super) fn to_yaml(&self) -> serde_yaml::Value {
        match &self.value {
            Value::Null => serde_yaml::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => number.into(),
                (_, Some(number), _) => number.into(),
                (.., float) => float.unwrap_or(f64::NAN).into(),
            },
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_yaml).collect::<Vec<_>>().into(),
            Value::Map(entries) => {
                let mut map = serde_yaml::Mapping::new();
                for entry in entries {
                    map.entry(entry.key.as_str().into()).or_insert_with(|| entry.value.to_yaml());
                }
                map.into()
            }
        }
    }

    fn count(&self) -> usize {
        1 + match &self.value {
            Value::List(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|entry| entry.value.count()).sum(),
            _ => 0,
        }
    }
}

/// Reads the one document of `text`. `None`: it is no YAML, and a fault says why.
pub(super) fn read(text: &str, faults: &mut Faults) -> Option<Node> {
    let mut reader =
        Reader { events: YamlEvents::new(text), text, anchors: HashMap::new(), values: 0, copies: 0, faults };
    reader.document().ok()
}

/// The rest cannot be read; the fault is noted.
struct Stopped;

struct Reader<'t, 'f> {
    events: YamlEvents<'t>,
    text: &'t str,
    anchors: HashMap<usize, Node>,
    values: usize,
    copies: usize,
    faults: &'f mut Faults,
}

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Result<Node, Stopped> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(root.unwrap_or(Node::new(0..0, Value::Null))),
                (Event::StreamStart | Event::DocumentEnd | Event::Nothing, _) => {}
                (Event::DocumentStart(_), span) if root.is_some() => {
                    let help = "keep everything in one document, without `---` between its parts";
                    return self.stop(span, "a second document starts here", help);
                }
                (Event::DocumentStart(_), _) => {}
                (event, span) => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Range<usize>), Stopped> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, self.text.len()..self.text.len())),
        }
    }

    fn stop<T>(&mut self, span: Range<usize>, message: &str, help: &str) -> Result<T, Stopped> {
        self.faults.add_with_help(span, message, help);
        Err(Stopped)
    }

    fn node(&mut self, event: Event<'t>, span: Range<usize>, depth: usize) -> Result<Node, Stopped> {
        if depth > MAX_DEPTH {
            return self.stop(span, "nested too deep", "no key of this file lies so deep");
        }
        self.values += 1;
        if self.values > MAX_VALUES {
            return self.stop(
                span,
                "the file has too many values",
                "is this the right file? --config names another one",
            );
        }
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span);
                (Node::new(span, scalar(&text, style)), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span);
                (self.list(span, depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), &span);
                (self.map(span, depth)?, anchor)
            }
            _ => (Node::new(span, Value::Null), 0),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Range<usize>) -> Result<Node, Stopped> {
        let Some(node) = self.anchors.get(&anchor) else {
            return self.stop(span, "this alias stands inside what it refers to", "write the value out");
        };
        self.copies += node.count();
        if self.copies > MAX_COPIES {
            return self.stop(span, "the aliases of this file stand for too many values", "write the values out");
        }
        Ok(node.clone())
    }

    fn list(&mut self, start: Range<usize>, depth: usize) -> Result<Node, Stopped> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    return Ok(Node::new(self.first_line(start.start, end.end), Value::List(items)));
                }
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, start: Range<usize>, depth: usize) -> Result<Node, Stopped> {
        let mut entries = Vec::new();
        let mut first_given: HashMap<String, usize> = HashMap::new();
        loop {
            let (key, key_span) = match self.next()? {
                (Event::MappingEnd, end) => {
                    return Ok(Node::new(self.first_line(start.start, end.end), Value::Map(entries)));
                }
                (Event::Scalar(key, ..), span) => (Some(key.into_owned()), span),
                (event, span) => (None, self.node(event, span, depth + 1)?.span),
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            let Some(key) = key else {
                self.faults.add_with_help(
                    key_span,
                    "a key must be a string",
                    "quote a text that starts with `{` or `[`",
                );
                continue;
            };
            if key == "<<" {
                let help = "an alias can stand for a whole value: `key: *name`";
                self.faults.add_with_help(key_span, "merge keys (`<<`) are not supported", help);
                continue;
            }
            if let Some(first) = first_given.get(&key) {
                let help = format!("it is given on line {} already", self.faults.line(*first));
                self.faults.add_with_help(key_span.clone(), format!("duplicate key `{key}`"), help);
            } else {
                first_given.insert(key.clone(), key_span.start);
            }
            entries.push(Entry { key, key_span, value });
        }
    }

    fn refuse_tag(&mut self, is_tagged: bool, span: &Range<usize>) {
        if is_tagged {
            let help = "quote a text that starts with `!`";
            self.faults.add_with_help(span.clone(), "YAML tags (`!...`) are not supported", help);
        }
    }

    /// `start..end`, cut where the line ends.
    fn first_line(&self, start: usize, end: usize) -> Range<usize> {
        let end = end.max(start);
        let length = self.text[start..end].find(['\r', '\n']).unwrap_or(end - start);
        start..start + length
    }

    fn syntax(&mut self, error: &YamlError) -> Stopped {
        let at = error.at;
        if let Some(tab) = indenting_tab(self.text, at) {
            let help = "YAML indents with spaces";
            self.faults.add_with_help(tab..tab + 1, "a tab in the indentation", help);
            return Stopped;
        }
        let end = self.text[at..].chars().next().map_or(at, |c| at + if c == '\n' { 0 } else { c.len_utf8() });
        let message = format!("not valid YAML: {}", error.reason);
        if error.reason.contains("unknown anchor") {
            self.faults.add_with_help(at..end, message, "quote a text that starts with `*`");
        } else {
            let help = "quote a text that holds `: ` or ` #`, or that starts with one of {}[]*&!|>%@`";
            self.faults.add_with_help(at..end, message, help);
        }
        Stopped
    }
}

/// The first tab in the indentation of the line of `offset` or of the line before it, where the parser trips over it.
fn indenting_tab(text: &str, offset: usize) -> Option<usize> {
    let start_of_line = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = start_of_line(offset);
    [start_of_line(line.saturating_sub(1)), line].into_iter().find_map(|start| {
        let indentation = text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
        let is_blank = text[start + indentation..].starts_with(['\r', '\n']);
        let tab = text[start..start + indentation].find('\t').filter(|_| !is_blank)?;
        Some(start + tab)
    })
}

/// A scalar by the core schema of YAML 1.2 (section 10.3.2), in which `0.24.2` and `yes` are strings.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::Text(text.into()), Value::Number),
    }
}

fn number(text: &str) -> Option<serde_json::Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix).filter(|digits| !digits.starts_with('+')) {
            return u64::from_str_radix(digits, radix).ok().map(Into::into);
        }
    }
    // Rust also reads `inf` and `nan`, which YAML spells with a dot
    if !text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
        return None;
    }
    let whole = text.parse::<i64>().map(Into::into).or_else(|_| text.parse::<u64>().map(Into::into));
    whole.ok().or_else(|| serde_json::Number::from_f64(text.parse().ok()?))
}
