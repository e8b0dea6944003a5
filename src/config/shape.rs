//! From bytes to the raw schema: syntax and shape. Every fault of the shape is found in one run, by the JSON Schema that
//! editors use too.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::Step;
use super::place::Places;
use super::raw::Raw;
use crate::error::{Error, Result};

/// Larger than any real config by far; protects against a wrong file.
const LIMIT: usize = 1 << 20;

/// Reads the text and checks syntax and shape. The places are handed on for the rules that come after.
pub fn read(path: &str, bytes: &[u8]) -> Result<(Raw, Places)> {
    if bytes.len() > LIMIT {
        return Err(Error::usage(format!("{path} has {} bytes; a release config has at most {LIMIT}", bytes.len()))
            .hint("is this the right file? --config names another one"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = crate::error::line_column(bytes, error.valid_up_to());
        Error::usage(format!("{path}:{line}:{column}: not valid UTF-8")).hint("save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // by way of a YAML value, because only that refuses a key that stands twice
    let value: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| syntax(path, text, &error))?;
    let value: Value = serde_json::to_value(value)
        .map_err(|error| Error::usage(format!("{path}: {error}")).hint("every key must be a text"))?;
    if value.is_null() {
        return Err(Error::usage(format!("{path} is empty")).hint("it needs at least `components:`"));
    }
    let mut places = Places::new(path, text);
    let schema = super::json_schema();
    let validator = jsonschema::validator_for(&schema)
        .map_err(|error| Error::usage(format!("the schema of {path} is not usable: {error}")))?;
    for error in validator.iter_errors(&value) {
        report(&error, &value, &schema, &mut places);
    }
    finish(path, &mut places)?;
    let raw = serde_json::from_value(value).map_err(|error| Error::usage(format!("{path}: {error}")))?;
    Ok((raw, places))
}

/// Fails if faults have been found: all of them, in the order of the file.
pub fn finish(path: &str, places: &mut Places) -> Result<()> {
    if places.faults.is_empty() {
        return Ok(());
    }
    let mut faults = std::mem::take(&mut places.faults);
    faults.sort_by_key(|fault| fault.span.start);
    let count = match faults.len() {
        1 => "1 fault".to_owned(),
        n => format!("{n} faults"),
    };
    Err(Error::faults(format!("{path} has {count}"), faults))
}

fn syntax(path: &str, text: &str, error: &serde_yaml::Error) -> Error {
    let mut places = Places::new(path, text);
    let start = error.location().map_or(0, |l| l.index().min(text.len()));
    let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let line = &text[text[..start].rfind('\n').map_or(0, |n| n + 1)..end];
    let tab = line.trim_start_matches(' ').starts_with('\t');
    let help = tab.then(|| "YAML is indented with spaces, never with tabs".to_owned());
    places.add(start..end, error.to_string(), help);
    Error::faults(format!("{path} cannot be read as YAML"), places.faults)
}

fn report(error: &jsonschema::ValidationError<'_>, root: &Value, schema: &Value, places: &mut Places) {
    let route = route(error.instance_path().as_str(), root);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_keys(error.schema_path().as_str(), schema);
            for key in unexpected {
                let mut route = route.clone();
                route.push(Step::Key(key.clone()));
                let help = match nearest(key, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known keys here: {}", known.join(", ")),
                };
                places.fault_at_key(&route, format!("unknown key `{key}`"), Some(help));
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            places.fault(&route, format!("`{name}` is missing"), None);
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => {
                    let names: Vec<String> = many.iter().map(|t| t.to_string()).filter(|t| t != "null").collect();
                    names.join(" or ")
                }
            };
            let help = (expected == "string" && error.instance().is_number())
                .then(|| "put it in quotes; a version has three parts, such as 0.24.2".to_owned());
            let message =
                format!("expected a value of type {}, found {}", plain(&expected), describe(error.instance()));
            places.fault(&route, message, help);
        }
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            places.fault(&route, format!("{} does not fit here", describe(error.instance())), None);
        }
        _ => places.fault(&route, error.to_string(), None),
    }
}

fn plain(json_type: &str) -> &str {
    match json_type {
        "object" => "mapping",
        "array" => "list",
        other => other,
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Object(_) => "a mapping".into(),
        Value::Array(_) => "a list".into(),
        scalar => format!("`{scalar}`"),
    }
}

/// A JSON pointer as steps; whether `0` is a key or an index, the value tells.
fn route(pointer: &str, root: &Value) -> Vec<Step> {
    let mut value = root;
    let mut steps = Vec::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let (step, next) = match (value, part.parse::<usize>()) {
            (Value::Array(items), Ok(index)) => (Step::Index(index), items.get(index)),
            _ => (Step::Key(part.clone()), value.get(&part)),
        };
        steps.push(step);
        value = next.unwrap_or(&Value::Null);
    }
    steps
}

/// The keys that the schema knows beside the `additionalProperties` at `pointer`.
fn known_keys(pointer: &str, schema: &Value) -> Vec<String> {
    let mut here = schema;
    for part in pointer.trim_end_matches("/additionalProperties").split('/').skip(1) {
        let next = here.get(part).or_else(|| here.get(part.parse::<usize>().ok()?));
        here = match (part, here.get("$ref").and_then(Value::as_str)) {
            ("$ref", Some(target)) => schema.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null),
            _ => next.unwrap_or(&Value::Null),
        };
    }
    here.get("properties").and_then(Value::as_object).map(|p| p.keys().cloned().collect()).unwrap_or_default()
}

/// The candidate most like `name`, if one is like it at all.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    let near = scored.filter(|(distance, candidate)| *distance <= 1 + name.len().min(candidate.len()) / 3);
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}
