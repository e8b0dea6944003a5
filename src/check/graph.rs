//! Findings about the image graph.

use std::collections::{HashMap, HashSet};

use super::{Finding, Subject, context};
use crate::config::{Code, Config};
use crate::error::Result;
use crate::image::TreeEntry;
use crate::image::graph::{Graph, Note, Release};

/// The Dockerfiles of all images.
pub(super) fn dockerfiles(config: &Config) -> HashSet<&str> {
    config.phases.iter().flat_map(|phase| &phase.images).map(|image| image.dockerfile.as_str()).collect()
}

/// What is wrong with the graph, its floating bases, and what its builds ask of `tree` and do not get. `files` holds the
/// Dockerfiles and ignore files.
///
/// # Errors
/// None in practice: every file that is asked for is in memory.
pub(super) fn findings(
    subject: &Subject<'_>,
    files: &HashMap<&str, Vec<u8>>,
    tree: &[TreeEntry],
) -> Result<Vec<Finding>> {
    let &Subject { config, path, text, versions, .. } = subject;
    let release = Release { config, path, text, versions };
    let read = |path: &str| Ok(files.get(path).cloned());
    let (graph, faults) = Graph::examine(release, read)?;
    let mut absent = graph.absent(tree, read)?;
    // a workflow of the phase's own may make files before it builds
    absent.retain(|absent| {
        let trigger = &subject.config.phases[graph.nodes[absent.node].phase].trigger;
        trigger.workflow.is_none() && trigger.tag.is_none()
    });
    let absent = context::findings(subject, &graph, absent, files, tree);
    let faults = faults.into_iter().map(|(code, fault)| Finding::of_fault(code, fault));
    let notes = graph.notes.into_iter().filter_map(|note| floating_base(&note, files.get(&*note.path)?));
    Ok(faults.chain(absent).chain(notes).collect())
}

fn floating_base(note: &Note, bytes: &[u8]) -> Option<Finding> {
    let before: usize = bytes.split_inclusive(|b| *b == b'\n').take(note.line.checked_sub(1)?).map(<[u8]>::len).sum();
    let start = before + note.column.checked_sub(1)?;
    let found = Finding::at(Code::FloatingBase, &note.path, bytes, start..start + note.length, &note.message);
    Some(found.help("name a tag that stays, such as that of a release"))
}
