//! Where a value stands in YAML text, by its route. Every key and item is looked at, nothing is interpreted.
//!
//! The text is somebody else's: it may be nested as deep as it likes, since nothing here recurses.

use std::collections::HashMap;
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
    let mut found = Vec::new();
    let mut document = Document::default();
    for event in YamlEvents::new(text) {
        let (event, span) = event?;
        match event {
            Event::DocumentStart(_) => document = Document::default(),
            Event::DocumentEnd => found.extend(document.follow(route)),
            Event::Scalar(text, _, anchor, _) => {
                let id = document.add(anchor, span, Content::Scalar);
                document.attach(id, Some(&text));
            }
            Event::SequenceStart(anchor, _) => document.open(anchor, span, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => document.open(anchor, span, Content::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => document.close(),
            Event::Alias(anchor) => document.alias(anchor),
            Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
        }
    }
    Ok(found)
}

/// Index of a value in its document.
type Id = usize;

enum Content {
    Scalar,
    List(Vec<Id>),
    /// Keys that are no single value are `None`.
    Map(Vec<(Option<String>, Id)>),
}

/// A document as a flat list of values, each of which refers to those in it.
#[derive(Default)]
struct Document {
    values: Vec<(Range<usize>, Content)>,
    anchors: HashMap<usize, Id>,
    /// The lists and mappings that are not closed yet; of a mapping the key whose value comes next.
    open: Vec<(Id, Option<Option<String>>)>,
}

impl Document {
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
        self.attach(id, None);
        self.open.push((id, None));
    }

    fn close(&mut self) {
        self.open.pop();
    }

    fn alias(&mut self, anchor: usize) {
        // an anchor of another document stands for nothing; an empty value keeps keys and values in step
        let id = self.anchors.get(&anchor).copied();
        let id = id.unwrap_or_else(|| self.add(0, 0..0, Content::List(Vec::new())));
        self.attach(id, None);
    }

    /// Puts the value `id` into what is open: as an item, as a key, or as the value of the key before it.
    fn attach(&mut self, id: Id, text: Option<&str>) {
        let Some((parent, pending)) = self.open.last_mut() else { return };
        match &mut self.values[*parent].1 {
            Content::Scalar => {}
            Content::List(items) => items.push(id),
            Content::Map(entries) => match pending.take() {
                Some(key) => entries.push((key, id)),
                None => *pending = Some(text.map(str::to_owned)),
            },
        }
    }

    fn follow(&self, route: &ValuePath) -> Option<Found> {
        let mut at: Id = 0;
        for step in &route.steps {
            at = match (&self.values.get(at)?.1, step) {
                // of a key that is given twice, readers take the last
                (Content::Map(entries), Step::Key(key)) => {
                    entries.iter().rev().find(|(name, _)| name.as_ref() == Some(key))?.1
                }
                (Content::List(items), Step::Index(index)) => *items.get(*index)?,
                _ => return None,
            };
        }
        let (span, content) = self.values.get(at)?;
        Some(match content {
            Content::Scalar => Found::Scalar(span.clone()),
            Content::List(_) | Content::Map(_) => Found::Collection(span.start),
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
    fn any_depth_is_read_or_refused_but_never_too_much() {
        for text in ["- ".repeat(100_000), "[".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)] {
            let _ = find(&text, &"a".parse().unwrap());
        }
    }
}
