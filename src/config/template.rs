//! Texts with places for component versions: image tags, build args, the tag that triggers a phase.

use std::fmt;

use crate::error::{Error, Result};

/// The place that stands for an architecture; no component can have its name.
pub const ARCH: &str = "arch";
/// The place that stands for a phase's name, in what a workflow is dispatched with.
pub const PHASE: &str = "phase";
/// The place that stands for the commit to build, in what a workflow is dispatched with.
pub const COMMIT: &str = "commit";
/// The place that stands for the id by which a run is found again, in what a workflow is dispatched with.
pub const REQUEST: &str = "request";

/// A text with places, such as `v{vineyard}`. `{{` and `}}` stand for the braces themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Place(String),
}

impl Template {
    /// Reads `text`. A brace that is neither part of a place nor doubled is a usage error.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..at + 1];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            let name = rest.split_once('}').filter(|(name, _)| brace == "{" && is_name(name));
            let Some((name, after)) = name else { return Err(stray_brace(text, brace)) };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Place(name.into()));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template { text: text.into(), parts })
    }

    /// The names of its places, in order: components, and [`ARCH`] in build args and contexts.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(name) => Some(&**name),
            Part::Literal(_) => None,
        })
    }

    /// The components it names, in order; one that is named twice comes twice.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.places().filter(|name| *name != ARCH)
    }

    /// Whether it stays the same from version to version, as `latest` does.
    pub fn is_moving(&self) -> bool {
        self.components().next().is_none()
    }

    /// The text with each place filled by `value` of its name. A place without a value stays as it is written.
    pub fn render(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let filled = self.parts.iter().map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Place(name) => value(name).unwrap_or_else(|| format!("{{{name}}}")),
        });
        filled.collect()
    }
}

impl fmt::Display for Template {
    /// As written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn stray_brace(text: &str, brace: &str) -> Error {
    Error::usage(format!("`{text}` has a `{brace}` that belongs to no place")).hint(format!(
        "a place is the name of a component in braces, such as {{vineyard}}; write `{brace}{brace}` for the brace itself"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(name: &str) -> Option<String> {
        match name {
            "vineyard" => Some("0.24.2".into()),
            "arch" => Some("arm64".into()),
            _ => None,
        }
    }

    #[test]
    fn places_are_filled_and_the_rest_stays() {
        for (text, expected) in [
            ("v{vineyard}", "v0.24.2"),
            ("wheel-v{vineyard}-{arch}", "wheel-v0.24.2-arm64"),
            ("{vineyard}{vineyard}", "0.24.20.24.2"),
            ("latest", "latest"),
            ("", ""),
            ("{{\"é\": {vineyard}}}", "{\"é\": 0.24.2}"),
            ("v{graphscope}", "v{graphscope}"),
        ] {
            assert_eq!(Template::parse(text).unwrap().render(versions), expected, "{text}");
        }
    }

    #[test]
    fn a_value_with_braces_is_not_filled_again() {
        let rendered = Template::parse("{a}{b}").unwrap().render(|name| (name == "a").then(|| "{b}".into()));
        assert_eq!(rendered, "{b}{b}");
    }

    #[test]
    fn a_template_without_a_component_is_moving() {
        for (text, is_moving) in [("latest", true), ("nightly-{arch}", true), ("v{vineyard}", false)] {
            assert_eq!(Template::parse(text).unwrap().is_moving(), is_moving, "{text}");
        }
        let template = Template::parse("{arch}-{vineyard}").unwrap();
        assert_eq!(template.places().collect::<Vec<_>>(), ["arch", "vineyard"]);
        assert_eq!(template.components().collect::<Vec<_>>(), ["vineyard"]);
    }

    #[test]
    fn a_stray_brace_is_refused() {
        for text in ["{", "}", "v{vineyard", "v}", "{}", "{a b}", "{{vineyard}"] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.message.contains("belongs to no place"), "{text}: {}", error.message);
        }
    }
}
