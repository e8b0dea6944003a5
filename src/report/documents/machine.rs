//! The documents of `doctor` and `manifest create`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::doctor::Check;

/// The document of `doctor`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Doctor<'a> {
    /// Nothing that the work ahead needs is missing.
    pub healthy: bool,
    /// Everything that was looked at.
    pub checks: &'a [Check],
    /// What `--fix` set up, as commands.
    pub repairs: Vec<String>,
}

/// The document of `manifest create`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Manifest<'a> {
    /// The tag, in full.
    pub tag: &'a str,
    /// What it points at; with `--dry-run`, what it would point at.
    pub digest: &'a str,
    /// The platforms of the index.
    pub platforms: &'a [String],
    /// Whether the tag did not point there before.
    pub changed: bool,
    /// What it pointed at before.
    pub previous: Option<&'a str>,
}
