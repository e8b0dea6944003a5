//! Geometry, escaping and completeness of the pictures.

use std::collections::BTreeMap;

use serde_json::json;

use super::layout::{BOX, Layout, layout};
use super::*;
use crate::config::Config;
use crate::image::graph::Release;
use crate::image::testing::{Tree, phase};
use crate::report::{documents, json_of};

/// The graph of this repository, from its files as they are.
fn this_repository() -> Graph {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let file = |path: &str| std::fs::read(format!("{root}{path}")).unwrap();
    let text = String::from_utf8(file("release.yaml")).unwrap();
    let config = Config::parse("release.yaml", text.as_bytes()).unwrap();
    let versions = config.components.iter().map(|component| (component.name.clone(), "1.2.3".parse().unwrap()));
    let mut versions: BTreeMap<_, _> = versions.collect();
    for component in &config.components {
        if let crate::config::VersionSource::Inline(version) = &component.version {
            versions.insert(component.name.clone(), version.clone());
        }
    }
    let release = Release { config: &config, path: "release.yaml", text: &text, versions: &versions };
    Graph::read(release, |path| Ok(Some(file(path)))).unwrap()
}

/// Three phases of `count` images each, built on each other in a way that looks arbitrary.
fn generated(count: usize) -> Graph {
    let mut files = Vec::new();
    let mut phases = String::new();
    for number in 0..3 {
        let mut images = Vec::new();
        for index in 0..count {
            let this = number * count + index;
            images.push(format!("image-{this}: {{ dockerfile: d{this}, tags: ['v{{v}}', latest] }}"));
            let mut text = "FROM scratch\n".to_owned();
            for step in [3, 7].into_iter().filter(|step: &usize| !this.is_multiple_of(*step)) {
                text += &format!("COPY --from=r.example.com/p/image-{}:v1.2.3 / /\n", this * step / (step + 1));
            }
            files.push((format!("d{this}"), text));
        }
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        phases += &phase(&format!("phase-{number}"), "v", &images);
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    Tree::new(&phases, &files).graph().unwrap()
}

/// Points along a wire, as the picture draws it.
fn points(from: (f64, f64), to: (f64, f64)) -> impl Iterator<Item = (f64, f64)> {
    let middle = (from.0 + to.0) / 2.0;
    (0..=50).map(move |step| {
        let (t, u) = (f64::from(step) / 50.0, 1.0 - f64::from(step) / 50.0);
        let bezier =
            |a: f64, b: f64, c: f64, d: f64| u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d;
        (bezier(from.0, middle, middle, to.0), bezier(from.1, from.1, to.1, to.1))
    })
}

#[test]
fn boxes_are_apart_and_no_wire_crosses_one() {
    for graph in [this_repository(), generated(20), generated(67)] {
        let Layout { width, height, bands, boxes, wires } = layout(&graph, |node| 100.0 + (node % 7) as f64 * 10.0);
        assert_eq!(boxes.len(), graph.nodes.len());
        for (index, (x, y, wide)) in boxes.iter().enumerate() {
            assert!(*x >= 0.0 && x + wide <= width && *y >= 40.0 && y + BOX <= height, "box {index} is inside");
            let (left, band) = bands[graph.nodes[index].phase];
            assert!(left <= *x && x + wide <= left + band, "box {index} is in its phase");
            for (other_x, other_y, other_wide) in &boxes[..index] {
                let beside = x + wide < *other_x || other_x + other_wide < *x;
                assert!(beside || (y - other_y).abs() >= BOX + 10.0, "box {index} is apart");
            }
        }
        for wire in &wires {
            for (x, y) in points(wire.from, wire.to) {
                let inside =
                    |(left, top, wide): &&(f64, f64, f64)| *left < x && x < left + wide && *top < y && y < top + BOX;
                assert!(boxes.iter().find(inside).is_none(), "a wire of {} crosses no box", wire.source);
            }
        }
        let arrived = wires.iter().filter(|wire| wire.arrives).count();
        let edges: usize = (0..graph.nodes.len()).map(|node| graph.needs(node).len()).sum();
        assert_eq!(arrived, edges, "every edge is drawn once");
    }
}

#[test]
fn texts_fit_their_boxes() {
    let long = "image-with-a-name-that-goes-on-and-on-and-on-for-ever";
    let tree = Tree::new(
        &phase("one", "v", &[&format!("{long}: {{ dockerfile: x, tags: ['v{{v}}'] }}")]),
        &[("x", "FROM scratch")],
    );
    let picture = svg(&tree.graph().unwrap());
    assert!(picture.contains(&format!("<title>{long}\n")), "the tooltip has all of it");
    let shown = picture.split("class=\"name\"").nth(1).unwrap().split(['>', '<']).nth(1).unwrap();
    let box_width = picture.split("class=\"box\"").nth(1).unwrap().split("width=\"").nth(1).unwrap();
    let box_width: f64 = box_width.split('"').next().unwrap().parse().unwrap();
    assert!(shown.ends_with('…') && long.starts_with(shown.trim_end_matches('…')));
    assert!(shown.chars().count() as f64 * 13.0 * 0.62 + 12.0 <= box_width, "{shown} in {box_width}");
}

#[test]
fn the_picture_in_the_repository_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/graph.svg");
    let drawn = svg(&this_repository());
    if std::env::var_os("UPDATE_GRAPH").is_some() {
        std::fs::write(path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == drawn, "docs/graph.svg is stale: run UPDATE_GRAPH=1 cargo test picture");
}

#[test]
fn the_picture_stays_the_same_from_version_to_version() {
    let drawn = svg(&this_repository());
    assert!(drawn.contains("wheel-v{vineyard}, wheel") && !drawn.contains("0.24"));
}

#[test]
fn names_are_escaped_in_every_language() {
    let images = ["a: { dockerfile: x, tags: ['v{v}'] }"];
    let graph = Tree::new(&phase("one", "v", &images), &[("x", "FROM scratch")]).graph().unwrap();
    let mut graph = Graph { notes: Vec::new(), ..graph };
    graph.nodes[0].image = "\"<&#\\".into();
    assert!(mermaid(&graph).contains("<b>#34;#60;#38;#35;#92;</b>"), "{}", mermaid(&graph));
    assert!(dot(&graph).contains(r#"label="\"<&#\\\nv1.2.3""#), "{}", dot(&graph));
    assert!(svg(&graph).contains(">&quot;&lt;&amp;#\\</text>"), "{}", svg(&graph));
}

#[test]
fn every_edge_is_in_every_language_once() {
    let images = ["a: { dockerfile: x, tags: ['v{v}'] }", "b: { dockerfile: y, tags: ['v{v}'] }"];
    let y = "FROM r.example.com/p/a:v1.2.3 AS one\nFROM debian:12\nCOPY --from=r.example.com/p/a:v1.2.3 / /\nCOPY --from=one / /";
    let graph = Tree::new(&phase("one", "v", &images), &[("x", "FROM debian:12"), ("y", y)]).graph().unwrap();
    let count = |text: &str, part: &str| text.matches(part).count();
    for (part, times) in [("n0 --> n1", 1), ("n2 -.-> n0", 1), ("n2 -.-> n1", 1), ("-->", 1), ("-.->", 2)] {
        assert_eq!(count(&mermaid(&graph), part), times, "{part}");
    }
    for (part, times) in [("n0 -> n1;", 1), ("n2 -> n0 [style=dashed];", 1), ("->", 3)] {
        assert_eq!(count(&dot(&graph), part), times, "{part}");
    }
    let document = json_of(&documents::ImageGraph::new(&graph)).unwrap();
    let bases = &document["images"][1]["bases"];
    let expected = json!([
        {"image": "a", "reference": "r.example.com/p/a:v1.2.3", "by": "FROM", "path": "y", "line": 1},
        {"external": "debian:12", "reference": "debian:12", "by": "FROM", "path": "y", "line": 2},
        {"image": "a", "reference": "r.example.com/p/a:v1.2.3", "by": "COPY --from", "path": "y", "line": 3},
    ]);
    assert_eq!(bases, &expected);
}
