//! Files that are no YAML, or not the YAML of a config.

use super::{faults_of, told};
use crate::config::Config;

const QUOTE: &str = "quote a text that holds `: ` or ` #`, or that starts with one of {}[]*&!|>%@`";

#[test]
fn an_empty_file_is_called_empty() {
    for text in ["", "\n\n", "# only a comment\n", "---\n"] {
        assert_eq!(faults_of(text).len(), 1, "{text:?}");
        assert!(faults_of(text)[0].ends_with("the file is empty | it needs at least `components:`"), "{text:?}");
    }
}

#[test]
fn a_file_of_ten_megabytes_is_refused_unread() {
    let error = Config::parse("release.yaml", &vec![b'['; 10 << 20]).unwrap_err();
    assert_eq!(error.message, "release.yaml is too large: 10 MiB, where 1 MiB is the limit");
    assert_eq!(error.kind.exit_code(), 2);
}

#[test]
fn bytes_that_are_not_utf_8_are_named_with_their_line() {
    let error = Config::parse("release.yaml", b"base: main\nregistry: caf\xe9\n").unwrap_err();
    assert_eq!(error.message, "release.yaml:2:14: not valid UTF-8");
    assert_eq!(told(&error), ["2:14 not valid UTF-8 | save the file as UTF-8"]);
}

#[test]
fn a_file_that_is_no_mapping_is_refused() {
    let help = "the file starts with keys, such as `components:`";
    assert_eq!(faults_of("- a\n- b\n"), [format!("1:1 expected keys with values, found a list | {help}")]);
    assert_eq!(faults_of("hello\n"), [format!("1:1 expected keys with values, found a string | {help}")]);
}

#[test]
fn a_tab_in_the_indentation_is_named() {
    let expected = ["3:3 a tab in the indentation | YAML indents with spaces"];
    assert_eq!(faults_of("components:\n  vineyard:\n  \tversion: 0.24.2\n"), expected);
    assert_eq!(
        faults_of("components:\n\tvineyard:\n\t\tversion: 0.24.2\n"),
        ["2:1 a tab in the indentation | YAML indents with spaces"]
    );
}

#[test]
fn a_duplicate_key_is_told_with_its_first_place_and_beside_other_faults() {
    assert_eq!(
        faults_of("base: main\nbase: dev\ncomponents:\n  a: { version: 1.0.0 }\n  a: { version: x }\nbse: x\n"),
        [
            "2:1 duplicate key `base` | it is given on line 1 already",
            "5:3 duplicate key `a` | it is given on line 4 already",
            "6:1 unknown key `bse` | did you mean `base`?",
        ]
    );
}

#[test]
fn broken_syntax_is_told_with_its_place() {
    let faults = faults_of("components:\n  a: { version: 1.0.0\nbase: main\n");
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with("3:"), "{faults:?}");
    assert!(faults[0].contains("not valid YAML: ") && faults[0].ends_with(QUOTE), "{faults:?}");
}

#[test]
fn texts_that_yaml_takes_for_something_else_are_to_be_quoted() {
    for (text, expected) in [
        ("base: *main\n", "quote a text that starts with `*`"),
        ("base: !main x\n", "quote a text that starts with `!`"),
        ("base: {version}\n", "quote it: \"{version}\""),
        ("base: 1.0\n", "quote it: \"1.0\""),
        ("{{ base }}: 1\n", "quote a text that starts with `{` or `[`"),
        ("base: a: b\n", QUOTE),
    ] {
        let faults = faults_of(text);
        assert!(faults.iter().any(|fault| fault.ends_with(expected)), "{text}: {faults:#?}");
    }
}

#[test]
fn a_second_document_and_merge_keys_are_refused() {
    assert_eq!(
        faults_of("components: { a: { version: 1.0.0 } }\n---\nbase: main\n"),
        ["2:1 a second document starts here | keep everything in one document, without `---` between its parts"]
    );
    assert_eq!(
        faults_of("components:\n  a: &a { version: 1.0.0 }\n  b: { <<: *a, version: 1.0.1 }\n"),
        ["3:8 merge keys (`<<`) are not supported | an alias can stand for a whole value: `key: *name`"]
    );
}

#[test]
fn aliases_cannot_be_used_to_stand_for_billions_of_values() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..30 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        text += &format!("a{n}: &a{n} [{aliases}]\n");
    }
    let faults = faults_of(&text);
    assert!(faults.iter().any(|f| f.contains("the aliases of this file stand for too many values")), "{faults:#?}");
    let faults = faults_of("base: &a [*a]\n");
    assert!(faults[0].contains("this alias stands inside what it refers to"), "{faults:#?}");
}

#[test]
fn deep_nesting_is_refused() {
    for text in ["[".repeat(200), "[".repeat(500_000), "- ".repeat(500_000), "{a: ".repeat(200)] {
        assert_eq!(faults_of(&text).len(), 1);
    }
}

#[test]
fn columns_count_bytes_also_after_other_letters() {
    assert_eq!(
        faults_of("# größe\ncomponents: { é: { version: 1.0.0, nmae: x } }\n"),
        [
            "2:15 `é` cannot be a name | letters, digits, `-`, `_` and `.`, at most 50, as a branch of git may be called",
            "2:37 unknown key `nmae` | the keys here are: version, version-file, tag, upstream, update, ignore, sites",
        ]
    );
    let faults = faults_of("\u{feff}bse: x\ncomponents: { a: { version: 1.0.0 } }\n");
    assert_eq!(faults, ["1:4 unknown key `bse` | did you mean `base`?"]);
}
