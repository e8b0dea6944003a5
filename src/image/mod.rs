//! What Dockerfiles and image references say, as facts with their places.
//!
//! [`Dockerfile`] holds the facts of one file: definitions, stages, references. [`Scope`] resolves a word of it, and
//! the [`Expanded`] result remembers for each byte where it was written, so that a version can be edited
//! where it stands. [`Reference`] takes an image reference apart.

mod dockerfile;
mod expand;
mod reference;

pub use dockerfile::{Definition, Dockerfile, Instruction, Span, Stage, SyntaxError};
pub use expand::{Expanded, Scope, UNKNOWN};
pub use reference::Reference;
