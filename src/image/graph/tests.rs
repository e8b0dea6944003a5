//! The graph of small releases, every fault of one, and this repository's own.

use std::collections::BTreeMap;

use super::super::testing::{Tree, phase};
use super::*;

const TWO: &str = "FROM r.example.com/p/a:v1.2.3\n";

/// Image `a` of phase `one` from `a.Dockerfile`, image `b` of phase `two` from `b.Dockerfile`.
fn two(a: &str, b: &str) -> Tree {
    let phases = phase("one", "v", &["a: { dockerfile: a.Dockerfile, tags: ['v{v}', latest] }"])
        + &phase("two", "g", &["b: { dockerfile: b.Dockerfile, tags: ['{g}'] }"]);
    Tree::new(&phases, &[("a.Dockerfile", a), ("b.Dockerfile", b)])
}

/// `image: how reference line` of each base of the image called `name`.
fn bases(tree: &Tree, name: &str) -> Vec<String> {
    let graph = tree.graph().unwrap();
    let node = &graph.nodes[graph.index(name).unwrap()];
    let image = |base: &Base| base.node.map_or("external", |node| graph.nodes[node].image.as_str()).to_owned();
    node.bases.iter().map(|b| format!("{}: {:?} {} {}", image(b), b.how, b.reference, b.line)).collect()
}

/// The messages of all faults of `b`.
fn faults_of_b(b: &str) -> Vec<String> {
    two("FROM scratch", b).faults().into_iter().map(|(_, _, message)| message).collect()
}

#[test]
fn this_repository_s_images_are_built_in_the_order_that_the_readme_tells() {
    let file = |path: &str| std::fs::read(path).map(Some).unwrap();
    let text = String::from_utf8(file("release.yaml").unwrap()).unwrap();
    let config = Config::parse("release.yaml", text.as_bytes()).unwrap();
    let versions = [("vineyard", "0.24.1"), ("graphscope", "0.28.0")];
    let versions = versions.map(|(name, version)| (name.to_owned(), version.parse().unwrap())).into();
    let release = Release { config: &config, path: "release.yaml", text: &text, versions: &versions };
    let mut asked = Vec::new();
    let graph = Graph::read(release, |path| {
        asked.push(path.to_owned());
        Ok(file(path))
    });
    let graph = graph.unwrap();
    asked.dedup();
    assert_eq!(asked.len(), 12, "each Dockerfile is read once: {asked:?}");
    let edges: BTreeMap<&str, String> = graph
        .nodes
        .iter()
        .map(|node| {
            let names: Vec<&str> = node.needs().iter().map(|base| graph.nodes[*base].image.as_str()).collect();
            (node.image.as_str(), names.join(" "))
        })
        .collect();
    for (image, needs) in [
        ("graphscope-dev-base", ""),
        ("vineyard-dev", ""),
        ("graphscope-dev", "graphscope-dev-base vineyard-dev"),
        ("graphscope-dev-wheel", "graphscope-dev"),
        ("vineyard-runtime", "vineyard-dev"),
        ("coordinator", "graphscope-dev"),
        ("analytical", "graphscope-dev vineyard-dev"),
        ("analytical-java", "graphscope-dev vineyard-dev"),
        ("interactive-frontend", "graphscope-dev"),
        ("interactive-executor", "graphscope-dev vineyard-runtime"),
        ("learning", "graphscope-dev vineyard-runtime"),
        ("graphscope-store", "graphscope-dev"),
        ("dataset", "graphscope-dev"),
        ("jupyter", "graphscope-dev"),
    ] {
        assert_eq!(edges[image], needs, "{image}");
    }
    let waves = |phase: usize| graph.phases[phase].waves.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!((waves(0), waves(1)), (vec![2, 2, 1], vec![9]));
    assert!(graph.notes.is_empty(), "{:?}", graph.notes);
}

