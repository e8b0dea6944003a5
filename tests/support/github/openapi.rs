//! GitHub's own description of its API (the extract in `openapi/`), and the check of what is sent against it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};

/// An operation of the description, such as `GET /repos/{owner}/{repo}`.
#[derive(Debug, Clone)]
pub struct Operation {
    pub name: &'static str,
    /// What stands in the places of the path, decoded.
    pub parameters: HashMap<&'static str, String>,
}

impl Operation {
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("openapi/github.json")).unwrap());
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<jsonschema::Validator>>>> = LazyLock::new(Mutex::default);

/// The operation that a call is, by the longest template that fits.
pub fn operation(method: &str, path: &str) -> Option<Operation> {
    let operations = DESCRIPTION["operations"].as_object().unwrap();
    let fitting = operations.keys().filter_map(|name| {
        let (verb, template) = name.split_once(' ')?;
        let parameters = (verb == method).then(|| fit(template, path))??;
        Some(Operation { name, parameters })
    });
    fitting.max_by_key(|operation| operation.name.len())
}

/// A place takes one segment; the last one of a path takes the rest, since names of branches and tags have slashes.
fn fit(template: &'static str, path: &str) -> Option<HashMap<&'static str, String>> {
    let mut places = HashMap::new();
    let mut rest = path.trim_start_matches('/').split('/');
    let mut parts = template.trim_start_matches('/').split('/').peekable();
    while let Some(part) = parts.next() {
        let mut segment = rest.next()?.to_owned();
        if let Some(name) = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            if parts.peek().is_none() && ["ref", "tag", "basehead"].contains(&name) {
                for more in rest.by_ref() {
                    segment = format!("{segment}/{more}");
                }
            }
            places.insert(name, decoded(&segment));
        } else if part != segment {
            return None;
        }
    }
    rest.next().is_none().then_some(places)
}

/// Percent-decoded.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        match escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The description's own example of a reply.
pub fn example(operation: &str) -> Value {
    let found = &DESCRIPTION["operations"][operation]["example"];
    assert!(!found.is_null(), "{operation} has no example");
    match found {
        Value::Array(list) => list[0].clone(),
        one => one.clone(),
    }
}

/// What is wrong with a request. GitHub ignores names that it does not know; here they are faults.
pub fn faults_of_request(operation: &str, query: &[(String, String)], body: Option<&Value>) -> Vec<String> {
    let known = &DESCRIPTION["operations"][operation];
    let mut faults = Vec::new();
    for (name, value) in query {
        let schema = &known["query"][name];
        if schema.is_null() {
            faults.push(format!("{operation} has no query parameter `{name}`"));
            continue;
        }
        let value = match schema["type"] == "integer" {
            true => value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)),
            false => json!(value),
        };
        faults.extend(faults_in(&format!("{operation} ?{name}"), schema, &value));
    }
    match (known["body"].is_null(), body) {
        (true, Some(body)) if *body != json!({}) => faults.push(format!("{operation} takes no body, but got {body}")),
        (false, body) => {
            let body = body.cloned().unwrap_or_else(|| json!({}));
            if let (Some(names), Some(given)) = (known["body"]["properties"].as_object(), body.as_object()) {
                let unknown = given.keys().filter(|name| !names.contains_key(*name));
                faults.extend(unknown.map(|name| format!("{operation} has no body parameter `{name}`")));
            }
            faults.extend(faults_in(&format!("{operation} body"), &known["body"], &body));
        }
        _ => {}
    }
    faults
}

/// What is wrong with a reply. The statuses that every operation may have (rate limits, missing rights) are not in each list.
pub fn faults_of_reply(operation: &str, status: u16, body: &Value) -> Vec<String> {
    let replies = &DESCRIPTION["operations"][operation]["replies"];
    let about = format!("{operation} reply {status}");
    match replies.get(status.to_string()) {
        Some(Value::Null) => Vec::new(),
        Some(schema) => faults_in(&about, schema, body),
        None if matches!(status, 301 | 307 | 401 | 403 | 404 | 422 | 429) || status >= 500 => {
            faults_in(&about, &json!({ "$ref": "#/$defs/basic-error" }), body)
        }
        None => vec![format!("{about}: there is no such reply")],
    }
}

fn faults_in(about: &str, schema: &Value, value: &Value) -> Vec<String> {
    let validator = VALIDATORS.lock().unwrap().entry(schema.to_string()).or_insert_with(|| compiled(schema)).clone();
    let told = |error: jsonschema::ValidationError<'_>| format!("{about}: {}: {error}", error.instance_path());
    validator.iter_errors(value).map(told).collect()
}

fn compiled(schema: &Value) -> Arc<jsonschema::Validator> {
    let mut whole = schema.clone();
    whole["$defs"] = DESCRIPTION["$defs"].clone();
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).unwrap())
}
