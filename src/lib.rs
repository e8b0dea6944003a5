//! From "vineyard 0.24.2 is out" to "every image of both tiers is published and verified".
//!
//! Data flows one way, and the modules stand in that order; each imports only from those before it:
//!
//! 1. [`error`], [`process`] and [`version`] are what everything else is made of.
//! 2. [`config`] reads `release.yaml`: components, the sites of their versions, images, phases.
//! 3. [`image`] reads Dockerfiles and image references.
//! 4. [`edit`] finds the sites in a file and turns them into byte-range edits, each proved.
//! 5. [`git`] reads the base branch's tree and writes commits and branches.
//! 6. [`github`] and [`registry`] are the two other worlds that say what has been done.

pub mod config;
pub mod edit;
pub mod error;
pub mod git;
pub mod image;
pub mod process;
pub mod version;
