//! Who builds: the seam between the plan and BuildKit.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;

use crate::config::Platform;
use crate::error::{Error, Result};
use crate::registry::ImageRef;

/// One build: an image for some of its platforms, pushed under a staging tag.
#[derive(Debug, Clone)]
pub struct Job {
    /// The image's key in `images`.
    pub image: String,
    /// Path of the Dockerfile.
    pub dockerfile: PathBuf,
    /// Path of the build context.
    pub context: PathBuf,
    /// The stage to build; `None` is the last one.
    pub target: Option<String>,
    /// What to build for.
    pub platforms: Vec<Platform>,
    /// Build args.
    pub args: BTreeMap<String, String>,
    /// Named contexts: the bases of the release by digest, and those of the config.
    pub contexts: BTreeMap<String, String>,
    /// The staging tag.
    pub push_to: ImageRef,
    /// Whether steps that ran before must run again.
    pub no_cache: bool,
}

/// Who hears what is being done, a line now and then.
pub type OnStep<'a> = &'a (dyn for<'text> Fn(&'text str) + Send + Sync);

/// Builds nothing: where runs on GitHub do it, and what is left to do here are tags.
pub struct Elsewhere;

#[async_trait(?Send)]
impl Engine for Elsewhere {
    async fn build(&self, job: &Job, _: OnStep<'_>) -> Result<()> {
        Err(Error::remote(format!("{} was published a moment ago, and is not any more", job.image))
            .hint("run the command again: it looks anew"))
    }
}

/// Builds and pushes. Whatever it does is judged by what the registry holds afterwards.
#[async_trait(?Send)]
pub trait Engine: Send + Sync {
    /// Builds `job` and pushes it to its staging tag. `on_step` hears how far it is.
    ///
    /// # Errors
    /// Build, with the last lines of the step that failed.
    async fn build(&self, job: &Job, on_step: OnStep<'_>) -> Result<()>;
}