#[test]
fn a_base_is_found_however_it_is_written() {
    for (b, expected) in [
        (TWO, "a: From r.example.com/p/a:v1.2.3 1"),
        ("FROM alias.example.com/p/a:v1.2.3", "a: From alias.example.com/p/a:v1.2.3 1"),
        ("ARG R=r.example.com/p V=1.2.3\nFROM $R/a:v${V} AS x\n", "a: From r.example.com/p/a:v1.2.3 2"),
        ("FROM r.example.com/p/a:${X:-v1.2.3}", "a: From r.example.com/p/a:v1.2.3 1"),
        ("ARG I=\"r.example.com/p/a:v1.2.3\"\nfrom ${I} as x", "a: From r.example.com/p/a:v1.2.3 2"),
        ("FROM r.example.com/p/a:v1.2.3-$TARGETARCH", "a: From r.example.com/p/a:v1.2.3-amd64 1"),
        ("FROM --platform=$BUILDPLATFORM r.example.com/p/a:v1.2.3", "a: From r.example.com/p/a:v1.2.3 1"),
        ("FROM --platform=linux/amd64 r.example.com/p/a:v1.2.3", "a: From r.example.com/p/a:v1.2.3 1"),
        (
            "FROM scratch\nCOPY --chown=1 --from=r.example.com/p/a:v1.2.3 --link /x /y",
            "a: Copy r.example.com/p/a:v1.2.3 2",
        ),
        (
            "FROM scratch\nRUN --mount=type=bind,from=r.example.com/p/a:v1.2.3,target=/m x",
            "a: Mount r.example.com/p/a:v1.2.3 2",
        ),
        ("FROM debian:12-slim", "external: From debian:12-slim 1"),
        ("FROM debian@sha256:00ff", "external: From debian@sha256:00ff 1"),
        ("FROM localhost:5000/p/a:v1.2.3", "external: From localhost:5000/p/a:v1.2.3 1"),
        ("FROM r.example.com/p/a-base:v1.2.3", "external: From r.example.com/p/a-base:v1.2.3 1"),
        ("FROM r.example.com/p/other/a:v1.2.3", "external: From r.example.com/p/other/a:v1.2.3 1"),
    ] {
        assert_eq!(bases(&two("FROM scratch", b), "b"), [expected], "{b}");
    }
}

#[test]
fn only_what_the_target_reaches_counts() {
    let text = "FROM ext:1 AS one\n\
        FROM ext:2 AS Two\nCOPY --from=one /x /x\n\
        FROM ext:3 AS three\nRUN --mount=from=two,target=/m x\n\
        FROM ext:4 AS four\nCOPY --from=0 /x /x\n\
        FROM one AS five\n\
        FROM scratch AS six\nFROM ${TARGETARCH}-only AS arch\nFROM ext:$V AS broken\n";
    for (target, expected) in [
        ("one", &["ext:1"][..]),
        ("TWO", &["ext:1", "ext:2"]),
        ("three", &["ext:1", "ext:2", "ext:3"]),
        ("four", &["ext:1", "ext:4"]),
        ("five", &["ext:1"]),
        ("six", &[]),
        ("arch", &["amd64-only", "arm64-only"]),
    ] {
        let image = format!(
            "a: {{ dockerfile: Dockerfile, target: {target}, tags: ['v{{v}}'], platforms: [linux/amd64, linux/arm64] }}"
        );
        let tree = Tree::new(&phase("one", "v", &[&image]), &[("Dockerfile", text)]);
        let graph = tree.graph().unwrap();
        let found: Vec<&str> = graph.nodes[0].bases.iter().map(|base| base.reference.as_str()).collect();
        assert_eq!(found, expected, "{target}");
    }
}

#[test]
fn build_args_decide_per_image_and_per_platform() {
    let image = |name: &str, value: &str| {
        format!("{name}: {{ dockerfile: Dockerfile, tags: ['v{{v}}'], args: {{ V: '{value}' }} }}")
    };
    let images = [image("a", "{g}-{arch}"), image("b", "9")];
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let tree = Tree::new(&phase("one", "v", &images), &[("Dockerfile", "ARG V=1\nFROM ext:$V")]);
    assert_eq!(bases(&tree, "a"), ["external: From ext:4.5.6-amd64 2"]);
    assert_eq!(bases(&tree, "b"), ["external: From ext:9 2"]);
}

