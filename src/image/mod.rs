//! What Dockerfiles and image references say, as facts with their places.
//!
//! [`Dockerfile`] holds the facts of one file: definitions, stages, references. [`Scope`] resolves a word of it, and
//! the [`Expanded`] result remembers for each byte where it was written, so that a version can be edited
//! where it stands. [`Reference`] takes an image reference apart.

mod context;
mod dockerfile;
mod expand;
pub mod fingerprint;
pub mod graph;
mod pattern;
pub mod reach;
mod reference;

pub use context::TreeEntry;
pub use dockerfile::{Definition, Dockerfile, Instruction, Keyword, Span, Stage, SyntaxError, Transfer};
pub use expand::{Expanded, Scope, UNKNOWN};
pub use reference::Reference;

#[cfg(test)]
pub(crate) mod testing;
