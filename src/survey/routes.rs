//! The single values of a YAML, JSON or TOML file, each with the keys that lead to it.

use std::ops::Range;

use crate::config::yaml_events::{Event, YamlEvents};

/// A single value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Its bytes, quotes included.
    pub at: Range<usize>,
    /// The keys that lead to it; `None` where a list is on the way, whose items move when it grows.
    pub keys: Option<Vec<String>>,
}

/// The single values of `text`, the file at `path`, in order. None where it cannot be read, or is another kind of file.
pub fn scalars(path: &str, text: &str) -> Vec<Scalar> {
    match path.rsplit('.').next() {
        Some("yaml" | "yml") => yaml(text).unwrap_or_default(),
        Some("json" | "jsonc") => json(text).unwrap_or_default(),
        Some("toml") => toml(text).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Where the walk through a document is.
enum Open {
    Map(Option<String>),
    List,
}

fn keys_of(open: &[Open]) -> Option<Vec<String>> {
    open.iter()
        .map(|open| match open {
            Open::Map(key) => key.clone(),
            Open::List => None,
        })
        .collect()
}

fn yaml(text: &str) -> Option<Vec<Scalar>> {
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in YamlEvents::new(text) {
        let (event, at) = event.ok()?;
        match event {
            Event::Scalar(value, ..) => match open.last_mut() {
                Some(Open::Map(key @ None)) => *key = Some(value.into_owned()),
                _ => {
                    found.push(Scalar { at, keys: keys_of(&open) });
                    end_value(&mut open);
                }
            },
            Event::Alias(_) => match open.last_mut() {
                Some(Open::Map(key @ None)) => *key = Some(String::new()),
                _ => end_value(&mut open),
            },
            Event::SequenceStart(..) => open.push(Open::List),
            Event::MappingStart(..) => open.push(Open::Map(None)),
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                match open.last_mut() {
                    // a list or mapping as a key: nothing leads there
                    Some(Open::Map(key @ None)) => *key = Some(String::new()),
                    _ => end_value(&mut open),
                }
            }
            Event::DocumentStart(_) => open.clear(),
            Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
        }
    }
    Some(found)
}

fn end_value(open: &mut [Open]) {
    if let Some(Open::Map(key)) = open.last_mut() {
        *key = None;
    }
}

fn json(text: &str) -> Option<Vec<Scalar>> {
    use jsonc_parser::ast::Value;
    use jsonc_parser::common::Ranged;
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default()).ok()?;
    let mut found = Vec::new();
    let mut next = vec![(parsed.value?, Some(Vec::new()))];
    while let Some((value, keys)) = next.pop() {
        match value {
            Value::Object(object) => next.extend(object.properties.into_iter().map(|property| {
                let key = property.name.as_str().to_owned();
                (property.value, keys.clone().map(|keys: Vec<String>| [keys, vec![key]].concat()))
            })),
            Value::Array(array) => next.extend(array.elements.into_iter().map(|element| (element, None))),
            single => {
                let range = single.range();
                found.push(Scalar { at: range.start..range.end, keys });
            }
        }
    }
    found.sort_by_key(|scalar| scalar.at.start);
    Some(found)
}

fn toml(text: &str) -> Option<Vec<Scalar>> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut found = Vec::new();
    let mut next: Vec<(&toml_edit::Item, Vec<String>)> = vec![(document.as_item(), Vec::new())];
    while let Some((item, keys)) = next.pop() {
        let deeper = |key: &str| [keys.clone(), vec![key.to_owned()]].concat();
        if let Some(table) = item.as_table() {
            next.extend(table.iter().map(|(key, item)| (item, deeper(key))));
        } else if let Some(table) = item.as_inline_table() {
            let values = table.iter().filter_map(|(key, value)| Some((value.span()?, deeper(key))));
            found.extend(values.map(|(at, keys)| Scalar { at, keys: Some(keys) }));
        } else if let Some(at) = item.as_value().filter(|value| !value.is_array()).and_then(|value| value.span()) {
            found.push(Scalar { at, keys: Some(keys) });
        }
    }
    found.sort_by_key(|scalar| scalar.at.start);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        let scalars = scalars(path, text);
        let told = |s: Scalar| format!("{}={}", s.keys.map_or("?".into(), |keys| keys.join(".")), &text[s.at]);
        scalars.into_iter().map(told).collect()
    }

    #[test]
    fn each_single_value_is_told_with_its_keys() {
        let yaml = "a: 1\nimage:\n  repository: x/y\n  tag: \"0.3.0\"\nl: [q, {r: s}]\n? [k]\n: 7\nz: 9\n";
        assert_eq!(
            told("values.yaml", yaml),
            ["a=1", "image.repository=x/y", "image.tag=\"0.3.0\"", "?=q", "?=s", "?=k", "=7", "z=9"]
        );
        let json = r#"{"version": "0.3.0", "a": {"b": [1]}}"#;
        assert_eq!(told("package.json", json), ["version=\"0.3.0\"", "?=1"]);
        let toml = "[package]\nversion = \"0.3.0\"\n[dependencies]\nx = { version = \"1.0.0\" }\n";
        assert_eq!(told("Cargo.toml", toml), ["package.version=\"0.3.0\"", "dependencies.x.version=\"1.0.0\""]);
    }

    #[test]
    fn what_cannot_be_read_has_none() {
        for (path, text) in [("a.yaml", "a: {{ .b }}: ]\n"), ("a.json", "{"), ("a.toml", "="), ("a.sh", "a=1")] {
            assert!(scalars(path, text).is_empty(), "{path}");
        }
    }
}
