//! `gs-release graph`.

use super::{Format, Global, place::Place};
use crate::error::Result;
use crate::git::Repository;
use crate::report;

/// Arguments of `graph`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The commit whose config and Dockerfiles are read: a branch, a tag or an id.
    #[arg(long = "ref", value_name = "REF", default_value = "HEAD")]
    reference: String,
}

/// Reads the graph of a commit and writes it in the format that is asked for.
pub fn run(global: &Global, args: Args) -> Result<()> {
    let repository = Repository::open(&global.directory)?;
    let commit = repository.resolve(&args.reference)?;
    let place = Place::read(global, &repository, Some(commit))?;
    let graph = place.graph(&repository, commit)?;
    if global.is_json() {
        report::json(&report::json_of(&report::documents::ImageGraph::new(&graph))?);
        return Ok(());
    }
    for note in &graph.notes {
        global.say(&format!("note: {}:{}: {}", note.path, note.line, note.message));
    }
    let written = match global.format {
        Format::Mermaid => report::graph::mermaid(&graph),
        Format::Dot => report::graph::dot(&graph),
        Format::Svg => report::graph::svg(&graph),
        Format::Human | Format::Json | Format::Text => report::graph::text(&graph),
    };
    report::result(written.trim_end());
    Ok(())
}
