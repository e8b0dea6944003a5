//! The JSON Schema: fresh in the repository, and of one mind with the tool.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use crate::config::{Config, json_schema};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/release.schema.json");

#[test]
fn the_schema_in_the_repository_is_fresh() {
    let generated = format!("{:#}\n", json_schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(FILE, &generated).unwrap();
    }
    let stored = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(stored == generated, "schema/release.schema.json is stale: run UPDATE_SCHEMA=1 cargo test fresh");
}

#[test]
fn the_shape_check_knows_every_keyword_of_the_schema() {
    const KNOWN: [&str; 18] = [
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "enum",
        "items",
        "maximum",
        "minimum",
        "oneOf",
        "properties",
        "required",
        "type",
        // these say nothing about what is valid
        "$schema",
        "$defs",
        "description",
        "examples",
        "format",
        "title",
    ];
    fn walk(schema: &Value) {
        let Some(object) = schema.as_object() else { return };
        for (keyword, value) in object {
            match keyword.as_str() {
                "properties" | "$defs" => value.as_object().unwrap().values().for_each(walk),
                "anyOf" | "oneOf" => value.as_array().unwrap().iter().for_each(walk),
                "items" | "additionalProperties" => walk(value),
                "default" => {}
                other => assert!(KNOWN.contains(&other), "{other}"),
            }
        }
    }
    walk(&json_schema());
}

#[test]
fn every_key_is_described_and_no_default_is_null() {
    fn walk(schema: &Value) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{key}");
            assert!(property.get("default") != Some(&Value::Null), "{key}");
        }
    }
    let schema = json_schema();
    walk(&schema);
    schema["$defs"].as_object().unwrap().values().for_each(walk);
}

/// A config made of random parts: valid, or wrong in its shape somewhere.
fn documents() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..2000).prop_map(Value::from),
        Just(Value::from(0.5)),
        proptest::sample::select(vec!["main", "git", "api", "keep", "actions", "gha", "x"]).prop_map(Value::from),
    ];
    let keys = vec![
        "components",
        "base",
        "phases",
        "images",
        "build",
        "pull-request",
        "version",
        "sites",
        "files",
        "arg",
        "expect",
        "tags",
        "dockerfile",
        "name",
        "component",
        "commit-via",
        "when-stale",
        "engine",
        "parallel",
        "actions",
        "buildx",
        "cache",
        "trigger",
        "tag",
        "platforms",
        "upstream",
        "github",
        "update",
        "ignore",
        "whole",
        "nonsense",
    ];
    let leaf = word;
    let keys = proptest::sample::select(keys);
    let tree = leaf.prop_recursive(6, 60, 6, move |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from);
        let map = proptest::collection::vec((keys.clone(), inner), 0..5)
            .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>());
        prop_oneof![list, map]
    });
    (tree.clone(), tree).prop_map(|(component, other)| {
        let mut document = serde_json::json!({ "components": { "a": component } });
        if let Some(entries) = other.as_object() {
            for (key, value) in entries {
                document[key] = value.clone();
            }
        }
        document
    })
}

static SCHEMA: LazyLock<Value> = LazyLock::new(json_schema);
static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

proptest! {
    /// JSON is YAML, so the tool reads the very document that a validator of JSON Schema judges.
    #[test]
    fn the_tool_finds_faults_of_shape_exactly_where_a_validator_does(document in documents()) {
        let text = document.to_string();
        let mut faults = crate::config::faults::Faults::new("release.yaml", &text);
        let mut root = crate::config::yaml::read(&text, &mut faults).unwrap();
        crate::config::shape::check(&SCHEMA, &mut root, &mut faults);
        prop_assert_eq!(faults.into_result(Some(())).is_ok(), VALIDATOR.is_valid(&document), "{}", text);
        // whatever was at fault is taken out, so that serde can read the rest
        prop_assert!(serde_yaml::from_value::<crate::config::raw::Release>(root.to_yaml()).is_ok(), "{}", text);
        let _ = Config::parse("release.yaml", text.as_bytes());
    }
}
