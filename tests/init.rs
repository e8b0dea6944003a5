//! `gs-release init`, the real binary in small repositories laid out as GraphScope has been.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};

use support::Sandbox;

/// Path, what it holds before a bump of both components, and after it.
const PROJECT: [(&str, &str, &str); 5] = [
    ("VERSION", "0.28.0\n", "0.29.0\n"),
    ("V6D_VERSION", "v0.22.0\n", "v0.23.0\n"),
    (
        "charts/graphscope/Chart.yaml",
        "version: 0.28.0\nappVersion: \"0.28.0\"\n",
        "version: 0.29.0\nappVersion: \"0.29.0\"\n",
    ),
    (
        ".github/workflows/gae.yml",
        "image: r.example.com/graphscope/graphscope-dev:v0.22.0-amd64\n",
        "image: r.example.com/graphscope/graphscope-dev:v0.23.0-amd64\n",
    ),
    ("k8s/Makefile", "VINEYARD_VERSION ?= v0.22.0\n", "VINEYARD_VERSION ?= v0.23.0\n"),
];

/// What the other tests add to it: places that no bump may touch.
const OTHERS: [(&str, &str); 6] = [
    ("requirements.txt", "vineyard>=0.23.0\nrocksdb==0.23.0\n"),
    ("Cargo.toml", "[dependencies]\nopentelemetry = \"0.29.0\"\n"),
    ("CHANGELOG.md", "- vineyard 0.23.0\n"),
    ("LICENSE", "vineyard (0.23.0)\n"),
    ("client.yaml", "image: r.example.com/graphscope/coordinator:0.29.0a20240526\n"),
    ("CMakeLists.txt", "find_package(vineyard 0.23.0 REQUIRED)\n"),
];

/// A repository that was bumped twice, the second time but for `forgotten`.
fn bumped(forgotten: &str) -> Sandbox {
    bumped_beside(forgotten, None)
}

/// A repository that was bumped twice, with a file that held `texts` in turn.
fn bumped_with(path: &str, texts: &[String; 3]) -> Sandbox {
    bumped_beside("", Some((path, texts)))
}

fn bumped_beside(forgotten: &str, beside: Option<(&str, &[String; 3])>) -> Sandbox {
    let first = PROJECT.map(|(path, text, _)| (path, text.replace("0.28.0", "0.27.0").replace("0.22.0", "0.21.3")));
    let also = beside.iter().map(|(path, texts)| (*path, texts[0].as_str()));
    let files: Vec<_> = first.iter().map(|(path, text)| (*path, text.as_str())).chain(also).collect();
    let sandbox = Sandbox::new(&files);
    let also = |step: usize| beside.iter().for_each(|(path, texts)| sandbox.write(path, texts[step].as_bytes()));
    PROJECT.iter().for_each(|(path, before, _)| sandbox.write(path, before.as_bytes()));
    also(1);
    sandbox.commit();
    for (path, _, after) in PROJECT.iter().filter(|(path, ..)| *path != forgotten) {
        sandbox.write(path, after.as_bytes());
    }
    OTHERS.iter().for_each(|(path, text)| sandbox.write(path, text.as_bytes()));
    also(2);
    sandbox.commit();
    sandbox
}

const COMPONENTS: [&str; 4] = ["--component", "vineyard=0.23.0@v6d-io/v6d", "--component", "graphscope=0.29.0"];

