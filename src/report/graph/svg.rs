//! The graph as a picture. It brings its own background, light or dark as the viewer prefers, so it can stand anywhere.
//!
//! Tags are shown as the config writes them, with places for versions: a picture that is kept beside the text stays true
//! from version to version.

use std::fmt::Write;

use super::layout::{BOX, Layout, layout};
use crate::config::Platform;
use crate::image::graph::{Graph, Node};

/// Widest that a character of the usual monospaced fonts is, in parts of the font's size.
const ADVANCE: f64 = 0.62;
const NAME_SIZE: f64 = 13.0;
const SMALL_SIZE: f64 = 11.0;
const PADDING: f64 = 12.0;
/// Longer texts are cut; the whole of it is in the tooltip.
const LONGEST: usize = 40;
/// Colours of wires, told apart on light and dark, one a source in turn.
const WIRES: [&str; 6] = ["#3b82c4", "#d07f2c", "#5d9b45", "#a866b8", "#c9605f", "#3d9a92"];

const STYLE: &str = "\
    .page{fill:#ffffff;stroke:#d0d7de}.band{fill:#f3f5f8}.box{fill:#ffffff;stroke:#8c959f}\
    .phase{font:600 15px ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#424a53}\
    .name{font:600 13px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:#1f2328}\
    .small{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:#59636e}\
    .wire{fill:none;stroke-width:1.6}\
    @media (prefers-color-scheme:dark){.page{fill:#0d1117;stroke:#3d444d}.band{fill:#161b22}\
    .box{fill:#0d1117;stroke:#656c76}.phase{fill:#c5ccd3}.name{fill:#f0f6fc}.small{fill:#9198a1}}";

/// An SVG document.
pub fn svg(graph: &Graph) -> String {
    let layout = layout(graph, |node| width(&graph.nodes[node]));
    let mut out = String::new();
    // writing to a string cannot fail
    let _ = draw(&mut out, graph, &layout);
    out
}

fn draw(out: &mut String, graph: &Graph, layout: &Layout) -> std::fmt::Result {
    let Layout { width, height, .. } = *layout;
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="Image graph">"#
    )?;
    writeln!(out, "<style>{STYLE}</style>")?;
    let (inner_width, inner_height) = (width - 1.0, height - 1.0);
    writeln!(out, r#"<rect class="page" x="0.5" y="0.5" width="{inner_width}" height="{inner_height}" rx="10"/>"#)?;
    for (phase, (left, width)) in graph.phases.iter().zip(&layout.bands) {
        let height = height - 28.0;
        writeln!(out, r#"<rect class="band" x="{left}" y="14" width="{width}" height="{height}" rx="8"/>"#)?;
        let (x, name) = (left + 12.0, escaped(&phase.name));
        writeln!(out, r#"<text class="phase" x="{x}" y="38">{name}</text>"#)?;
    }
    for wire in &layout.wires {
        let colour = WIRES[wire.source % WIRES.len()];
        let ((x1, y1), (x2, y2)) = (wire.from, wire.to);
        let end = if wire.arrives { x2 - 6.0 } else { x2 };
        let middle = (x1 + end) / 2.0;
        let path = match y1 == y2 {
            true => format!("M{x1} {y1}H{end}"),
            false => format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {end} {y2}"),
        };
        writeln!(out, r#"<path class="wire" stroke="{colour}" d="{path}"/>"#)?;
        if wire.arrives {
            let (back, up, low) = (x2 - 7.0, y2 - 4.0, y2 + 4.0);
            writeln!(out, r#"<path fill="{colour}" d="M{x2} {y2}L{back} {up}V{low}Z"/>"#)?;
        }
    }
    for (node, (x, y, width)) in graph.nodes.iter().zip(&layout.boxes) {
        let [name, tags, platforms] = lines(node);
        let text = x + PADDING;
        writeln!(out, "<g><title>{}</title>", escaped(&[&name[..], &tags, &platforms].join("\n")))?;
        writeln!(out, r#"<rect class="box" x="{x}" y="{y}" width="{width}" height="{BOX}" rx="6"/>"#)?;
        for (class, down, line) in [("name", 20.0, name), ("small", 36.0, tags), ("small", 50.0, platforms)] {
            let (down, line) = (y + down, escaped(&cut(&line)));
            writeln!(out, r#"<text class="{class}" x="{text}" y="{down}">{line}</text>"#)?;
        }
        writeln!(out, "</g>")?;
    }
    writeln!(out, "</svg>")
}

/// Name, tags and platforms.
fn lines(node: &Node) -> [String; 3] {
    let tags: Vec<&str> = node.tags.iter().map(|tag| tag.template.as_str()).collect();
    let platform = |platform: &Platform| platform.to_string().trim_start_matches("linux/").to_owned();
    let platforms: Vec<String> = node.platforms.iter().map(platform).collect();
    [node.image.clone(), tags.join(", "), platforms.join(", ")]
}

fn width(node: &Node) -> f64 {
    let [name, tags, platforms] = lines(node).map(|line| cut(&line).chars().count() as f64);
    (name * NAME_SIZE).max(tags.max(platforms) * SMALL_SIZE) * ADVANCE + 2.0 * PADDING
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
