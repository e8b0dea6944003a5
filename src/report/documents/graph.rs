//! The document of `graph`, and how an image graph becomes one.

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::Platform;
use crate::image::graph::{Base, Graph, Node};
use crate::report::graph::by;

/// The document of `graph`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImageGraph<'a> {
    /// In the order they are built.
    phases: Vec<Phase<'a>>,
    /// In the order of release.yaml.
    images: Vec<Image<'a>>,
    /// What a person should know about a Dockerfile.
    notes: Vec<Note<'a>>,
}

/// Images that are built together.
#[derive(Debug, Serialize, JsonSchema)]
struct Phase<'a> {
    /// Its name.
    name: &'a str,
    /// Images by name; those of a wave need only those of earlier ones.
    waves: Vec<Vec<&'a str>>,
}

/// An image.
#[derive(Debug, Serialize, JsonSchema)]
struct Image<'a> {
    /// Its key in `images`.
    name: &'a str,
    /// The phase it belongs to.
    phase: &'a str,
    /// Its name under the registry.
    repository: &'a str,
    /// Its tags.
    tags: Vec<&'a str>,
    /// What it is built for.
    platforms: Vec<String>,
    /// What it is built on.
    bases: Vec<Edge<'a>>,
}

/// What an image is built on.
#[derive(Debug, Serialize, JsonSchema)]
struct Edge<'a> {
    /// An image of this release, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    /// Somebody else's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<&'a str>,
    /// The reference, with every variable replaced.
    reference: &'a str,
    /// The instruction: `FROM`, `COPY --from` or `RUN --mount`.
    by: &'static str,
    /// The Dockerfile.
    path: &'a str,
    /// Line of the reference, from 1.
    line: usize,
}

/// What a person should know about a Dockerfile.
#[derive(Debug, Serialize, JsonSchema)]
struct Note<'a> {
    /// The file.
    path: &'a str,
    /// From 1.
    line: usize,
    /// What to know.
    message: &'a str,
}

impl<'a> ImageGraph<'a> {
    /// The document of `graph`.
    pub fn new(graph: &'a Graph) -> Self {
        let name = |node: &usize| graph.nodes[*node].image.as_str();
        let phases = graph.phases.iter().map(|phase| Phase {
            name: &phase.name,
            waves: phase.waves.iter().map(|wave| wave.iter().map(name).collect()).collect(),
        });
        let notes = graph.notes.iter().map(|note| Note { path: &note.path, line: note.line, message: &note.message });
        ImageGraph {
            phases: phases.collect(),
            images: graph.nodes.iter().map(|node| image(graph, node)).collect(),
            notes: notes.collect(),
        }
    }
}

fn image<'a>(graph: &'a Graph, node: &'a Node) -> Image<'a> {
    let edge = |base: &'a Base| Edge {
        image: base.node.map(|node| graph.nodes[node].image.as_str()),
        external: base.node.is_none().then_some(&base.reference),
        reference: &base.reference,
        by: by(base.how),
        path: &node.dockerfile.path,
        line: base.line,
    };
    Image {
        name: &node.image,
        phase: &graph.phases[node.phase].name,
        repository: &node.repository,
        tags: node.tags.iter().map(|tag| tag.name.as_str()).collect(),
        platforms: node.platforms.iter().map(Platform::to_string).collect(),
        bases: node.bases.iter().map(edge).collect(),
    }
}
