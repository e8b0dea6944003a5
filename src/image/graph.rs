//! The image graph: which image is built on which, as the Dockerfiles say, and hence what can be built when.
//!
//! [`Graph::read`] parses each Dockerfile once, follows each image's target on each of its platforms ([`super::reach`])
//! and finds the images of the release among the references. Every fault of the graph is reported in one run, with the
//! line under it. Nothing here reads a file by itself or asks a registry.

mod catalog;
mod connect;
mod faults;
mod order;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::dockerfile::{Dockerfile, Span};
pub use super::reach::How;
use super::reach::{self, Obstacle, Reach, Target};
use crate::config::{ARCH, Code, Config, ContextSource, Image, Platform, Template};
use crate::error::{Error, Fault, Result};
use crate::version::Version;
use catalog::Catalog;
use connect::connect;
use faults::Faults;

/// What the graph is read from.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// The config.
    pub config: &'a Config,
    /// Path of its file, for faults that lie in it.
    pub path: &'a str,
    /// Text of its file.
    pub text: &'a str,
    /// Current version of each component.
    pub versions: &'a BTreeMap<String, Version>,
}

/// The images of a release and what each is built on.
#[derive(Debug, Clone)]
pub struct Graph {
    /// In the order of the file.
    pub phases: Vec<Phase>,
    /// Phase by phase, in the order of the file.
    pub nodes: Vec<Node>,
    /// What is allowed, and yet worth a look.
    pub notes: Vec<Note>,
}

/// A phase, taken apart into waves.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Nodes that can be built at the same time; each wave needs only earlier waves and phases.
    pub waves: Vec<Vec<usize>>,
}

/// An image.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its key in `images`.
    pub image: String,
    /// Index of its phase.
    pub phase: usize,
    /// Its name under the registry.
    pub repository: String,
    /// The tags it publishes.
    pub tags: Vec<Tag>,
    /// What it is built for.
    pub platforms: Vec<Platform>,
    /// Its Dockerfile.
    pub dockerfile: Arc<Source>,
    /// Path of its build context; empty is the root.
    pub context: String,
    /// Its target stage, if it names one.
    pub target: Option<String>,
    /// How it is built for each of its platforms, in their order.
    pub builds: Vec<Build>,
    /// The images that it is built on, in the order of the Dockerfile.
    pub bases: Vec<Base>,
}

/// A tag of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// As published.
    pub name: String,
    /// As the config has it, with places for versions.
    pub template: String,
    /// Whether it stays the same from version to version.
    pub moving: bool,
}

/// A Dockerfile, with its path.
#[derive(Debug, Clone)]
pub struct Source {
    /// From the root of the repository.
    pub path: String,
    /// What it says.
    pub file: Dockerfile,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Source {
    fn new(path: &str, file: Dockerfile) -> Self {
        let newlines = memchr::memchr_iter(b'\n', file.text.as_bytes());
        let lines = std::iter::once(0).chain(newlines.map(|at| at + 1)).collect();
        Source { path: path.to_owned(), file, lines }
    }

    /// The line of the byte at `offset`, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// The column of the byte at `offset`, in bytes from 1.
    fn column(&self, offset: usize) -> usize {
        let line = self.lines.get(self.line(offset).saturating_sub(1)).copied().unwrap_or_default();
        offset - line + 1
    }
}

/// An image that another one is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The image of this release that it is, by index; `None` is somebody else's.
    pub node: Option<usize>,
    /// The reference, with every variable replaced.
    pub reference: String,
    /// How it is used.
    pub how: How,
    /// Where in the Dockerfile.
    pub span: Span,
    /// Line of that, from 1.
    pub line: usize,
}

/// An image's build for one platform.
#[derive(Debug, Clone)]
pub struct Build {
    /// The platform.
    pub platform: Platform,
    /// Build args, rendered for it.
    pub args: BTreeMap<String, String>,
    /// Named contexts, rendered for it.
    pub contexts: Vec<Context>,
    /// What it takes in.
    pub reach: Reach,
    /// For each of [`Reach::uses`], the image of this release that it is.
    pub internal: Vec<Option<usize>>,
}

/// A named context, its places filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The name, in lower case.
    pub name: String,
    /// What stands for it.
    pub files: ContextFiles,
}

/// Where the files of a [`Context`] come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextFiles {
    /// A directory of the repository, by its path from the root; empty is the root itself.
    Directory(String),
    /// An image, by its reference.
    Image(String),
    /// A repository of git, by its URL with the ref after a `#`.
    Git(String),
}

/// Something that is allowed, and yet worth a look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The Dockerfile.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// How many bytes it is about.
    pub length: usize,
    /// One sentence without a final stop.
    pub message: String,
}

impl Graph {
    /// Reads the graph of `release`. `read` gives the content of the file at a path from the repository's root, or `None`
    /// if there is no such file; it is asked once for each Dockerfile. The error is a usage error that carries every fault.
    pub fn read(release: Release<'_>, read: impl FnMut(&str) -> Result<Option<Vec<u8>>>) -> Result<Self> {
        let (graph, faults) = Graph::examine(release, read)?;
        let summary = match faults.len() {
            0 => return Ok(graph),
            1 => "the image graph has a fault".to_owned(),
            many => format!("the image graph has {many} faults"),
        };
        Err(Error::faults(summary, faults.into_iter().map(|(_, fault)| fault).collect()))
    }

