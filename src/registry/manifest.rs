//! Manifests as a registry holds them: the exact bytes, and what they say.
//!
//! The formats are the OCI image manifest and index (<https://github.com/opencontainers/image-spec>) and their Docker
//! ancestors, schema 2. Bytes are never re-serialised: their digest is their name. Fields that are not known here
//! are kept in descriptors, since those are copied into new indexes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reference::Digest;
use crate::config::Platform;

/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker manifest list, the ancestor of the OCI index.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Annotation that marks a descriptor of BuildKit's as an attestation
/// (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>).
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// Annotation that says which image an attestation is about.
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// Annotations, in the order in which they are written.
pub type Annotations = BTreeMap<String, String>;

/// A manifest: an image of one platform, or an index of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Digest of [`Manifest::bytes`].
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Exactly what the registry holds.
    pub bytes: Vec<u8>,
    /// What the bytes say.
    pub content: Content,
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// One image: configuration and layers.
    Image(ImageManifest),
    /// A list of other manifests.
    Index(Index),
}

/// An image manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImageManifest {
    /// The blob that holds the image's configuration.
    pub config: Descriptor,
    /// The blobs that hold its files.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// Arbitrary metadata.
    #[serde(default)]
    pub annotations: Option<Annotations>,
}

/// An index of manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// [`OCI_INDEX`] or [`DOCKER_LIST`]; OCI lets it be absent.
    #[serde(default)]
    pub media_type: Option<String>,
    /// The manifests, in their order.
    pub manifests: Vec<Descriptor>,
    /// Arbitrary metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
}

/// A reference to content: what it is, how long, and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type of the content.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Length of the content in bytes.
    pub size: u64,
    /// What the image runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformFields>,
    /// Arbitrary metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
    /// Everything else, such as `artifactType`.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The platform of a descriptor, or of an image's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformFields {
    /// `amd64`.
    pub architecture: String,
    /// `linux`.
    pub os: String,
    /// Windows has several.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Everything else, such as `os.features`.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl PlatformFields {
    /// The platform in its usual spelling, see [`usual_spelling`].
    pub fn platform(&self) -> Platform {
        let variant = self.variant.clone().filter(|variant| !variant.is_empty());
        usual_spelling(&Platform { os: self.os.clone(), arch: self.architecture.clone(), variant })
    }
}

/// The one spelling of a platform, as Docker and BuildKit have it (containerd's `platforms.Normalize`): `x86_64` is
/// `amd64`, `arm64/v8` is `arm64`, and `arm` is `arm/v7`.
pub fn usual_spelling(platform: &Platform) -> Platform {
    let os = platform.os.to_ascii_lowercase();
    let arch = platform.arch.to_ascii_lowercase();
    let variant = platform.variant.as_deref().map(str::to_ascii_lowercase);
    let (arch, variant) = match (&*arch, variant.as_deref()) {
        ("i386", _) => ("386", None),
        ("x86_64" | "x86-64" | "amd64", Some("v1") | None) => ("amd64", None),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", Some("8" | "v8") | None) => ("arm64", None),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", Some("v7")),
        ("armel", _) => ("arm", Some("v6")),
        ("arm", Some("7") | None) => ("arm", Some("v7")),
        ("arm", Some("5")) => ("arm", Some("v5")),
        ("arm", Some("6")) => ("arm", Some("v6")),
        ("arm", Some("8")) => ("arm", Some("v8")),
        (arch, variant) => (arch, variant),
    };
    let os = if os == "macos" { "darwin".to_owned() } else { os };
    Platform { os, arch: arch.to_owned(), variant: variant.map(str::to_owned) }
}

impl Descriptor {
    /// Whether it is an attestation (provenance, SBOM) rather than an image.
    pub fn is_attestation(&self) -> bool {
        self.annotation(REFERENCE_TYPE) == Some("attestation-manifest")
    }

    /// The image that an attestation is about, as the digest's text.
    pub fn attests(&self) -> Option<&str> {
        self.annotation(REFERENCE_DIGEST)
    }

    /// Whether it is an index inside an index.
    pub fn is_index(&self) -> bool {
        is_index(&self.media_type)
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }
}

fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

