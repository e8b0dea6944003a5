//! The graph in Graphviz's language.

use super::{edges, externals, line, tags};
use crate::image::graph::Graph;

/// A digraph with a cluster a phase.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::new();
    line(&mut out, 0, format_args!("digraph images {{"));
    line(&mut out, 1, format_args!("rankdir=LR; newrank=true;"));
    line(&mut out, 1, format_args!("node [shape=box, style=rounded, fontname=\"Helvetica\"];"));
    for (index, phase) in graph.phases.iter().enumerate() {
        line(&mut out, 1, format_args!("subgraph cluster_{index} {{"));
        line(&mut out, 2, format_args!("label=\"{}\"; fontname=\"Helvetica\";", escaped(&phase.name)));
        for node in phase.waves.iter().flatten() {
            let image = &graph.nodes[*node];
            let tags = tags(image).map(escaped).collect::<Vec<_>>().join(", ");
            line(&mut out, 2, format_args!("n{node} [label=\"{}\\n{tags}\"];", escaped(&image.image)));
        }
        line(&mut out, 1, format_args!("}}"));
    }
    let externals = externals(graph);
    for (index, external) in externals.iter().enumerate() {
        let id = graph.nodes.len() + index;
        line(&mut out, 1, format_args!("n{id} [label=\"{}\", style=\"rounded,dashed\"];", escaped(external)));
    }
    for (from, to) in edges(graph, &externals) {
        let style = if from < graph.nodes.len() { "" } else { " [style=dashed]" };
        line(&mut out, 1, format_args!("n{from} -> n{to}{style};"));
    }
    line(&mut out, 0, format_args!("}}"));
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