fn init(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let output = sandbox.run(&[&["init", "--json"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `path:line component version` of each entry of a list in the document.
fn told(document: &Value, list: &str) -> Vec<String> {
    let entries = document[list].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap().to_owned();
            format!("{}:{} {} {}", text("path"), entry["line"], text("component"), text("version"))
        })
        .collect()
}

#[test]
fn every_place_is_found_and_given_to_its_component() {
    let sandbox = bumped("");
    let document = init(&sandbox, &COMPONENTS);
    assert_eq!(
        told(&document, "sites"),
        [
            ".github/workflows/gae.yml:1 vineyard 0.23.0",
            "V6D_VERSION:1 vineyard 0.23.0",
            "VERSION:1 graphscope 0.29.0",
            "charts/graphscope/Chart.yaml:1 graphscope 0.29.0",
            "charts/graphscope/Chart.yaml:2 graphscope 0.29.0",
            "k8s/Makefile:1 vineyard 0.23.0",
        ]
    );
    assert_eq!(document["components"][0]["version-file"], "V6D_VERSION");
    assert_eq!(document["components"][1]["version-file"], "VERSION");
}

#[test]
fn what_is_no_site_is_named_with_its_reason() {
    let document = init(&bumped(""), &COMPONENTS);
    let rejected = document["rejected"].as_array().unwrap().iter();
    let rejected: Vec<_> =
        rejected.map(|r| format!("{}: {}", r["path"].as_str().unwrap(), r["reason"].as_str().unwrap())).collect();
    assert_eq!(
        rejected,
        [
            "CHANGELOG.md: in a changelog",
            "CMakeLists.txt: a minimum requirement",
            "Cargo.toml: the version of other software (`opentelemetry`)",
            "LICENSE: in a licence notice",
            "client.yaml: part of a nightly or pre-release",
            "requirements.txt: a minimum requirement",
            "requirements.txt: the version of other software (`rocksdb`)",
        ]
    );
}

#[test]
fn a_place_that_was_forgotten_is_found_and_the_config_brings_it_in_line() {
    for forgotten in ["charts/graphscope/Chart.yaml", ".github/workflows/gae.yml", "k8s/Makefile"] {
        let sandbox = bumped(forgotten);
        let document = init(&sandbox, &COMPONENTS);
        let drifted: Vec<_> =
            document["sites"].as_array().unwrap().iter().filter(|site| site["drifted"] == true).collect();
        assert!(
            !drifted.is_empty() && drifted.iter().all(|site| site["path"] == forgotten),
            "{forgotten}: {drifted:?}"
        );
        sandbox.commit();
        for (component, version) in [("vineyard", "0.24.2"), ("graphscope", "0.31.0")] {
            let output = sandbox.run(&["bump", component, version, "--write"]);
            assert!(output.status.success(), "{forgotten}: {}", String::from_utf8_lossy(&output.stderr));
        }
        for (path, _, after) in PROJECT {
            let expected = after.replace("0.23.0", "0.24.2").replace("0.29.0", "0.31.0");
            let written = std::fs::read_to_string(sandbox.path().join(path)).unwrap();
            assert_eq!(
                written,
                expected,
                "{path} with {forgotten} forgotten:\n{}",
                document["config"].as_str().unwrap()
            );
        }
        for (path, text) in OTHERS {
            assert_eq!(std::fs::read_to_string(sandbox.path().join(path)).unwrap(), text, "{path}");
        }
    }
}

#[test]
fn a_place_that_has_the_number_by_chance_is_told_by_its_past() {
    let before = [
        ("VERSION", "0.8.0\n"),
        ("tools/package.json", "{ \"version\": \"0.9.0\" }\n"),
        ("a/setup.cfg", "version = 0.8.0\n"),
    ];
    let sandbox = Sandbox::new(&before);
    for version in 1..20 {
        // it takes more than a few commits to tell a bump in parts from a coincidence
        sandbox.write("README.md", format!("{version}\n").as_bytes());
        sandbox.commit();
    }
    sandbox.write("VERSION", b"0.9.0\n");
    sandbox.write("a/setup.cfg", b"version = 0.9.0\n");
    sandbox.commit();
    let document = init(&sandbox, &["--component", "graphscope=0.9.0"]);
    assert_eq!(told(&document, "sites"), ["VERSION:1 graphscope 0.9.0", "a/setup.cfg:1 graphscope 0.9.0"]);
    assert_eq!(told(&document, "rejected"), ["tools/package.json:1 graphscope 0.9.0"]);
}

#[test]
fn a_package_that_went_its_own_way_and_an_image_in_a_help_text_are_doubtful() {
    let package =
        |version: &str| format!("{{\"name\": \"@graphscope/graphscope-jupyter\", \"version\": \"{version}\"}}\n");
    let sandbox = bumped_with("jupyter/package.json", &["0.27.0", "0.28.0", "0.28.1"].map(package));
    let document = init(&sandbox, &COMPONENTS);
    assert!(
        told(&document, "doubtful").contains(&"jupyter/package.json:1 graphscope 0.28.1".to_owned()),
        "{document:#}"
    );
    let help = "\tvineyardctl deploy vineyardd --image vineyardcloudnative/vineyardd:v0.22.0\n".to_owned();
    let sandbox = bumped_with("deploy.go", &[String::new(), help.clone(), help]);
    let document = init(&sandbox, &COMPONENTS);
    assert!(told(&document, "doubtful").contains(&"deploy.go:1 vineyard 0.22.0".to_owned()), "{document:#}");
}

#[test]
fn a_package_that_never_moved_with_the_component_is_doubtful() {
    let package = "[package]\nname = \"graphscope\"\nversion = \"0.28.0\"\n".to_owned();
    let sandbox = bumped_with("rust/Cargo.toml", &[String::new(), package.clone(), package]);
    let document = init(&sandbox, &COMPONENTS);
    assert!(told(&document, "doubtful").contains(&"rust/Cargo.toml:3 graphscope 0.28.0".to_owned()), "{document:#}");
}

#[test]
fn the_number_of_every_new_package_says_nothing_alone() {
    let package = "[package]\nname = \"pegasus\"\nversion = \"0.1.0\"\n";
    let sandbox = Sandbox::new(&[("VERSION", "0.1.0\n"), ("pegasus/Cargo.toml", package)]);
    let document = init(&sandbox, &["--component", "graphscope=0.1.0"]);
    assert_eq!(told(&document, "sites"), ["VERSION:1 graphscope 0.1.0"]);
    assert_eq!(told(&document, "doubtful"), ["pegasus/Cargo.toml:3 graphscope 0.1.0"]);
}

#[test]
fn a_version_in_three_parts_gets_a_rule_that_brings_each_of_them_in_line() {
    let header =
        "#define VINEYARD_VERSION_MAJOR 0\n#define VINEYARD_VERSION_MINOR 24\n#define VINEYARD_VERSION_PATCH 4\n";
    let sandbox = Sandbox::new(&[("VERSION", "0.24.4\n"), ("src/common/util/config.h", header)]);
    let document = init(&sandbox, &["--component", "vineyard=0.24.4"]);
    assert_eq!(told(&document, "sites"), ["VERSION:1 vineyard 0.24.4", "src/common/util/config.h:3 vineyard 0.24.4"]);
    sandbox.commit();
    let bump = sandbox.run(&["bump", "vineyard", "1.0.0", "--dry-run", "--json"]);
    let plan: Value = serde_json::from_slice(&bump.stdout).unwrap();
    let edits = plan["edits"].as_array().unwrap().iter();
    let edits: Vec<_> = edits.map(|edit| (edit["line"].clone(), edit["new"].clone())).collect();
    assert_eq!(edits, [(1, "1.0.0"), (1, "1"), (2, "0"), (3, "0")].map(|(line, new)| (line.into(), new.into())));
}

#[test]
fn without_components_they_are_proposed() {
    let document = init(&bumped(""), &["--output", "-"]);
    let names = document["components"].as_array().unwrap().iter();
    let names: Vec<_> =
        names.map(|c| format!("{} {}", c["name"].as_str().unwrap(), c["version"].as_str().unwrap())).collect();
    assert!(names.contains(&"v6d 0.23.0".to_owned()), "{names:?}");
}

#[test]
fn a_config_that_is_there_is_not_overwritten() {
    let sandbox = bumped("");
    assert_eq!(init(&sandbox, &COMPONENTS)["written"].as_str().map(|file| file.ends_with("release.yaml")), Some(true));
    let again = sandbox.run(&[&["init"], &COMPONENTS[..]].concat());
    assert_eq!(again.status.code(), Some(3));
    let text = sandbox.run(&[&["init", "--output", "-"], &COMPONENTS[..]].concat());
    let written = std::fs::read(sandbox.path().join("release.yaml")).unwrap();
    assert_eq!(text.stdout, written);
    sandbox.write("release.yaml", b"x");
    init(&sandbox, &[&COMPONENTS[..], &["--force"]].concat());
    assert_eq!(std::fs::read(sandbox.path().join("release.yaml")).unwrap(), written);
}

#[test]
fn what_is_asked_for_wrongly_is_a_usage_error() {
    let sandbox = bumped("");
    for component in ["vineyard", "vineyard=x", "vineyard=0.23.0@nobody"] {
        let output = sandbox.run(&["init", "--component", component]);
        assert_eq!(output.status.code(), Some(2), "{component}");
    }
    let empty = Sandbox::new(&[("a", "b\n")]);
    assert_eq!(empty.run(&["init"]).status.code(), Some(2));
}

/// A Makefile as GraphScope has it, with the tag of its second image.
fn makefile(tag: &str) -> String {
    format!(
        "DIR := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))\nARCH := $(subst x86_64,amd64,$(subst aarch64,arm64,$(shell uname -m)))\n\
         V6D ?= $(shell cat $(DIR)/../V6D_VERSION)\nGS := $(shell cat $(DIR)/../VERSION)\n\n\
         app:\n\tcd $(DIR)/.. && docker build --target app --build-arg V=$(V6D) \\\n\t\t-t graphscope/app:{tag} -f k8s/app.Dockerfile .\n\
         dev:\n\tcd $(DIR)/.. && docker build \\\n\t\t-t graphscope/dev:$(V6D)-$(ARCH) -f $(DIR)/dev.Dockerfile .\n"
    )
}

#[test]
fn images_are_put_in_phases_where_a_makefile_tells_them_and_else_named() {
    let sandbox = bumped("");
    sandbox.write("k8s/dev.Dockerfile", b"FROM ubuntu:22.04\n");
    let app = "ARG V=latest\nFROM r.example.com/graphscope/dev:$V-amd64 AS b\nFROM scratch AS app\nCOPY --from=b / /\n";
    sandbox.write("k8s/app.Dockerfile", app.as_bytes());
    sandbox.write("k8s/Makefile", makefile("$(GS)").as_bytes());
    sandbox.commit();
    let document = init(&sandbox, &COMPONENTS);
    let text = document["config"].as_str().unwrap();
    let phases = "registry: r.example.com/graphscope\n\nphases:\n  \
        - name: vineyard\n    component: vineyard\n    images:\n      \
        dev:\n        dockerfile: k8s/dev.Dockerfile\n        tags: ['v{vineyard}']\n  \
        - name: graphscope\n    component: graphscope\n    images:\n      \
        app:\n        dockerfile: k8s/app.Dockerfile\n        target: app\n        \
        args: { V: 'v{vineyard}' }\n        tags: ['{graphscope}']\n";
    assert!(text.contains(phases), "{text}");
    let app = &document["phases"][1];
    assert_eq!((&app["phase"], &app["component"]), (&"graphscope".into(), &"graphscope".into()));
    let told = json!([{
        "image": "app", "dockerfile": "k8s/app.Dockerfile", "target": "app", "tags": ["{graphscope}"],
        "platforms": ["linux/amd64"],
    }]);
    assert_eq!((&app["images"], &document["no-images"]), (&told, &json!([])));
    sandbox.commit();
    let graph = sandbox.run(&["graph"]);
    assert!(graph.status.success(), "{}", String::from_utf8_lossy(&graph.stderr));

    sandbox.write("k8s/Makefile", makefile("$(shell date)").as_bytes());
    sandbox.commit();
    let document = init(&sandbox, &[&COMPONENTS[..], &["--force"]].concat());
    let text = document["config"].as_str().unwrap();
    let doubt = "#   k8s/app.Dockerfile (k8s/Makefile:7): its tag depends on $(shell date)\n";
    assert_eq!(document["no-images"], json!([doubt.trim_start_matches(['#', ' ']).trim_end()]));
    assert!(text.contains(doubt) && !text.contains("        dockerfile: k8s/app.Dockerfile"), "{text}");
}

/// A release as GraphScope has it: a tag starts a workflow that builds with make and publishes under the tag.
const RELEASE: &str = "on:
  push:
    tags: ['v*']
jobs:
  build:
    steps:
    - run: make -C k8s app TAG=$GITHUB_SHA
    - run: |
        docker tag graphscope/app:$GITHUB_SHA r.example.com/graphscope/app:${GITHUB_REF#refs/tags/v}
        docker push r.example.com/graphscope/app:${GITHUB_REF#refs/tags/v}
";

#[test]
fn images_that_a_workflow_publishes_are_told_with_the_tags_it_gives_them() {
    let sandbox = bumped("");
    sandbox.write("k8s/dev.Dockerfile", b"FROM ubuntu:22.04\n");
    sandbox.write("k8s/app.Dockerfile", b"ARG V=latest\nFROM r.example.com/graphscope/dev:$V-amd64 AS app\n");
    sandbox.write("k8s/Makefile", format!("TAG ?= latest\n{}", makefile("$(TAG)")).as_bytes());
    sandbox.write(".github/workflows/release.yml", RELEASE.as_bytes());
    sandbox.commit();
    let text = init(&sandbox, &COMPONENTS)["config"].as_str().unwrap().to_owned();
    let app = "      app:\n        dockerfile: k8s/app.Dockerfile\n        target: app\n        \
        args: { V: 'v{vineyard}' }\n        tags: ['{graphscope}']\n";
    assert!(text.contains(app) && text.contains("        tags: ['v{vineyard}']\n"), "{text}");
    sandbox.commit();
    let graph = sandbox.run(&["graph"]);
    assert!(graph.status.success(), "{}", String::from_utf8_lossy(&graph.stderr));
}
