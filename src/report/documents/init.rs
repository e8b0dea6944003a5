//! The document of `init`.

use schemars::JsonSchema;
use serde::Serialize;

/// The document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Init<'a> {
    /// The components, named or proposed.
    pub components: Vec<InitComponent<'a>>,
    /// Every place that a rule of the config finds.
    pub sites: Vec<InitSite<'a>>,
    /// Places that a person must decide about.
    pub doubtful: Vec<InitDoubt<'a>>,
    /// Places that look like a version of a component and are no site.
    pub rejected: Vec<InitDoubt<'a>>,
    /// The phases of the config, with their images.
    pub phases: Vec<InitPhase<'a>>,
    /// What builds an image and is none of the config: where, and the reason.
    pub no_images: &'a [String],
    /// The text of the config.
    pub config: &'a str,
    /// The file that it was written to.
    pub written: Option<&'a str>,
}

/// A component in the document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InitComponent<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its current version.
    pub version: String,
    /// The file that is only its version.
    pub version_file: Option<&'a str>,
    /// Where it is released, as `owner/name`.
    pub upstream: Option<&'a str>,
    /// Nobody had named it.
    pub proposed: bool,
}

/// A site in the document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitSite<'a> {
    /// The component.
    pub component: &'a str,
    /// Path in the tree.
    pub path: &'a str,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1: of the version's first byte.
    pub column: usize,
    /// The version that stands there.
    pub version: String,
    /// Whether it is not the component's current version.
    pub drifted: bool,
    /// The form of the rule that finds it.
    pub rule: String,
}

/// A place in the document of `init` that is not, or not surely, a site.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitDoubt<'a> {
    /// The component.
    pub component: &'a str,
    /// Path in the tree.
    pub path: &'a str,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// The version that stands there.
    pub version: String,
    /// The line.
    pub text: &'a str,
    /// Why.
    pub reason: String,
}

/// A phase in the document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitPhase<'a> {
    /// Its name.
    pub phase: &'a str,
    /// The component whose version its images carry.
    pub component: &'a str,
    /// Its images.
    pub images: Vec<InitImage<'a>>,
}

/// An image in the document of `init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitImage<'a> {
    /// Its name.
    pub image: &'a str,
    /// Path of its Dockerfile.
    pub dockerfile: &'a str,
    /// The stage that is the image; `null` is the last one.
    pub target: Option<&'a str>,
    /// Its tags as templates.
    pub tags: Vec<String>,
    /// What it is built for.
    pub platforms: Vec<String>,
}
