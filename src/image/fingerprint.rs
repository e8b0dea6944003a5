//! What an image is made of, as one hash: whether it must be built again is decided by its inputs alone.
//!
//! A fingerprint covers the instructions of the stages that the target reaches, without comments and continuations; the
//! values of the `ARG`s that these use; target and platforms; path, mode and id of the files they take from the tree;
//! the external bases as written and the fingerprints of the internal ones. It never covers a commit, a file that nothing
//! takes, or a digest. Beside it stand its [`Parts`], from which the reason of a change can be told.

mod parts;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

pub use parts::{Parts, diff};

use super::context::TreeEntry;
use super::dockerfile::{Dockerfile, Instruction, Keyword, continuation_end};
use super::graph::{Build, Context, ContextFiles, Graph, Node};
use super::reach::{Origin, ReachedStage, ReachedTransfer, Use, is_fetched};
use crate::error::Result;
use parts::Recorder;
use sources::{Sources, Taken};

/// The hash of an image's inputs: `v1:` and a SHA-256 in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Reads `text`, such as the annotation of a published index; `None` if it is no fingerprint of this version.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(VERSION)?.strip_prefix(':')?;
        let fine = digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fine.then(|| Fingerprint(text.to_owned()))
    }

    /// Its first 16 hexadecimal digits, for the names of staging tags.
    pub fn short(&self) -> &str {
        &self.0[VERSION.len() + 1..][..16]
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Changes whenever the same inputs would give another hash, which makes every image stale.
const VERSION: &str = "v1";

/// What an image is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// As one hash.
    pub fingerprint: Fingerprint,
    /// As a record of parts.
    pub parts: Parts,
}

impl Graph {
    /// The inputs of every node, in their order. `tree` is the tree that the graph was read from, with its symlinks and
    /// submodules; `read` gives the content of a file of it, and is asked for ignore files only. `kept` are the nodes that
    /// stay as they were published, whatever the tree says, with the fingerprints of that: what is built on one is made of it.
    pub fn inputs(
        &self,
        tree: &[TreeEntry],
        mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>>,
        kept: &BTreeMap<usize, Fingerprint>,
    ) -> Result<Vec<Inputs>> {
        let known = vec![None; self.nodes.len()];
        let mut walk = Walk { graph: self, known, kept, sources: Sources::new(tree, &mut read) };
        for index in self.order() {
            let inputs = walk.inputs(&self.nodes[index])?;
            walk.known[index] = Some(inputs);
        }
        // a graph without faults has every node in its order
        Ok(walk.known.into_iter().flatten().collect())
    }
}

/// Goes through the images, each after those it is built on.
struct Walk<'a> {
    graph: &'a Graph,
    /// Of the images seen so far.
    known: Vec<Option<Inputs>>,
    kept: &'a BTreeMap<usize, Fingerprint>,
    sources: Sources<'a>,
}

