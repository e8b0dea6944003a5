//! The image graph for people and programs: a text tree, and pictures as Mermaid, DOT and SVG.
//!
//! Everything here turns a [`Graph`] into text; printing it is the caller's.

mod dot;
mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use std::fmt::Write;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

use super::BOLD;
use crate::config::Platform;
use crate::image::graph::{Graph, How, Node};

/// Phases, waves and images with their bases, as an indented tree.
pub fn text(graph: &Graph) -> String {
    let mut out = String::new();
    for phase in &graph.phases {
        line(&mut out, 0, format_args!("{BOLD}{}{BOLD:#}", phase.name));
        for (number, wave) in phase.waves.iter().enumerate() {
            line(&mut out, 1, format_args!("wave {}", number + 1));
            for node in wave.iter().map(|node| &graph.nodes[*node]) {
                let tags = tags(node).collect::<Vec<_>>().join(", ");
                let platforms = node.platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ");
                let repository = match node.repository == node.image {
                    true => String::new(),
                    false => format!("{}: ", node.repository),
                };
                line(&mut out, 2, format_args!("{BOLD}{}{BOLD:#}  {repository}{tags}  [{platforms}]", node.image));
                for base in &node.bases {
                    let name = base.node.map_or(base.reference.as_str(), |node| graph.nodes[node].image.as_str());
                    let place = format!("{}:{}", node.dockerfile.path, base.line);
                    line(&mut out, 3, format_args!("{name}  {} at {place}", by(base.how)));
                }
            }
        }
    }
    out
}

fn line(out: &mut String, depth: usize, text: std::fmt::Arguments<'_>) {
    // writing to a string cannot fail
    let _ = writeln!(out, "{:indent$}{text}", "", indent = depth * 2);
}

fn tags(node: &Node) -> impl Iterator<Item = &str> {
    node.tags.iter().map(|tag| tag.name.as_str())
}

/// The instruction that names a base.
pub(super) fn by(how: How) -> &'static str {
    match how {
        How::From => "FROM",
        How::Copy => "COPY --from",
        How::Mount => "RUN --mount",
    }
}

/// Every image that somebody else publishes, once, in the order of first use.
fn externals(graph: &Graph) -> Vec<&str> {
    let mut seen = Vec::new();
    let bases = graph.nodes.iter().flat_map(|node| &node.bases).filter(|base| base.node.is_none());
    for base in bases {
        if !seen.contains(&base.reference.as_str()) {
            seen.push(base.reference.as_str());
        }
    }
    seen
}

/// Edges of a picture: from a base to what is built on it, each once. An external base counts on from the last node.
fn edges(graph: &Graph, externals: &[&str]) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        for base in &node.bases {
            let external = || externals.iter().position(|known| *known == base.reference);
            let from = base.node.or_else(|| external().map(|at| graph.nodes.len() + at));
            edges.extend(from.map(|from| (from, index)).filter(|edge| !edges.contains(edge)));
        }
    }
    edges
}