#[test]
fn the_tag_decides_among_images_of_one_repository() {
    let images = [
        "dev: { dockerfile: x, tags: ['v{v}', latest] }",
        "dev-wheel: { repository: dev, dockerfile: y, tags: ['wheel-v{v}', wheel] }",
        "c: { dockerfile: z, tags: ['v{v}'] }",
    ];
    let files = [
        ("x", "FROM scratch"),
        ("y", "FROM r.example.com/p/dev:v1.2.3"),
        ("z", "FROM r.example.com/p/dev:wheel-v1.2.3"),
    ];
    let tree = Tree::new(&phase("one", "v", &images), &files);
    assert_eq!(bases(&tree, "c"), ["dev-wheel: From r.example.com/p/dev:wheel-v1.2.3 1"]);
    let graph = tree.graph().unwrap();
    assert_eq!(graph.phases[0].waves, [[0], [1], [2]]);
    assert_eq!(graph.dependants(0), [1, 2].into());
}

#[test]
fn a_registry_on_docker_hub_has_many_spellings() {
    let config = "registry: docker.io/graphscope\ncomponents: { v: { version: 1.2.3 } }\nphases:\n".to_owned()
        + &phase("one", "v", &["a: { dockerfile: x, tags: ['v{v}'] }", "b: { dockerfile: y, tags: ['v{v}'] }"]);
    let tree = Tree::with_config(config, &[("x", "FROM debian:12"), ("y", "FROM graphscope/a:v1.2.3")]);
    assert_eq!(bases(&tree, "b"), ["a: From graphscope/a:v1.2.3 1"]);
}

#[test]
fn references_that_cannot_be_are_faults() {
    for (b, expected) in [
        ("FROM r.example.com/p/a:v9", "`r.example.com/p/a:v9`: `a` publishes no tag `v9`"),
        ("FROM r.example.com/p/a:v1.2.3-beta", "`r.example.com/p/a:v1.2.3-beta`: `a` publishes no tag `v1.2.3-beta`"),
        ("FROM r.example.com/p/a", "`r.example.com/p/a` is a moving tag of `a`, an image of this release"),
        (
            "FROM r.example.com/p/a:latest",
            "`r.example.com/p/a:latest` is a moving tag of `a`, an image of this release",
        ),
        (
            "FROM r.example.com/p/a:v1.2.3@sha256:00",
            "`r.example.com/p/a:v1.2.3@sha256:00` pins an image of this release, `a`, by digest",
        ),
        ("FROM r.example.com/p/a:v1.2.3-arm64", "`b` needs `a` for linux/arm64, which it is not built for"),
        (
            "FROM --platform=linux/arm64 r.example.com/p/a:v1.2.3",
            "`b` needs `a` for linux/arm64, which it is not built for",
        ),
        ("FROM $BASE", "`FROM $BASE` has a variable without a value"),
        ("ARG BASE\nFROM $BASE", "`FROM $BASE` has a variable without a value"),
        ("ARG BASE=\nFROM $BASE", "`FROM $BASE` has a variable without a value"),
        ("FROM x\nARG V=1\nCOPY --from=y:$V a b", "`COPY --from=y:$V`: variables are not replaced here"),
        ("FROM x\nCOPY --from=3 a b", "`COPY --from=3`: there is no stage of that index"),
        ("FROM x AS x\nCOPY --from=x a b", "`COPY --from=x`: that stage does not come before this one"),
        ("FROM x\nNONSENSE y", "not a Dockerfile: unknown instruction 'NONSENSE'"),
        ("ARG V=1", "`b.Dockerfile` has no FROM"),
    ] {
        assert_eq!(faults_of_b(b), [expected], "{b}");
    }
}

