//! Holds a tree of YAML against the JSON Schema of `release.yaml`, and says in plain words where they differ.
//!
//! The schema is the one that editors use, so that both agree. It comes from our own types: of JSON Schema only
//! the keywords that those produce are known here, which a test holds. What is at fault is taken out of the tree,
//! so that the rest can still be read and judged.

use std::ops::Range;

use serde_json::Value as Schema;

use super::faults::Faults;
use super::raw::VERSION_FORMAT;
use super::yaml::{Node, Value};

/// Notes every difference between `root` and `schema`, and takes what differs out of `root`. Whether there is
/// anything left to read.
pub(super) fn check(schema: &Schema, root: &mut Node, faults: &mut Faults) -> bool {
    match root.value {
        Value::Null => {
            faults.add_with_help(root.span.clone(), "the file is empty", "it needs at least `components:`");
            false
        }
        Value::Map(_) => {
            let place = Place { name: "the file".into(), label: 0..0 };
            Checker { root: schema, faults }.value(schema, root, &place)
        }
        _ => {
            let help = "the file starts with keys, such as `components:`";
            let message = format!("expected keys with values, found {}", describe(root));
            faults.add_with_help(root.span.clone(), message, help);
            false
        }
    }
}

/// The one of `candidates` that `word` may have meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word.to_lowercase(), candidate);
    candidates
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(word.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean" the nearest of `candidates`, or what they are.
pub(super) fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone, what: &str) -> String {
    match nearest(word, candidates.clone()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("{what}: {}", candidates.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// What a person calls a value, and what to point at when it lacks something.
struct Place {
    name: String,
    label: Range<usize>,
}

struct Checker<'s, 'f> {
    root: &'s Schema,
    faults: &'f mut Faults,
}

impl<'s> Checker<'s, '_> {
    /// Whether `node` can stay where it is.
    fn value(&mut self, schema: &'s Schema, node: &mut Node, place: &Place) -> bool {
        let variants = self.variants(schema);
        if let Value::Text(text) = &node.value {
            let choices: Vec<&str> = variants.iter().flat_map(|variant| choices(variant)).collect();
            if !choices.is_empty() && !choices.contains(&&**text) {
                let help = suggest(text, choices.iter().copied(), "one of");
                self.faults.add_with_help(node.span.clone(), format!("{} cannot be `{text}`", place.name), help);
                return false;
            }
        }
        let Some(variant) = variants.iter().find(|variant| types(variant).any(|name| is_of_type(node, name))) else {
            self.wrong_type(&variants, node, place);
            return false;
        };
        match &mut node.value {
            Value::Map(_) => self.mapping(variant, node, place),
            Value::List(items) => {
                let before = items.len();
                items.retain_mut(|item| {
                    let name = format!("an entry of {}", place.name);
                    let label = item.span.clone();
                    self.value(&variant["items"], item, &Place { name, label })
                });
                node.damaged |= items.len() < before;
                true
            }
            Value::Number(number) => match variant["minimum"].as_f64().zip(variant["maximum"].as_f64()) {
                Some((least, most)) if !number.as_f64().is_some_and(|n| (least..=most).contains(&n)) => {
                    let message = format!("{} must be from {least} to {most}", place.name);
                    self.faults.add(node.span.clone(), message);
                    false
                }
                _ => true,
            },
            _ => true,
        }
    }

    fn mapping(&mut self, schema: &'s Schema, node: &mut Node, place: &Place) -> bool {
        let Value::Map(entries) = &mut node.value else { return true };
        let (properties, any_key) = (&schema["properties"], schema.get("additionalProperties"));
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Schema::as_str) {
            if !entries.iter().any(|entry| entry.key == key) {
                node.damaged = true;
                let help =
                    format!("`{key}`: {}", one_line(properties[key]["description"].as_str().unwrap_or_default()));
                self.faults.add_with_help(place.label.clone(), format!("{} lacks the key `{key}`", place.name), help);
            }
        }
        let before = entries.len();
        entries.retain_mut(|entry| {
            let Some(schema) = properties.get(&entry.key).or(any_key.filter(|schema| schema.is_object())) else {
                let known = properties.as_object().into_iter().flat_map(|properties| properties.keys());
                if self.faults.is_full() {
                    return false;
                }
                let help = suggest(&entry.key, known.map(String::as_str), "the keys here are");
                self.faults.add_with_help(entry.key_span.clone(), format!("unknown key `{}`", entry.key), help);
                return false;
            };
            let place = Place { name: format!("`{}`", entry.key), label: entry.key_span.clone() };
            self.value(schema, &mut entry.value, &place)
        });
        node.damaged |= entries.len() < before;
        true
    }

    fn wrong_type(&mut self, variants: &[&Schema], node: &Node, place: &Place) {
        let expected: Vec<&str> = variants.iter().flat_map(|variant| types(variant)).filter_map(type_name).collect();
        let expected = expected.join(" or ");
        if matches!(node.value, Value::Null) {
            let help = format!("give it {expected}, or remove the key");
            self.faults.add_with_help(place.label.clone(), format!("{} has no value", place.name), help);
            return;
        }
        let message = format!("{} must be {expected}, not {}", place.name, describe(node));
        let written = self.faults.text(&node.span).to_owned();
        let wants = |name| variants.iter().any(|variant| types(variant).any(|t| t == name));
        let help = match &node.value {
            Value::Number(_) if variants.iter().any(|variant| variant["format"] == VERSION_FORMAT) => {
                Some("a version has three parts, such as `0.24.2`".to_owned())
            }
            Value::Number(_) | Value::Bool(_) if wants("string") => {
                let example = variants.iter().find_map(|variant| variant["examples"][0].as_str());
                let example = example.map_or_else(String::new, |example| format!("write it like `{example}`, or "));
                Some(format!("{example}quote it: \"{written}\""))
            }
            Value::Map(_) if wants("string") && written.starts_with('{') => Some(format!("quote it: \"{written}\"")),
            Value::Text(_) | Value::Number(_) if wants("array") => Some(format!("write it as a list: [{written}]")),
            _ => None,
        };
        match help {
            Some(help) => self.faults.add_with_help(node.span.clone(), message, help),
            None => self.faults.add(node.span.clone(), message),
        }
    }

    /// The alternatives of `schema`, references followed.
    fn variants(&self, schema: &'s Schema) -> Vec<&'s Schema> {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.root.pointer(reference.trim_start_matches('#'));
            return target.map_or_else(Vec::new, |target| self.variants(target));
        }
        match schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            Some(variants) => variants.iter().flat_map(|variant| self.variants(variant)).collect(),
            None => vec![schema],
        }
    }
}

