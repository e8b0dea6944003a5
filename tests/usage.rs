//! Wrong arguments, and results that nobody takes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::fs::OpenOptions;
use std::process::Stdio;

use support::Sandbox;

#[test]
fn json_tells_all_that_is_wrong_with_the_arguments() {
    let sandbox = Sandbox::empty();
    let message = |arguments: &[&str]| {
        let (code, document) = sandbox.json(arguments);
        assert_eq!(code, 2, "{document}");
        document["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(&["bump", "vineyard"]), "the following required arguments were not provided: <VERSION>");
    assert_eq!(
        message(&["build", "--engine", "bogus"]),
        "invalid value 'bogus' for '--engine <ENGINE>' [possible values: buildx, actions]"
    );
    assert_eq!(message(&["statsu"]), "unrecognized subcommand 'statsu'");
    let hints = sandbox.json(&["statsu"]).1["error"]["hints"].to_string();
    assert!(hints.contains("a similar subcommand exists: 'status'"), "{hints}");
}

#[test]
fn no_builds_at_the_same_time_is_wrong_usage() {
    let (code, document) = Sandbox::empty().json(&["build", "--jobs", "0"]);
    assert_eq!(code, 2);
    assert!(document["error"]["message"].as_str().unwrap().contains("'0' for '--jobs <N>'"), "{document}");
}

const RESULTS: [&[&str]; 3] = [&["completions", "bash"], &["man"], &["schema"]];

#[test]
fn a_closed_pipe_ends_quietly() {
    let sandbox = Sandbox::empty();
    for arguments in RESULTS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = sandbox.command(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_one_error() {
    let sandbox = Sandbox::empty();
    for arguments in RESULTS {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = sandbox.command(arguments).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: cannot write to standard output: "), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
