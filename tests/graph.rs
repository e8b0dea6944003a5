//! `gs-release graph`, the real binary in real repositories.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::process::Output;

use serde_json::json;

use support::Sandbox;

/// Components `v` (1.2.3) and `g` (from the file VERSION), and phases `one` and `two` with these images.
fn config(one: &[&str], two: &[&str]) -> String {
    let phase = |name: &str, component: &str, images: &[&str]| {
        let images: String = images.iter().map(|image| format!("      {image}\n")).collect();
        format!("  - name: {name}\n    component: {component}\n    images:\n{images}")
    };
    format!(
        "registry: r.example.com/p\nplatforms: [linux/amd64, linux/arm64]\n\
         components: {{ v: {{ version: 1.2.3 }}, g: {{ version-file: VERSION }} }}\nphases:\n{}{}",
        phase("one", "v", one),
        phase("two", "g", two)
    )
}

const A: &str = "a: { dockerfile: a.Dockerfile, tags: ['v{v}', latest] }";
const B: &str = "b: { dockerfile: b.Dockerfile, tags: ['{g}'] }";

/// `a` from scratch, `b` from the Dockerfile given.
fn two(b: &str) -> Sandbox {
    let config = config(&[A], &[B]);
    Sandbox::new(&[
        ("release.yaml", &config),
        ("VERSION", "4.5.6\n"),
        ("a.Dockerfile", "FROM scratch\n"),
        ("b.Dockerfile", b),
    ])
}

const FINE: &str = "ARG V=v1.2.3\nFROM r.example.com/p/a:$V AS a\nFROM debian:latest\nCOPY --from=a / /\n";

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_tree_shows_phases_waves_images_and_bases() {
    let sandbox = two(FINE);
    let output = sandbox.run(&["graph"]);
    let (stdout, stderr) = texts(&output);
    assert_eq!(
        stdout,
        "one\n  wave 1\n    a  v1.2.3, latest  [linux/amd64, linux/arm64]\n\
         two\n  wave 1\n    b  4.5.6  [linux/amd64, linux/arm64]\n      \
         a  FROM at b.Dockerfile:2\n      debian:latest  FROM at b.Dockerfile:3\n"
    );
    assert_eq!(stderr, "note: b.Dockerfile:3: `debian:latest` is a floating base: it may change without notice\n");
    assert!(texts(&sandbox.run(&["graph", "--quiet"])).1.is_empty());
    assert_eq!(texts(&sandbox.run(&["graph", "--format", "text"])).0, stdout);
}

#[test]
fn the_document_has_phases_images_and_notes() {
    let (code, document) = two(FINE).json(&["graph"]);
    assert_eq!(code, 0);
    let platforms = ["linux/amd64", "linux/arm64"];
    assert_eq!(
        document,
        json!({
            "phases": [{"name": "one", "waves": [["a"]]}, {"name": "two", "waves": [["b"]]}],
            "images": [
                {"name": "a", "phase": "one", "repository": "a", "tags": ["v1.2.3", "latest"], "platforms": platforms, "bases": []},
                {"name": "b", "phase": "two", "repository": "b", "tags": ["4.5.6"], "platforms": platforms, "bases": [
                    {"image": "a", "reference": "r.example.com/p/a:v1.2.3", "by": "FROM", "path": "b.Dockerfile", "line": 2},
                    {"external": "debian:latest", "reference": "debian:latest", "by": "FROM", "path": "b.Dockerfile", "line": 3},
                ]},
            ],
            "notes": [{"path": "b.Dockerfile", "line": 3,
                "message": "`debian:latest` is a floating base: it may change without notice"}],
        })
    );
}

#[test]
fn pictures_are_for_graph_alone() {
    let sandbox = two(FINE);
    for (format, start) in [("mermaid", "flowchart LR\n"), ("dot", "digraph images {\n"), ("svg", "<svg xmlns=")] {
        let output = sandbox.run(&["graph", "--format", format]);
        assert!(texts(&output).0.starts_with(start), "{format}");
        assert_eq!(sandbox.run(&["--format", format, "graph"]).stdout, output.stdout);
        let output = sandbox.run(&["bump-v", "1.2.4", "--dry-run", "--format", format]);
        assert_eq!(output.status.code(), Some(2));
        assert!(texts(&output).1.contains(&format!("--format {format} is for `graph` only")), "{:?}", texts(&output));
    }
    let json = sandbox.run(&["graph", "--format", "json"]).stdout;
    support::assert_fits(&serde_json::from_slice(&json).unwrap(), "graph");
    assert_eq!(sandbox.run(&["graph", "--json"]).stdout, json);
    assert_eq!(sandbox.run(&["graph", "--json", "--format", "svg"]).status.code(), Some(2));
    assert_eq!(sandbox.run(&["graph", "--format", "png"]).status.code(), Some(2));
}

#[test]
fn a_commit_is_read_and_never_the_working_tree() {
    let sandbox = two(FINE);
    sandbox.git(&["tag", "before"]);
    sandbox.write("b.Dockerfile", b"FROM scratch\n");
    sandbox.write("release.yaml", b"rubbish");
    assert_eq!(sandbox.json(&["graph"]).1["images"][1]["bases"][0]["image"], "a");
    sandbox.git(&["checkout", "--quiet", "release.yaml"]);
    sandbox.commit();
    assert_eq!(sandbox.json(&["graph"]).1["images"][1]["bases"], json!([]));
    for reference in ["before", "HEAD~1", "main~1", sandbox.git(&["rev-parse", "before"]).trim()] {
        let (_, document) = sandbox.json(&["graph", "--ref", reference]);
        assert_eq!(document["images"][1]["bases"][0]["image"], "a", "{reference}");
    }
    let bare = Sandbox::empty();
    bare.git(&["clone", "--quiet", "--bare", sandbox.path().to_str().unwrap(), "."]);
    assert_eq!(bare.json(&["graph", "--ref", "before"]).0, 0);
}

