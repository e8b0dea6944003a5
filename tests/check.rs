//! `check` on trees that nobody has tidied up: odd names, long lines, work in progress, and what stops it altogether.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::Value;
use support::{Sandbox, assert_fits};

const CONFIG: &str = "components:\n  vineyard:\n    version: 0.24.2\n    sites:\n\
    \x20     - { files: '*.env', regex: 'VINEYARD=(?<version>[0-9.]+)' }\n";

fn places(document: &Value) -> Vec<String> {
    let place = |finding: &Value| {
        let part = |name: &str| finding[name].to_string().trim_matches('"').to_owned();
        format!("{} {}:{}-{}", part("code"), part("line"), part("column"), part("end-column"))
    };
    document["findings"].as_array().unwrap().iter().map(place).collect()
}

#[test]
fn a_file_whose_name_is_no_text_is_looked_at_in_the_checkout_too() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new(&[("release.yaml", CONFIG), ("a.env", "VINEYARD=0.24.2\n")]);
    for name in [&b"n\xe9.env"[..], b"n\xe8.env"] {
        let file = sandbox.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(file, "VINEYARD=0.24.1\n").unwrap();
        sandbox.commit();
        for arguments in [&["check"][..], &["check", "--ref", "HEAD"]] {
            let (code, document) = sandbox.json(arguments);
            assert_eq!(code, 1, "{arguments:?}");
            assert_eq!(places(&document)[0], "drift 1:10-16", "{arguments:?}");
        }
    }
    let (code, document) = sandbox.json(&["check", "--fix"]);
    assert_eq!((code, &document["error"]["kind"]), (3, &Value::from("refused")));
}

#[test]
fn of_a_minified_file_the_place_is_shown_and_counted_exactly() {
    let line = format!("{}VINEYARD=0.24.1;{}", "x".repeat(500_000), "y".repeat(500_000));
    let sandbox = Sandbox::new(&[("release.yaml", CONFIG), ("min.env", &line)]);
    let (_, document) = sandbox.json(&["check"]);
    assert_eq!(places(&document), ["drift 1:500010-500016"]);
    assert_fits(&document, "check");
    let output = sandbox.command(&["check"]).env("GITHUB_ACTIONS", "true").output().unwrap();
    let (shown, annotations) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(shown.contains("xVINEYARD=0.24.1;y") && shown.contains("...x"), "{shown}");
    assert!(shown.len() < 1000 && annotations.len() < 1000, "{shown}\n{annotations}");
    assert!(annotations.contains("file=min.env,line=1,col=500010,endColumn=500016"), "{annotations}");
}

#[test]
fn many_findings_in_one_file_are_each_told() {
    let mut text = "VINEYARD=0.24.1\n".repeat(3000);
    text += &"vineyard==0.24.2;".repeat(3000);
    let sandbox = Sandbox::new(&[("release.yaml", CONFIG), ("many.env", &text)]);
    let (_, document) = sandbox.json(&["check"]);
    let found = places(&document);
    assert_eq!(found.len(), 6000);
    assert_eq!((&*found[2999], &*found[5999]), ("drift 3000:10-16", "untracked 3001:50994-51000"));
    let (code, document) = sandbox.json(&["check", "--fix"]);
    assert_eq!((code, document["mended"].as_array().unwrap().len()), (1, 3000));
}

#[test]
fn mending_keeps_what_somebody_is_working_on() {
    let sandbox = Sandbox::new(&[("release.yaml", CONFIG), ("a.env", "VINEYARD=0.24.1\nX=1\n"), ("b.env", "B=1\n")]);
    sandbox.write("a.env", b"VINEYARD=0.24.1\nX=2\n");
    sandbox.git(&["add", "a.env"]);
    sandbox.write("a.env", b"VINEYARD=0.24.1\nX=3\n");
    sandbox.write("b.env", b"B=2\n");
    sandbox.write("new.env", b"VINEYARD=0.24.1\n");
    let (code, document) = sandbox.json(&["check", "--fix"]);
    assert_eq!((code, &document["mended"][0]["path"]), (0, &Value::from("a.env")));
    let read = |path: &str| std::fs::read_to_string(sandbox.path().join(path)).unwrap();
    assert_eq!(read("a.env"), "VINEYARD=0.24.2\nX=3\n");
    assert_eq!((&*read("b.env"), &*read("new.env")), ("B=2\n", "VINEYARD=0.24.1\n"));
    assert_eq!(sandbox.git(&["show", ":a.env"]), "VINEYARD=0.24.1\nX=2\n");
}

#[test]
fn mending_leads_no_component_to_a_lower_version() {
    let sandbox = Sandbox::new(&[("release.yaml", CONFIG), ("a.env", "VINEYARD=0.24.2\n")]);
    let (code, document) = sandbox.json(&["check", "--against", "0.23.0"]);
    assert_eq!((code, places(&document)), (1, vec!["drift 1:10-16".to_owned(), "drift 3:14-20".to_owned()]));
    let (code, document) = sandbox.json(&["check", "--against", "0.23.0", "--fix"]);
    assert_eq!((code, &document["error"]["kind"]), (3, &Value::from("refused")));
    assert_eq!(sandbox.git(&["status", "--short"]), "");
}

#[test]
fn what_stops_a_check_is_told_in_json() {
    let sandbox = Sandbox::new(&[("release.yaml", CONFIG), ("a.env", "VINEYARD=0.24.2\n")]);
    sandbox.write("broken.yaml", b"components: [ {\n");
    sandbox.write("latin.yaml", b"# \xe9\ncomponents: {}\n");
    sandbox.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    for (arguments, code, told) in [
        (&["check", "--config", "broken.yaml"][..], 2, "broken.yaml"),
        (&["check", "--config", "latin.yaml"], 2, "latin.yaml"),
        (&["check", "--config", "none.yaml"], 2, "none.yaml"),
        (&["check", "--ref", "none"], 2, "none"),
        (&["check", "--against", "x"], 2, "x"),
        (&["check", "--against", "engine=0.24.2"], 2, "engine"),
        (&["-C", "bare.git", "check", "--fix"], 2, "--fix needs a working tree"),
    ] {
        let (exit, document) = sandbox.json(arguments);
        assert_fits(&document, "error");
        let message = document["error"]["message"].as_str().unwrap();
        assert!(exit == code && message.contains(told), "{arguments:?}: {exit} {message}");
    }
}