#[test]
fn a_stage_that_is_not_reached_may_be_broken() {
    let b = "FROM r.example.com/p/a:v9 AS old\nFROM $NOTHING AS odd\nFROM scratch\n";
    assert!(two("FROM scratch", b).graph().is_ok());
}

#[test]
fn a_base_of_a_later_phase_is_a_fault_and_so_is_the_cycle() {
    let tree = two("FROM x\n\nCOPY --from=r.example.com/p/b:4.5.6 /x /x\n", TWO);
    let faults = tree.faults();
    assert_eq!(
        faults,
        [
            ("a.Dockerfile".into(), 3, "`a` is built on `b`, which is of a later phase".into()),
            ("a.Dockerfile".into(), 3, "images are built on each other: a -> b -> a".into()),
        ]
    );
}

#[test]
fn every_member_of_every_cycle_is_named() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let images: Vec<String> = names.map(|n| format!("{n}: {{ dockerfile: {n}, tags: ['v{{v}}'] }}")).into();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let on = |bases: &[&str]| {
        let lines = bases.iter().map(|base| format!("COPY --from=r.example.com/p/{base}:v1.2.3 /x /x\n"));
        format!("FROM scratch\n{}", lines.collect::<String>())
    };
    // a and b, a and c: two cycles that share a; d is merely built on one; e is built on itself; f is fine
    let files = [on(&["b", "c"]), on(&["a"]), on(&["a"]), on(&["c"]), on(&["e"]), on(&[])];
    let files: Vec<(&str, &str)> = names.into_iter().zip(files.iter().map(String::as_str)).collect();
    let messages: Vec<String> =
        Tree::new(&phase("one", "v", &images), &files).faults().into_iter().map(|fault| fault.2).collect();
    assert_eq!(
        messages,
        [
            "images are built on each other: a -> b -> a",
            "images are built on each other: c -> a -> c",
            "`e` is built on itself"
        ]
    );
}

#[test]
fn a_long_cycle_is_named_in_order() {
    let count = 1000;
    let images: Vec<String> = (0..count).map(|i| format!("i{i}: {{ dockerfile: d{i}, tags: ['v{{v}}'] }}")).collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let files: Vec<(String, String)> =
        (0..count).map(|i| (format!("d{i}"), format!("FROM r.example.com/p/i{}:v1.2.3", (i + 1) % count))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let faults = Tree::new(&phase("one", "v", &images), &files).faults();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].2.starts_with("images are built on each other: i0 -> i1 -> i2 -> "));
    assert!(faults[0].2.ends_with(" -> i999 -> i0"));
}

#[test]
fn platforms_of_an_image_are_those_of_its_bases_or_fewer() {
    let images = |a: &str, b: &str| {
        phase(
            "one",
            "v",
            &[
                &format!("a: {{ dockerfile: a, platforms: [{a}], tags: ['v{{v}}'] }}"),
                &format!("b: {{ dockerfile: b, platforms: [{b}], tags: ['v{{v}}'] }}"),
            ],
        )
    };
    let both = "linux/amd64, linux/arm64";
    for (a, b, from, fine) in [
        (both, "linux/arm64", "", true),
        (both, both, "", true),
        ("linux/amd64", both, "", false),
        ("linux/arm64/v8", "linux/arm64", "", true),
        ("linux/amd64", both, "--platform=$BUILDPLATFORM ", true),
        ("linux/amd64", both, "--platform=linux/amd64 ", true),
        ("linux/amd64", both, "--platform=$TARGETPLATFORM ", false),
    ] {
        let file = format!("FROM {from}r.example.com/p/a:v1.2.3");
        let tree = Tree::new(&images(a, b), &[("a", "FROM scratch"), ("b", &file)]);
        assert_eq!(tree.graph().is_ok(), fine, "{a} {b} {from}");
    }
}