/// The strings that `schema` takes, where it takes only some.
fn choices(schema: &Schema) -> Vec<&str> {
    let several = schema["enum"].as_array().into_iter().flatten();
    several.chain(schema.get("const")).filter_map(Schema::as_str).collect()
}

fn types(schema: &Schema) -> impl Iterator<Item = &str> {
    let several = schema["type"].as_array().into_iter().flatten();
    several.chain(schema.get("type")).filter_map(Schema::as_str)
}

fn is_of_type(node: &Node, name: &str) -> bool {
    match &node.value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "integer" && !number.is_f64(),
        Value::Text(_) => name == "string",
        Value::List(_) => name == "array",
        Value::Map(_) => name == "object",
    }
}

/// What a person calls a value of this type; nothing for the absence of one.
fn type_name(name: &str) -> Option<&'static str> {
    match name {
        "boolean" => Some("true or false"),
        "integer" => Some("a whole number"),
        "string" => Some("a string"),
        "array" => Some("a list"),
        "object" => Some("a mapping"),
        _ => None,
    }
}

fn describe(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(_) => "a number".into(),
        Value::Text(_) => "a string".into(),
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a mapping".into(),
    }
}

/// The first sentence of a description, whatever its line breaks.
fn one_line(text: &str) -> String {
    text.split("\n\n").next().unwrap_or(text).replace('\n', " ").trim_end_matches('.').to_owned()
}
