//! Faults of the graph, collected; each is reported once, however many images share the line.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::dockerfile::{Span, SyntaxError};
use super::{Release, Source};
use crate::config::{Code, Image};
use crate::error::Fault;

pub(super) struct Faults<'a> {
    release: Release<'a>,
    config: Option<Arc<str>>,
    texts: HashMap<String, Arc<str>>,
    seen: HashSet<(String, usize, String)>,
    found: Vec<(Code, Fault)>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(release: Release<'a>) -> Self {
        Faults { release, config: None, texts: HashMap::new(), seen: HashSet::new(), found: Vec::new() }
    }

    /// A fault in a Dockerfile.
    pub(super) fn at(&mut self, code: Code, source: &Source, span: Span, message: String, help: Option<String>) {
        let known = self.texts.entry(source.path.clone());
        let text = known.or_insert_with(|| source.file.text.as_str().into()).clone();
        self.push(code, Fault { path: source.path.clone(), text, span, message, help });
    }

    /// What the parser could not read; the line is all that it says of the place.
    pub(super) fn syntax(&mut self, path: &str, bytes: &[u8], error: &SyntaxError) {
        let text = String::from_utf8_lossy(bytes);
        let start: usize = text.split_inclusive('\n').take(error.line - 1).map(str::len).sum();
        let line = text[start..].lines().next().unwrap_or("");
        let indent = line.len() - line.trim_start().len();
        let span = start + indent..start + line.trim_end().len().max(indent);
        let message = format!("not a Dockerfile: {}", error.message);
        let fault = Fault { path: path.to_owned(), text: text.as_ref().into(), span, message, help: None };
        self.push(Code::BadDockerfile, fault);
    }

    /// A target stage that the Dockerfile does not have.
    pub(super) fn no_target(&mut self, image: &Image, source: &Source) {
        let names: Vec<&str> = source.file.stages.iter().filter_map(|stage| stage.name.as_deref()).collect();
        let Some(target) = image.target.as_deref() else {
            let message = format!("`{}` has no FROM", source.path);
            let code = Code::BadDockerfile;
            self.in_config(
                code,
                image,
                &image.dockerfile,
                message,
                "every image is built from something, if only scratch",
            );
            return;
        };
        let help = match crate::config::nearest(target, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "its stages have no names; leave `target:` out to build the last one".into(),
            None => format!("its stages: {}", names.join(", ")),
        };
        let message = format!("`{}` has no stage `{target}`, the target of `{}`", source.path, image.name);
        self.in_config(Code::MissingTarget, image, target, message, &help);
    }

    /// A fault in the config, at `value` of `image`.
    pub(super) fn in_config(&mut self, code: Code, image: &Image, value: &str, message: String, help: &str) {
        let span = entry(self.release.text, &image.name, value);
        let text = self.config.get_or_insert_with(|| self.release.text.into()).clone();
        let fault = Fault { path: self.release.path.to_owned(), text, span, message, help: Some(help.to_owned()) };
        self.push(code, fault);
    }

    fn push(&mut self, code: Code, fault: Fault) {
        if self.seen.insert((fault.path.clone(), fault.span.start, fault.message.clone())) {
            self.found.push((code, fault));
        }
    }

    /// All faults, by place.
    pub(super) fn into_found(mut self) -> Vec<(Code, Fault)> {
        self.found.sort_by(|(_, a), (_, b)| (&a.path, a.span.start).cmp(&(&b.path, b.span.start)));
        self.found
    }
}

/// Where the entry of `image` says `value`. The config carries no places, so they are looked for: the first line that ends
/// an entry's key, then the value after it.
fn entry(text: &str, image: &str, value: &str) -> Span {
    let is_key = |line: &str| {
        let key = line.trim_start().split_once(':').map_or("", |(key, _)| key);
        key.trim_matches(['"', '\'']) == image
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if is_key(line) {
            let found = text[at..].find(value).map(|offset| at + offset..at + offset + value.len());
            return found.unwrap_or(at..at + line.trim_end().len());
        }
        at += line.len();
    }
    text.find(value).map_or(0..0, |offset| offset..offset + value.len())
}