#[test]
fn all_faults_are_told_in_one_run_and_each_once() {
    let images = [
        "gone: { dockerfile: gone.Dockerfile, tags: ['v{v}'] }",
        "bad: { dockerfile: bad.Dockerfile, tags: ['v{v}'] }",
        "a: { dockerfile: x.Dockerfile, target: built, tags: ['v{v}'] }",
        "b: { dockerfile: x.Dockerfile, target: biult, tags: ['v{v}'] }",
        "c: { dockerfile: x.Dockerfile, target: built, tags: ['v{v}'] }",
    ];
    let files =
        [("bad.Dockerfile", "FROM x\n  WHAT now\n"), ("x.Dockerfile", "FROM $A\nFROM r.example.com/p/a:v0 AS built\n")];
    let tree = Tree::new(&phase("one", "v", &images), &files);
    let error = tree.graph().unwrap_err();
    assert_eq!(error.message, "the image graph has 4 faults");
    let shown: Vec<(&str, usize, &str)> =
        error.faults.iter().map(|f| (f.path.as_str(), f.line_column().0, &f.text[f.span.clone()])).collect();
    assert_eq!(
        shown,
        [
            ("bad.Dockerfile", 2, "WHAT now"),
            ("release.yaml", 11, "gone.Dockerfile"),
            ("release.yaml", 14, "biult"),
            ("x.Dockerfile", 2, "r.example.com/p/a:v0"),
        ]
    );
    assert_eq!(error.faults[2].help.as_deref(), Some("did you mean `built`?"));
}

#[test]
fn floating_bases_of_others_are_noted_once() {
    let images = [
        "a: { dockerfile: Dockerfile, tags: ['v{v}'], platforms: [linux/amd64, linux/arm64] }",
        "b: { dockerfile: Dockerfile, tags: ['v{v}'] }",
    ];
    let text = "FROM debian:latest AS x\nFROM ubuntu AS y\nFROM debian:12 AS z\nCOPY --from=x . .\nCOPY --from=y . .\n";
    let graph = Tree::new(&phase("one", "v", &images), &[("Dockerfile", text)]).graph().unwrap();
    let notes: Vec<(usize, &str)> = graph.notes.iter().map(|note| (note.line, note.message.as_str())).collect();
    assert_eq!(
        notes,
        [
            (1, "`debian:latest` is a floating base: it may change without notice"),
            (2, "`ubuntu` is a floating base: it may change without notice")
        ]
    );
}

#[test]
fn a_named_context_takes_the_place_of_a_stage_or_an_image() {
    let images = |contexts: &str| {
        let b = format!("b: {{ dockerfile: b, tags: ['v{{v}}'], contexts: {{ {contexts} }} }}");
        phase("one", "v", &["a: { dockerfile: a, tags: ['v{v}'] }", &b])
    };
    let text = "FROM ext:1 AS source\nFROM ext:2 AS other\nFROM ext:3\nCOPY --from=source / /\nCOPY --from=ext:4 / /\n";
    for (contexts, expected) in [
        ("source: files", &["external: From ext:3 3", "external: Copy ext:4 5"][..]),
        ("source: 'https://example.com/a.git#v1'", &["external: From ext:3 3", "external: Copy ext:4 5"]),
        ("'docker.io/library/ext:4': files", &["external: From ext:1 1", "external: From ext:3 3"]),
        (
            "source: 'docker-image://r.example.com/p/a:v{v}'",
            &["external: From ext:3 3", "a: Copy r.example.com/p/a:v1.2.3 4", "external: Copy ext:4 5"],
        ),
        (
            "'ext:3': 'docker-image://r.example.com/p/a:v{v}-{arch}'",
            &["external: From ext:1 1", "a: From r.example.com/p/a:v1.2.3-amd64 3", "external: Copy ext:4 5"],
        ),
    ] {
        let tree = Tree::new(&images(contexts), &[("a", "FROM scratch"), ("b", text)]);
        assert_eq!(bases(&tree, "b"), expected, "{contexts}");
    }
}
