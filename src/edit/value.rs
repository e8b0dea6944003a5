//! Sites that are a value in a structured file: `path:`. YAML, JSON (with comments) or TOML, by the file's ending.

use std::ops::Range;

use super::scan::{Place, Reader};
use super::yaml::Found;
use crate::config::{Step, ValuePath};
use crate::error::{Error, Result};

/// The value that `route` leads to, in each document of the file.
pub(super) fn places(reader: &Reader<'_>, route: &ValuePath) -> Result<Vec<Place>> {
    let text = std::str::from_utf8(reader.bytes)
        .map_err(|error| reader.fault(error.valid_up_to(), "not valid UTF-8, which a `path:` site needs"))?;
    let found = match reader.path.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
        Some("yaml" | "yml") => yaml(reader, text, route)?,
        Some("json" | "jsonc") => json(reader, text, route)?,
        Some("toml") => toml(reader, text, route)?,
        _ => {
            let message = format!("{}: `path:` reads .yaml, .yml, .json, .jsonc and .toml files", reader.path);
            return Err(Error::usage(message).hint("use a `regex:` site for this file"));
        }
    };
    let mut places = Vec::new();
    for range in found {
        places.extend(reader.read(range)?);
    }
    Ok(places)
}

fn no_scalar(reader: &Reader<'_>, at: usize, route: &ValuePath) -> Error {
    reader.fault(at, &format!("`{route}` is a mapping or a list, not a single value"))
}

fn yaml(reader: &Reader<'_>, text: &str, route: &ValuePath) -> Result<Vec<Range<usize>>> {
    let found = super::yaml::find(text, route)
        .map_err(|error| reader.fault(error.at, &format!("cannot be read as YAML ({})", error.reason)))?;
    let single = |found| match found {
        Found::Scalar(range) => Ok(range),
        Found::Collection(start) => Err(no_scalar(reader, start, route)),
    };
    found.into_iter().map(single).collect()
}

fn json(reader: &Reader<'_>, text: &str, route: &ValuePath) -> Result<Vec<Range<usize>>> {
    use jsonc_parser::ast::Value;
    use jsonc_parser::common::Ranged;
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let before = text.len() - bare.len();
    let parsed = jsonc_parser::parse_to_ast(bare, &Default::default(), &Default::default())
        .map_err(|error| reader.fault(before + error.range().start, &format!("cannot be read as JSON: {error}")))?;
    let mut value = parsed.value.as_ref();
    for step in &route.steps {
        value = match (value, step) {
            (Some(Value::Object(object)), Step::Key(key)) => {
                // of a key that is given twice, readers take the last
                object.properties.iter().rfind(|property| property.name.as_str() == key).map(|found| &found.value)
            }
            (Some(Value::Array(array)), Step::Index(index)) => array.elements.get(*index),
            _ => None,
        };
    }
    match value {
        None => Ok(Vec::new()),
        Some(Value::Object(_) | Value::Array(_)) => {
            Err(no_scalar(reader, before + value.map_or(0, |value| value.range().start), route))
        }
        Some(scalar) => {
            let range = scalar.range();
            Ok(std::iter::once(before + range.start..before + range.end).collect())
        }
    }
}

fn toml(reader: &Reader<'_>, text: &str, route: &ValuePath) -> Result<Vec<Range<usize>>> {
    let document = toml_edit::Document::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        reader.fault(at, &format!("cannot be read as TOML: {}", error.message()))
    })?;
    let mut item = Some(document.as_item());
    for step in &route.steps {
        item = match step {
            Step::Key(key) => item.and_then(|item| item.get(key)),
            Step::Index(index) => item.and_then(|item| item.get(*index)),
        };
    }
    let Some((item, span)) = item.and_then(|item| Some((item, item.span()?))) else { return Ok(Vec::new()) };
    match item.as_value().is_some_and(|value| !value.is_array() && !value.is_inline_table()) {
        true => Ok(vec![span]),
        false => Err(no_scalar(reader, span.start, route)),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::edit::Scanner;

    #[test]
    fn json_after_a_byte_order_mark_is_read_and_of_a_double_key_the_last_counts() {
        let text = "components: { v: { version: 0.24.1, sites: [{ files: '**', path: a.b }] } }";
        let config = Config::parse("release.yaml", text.as_bytes()).unwrap();
        let component = config.component("v").unwrap();
        let scanner = Scanner::new(&config, component, &"0.24.1".parse().unwrap(), None);
        for text in [
            "\u{feff}{\"a\": {\"b\": \"0.24.1\"}}",
            "{\"a\":{\"b\":\"1.0.0\"},\"a\":{\"b\":\"2.0.0\",\"b\":\"0.24.1\"}}",
        ] {
            let places = scanner.scan("a.json", text.as_bytes()).unwrap().places;
            assert_eq!(places.into_iter().map(|(_, place)| &text[place.at]).collect::<Vec<_>>(), ["\"0.24.1\""]);
        }
        let fault = scanner.scan("a.json", "\u{feff}{\"a\": {\"b\": {}}}".as_bytes()).unwrap_err();
        assert!(fault.message.starts_with("a.json:1:16:"), "{}", fault.message);
    }

    #[test]
    fn a_file_of_any_depth_is_read_or_refused() {
        let text = "components: { v: { version: 0.24.1, sites: [{ files: '**', path: a }] } }";
        let config = Config::parse("release.yaml", text.as_bytes()).unwrap();
        let component = config.component("v").unwrap();
        let scanner = Scanner::new(&config, component, &"0.24.1".parse().unwrap(), None);
        for (name, opening) in [
            ("a.yaml", "- "),
            ("a.yaml", "["),
            ("a.yaml", "{a: "),
            ("a.json", "["),
            ("a.json", "{\"a\":"),
            ("a.toml", "a=["),
            ("a.toml", "a={a="),
            ("a.toml", "[a."),
        ] {
            let (first, rest) = opening.split_at(if name == "a.toml" { 2 } else { 0 });
            let bytes = format!("{first}{}", rest.repeat(100_000));
            if let Err(error) = scanner.scan(name, bytes.as_bytes()) {
                assert!(error.message.starts_with(&format!("{name}:1:")), "{opening}: {}", error.message);
            }
        }
    }
}
