//! Makes the registry match `release.yaml`: what should be there, what is, what has to be done, and doing it.
//!
//! - [`desired`] says what should be published of a commit;
//! - [`observe`] asks the registry what is, one request a tag;
//! - [`plan`] compares the two: a plain value, by pure functions;
//! - [`run`] carries the plan out, phase by phase: an [`Engine`] builds and pushes staging tags, and nothing but
//!   `publish` writes a release tag, and `promote` a moving one;
//! - `platform` stages the share of one platform instead;
//! - [`buildx`] is the engine that drives BuildKit through `docker buildx`;
//! - [`actions`] has whole phases built by workflow runs on GitHub.
//!
//! Inputs decide, never digests: see [`crate::image`]. Nothing here keeps a record of its own, so that a run that was
//! killed anywhere is completed by the next one.

pub mod actions;
pub mod annotations;
pub mod buildx;
pub mod desired;
pub mod engine;
mod event;
pub mod observe;
pub mod plan;
mod platform;
pub mod promote;
mod publish;
pub mod published;
pub mod run;
mod share;
#[cfg(test)]
mod tests;

pub use desired::{Desired, Wanted};
pub use engine::{Engine, Job, OnStep};
pub use event::{Event, Listener};
pub use observe::{Observed, State};
pub use plan::{BuildPlan, ImagePlan, PhasePlan, TagMove};
pub use promote::Promotion;
