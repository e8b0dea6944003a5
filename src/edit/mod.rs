//! From a file to byte-range edits: where the versions stand, what changes, and the proof that nothing else did.
//!
//! A [`Scanner`] looks at one file at a time and keeps nothing; an [`EditPlan`] puts the results together. Both
//! are pure: whoever calls them reads the files and writes the results.

mod cover;
mod dockerfile;
mod plan;
mod scan;
mod text;
mod value;
pub(crate) mod yaml;

pub(crate) use cover::Cover;
pub use plan::{Edit, EditPlan, Leftover, Note, prove};
pub use scan::{FileScan, Place, Reading, Scanner};
pub(crate) use scan::{is_binary, is_dockerfile};
