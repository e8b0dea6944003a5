//! What the bot writes on a published index, and reads back: the only record there is of how an image was made.

use std::collections::BTreeMap;

use super::desired::{Desired, Wanted};
use crate::image::{Fingerprint, Parts};
use crate::registry::{Annotations, Digest};
use crate::version::Version;

/// The fingerprint of the inputs.
pub const INPUTS: &str = "dev.gs-release.inputs";
/// The parts of the fingerprint, as JSON, for telling why an image is stale.
pub const PARTS: &str = "dev.gs-release.parts";
/// Versions of all components, as a JSON object.
pub const VERSIONS: &str = "dev.gs-release.versions";
/// The images that it was built on, as a JSON object from the Dockerfile's reference to digest: those of the release, and
/// others where provenance attests them.
pub const BASES: &str = "dev.gs-release.bases";
/// The commit it was built from (<https://github.com/opencontainers/image-spec/blob/main/annotations.md>).
pub const REVISION: &str = "org.opencontainers.image.revision";
/// The version of the component whose phase it belongs to.
pub const VERSION: &str = "org.opencontainers.image.version";

/// The annotations of `wanted`, built on `bases`.
pub fn of(desired: &Desired, wanted: &Wanted, bases: &BTreeMap<String, Digest>) -> Annotations {
    let mut annotations = Annotations::from([
        (INPUTS.into(), wanted.inputs.fingerprint.to_string()),
        (PARTS.into(), json(&wanted.inputs.parts)),
        (VERSIONS.into(), json(&desired.versions)),
        (REVISION.into(), desired.commit.clone()),
    ]);
    if !bases.is_empty() {
        annotations.insert(BASES.into(), json(bases));
    }
    if let Some(version) = desired.versions.get(&desired.phases[wanted.phase].component) {
        annotations.insert(VERSION.into(), version.to_string());
    }
    annotations
}

/// Text and numbers alone always have a JSON form.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The fingerprint that an index carries.
pub fn inputs(annotations: &Annotations) -> Option<Fingerprint> {
    annotations.get(INPUTS).and_then(|text| Fingerprint::parse(text))
}

/// The parts that an index carries.
pub fn parts(annotations: &Annotations) -> Option<Parts> {
    serde_json::from_str(annotations.get(PARTS)?).ok()
}

/// The version of `component` that an index carries.
pub fn version(annotations: &Annotations, component: &str) -> Option<Version> {
    let versions: BTreeMap<String, String> = serde_json::from_str(annotations.get(VERSIONS)?).ok()?;
    versions.get(component)?.parse().ok()
}
