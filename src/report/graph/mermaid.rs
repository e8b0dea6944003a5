//! The graph as a Mermaid flowchart, as GitHub renders it in Markdown.

use super::{edges, externals, line, tags};
use crate::image::graph::Graph;

/// A flowchart; `graph` in a fence marked `mermaid`.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::new();
    line(&mut out, 0, format_args!("flowchart LR"));
    for (index, phase) in graph.phases.iter().enumerate() {
        line(&mut out, 1, format_args!("subgraph phase{index}[\"{}\"]", escaped(&phase.name)));
        for node in phase.waves.iter().flatten() {
            let image = &graph.nodes[*node];
            let tags = tags(image).map(escaped).collect::<Vec<_>>().join(", ");
            line(&mut out, 2, format_args!("n{node}[\"<b>{}</b><br/>{tags}\"]", escaped(&image.image)));
        }
        line(&mut out, 1, format_args!("end"));
    }
    let externals = externals(graph);
    for (index, external) in externals.iter().enumerate() {
        line(&mut out, 1, format_args!("n{}([\"{}\"])", graph.nodes.len() + index, escaped(external)));
    }
    for (from, to) in edges(graph, &externals) {
        let arrow = if from < graph.nodes.len() { "-->" } else { "-.->" };
        line(&mut out, 1, format_args!("n{from} {arrow} n{to}"));
    }
    out
}

/// `text` inside a quoted label: entity codes for what would end or change it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | '\\' => out.push_str(&format!("#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