impl Manifest {
    /// Reads `bytes`, which came with the media type `announced`, if that was said.
    ///
    /// # Errors
    /// Says in words what is wrong with them: no manifest, two kinds at once, or not of the announced type.
    pub fn parse(announced: Option<&str>, bytes: Vec<u8>) -> Result<Self, String> {
        /// The fields that tell the kinds apart.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            schema_version: Option<u32>,
            media_type: Option<String>,
            config: Option<serde::de::IgnoredAny>,
            layers: Option<serde::de::IgnoredAny>,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let json = |error: serde_json::Error| format!("the manifest cannot be read: {error}");
        let shape: Shape = serde_json::from_slice(&bytes).map_err(json)?;
        if shape.schema_version != Some(2) {
            return Err("the manifest is not of schema version 2, which everything since Docker 1.10 writes".to_owned());
        }
        // CVE-2021-41190: one document that is an image to one client and an index to another
        let is_index_shape = match (shape.manifests, shape.config.or(shape.layers)) {
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(_), Some(_)) => return Err("the manifest claims to be an image and an index at once".to_owned()),
            (None, None) => return Err("the manifest is neither an image nor an index".to_owned()),
        };
        let announced = announced.filter(|media_type| media_type.starts_with("application/vnd."));
        let media_type = match (announced, shape.media_type) {
            (Some(header), Some(body)) if header != body => {
                return Err(format!("the manifest says it is `{body}`, the registry says `{header}`"));
            }
            (_, Some(media_type)) => media_type,
            (Some(media_type), None) => media_type.to_owned(),
            (None, None) => (if is_index_shape { OCI_INDEX } else { OCI_MANIFEST }).to_owned(),
        };
        let known = if is_index_shape { [OCI_INDEX, DOCKER_LIST] } else { [OCI_MANIFEST, DOCKER_MANIFEST] };
        if !known.contains(&&*media_type) {
            let shape = if is_index_shape { "an index" } else { "an image" };
            return Err(format!("the manifest has the shape of {shape}, but its media type is `{media_type}`"));
        }
        let content = match is_index_shape {
            true => Content::Index(serde_json::from_slice(&bytes).map_err(json)?),
            false => Content::Image(serde_json::from_slice(&bytes).map_err(json)?),
        };
        Ok(Manifest { digest: Digest::of(&bytes), media_type, bytes, content })
    }

    /// Its annotations: those of an index are on the index itself.
    pub fn annotations(&self) -> Annotations {
        let annotations = match &self.content {
            Content::Image(image) => &image.annotations,
            Content::Index(index) => &index.annotations,
        };
        annotations.clone().unwrap_or_default()
    }

    /// The manifests that it refers to; none for an image.
    pub fn children(&self) -> &[Descriptor] {
        match &self.content {
            Content::Image(_) => &[],
            Content::Index(index) => &index.manifests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn image(extra: &str) -> Vec<u8> {
        let config =
            format!(r#"{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{EMPTY}","size":0}}"#);
        format!(r#"{{"schemaVersion":2,"config":{config},"layers":[]{extra}}}"#).into_bytes()
    }

    #[test]
    fn the_media_type_comes_from_the_body_the_header_or_the_shape() {
        for (announced, extra, media_type) in [
            (Some(DOCKER_MANIFEST), "", DOCKER_MANIFEST),
            (Some("application/json; charset=utf-8"), "", OCI_MANIFEST),
            (None, r#","mediaType":"application/vnd.docker.distribution.manifest.v2+json""#, DOCKER_MANIFEST),
            (None, "", OCI_MANIFEST),
        ] {
            assert_eq!(Manifest::parse(announced, image(extra)).unwrap().media_type, media_type);
        }
    }

    #[test]
    fn what_is_no_manifest_is_refused_in_words() {
        let attested = r#","mediaType":"application/vnd.oci.image.index.v1+json""#;
        for (announced, bytes, message) in [
            (None, b"<html>".to_vec(), "cannot be read"),
            (None, b"{}".to_vec(), "schema version 2"),
            (None, br#"{"schemaVersion":1,"fsLayers":[]}"#.to_vec(), "schema version 2"),
            (None, br#"{"schemaVersion":2}"#.to_vec(), "neither an image nor an index"),
            (None, image(r#","manifests":[]"#), "at once"),
            (None, image(attested), "shape of an image"),
            (Some(OCI_INDEX), image(""), "shape of an image"),
            (Some(DOCKER_MANIFEST), image(attested), "the registry says"),
            (None, br#"{"schemaVersion":2,"manifests":[{"digest":"x"}]}"#.to_vec(), "cannot be read"),
        ] {
            let error = Manifest::parse(announced, bytes.clone()).unwrap_err();
            assert!(error.contains(message), "{}: {error}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn platforms_have_one_spelling() {
        for (os, arch, variant, usual) in [
            ("linux", "arm64", Some("v8"), "linux/arm64"),
            ("linux", "aarch64", None, "linux/arm64"),
            ("Linux", "x86_64", None, "linux/amd64"),
            ("linux", "amd64", Some("v3"), "linux/amd64/v3"),
            ("linux", "arm", None, "linux/arm/v7"),
            ("linux", "arm", Some("6"), "linux/arm/v6"),
            ("linux", "386", Some(""), "linux/386"),
            ("linux", "ppc64le", None, "linux/ppc64le"),
            ("macos", "arm64", None, "darwin/arm64"),
        ] {
            let fields = PlatformFields {
                architecture: arch.into(),
                os: os.into(),
                os_version: None,
                variant: variant.map(Into::into),
                other: BTreeMap::new(),
            };
            assert_eq!(fields.platform().to_string(), usual);
            assert_eq!(usual_spelling(&fields.platform()).to_string(), usual);
        }
    }

    #[test]
    fn unknown_fields_of_a_descriptor_survive() {
        let text = format!(
            r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{EMPTY}","size":1,"platform":{{"architecture":"amd64","os":"windows","os.version":"10","os.features":["win32k"]}},"artifactType":"a/b"}}"#
        );
        let descriptor: Descriptor = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&descriptor).unwrap(), text);
    }
}