impl Walk<'_> {
    fn inputs(&mut self, node: &Node) -> Result<Inputs> {
        let file = &node.dockerfile.file;
        let mut record = Recorder::new(VERSION, &node.dockerfile.path);
        record.setting("target", node.target.as_deref().unwrap_or(""));
        let mut builds: Vec<&Build> = node.builds.iter().collect();
        builds.sort_by(|a, b| a.platform.cmp(&b.platform));
        let platforms: Vec<String> = builds.iter().map(|build| build.platform.to_string()).collect();
        record.setting("platforms", &platforms.join(","));
        if let Some(syntax) = &file.syntax {
            record.setting("syntax", &file.text[syntax.clone()]);
        }
        record.setting("escape", if file.escape == b'`' { "`" } else { "" });
        for build in builds {
            record.mark("platform", &build.platform.to_string());
            // the builder obeys these without any ARG
            let builtin = |name: &str| name.starts_with("BUILDKIT_") || name == "SOURCE_DATE_EPOCH";
            for (name, value) in build.args.iter().filter(|(name, _)| builtin(name)) {
                record.arg(name, value);
            }
            for stage in &build.reach.stages {
                self.origin(node, build, stage, &mut record)?;
                for step in &stage.steps {
                    let instruction = &file.stages[stage.index].instructions[step.instruction];
                    record.line(node.dockerfile.line(instruction.span.start), &canonical(file, instruction));
                    step.args.iter().for_each(|(name, value)| record.arg(name, value));
                    for transfer in &step.transfers {
                        self.transfer(node, build, transfer, instruction.keyword, &mut record)?;
                    }
                }
            }
        }
        let (digest, parts) = record.finish();
        Ok(Inputs { fingerprint: Fingerprint(format!("{VERSION}:{digest}")), parts })
    }

    /// Records what a stage is built from.
    fn origin(&mut self, node: &Node, build: &Build, stage: &ReachedStage, record: &mut Recorder) -> Result<()> {
        let place = node.dockerfile.line(node.dockerfile.file.stages[stage.index].span.start);
        let platform = stage.platform.as_deref().unwrap_or("");
        let from = match &stage.origin {
            Origin::Scratch | Origin::Main => "scratch".to_owned(),
            // counted among the reached ones, so that a stage that nothing needs shifts nothing
            Origin::Stage(base) => {
                let position = build.reach.stages.iter().position(|stage| stage.index == *base);
                format!("stage {}", position.unwrap_or(*base))
            }
            Origin::Image(used) => {
                if build.internal[*used].is_some_and(|base| has_triggers(&self.graph.nodes[base])) {
                    // what the base has done here, with files of this context, is not followed
                    record.files(self.sources.of_build_context(node, Taken::all())?);
                }
                self.image(build, *used, record)
            }
            Origin::Context(context) => {
                self.context(&build.contexts[*context], Taken::all(), record)?;
                "context".to_owned()
            }
        };
        record.line(place, &format!("FROM {platform} {from}"));
        Ok(())
    }

    /// Records an image that is used, and gives what names it where it stands.
    fn image(&self, build: &Build, used: usize, record: &mut Recorder) -> String {
        let Use { reference, platform, .. } = &build.reach.uses[used];
        let platform = platform.as_deref().unwrap_or("");
        let Some(base) = build.internal[used] else {
            record.external(reference, platform);
            return "external".to_owned();
        };
        let node = &self.graph.nodes[base];
        let known = self.known[base].as_ref().map(|inputs| &inputs.fingerprint);
        if let Some(fingerprint) = self.kept.get(&base).or(known) {
            record.base(&node.image, fingerprint.as_str());
        }
        // the tag says nothing that the fingerprint does not, but for an architecture at its end
        let tag = super::Reference::parse(reference).tag().unwrap_or("latest");
        let plain = node.tags.iter().any(|known| known.name == tag);
        let arch = if plain { "" } else { tag.rsplit_once('-').map_or("", |(_, arch)| arch) };
        format!("image {} {arch} {platform}", node.image)
    }

    /// Records the files that an instruction takes from elsewhere.
    fn transfer(
        &mut self,
        node: &Node,
        build: &Build,
        transfer: &ReachedTransfer,
        keyword: Keyword,
        record: &mut Recorder,
    ) -> Result<()> {
        let wildcards = keyword != Keyword::Run;
        match &transfer.from {
            Origin::Image(used) => {
                let name = self.image(build, *used, record);
                record.mark("from", &name);
            }
            Origin::Main => {
                let is_here = |taken: &Taken<'_>| !taken.path.is_some_and(|path| is_fetched(keyword, path));
                for taken in Taken::of(transfer, wildcards).filter(is_here) {
                    record.files(self.sources.of_build_context(node, taken)?);
                }
            }
            Origin::Context(context) => {
                for taken in Taken::of(transfer, wildcards) {
                    self.context(&build.contexts[*context], taken, record)?;
                }
            }
            // the stage itself is recorded
            Origin::Scratch | Origin::Stage(_) => {}
        }
        Ok(())
    }

    /// Records what is taken of a named context.
    fn context(&mut self, context: &Context, taken: Taken<'_>, record: &mut Recorder) -> Result<()> {
        match &context.files {
            ContextFiles::Directory(path) => record.files(self.sources.of_directory(path, taken)?),
            ContextFiles::Git(source) | ContextFiles::Image(source) => record.external(source, ""),
        }
        Ok(())
    }
}

/// Whether builds on `node` carry out something with files: `ONBUILD COPY` and the like in its target stage.
fn has_triggers(node: &Node) -> bool {
    node.builds.iter().filter_map(|build| build.reach.stages.last()).any(|stage| {
        let instructions = &node.dockerfile.file.stages[stage.index].instructions;
        instructions.iter().any(|i| i.keyword == Keyword::Onbuild && !i.transfers.is_empty())
    })
}

/// An instruction without what does not count: comment lines, continuations, the case of its keyword. The bodies of
/// heredocs stay as they are.
fn canonical(file: &Dockerfile, instruction: &Instruction) -> String {
    let bytes = file.text.as_bytes();
    let end = instruction.span.end;
    let head = instruction.heredocs.unwrap_or(end).min(end);
    let mut text = String::with_capacity(end - instruction.span.start);
    let mut at = instruction.span.start;
    let mut copied = at;
    while at < head {
        match continuation_end(bytes, at, file.escape) {
            Some(next) => {
                text.push_str(&file.text[copied..at]);
                at = next.min(head);
                copied = at;
            }
            None => at += 1,
        }
    }
    text.push_str(&file.text[copied..end]);
    let keyword = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    text[..keyword].make_ascii_uppercase();
    text
}

/// The first 8 hexadecimal digits of the hash of `text`.
pub(super) fn short(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..4])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}