#[test]
fn what_is_no_commit_is_said() {
    let (code, document) = two(FINE).json(&["graph", "--ref", "nowhere"]);
    assert_eq!((code, &document["error"]["kind"]), (2, &json!("usage")));
    assert_eq!(document["error"]["hints"], json!(["fetch it first, or name another branch, tag or commit"]));
    let empty = Sandbox::empty();
    assert_eq!(empty.run(&["graph"]).status.code(), Some(2));
    empty.git(&["init", "--quiet"]);
    let (stdout, stderr) = texts(&empty.run(&["graph"]));
    assert!(stdout.is_empty() && stderr.contains("has no commit yet"), "{stderr}");
}

#[test]
fn every_fault_is_shown_with_the_line_under_it() {
    for (b, message, line) in [
        ("FROM r.example.com/p/a:v9\n", "`a` publishes no tag `v9`", "FROM r.example.com/p/a:v9"),
        ("FROM r.example.com/p/a:latest\n", "is a moving tag of `a`", "FROM r.example.com/p/a:latest"),
        ("FROM x AS y\nFROM $BASE\n", "`FROM $BASE` has a variable without a value", "FROM $BASE"),
        ("FROM x\nWHAT now\n", "not a Dockerfile: unknown instruction 'WHAT'", "WHAT now"),
    ] {
        let output = two(b).run(&["graph"]);
        let (stdout, stderr) = texts(&output);
        assert_eq!((output.status.code(), stdout.as_str()), (Some(2), ""), "{b}");
        assert!(stderr.contains("b.Dockerfile") && stderr.contains(message) && stderr.contains(line), "{stderr}");
    }
}

#[test]
fn faults_of_the_whole_graph_are_told_in_one_run() {
    let config = config(
        &[
            "a: { dockerfile: a.Dockerfile, tags: ['v{v}'] }",
            "c: { dockerfile: c.Dockerfile, tags: ['v{v}'] }",
            "d: { dockerfile: d.Dockerfile, tags: ['v{v}'] }",
            "gone: { dockerfile: gone.Dockerfile, tags: ['v{v}'] }",
            "narrow: { dockerfile: narrow.Dockerfile, platforms: [linux/amd64], tags: ['v{v}'] }",
            "wide: { dockerfile: wide.Dockerfile, tags: ['v{v}'] }",
            "odd: { dockerfile: narrow.Dockerfile, target: build, tags: ['v{v}'] }",
        ],
        &[B],
    );
    let sandbox = Sandbox::new(&[
        ("release.yaml", &config),
        ("VERSION", "4.5.6\n"),
        ("a.Dockerfile", "FROM r.example.com/p/b:4.5.6\n"),
        ("b.Dockerfile", "FROM scratch\n"),
        ("c.Dockerfile", "FROM r.example.com/p/d:v1.2.3\n"),
        ("d.Dockerfile", "\nFROM r.example.com/p/c:v1.2.3\n"),
        ("narrow.Dockerfile", "FROM scratch AS built\n"),
        ("wide.Dockerfile", "FROM r.example.com/p/narrow:v1.2.3\n"),
    ]);
    let (code, document) = sandbox.json(&["graph"]);
    assert_eq!((code, &document["error"]["message"]), (2, &json!("the image graph has 5 faults")));
    let faults = document["error"]["faults"].as_array().unwrap();
    let told: Vec<_> = faults.iter().map(|f| json!([f["path"], f["line"], f["message"]])).collect();
    assert_eq!(
        told,
        [
            json!(["a.Dockerfile", 1, "`a` is built on `b`, which is of a later phase"]),
            json!(["c.Dockerfile", 1, "images are built on each other: c -> d -> c"]),
            json!(["release.yaml", 11, "there is no file `gone.Dockerfile`, the Dockerfile of `gone`"]),
            json!(["release.yaml", 14, "`narrow.Dockerfile` has no stage `build`, the target of `odd`"]),
            json!(["wide.Dockerfile", 1, "`wide` needs `narrow` for linux/arm64, which it is not built for"]),
        ]
    );
}

#[test]
fn this_repository_is_read_whole() {
    let output = support::isolated(env!("CARGO_BIN_EXE_gs-release"), std::path::Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["graph", "--json"])
        .output()
        .unwrap();
    // a checkout without git, as in a source archive, has no commit to read
    if std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".git").exists() {
        let (code, document) = support::document(output);
        assert_eq!((code, document["images"].as_array().map(Vec::len)), (0, Some(14)));
        assert_eq!(document["notes"], json!([]));
    }
}

#[test]
fn the_directory_of_another_repository_brings_its_own_config() {
    let (here, there) = (two(FINE), Sandbox::new(&[("README", "x")]));
    let output = here.run(&["-C", there.path().to_str().unwrap(), "graph"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(texts(&output).1.contains("needs a release.yaml at its root"), "{:?}", texts(&output));
}
