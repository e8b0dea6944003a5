//! The codes of what `check` finds. They are part of the contract of `release.yaml`, whose `check.ignore` names them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of finding it is. A code keeps its name and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A site reads another version than its component has.
    Drift,
    /// A rule finds no place.
    StaleRule,
    /// A rule finds more or fewer places than its `expect` says.
    WrongCount,
    /// Sites of two components are the same bytes.
    SharedSite,
    /// A file of a site cannot be read as its form demands.
    Unreadable,
    /// A site is pinned by digest, so that a bump refuses it.
    PinnedSite,
    /// A site holds a floating value, such as `latest`.
    FloatingSite,
    /// A site holds what a bump leaves alone: a variable, a nightly, a minimum requirement.
    LeftAlone,
    /// A mention of a component's version looks like a site, and no rule covers it.
    Untracked,
    /// An image is built on a tag that moves.
    FloatingBase,
    /// Images are built on each other.
    GraphCycle,
    /// A base is an image of this file, by a tag that no image publishes.
    UnknownTag,
    /// A base is an image of this file, by a moving tag.
    MovingBase,
    /// A base is an image of this file, by digest.
    PinnedBase,
    /// A base is an image of a later phase.
    LaterPhase,
    /// A base is not built for a platform that it is needed for.
    MissingPlatform,
    /// The Dockerfile of an image does not exist.
    MissingDockerfile,
    /// The target of an image is no stage of its Dockerfile.
    MissingTarget,
    /// A Dockerfile cannot be built as it is.
    BadDockerfile,
    /// The directory of an image's context does not exist.
    MissingContext,
    /// What an instruction of a Dockerfile takes is not in its context.
    MissingSource,
    /// What an instruction of a Dockerfile takes is left out of its context by an ignore file.
    IgnoredSource,
    /// A wildcard in a Dockerfile matches nothing in its context.
    EmptyWildcard,
    /// A phase waits for a git tag that starts no workflow, so that nothing builds its tags.
    UnbuiltTag,
    /// The workflow that `build.actions` names does not exist.
    MissingWorkflow,
    /// The workflow that `build.actions` names cannot be dispatched.
    WorkflowTrigger,
    /// A workflow is started with an input that it does not have, or without one that it must have.
    WorkflowInput,
    /// A workflow uses an input that it does not declare, or gives an action one that it does not have.
    UndeclaredInput,
    /// An entry of `check.ignore` matches nothing.
    UnusedIgnore,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
