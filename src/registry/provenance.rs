//! Which images a published one was built from, as its provenance attestations say.
//!
//! BuildKit attaches them to an index as manifests of their own
//! (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>); their content is SLSA
//! provenance, of version 0.2 (`materials`) or 1 (`resolvedDependencies`), whose images are package URLs.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Registry;
use super::manifest::{Content, Manifest};
use super::reference::{Digest, ImageRef, Repository};
use crate::error::Result;

/// Annotation of an attestation's layer: what its statement is about.
const PREDICATE: &str = "in-toto.io/predicate-type";

/// An image by the tag that was asked for, and the digest that it had then.
pub type Material = (ImageRef, Digest);

/// The images with a tag that `index`, of `repository`, was built from, over all its platforms. None where nothing is
/// attested; a statement of another form says nothing. One request an attestation, and one a statement.
///
/// # Errors
/// What the registry answers.
pub async fn materials(
    registry: &dyn Registry,
    repository: &Repository,
    index: &Manifest,
) -> Result<BTreeSet<Material>> {
    let mut found = BTreeSet::new();
    for child in index.children().iter().filter(|child| child.is_attestation()) {
        let Some(attestation) = registry.manifest(&repository.digest(&child.digest)).await? else { continue };
        let Content::Image(image) = &attestation.content else { continue };
        for layer in &image.layers {
            let predicate = layer.annotations.as_ref().and_then(|annotations| annotations.get(PREDICATE));
            if predicate.is_some_and(|predicate| predicate.starts_with("https://slsa.dev/provenance/")) {
                found.extend(read(&registry.blob(repository, layer).await?));
            }
        }
    }
    Ok(found)
}

#[derive(Deserialize)]
struct Statement {
    predicate: Predicate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    #[serde(default)]
    materials: Vec<Resource>,
    build_definition: Option<Definition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(default)]
    resolved_dependencies: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    uri: String,
    #[serde(default)]
    digest: Digests,
}

#[derive(Default, Deserialize)]
struct Digests {
    sha256: Option<String>,
}

fn read(statement: &[u8]) -> Vec<Material> {
    let Ok(Statement { predicate }) = serde_json::from_slice(statement) else { return Vec::new() };
    let dependencies = predicate.build_definition.map(|definition| definition.resolved_dependencies);
    let resources = predicate.materials.into_iter().chain(dependencies.unwrap_or_default());
    resources
        .filter_map(|resource| {
            let digest = format!("sha256:{}", resource.digest.sha256?).parse().ok()?;
            Some((image(&resource.uri)?, digest))
        })
        .collect()
}

/// The image with a tag that a package URL names (<https://github.com/package-url/purl-spec>):
/// `pkg:docker/debian@12-slim?platform=linux%2Famd64`. One that was asked for by digest has no version there.
fn image(purl: &str) -> Option<ImageRef> {
    let path = purl.strip_prefix("pkg:docker/")?;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let (name, tag) = path.rsplit_once('@')?;
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8().ok();
    format!("{}:{}", decoded(name)?, decoded(tag)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::registry::{MemoryRegistry, OCI_INDEX, OCI_MANIFEST};

    const SHA: &str = "f522e997f3e35cef71be8ddbd1257f9b8cdb84fb25cde058994f179d90eab1ac";

    fn material(reference: &str) -> Material {
        (reference.parse().unwrap(), format!("sha256:{SHA}").parse().unwrap())
    }

    #[test]
    fn images_with_a_tag_are_read_from_both_versions_of_slsa() {
        let resources = json!([
            {"uri": "pkg:docker/debian@12-slim?platform=linux%2Famd64", "digest": {"sha256": SHA}},
            {"uri": "pkg:docker/127.0.0.1%3A5000/library/debian@12-slim", "digest": {"sha256": SHA}},
            {"uri": "pkg:docker/r.example.com/g/dev?digest=sha256:00", "digest": {"sha256": SHA}},
            {"uri": "https://example.com/x.git#main", "digest": {"sha1": "00"}},
            {"uri": "pkg:docker/undigested@1"},
            {"uri": "pkg:docker/a%ff@1", "digest": {"sha256": SHA}},
        ]);
        let expected =
            [material("docker.io/library/debian:12-slim"), material("127.0.0.1:5000/library/debian:12-slim")];
        for predicate in
            [json!({"materials": resources}), json!({"buildDefinition": {"resolvedDependencies": resources}})]
        {
            let statement = json!({"_type": "https://in-toto.io/Statement/v0.1", "predicate": predicate});
            assert_eq!(read(statement.to_string().as_bytes()), expected);
        }
        assert_eq!(read(b"{\"predicate\": 1}"), []);
    }

    async fn push(registry: &MemoryRegistry, image: &ImageRef, mut manifest: Value, media_type: &str) -> Manifest {
        manifest["schemaVersion"] = 2.into();
        manifest["mediaType"] = media_type.into();
        let manifest = Manifest::parse(None, manifest.to_string().into_bytes()).unwrap();
        registry.put_manifest(image, &manifest).await.unwrap();
        manifest
    }

    #[tokio::test]
    async fn the_statements_of_an_index_are_found_and_those_of_other_things_passed_over() {
        let (registry, image) = (MemoryRegistry::new(), "r.example.com/g/a:v1".parse::<ImageRef>().unwrap());
        let repository = &image.repository;
        let layer = |predicate: &str, statement: Value| {
            let content = statement.to_string();
            let digest = registry.put_blob(repository, content.as_bytes());
            json!({"mediaType": "application/vnd.in-toto+json", "digest": digest, "size": content.len(),
                "annotations": {PREDICATE: predicate}})
        };
        let used = |uri: &str| json!({"predicate": {"materials": [{"uri": uri, "digest": {"sha256": SHA}}]}});
        let config = registry.put_blob(repository, b"{}");
        let attestation = json!({
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
            "layers": [
                layer("https://spdx.dev/Document", used("pkg:docker/not-provenance@1")),
                layer("https://slsa.dev/provenance/v0.2", used("pkg:docker/debian@12-slim")),
            ],
        });
        let attestation = push(&registry, &repository.tag("attestation").unwrap(), attestation, OCI_MANIFEST).await;
        let child = json!({"mediaType": OCI_MANIFEST, "digest": attestation.digest, "size": attestation.bytes.len(),
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"}});
        let index = push(&registry, &image, json!({"manifests": [child]}), OCI_INDEX).await;
        let found = materials(&registry, repository, &index).await.unwrap();
        assert_eq!(found, BTreeSet::from([material("docker.io/library/debian:12-slim")]));
    }
}
