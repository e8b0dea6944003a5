//! What this machine and its logins can and cannot do, looked at before anything depends on it.
//!
//! [`examine`] observes and judges, and changes nothing; [`Repair`] is what `--fix` may do about a finding. `docker`
//! looks at the engine and its builder, `remotes` at the registry and GitHub. Nothing here reads the environment or
//! prints.

mod docker;
mod remotes;
mod repair;

use schemars::JsonSchema;
use serde::Serialize;

pub use remotes::Home;
pub use repair::Repair;

use crate::config::Platform;
use crate::registry::{Registry, Repository};

/// What the work ahead needs.
pub struct Needs<'a> {
    /// Images are built on this machine: Docker and the right to push are needed then.
    pub builds_here: bool,
    /// The builder to use; `None` is the current one.
    pub builder: Option<&'a str>,
    /// Everything that some image is built for, each once.
    pub platforms: &'a [Platform],
    /// Where images are pushed to.
    pub repositories: &'a [Repository],
    /// Where pull requests go, if that is known.
    pub home: Option<Home<'a>>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// What it is about: `docker`, `builder`, `push to registry.example.com`.
    pub about: String,
    /// How it stands.
    pub state: State,
    /// Whether the work ahead cannot do without.
    pub needed: bool,
    /// What was found, as half a sentence.
    pub detail: String,
    /// The command that mends it, or what else to do.
    pub remedy: Option<String>,
    /// What `--fix` can do about it.
    #[serde(skip)]
    pub repair: Option<Repair>,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Not there, or not enough.
    Missing,
    /// It cannot be told.
    Unknown,
}

impl Check {
    fn new(about: impl Into<String>, state: State, needed: bool, detail: impl Into<String>) -> Self {
        Check { about: about.into(), state, needed, detail: detail.into(), remedy: None, repair: None }
    }

    /// Something about the machine that is not as it should be.
    pub fn missing(about: impl Into<String>, needed: bool, detail: impl Into<String>) -> Self {
        Self::new(about, State::Missing, needed, detail)
    }

    /// Something that is as it should be.
    pub fn ok(about: impl Into<String>, needed: bool, detail: impl Into<String>) -> Self {
        Self::new(about, State::Ok, needed, detail)
    }

    /// Something that cannot be told.
    pub fn unknown(about: impl Into<String>, needed: bool, detail: impl Into<String>) -> Self {
        Self::new(about, State::Unknown, needed, detail)
    }

    /// Adds what to do about it.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn repair(mut self, repair: Repair) -> Self {
        self.remedy = Some(repair.to_string());
        self.repair = Some(repair);
        self
    }

    /// Whether the work ahead will fail for this.
    pub fn is_blocking(&self) -> bool {
        self.needed && self.state == State::Missing
    }
}

/// Looks at everything, in the order in which it has to be mended. Takes some seconds where a remote does not answer.
pub async fn examine(needs: &Needs<'_>, registry: &dyn Registry) -> Vec<Check> {
    let push = remotes::push(needs, registry);
    let (mut checks, push, github) = tokio::join!(docker::examine(needs), push, remotes::github(needs.home.as_ref()));
    checks.extend(push);
    checks.extend(github);
    checks
}