    /// As [`Graph::read`], but gives the graph as far as it can be read, and every fault by place.
    pub fn examine(
        release: Release<'_>,
        mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>>,
    ) -> Result<(Self, Vec<(Code, Fault)>)> {
        let mut faults = Faults::new(release);
        let catalog = Catalog::new(release);
        let mut sources: HashMap<&str, Option<Arc<Source>>> = HashMap::new();
        let mut nodes = Vec::new();
        for (phase, image) in images(release.config) {
            let source = match sources.get(image.dockerfile.as_str()) {
                Some(known) => known.clone(),
                None => {
                    let source = load(image, &mut read, &mut faults)?;
                    sources.insert(&image.dockerfile, source.clone());
                    source
                }
            };
            nodes.push(node(release, phase, image, source, &mut faults));
        }
        let mut notes = BTreeSet::new();
        for index in 0..nodes.len() {
            connect(index, &mut nodes, &catalog, &mut faults, &mut notes);
        }
        let names = release.config.phases.iter().map(|phase| phase.name.as_str());
        let phases = order::phases(names, &nodes, &mut faults);
        Ok((Graph { phases, nodes, notes: notes.into_iter().collect() }, faults.into_found()))
    }

    /// Index of the image called `name`.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.image == name)
    }

    /// The images of this release that `node` is built on, each once, in order of their index.
    pub fn needs(&self, node: usize) -> BTreeSet<usize> {
        self.nodes[node].needs()
    }

    /// Every image that is built on `node`, directly or not.
    pub fn dependants(&self, node: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for index in self.order() {
            let needs = self.needs(index);
            if needs.contains(&node) || needs.iter().any(|base| found.contains(base)) {
                found.insert(index);
            }
        }
        found
    }

    /// All nodes, each after those it is built on.
    pub fn order(&self) -> impl Iterator<Item = usize> {
        self.phases.iter().flat_map(|phase| phase.waves.iter().flatten().copied())
    }
}

impl Node {
    /// Indexes of the images of this release that it is built on.
    pub fn needs(&self) -> BTreeSet<usize> {
        self.bases.iter().filter_map(|base| base.node).collect()
    }
}

fn images(config: &Config) -> impl Iterator<Item = (usize, &Image)> {
    let phases = config.phases.iter().enumerate();
    phases.flat_map(|(index, phase)| phase.images.iter().map(move |image| (index, image)))
}

impl Context {
    /// What the stages of a Dockerfile need to know of it.
    fn named(&self) -> reach::Named {
        let image = match &self.files {
            ContextFiles::Image(reference) => Some(reference.clone()),
            ContextFiles::Directory(_) | ContextFiles::Git(_) => None,
        };
        reach::Named { name: self.name.clone(), image }
    }
}

fn contexts(image: &Image, render: impl Fn(&Template) -> String) -> impl Iterator<Item = Context> {
    image.contexts.iter().map(move |context| {
        let files = match &context.source {
            ContextSource::Directory(path) => ContextFiles::Directory(render(path)),
            ContextSource::Image(reference) => ContextFiles::Image(render(reference)),
            ContextSource::Git(url) => ContextFiles::Git(render(url)),
        };
        Context { name: context.name.clone(), files }
    })
}

/// Reads and parses the Dockerfile of `image`. A fault leaves `None`.
fn load(
    image: &Image,
    read: &mut impl FnMut(&str) -> Result<Option<Vec<u8>>>,
    faults: &mut Faults<'_>,
) -> Result<Option<Arc<Source>>> {
    let path = image.dockerfile.as_str();
    let Some(bytes) = read(path)? else {
        let message = format!("there is no file `{path}`, the Dockerfile of `{}`", image.name);
        faults.in_config(
            Code::MissingDockerfile,
            image,
            path,
            message,
            "commit it as a regular file, or mend `dockerfile:`",
        );
        return Ok(None);
    };
    match Dockerfile::parse(&bytes) {
        Ok(file) => Ok(Some(Arc::new(Source::new(path, file)))),
        Err(error) => {
            faults.syntax(path, &bytes, &error);
            Ok(None)
        }
    }
}

/// The node of `image`, not yet connected.
fn node(
    release: Release<'_>,
    phase: usize,
    image: &Image,
    source: Option<Arc<Source>>,
    faults: &mut Faults<'_>,
) -> Node {
    let version = |name: &str| release.versions.get(name).map(Version::to_string);
    let tags = image.tags.iter().map(|tag| Tag {
        name: tag.render(version),
        template: tag.to_string(),
        moving: tag.is_moving(),
    });
    let mut builds = Vec::new();
    for platform in image.platforms.iter().filter(|_| source.is_some()) {
        let Some(source) = &source else { break };
        let render = |template: &Template| {
            template.render(|name| if name == ARCH { Some(platform.arch.clone()) } else { version(name) })
        };
        let args = image.args.iter().map(|(name, template)| (name.clone(), render(template))).collect();
        let contexts: Vec<Context> = contexts(image, render).collect();
        let names: Vec<reach::Named> = contexts.iter().map(Context::named).collect();
        let target = Target { stage: image.target.as_deref(), platform, args: &args, contexts: &names };
        let (reach, obstacles) = Reach::of(&source.file, &target);
        for obstacle in obstacles {
            match obstacle {
                Obstacle::At(span, message, help) => faults.at(Code::BadDockerfile, source, span, message, Some(help)),
                Obstacle::NoTarget => faults.no_target(image, source),
            }
        }
        let internal = vec![None; reach.uses.len()];
        builds.push(Build { platform: platform.clone(), args, contexts, reach, internal });
    }
    let empty = || {
        let file = Dockerfile { text: String::new(), escape: b'\\', syntax: None, globals: vec![], stages: vec![] };
        Arc::new(Source::new(&image.dockerfile, file))
    };
    Node {
        image: image.name.clone(),
        phase,
        repository: image.repository.clone(),
        tags: tags.collect(),
        platforms: image.platforms.clone(),
        dockerfile: source.unwrap_or_else(empty),
        context: image.context.clone(),
        target: image.target.clone(),
        builds,
        bases: Vec::new(),
    }
}
