//! What a build came to, however it ends: kept outside of the work, which an interrupt drops.

use std::sync::OnceLock;

use serde_json::Value;

use crate::build::BuildPlan;
use crate::error::Error;
use crate::report::{self, Progress};

/// The plan of a build and how far it is, once it has begun.
#[derive(Default)]
pub struct Account(OnceLock<(BuildPlan, Progress)>);

impl Account {
    /// A build of `plan` begins; its events go to `progress`.
    pub fn begin(&self, plan: &BuildPlan, progress: Progress) -> &Progress {
        let (_, progress) = self.0.get_or_init(|| (plan.clone(), progress));
        progress
    }

    /// The document of the build that `error` has ended; none where it had not begun, and nothing was done.
    pub fn document(&self, error: &Error) -> Option<Value> {
        let (plan, progress) = self.0.get()?;
        progress.finish();
        report::build_json(plan, &progress.record(), Err(error)).ok()
    }
}
