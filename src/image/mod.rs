//! What Dockerfiles say: of one file, of all images of a release, and of what each image is made of.
//!
//! - [`Dockerfile`] holds the facts of one file with their places: definitions, stages, references. [`Scope`] resolves a
//!   word of it, and the [`Expanded`] result remembers for each byte where it was written, so that a version can be
//!   edited where it stands. [`Reference`] takes an image reference apart.
//! - [`reach`] follows one target on one platform through the stages; [`graph`] puts all images of a release together.
//! - [`fingerprint`] hashes what an image is made of, its files in the tree ([`TreeEntry`]) included. What a build asks of
//!   the tree and does not get is [`Absent`].
//!
//! Nothing here reads a file, starts a process or asks a registry.

mod absent;
mod context;
mod contexts;
mod dockerfile;
mod expand;
pub mod fingerprint;
pub mod graph;
mod pattern;
pub mod reach;
mod reference;

pub use absent::{Absent, Want, Why};
pub use context::TreeEntry;
pub use dockerfile::{Definition, Dockerfile, Instruction, Keyword, Span, Stage, SyntaxError, Transfer};
pub use expand::{Expanded, Scope, UNKNOWN};
pub use fingerprint::{Fingerprint, Inputs, Parts, diff};
pub use graph::{Graph, How, Release, Tag};
pub use reference::Reference;

#[cfg(test)]
pub(crate) mod testing;
