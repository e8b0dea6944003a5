//! YAML as somebody else wrote it: where each value stands, and where a route leads. Every key and item is looked at,
//! nothing is interpreted.
//!
//! The text may be nested as deep as it likes, since nothing here recurses.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::config::yaml_events::{Event, YamlError, YamlEvents};
use crate::config::{Step, ValuePath};

/// What a route leads to in one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The bytes of a single value, its quotes included.
    Scalar(Range<usize>),
    /// A mapping or a list that starts at this byte.
    Collection(usize),
}

/// What `route` leads to in each document of `text`, where it leads anywhere.
pub(super) fn find(text: &str, route: &ValuePath) -> Result<Vec<Found>, YamlError> {
    let documents = documents(text)?;
    let values = documents.iter().filter_map(|document| document.root()?.follow(route));
    let found = values.map(|value| match value.text() {
        Some(_) => Found::Scalar(value.span()),
        None => Found::Collection(value.span().start),
    });
    Ok(found.collect())
}

/// The documents of `text`.
pub(crate) fn documents(text: &str) -> Result<Vec<Document>, YamlError> {
    let mut documents = Vec::new();
    let mut document = Document::default();
    for event in YamlEvents::new(text) {
        let (event, span) = event?;
        match event {
            Event::DocumentStart(_) => document = Document::default(),
            Event::DocumentEnd => documents.push(std::mem::take(&mut document)),
            Event::Scalar(text, _, anchor, _) => {
                let id = document.add(anchor, span, Content::Scalar(text.into_owned()));
                document.attach(id);
            }
            Event::SequenceStart(anchor, _) => document.open(anchor, span, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => document.open(anchor, span, Content::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => document.close(),
            Event::Alias(anchor) => document.alias(anchor),
            Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
        }
    }
    Ok(documents)
}

/// Index of a value in its document.
type Id = usize;

#[derive(Debug)]
enum Content {
    Scalar(String),
    List(Vec<Id>),
    /// Keys and values.
    Map(Vec<(Id, Id)>),
}

/// A document as a flat list of values, each of which refers to those in it.
#[derive(Debug, Default)]
pub(crate) struct Document {
    values: Vec<(Range<usize>, Content)>,
    anchors: HashMap<usize, Id>,
    /// The lists and mappings that are not closed yet; of a mapping the key whose value comes next.
    open: Vec<(Id, Option<Id>)>,
}

/// A value of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'d> {
    document: &'d Document,
    id: Id,
}

impl Document {
    /// The value that everything else is in, unless the document is empty.
    pub(crate) fn root(&self) -> Option<Value<'_>> {
        (!self.values.is_empty()).then_some(Value { document: self, id: 0 })
    }

    fn add(&mut self, anchor: usize, span: Range<usize>, content: Content) -> Id {
        let id = self.values.len();
        self.values.push((span, content));
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn open(&mut self, anchor: usize, span: Range<usize>, content: Content) {
        let id = self.add(anchor, span, content);
        self.attach(id);
        self.open.push((id, None));
    }

    fn close(&mut self) {
        self.open.pop();
    }

    fn alias(&mut self, anchor: usize) {
        // an anchor of another document stands for nothing; an empty value keeps keys and values in step
        let id = self.anchors.get(&anchor).copied();
        let id = id.unwrap_or_else(|| self.add(0, 0..0, Content::List(Vec::new())));
        self.attach(id);
    }

    /// Puts the value `id` into what is open: as an item, as a key, or as the value of the key before it.
    fn attach(&mut self, id: Id) {
        let Some((parent, pending)) = self.open.last_mut() else { return };
        match &mut self.values[*parent].1 {
            Content::Scalar(_) => {}
            Content::List(items) => items.push(id),
            Content::Map(entries) => match pending.take() {
                Some(key) => entries.push((key, id)),
                None => *pending = Some(id),
            },
        }
    }
}

impl<'d> Value<'d> {
    /// The bytes of a single value, its quotes included; of a list or mapping only the start means anything.
    pub(crate) fn span(self) -> Range<usize> {
        self.document.values[self.id].0.clone()
    }

    /// The text of a single value.
    pub(crate) fn text(self) -> Option<&'d str> {
        match &self.document.values[self.id].1 {
            Content::Scalar(text) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The items of a list; nothing, for anything else.
    pub(crate) fn items(self) -> impl Iterator<Item = Value<'d>> {
        let items = match &self.document.values[self.id].1 {
            Content::List(items) => items.as_slice(),
            Content::Scalar(_) | Content::Map(_) => &[],
        };
        items.iter().map(move |id| Value { id: *id, ..self })
    }

    /// Keys and values of a mapping; nothing, for anything else. A key that is no single value is left out.
    pub(crate) fn entries(self) -> impl DoubleEndedIterator<Item = (Value<'d>, Value<'d>)> {
        let entries = match &self.document.values[self.id].1 {
            Content::Map(entries) => entries.as_slice(),
            Content::Scalar(_) | Content::List(_) => &[],
        };
        let entries =
            entries.iter().map(move |(key, value)| (Value { id: *key, ..self }, Value { id: *value, ..self }));
        entries.filter(|(key, _)| key.text().is_some())
    }

    /// The value of `key`; of a key that is given twice, readers take the last.
    pub(crate) fn get(self, key: &str) -> Option<Value<'d>> {
        self.entries().rev().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// The value of `key`, also where a merge key (`<<`) brings it.
    fn get_merged(self, key: &str) -> Option<Value<'d>> {
        // an alias may stand inside of what it refers to
        let mut seen = HashSet::new();
        let mut maps = vec![self];
        while let Some(map) = maps.pop() {
            if !seen.insert(map.id) {
                continue;
            }
            if let Some(value) = map.get(key) {
                return Some(value);
            }
            let Some(merged) = map.get("<<") else { continue };
            // the first of a list comes first
            let items: Vec<_> = merged.items().collect();
            maps.extend(items.into_iter().rev());
            maps.push(merged);
        }
        None
    }

    fn follow(self, route: &ValuePath) -> Option<Value<'d>> {
        route.steps.iter().try_fold(self, |value, step| match step {
            Step::Key(key) => value.get_merged(key),
            Step::Index(index) => value.items().nth(*index),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(text: &'t str, route: &str) -> Vec<&'t str> {
        let found = find(text, &route.parse().unwrap()).unwrap();
        let text = |found| match found {
            Found::Scalar(span) => &text[span],
            Found::Collection(_) => "a collection",
        };
        found.into_iter().map(text).collect()
    }

    #[test]
    fn a_route_leads_to_the_bytes_of_a_value() {
        let text =
            "\u{feff}# größe\r\na:\r\n  - b: \"0.24.2\"   # here\r\n    'c.d': {e: v1}\r\n  - - x\r\n    - 0.24.3\r\n";
        for (route, expected) in [
            ("a[0].b", "\"0.24.2\""),
            ("a[0].\"c.d\".e", "v1"),
            ("a[1][1]", "0.24.3"),
            ("a[1]", "a collection"),
            ("a", "a collection"),
        ] {
            assert_eq!(found(text, route), [expected], "{route}");
        }
        for route in ["b", "a[2]", "a.b", "a[0].b.c", "[0]"] {
            assert!(found(text, route).is_empty(), "{route}");
        }
    }

    #[test]
    fn each_document_is_looked_at() {
        assert_eq!(found("a: 1\n---\nb: 2\n--- # third\na: 3\n...\n", "a"), ["1", "3"]);
        assert_eq!(found("", "a"), [""; 0]);
    }

    #[test]
    fn keys_that_are_no_text_do_not_shift_the_others() {
        assert_eq!(found("? [x, y]\n: 1\n? {z: 1}\n: 2\na: 3\n", "a"), ["3"]);
        assert_eq!(found("k: &k a\n*k : 1\nb: 2\n", "b"), ["2"]);
    }

    #[test]
    fn an_alias_leads_to_what_it_stands_for() {
        assert_eq!(found("v: &v 0.24.2\nimage: { tag: *v }\n", "image.tag"), ["0.24.2"]);
        assert_eq!(found("a: &a\n  b: [*a, 1]\n", "a.b[0].b[0].b[1]"), ["1"]);
    }

    #[test]
    fn a_merge_key_brings_what_the_mapping_lacks() {
        assert_eq!(found("x: &x { b: 0.24.2 }\na: { <<: *x, c: 1 }\n", "a.b"), ["0.24.2"]);
        assert_eq!(found("x: &x { b: 0.24.2 }\na: { b: 1, <<: *x }\n", "a.b"), ["1"]);
        assert_eq!(found("x: &x { c: 1 }\ny: &y { b: 2 }\nz: &z { b: 3 }\na: { <<: [*x, *y, *z] }\n", "a.b"), ["2"]);
        assert!(found("a: &a { <<: *a }\n", "a.b").is_empty());
    }

    #[test]
    fn any_depth_is_read_or_refused_but_never_too_much() {
        for text in ["- ".repeat(100_000), "[".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)] {
            let _ = find(&text, &"a".parse().unwrap());
        }
    }
}
