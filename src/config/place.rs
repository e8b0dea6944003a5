//! Where in `release.yaml` a value stands: from a route to the bytes, for messages.

use std::sync::Arc;

use yamlpath::{Component, Document, Route};

use super::Step;
use crate::error::{Fault, line_column};

/// The text of the file, and faults collected about it.
pub struct Places {
    path: String,
    text: Arc<str>,
    document: Option<Document>,
    /// What has been found wrong so far.
    pub faults: Vec<Fault>,
}

impl Places {
    /// Prepares to point into `text`, the content of the file called `path`.
    pub fn new(path: &str, text: &str) -> Self {
        let document = Document::new(text).ok();
        Places { path: path.to_owned(), text: text.into(), document, faults: Vec::new() }
    }

    /// Adds a fault at the value that `route` leads to, or at the nearest thing above it that has a place.
    pub fn fault(&mut self, route: &[Step], message: impl Into<String>, help: Option<String>) {
        let span = self.span(route, false);
        self.add(span, message.into(), help);
    }

    /// Adds a fault at the key at the end of `route`.
    pub fn fault_at_key(&mut self, route: &[Step], message: impl Into<String>, help: Option<String>) {
        let span = self.span(route, true);
        self.add(span, message.into(), help);
    }

    /// Adds a fault at `span`, bytes of the file.
    pub fn add(&mut self, span: std::ops::Range<usize>, message: String, help: Option<String>) {
        self.faults.push(Fault { path: self.path.clone(), text: self.text.clone(), span, message, help });
    }

    /// Line, from 1, of the value that `route` leads to.
    pub fn line(&self, route: &[Step]) -> usize {
        line_column(self.text.as_bytes(), self.span(route, false).start).0
    }

    fn span(&self, route: &[Step], key: bool) -> std::ops::Range<usize> {
        let Some(document) = &self.document else { return 0..0 };
        for len in (1..=route.len()).rev() {
            let components: Vec<Component<'_>> = route[..len].iter().map(component).collect();
            let route_here = Route::from(components);
            let feature = match key && len == route.len() {
                true => document.query_key_only(&route_here).ok(),
                false => document.query_exact(&route_here).ok().flatten(),
            };
            if let Some(feature) = feature {
                let (start, end) = feature.location.byte_span;
                // of a mapping or a list, the first line is enough to find it
                let end = self.text[start..end].find('\n').map_or(end, |newline| start + newline);
                return start..end;
            }
        }
        0..0
    }
}

fn component(step: &Step) -> Component<'_> {
    match step {
        Step::Key(key) => Component::from(key.as_str()),
        Step::Index(index) => Component::from(*index),
    }
}
