//! `docs/release-yaml.md`: every key with its meaning, made from the JSON Schema.

use std::fmt::Write;

use serde_json::Value;

use crate::config::json_schema;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/release-yaml.md");
const START: &str = "# release.yaml, key by key

Made from the JSON Schema (`gs-release schema`, `schema/release.schema.json`), which editors use, too. Unknown keys are refused. A
whole file to start from is this repository's own `release.yaml`; `docs/examples/graphscope/` holds one for GraphScope.
";

/// A mapping of the file, and where it stands: `phases[].images.NAME`.
fn section(place: &str, schema: &Value, root: &Value, page: &mut String) {
    let title = if place.is_empty() { "The file".to_owned() } else { format!("`{place}`") };
    writeln!(page, "\n## {title}\n\n{}\n", cell(text(schema))).unwrap();
    page.push_str("| key | | example |\n|---|---|---|\n");
    let required = |key: &str| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|k| k == key));
    let mut below = Vec::new();
    for (key, property) in schema["properties"].as_object().unwrap() {
        let must = if required(key) { " **Required.**" } else { "" };
        let examples: Vec<String> = property["examples"].as_array().into_iter().flatten().map(example).collect();
        let choices = choices(resolve(property, root));
        writeln!(page, "| `{key}` | {}{choices}{must} | {} |", cell(text(property)), examples.join(" ")).unwrap();
        let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        for (suffix, inner) in
            [("", property), ("[]", &property["items"]), (".NAME", &property["additionalProperties"])]
        {
            let inner = resolve(inner, root);
            if inner["properties"].is_object() {
                below.push((format!("{place}{suffix}"), inner));
            }
        }
    }
    for (place, inner) in below {
        section(&place, inner, root, page);
    }
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    name.map_or(schema, |name| &root["$defs"][name])
}

fn text(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

/// What an enumeration may be.
fn choices(schema: &Value) -> String {
    let values = schema["oneOf"].as_array().into_iter().flatten();
    values.map(|value| format!(" `{}`: {}", value["const"].as_str().unwrap(), cell(text(value)))).collect()
}

fn example(value: &Value) -> String {
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("`{}`", cell(&written))
}

/// A text in one cell of a table.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

#[test]
fn the_page_of_keys_in_the_repository_is_fresh() {
    let schema = json_schema();
    let mut page = START.to_owned();
    section("", &schema, &schema, &mut page);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let stored = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(stored == page, "docs/release-yaml.md is stale: run UPDATE_SCHEMA=1 cargo test fresh");
}
