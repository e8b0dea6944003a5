//! From "vineyard 0.24.2 is out" to a branch with one commit that brings every place in line.
//!
//! Data flows one way, and each module imports only from those before it:
//!
//! 1. [`error`], [`process`] and [`version`] are what everything else is made of.
//! 2. [`config`] reads `release.yaml`: components, the sites of their versions, images, phases.
//! 3. [`image`] reads Dockerfiles: which image is built on which, in which order, and what each is made of.
//! 4. [`edit`] finds the sites in a file and turns them into byte-range edits, each proved.
//! 5. [`git`] reads the base branch's tree and writes commits and branches.
//! 6. [`github`] looks for releases, opens and keeps pull requests, and writes commits that GitHub signs.
//! 7. [`transport`] carries requests to other servers: [`pypi`] says which wheels a package index has, [`registry`] which
//!    images are published, and writes release tags.
//! 8. [`bump`] puts version, edits, commit message and pull-request text together.
//! 9. [`build`] compares what should be published with what is, and brings the registry there.
//! 10. [`doctor`] says what this machine and its logins lack for that.
//! 11. [`survey`] finds where versions are written in a repository that has no `release.yaml` yet.
//! 12. [`check`] says what is wrong with a tree: drifted sites, stale rules, faults of graph and workflows.
//! 13. [`report`] shows it, and [`cli`] is the command line around it all.

pub mod build;
pub mod bump;
pub mod check;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod edit;
pub mod error;
pub mod git;
pub mod github;
pub mod image;
pub mod process;
pub mod pypi;
pub mod registry;
pub mod report;
pub mod survey;
pub mod transport;
pub mod version;
