//! Composes one index from images of several platforms. Pure: whoever calls has read the manifests.
//!
//! The same images and annotations give the same bytes, whatever order they come in: images stand in the order of
//! their platforms, attestations after them in the order of their images. Platforms are written in their usual
//! spelling. Annotations of the sources' own indexes are not carried over: they speak of those indexes.

use std::collections::BTreeMap;

use super::manifest::{Annotations, DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Index, Manifest, OCI_INDEX};
use super::reference::ImageRef;
use crate::config::Platform;
use crate::error::{Error, Result};

/// One manifest of a source: an image with its platform, or an attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source that it was found in.
    pub source: ImageRef,
    /// Its descriptor; that of an image says its platform.
    pub descriptor: Descriptor,
}

/// Makes the index of `entries`, with `annotations` on the index itself.
///
/// The result is an OCI index, except that it is a Docker manifest list where every image is Docker's and no
/// annotation is wanted: what old clients understand, and what `docker manifest create` makes. A Docker list can have
/// no annotations. An attestation about an image that is not in the index is left out.
///
/// # Errors
/// No image at all; two different images of one platform; an image whose platform is not known.
pub fn compose(entries: Vec<Entry>, annotations: &Annotations) -> Result<Manifest> {
    let (attestations, images): (Vec<_>, Vec<_>) = entries.into_iter().partition(|e| e.descriptor.is_attestation());
    let images = one_image_a_platform(images)?;
    if images.is_empty() {
        return Err(Error::refused("an index needs at least one image: the sources hold none"));
    }
    let position = |digest: &str| images.iter().position(|image| image.digest.as_str() == digest);
    let mut attestations: Vec<(usize, Descriptor)> = attestations
        .into_iter()
        .filter_map(|entry| Some((position(entry.descriptor.attests()?)?, entry.descriptor)))
        .collect();
    attestations.sort_by(|(a, x), (b, y)| (a, &x.digest).cmp(&(b, &y.digest)));
    attestations.dedup_by(|(_, x), (_, y)| x.digest == y.digest);

    let all_docker = attestations.is_empty() && images.iter().all(|image| image.media_type == DOCKER_MANIFEST);
    let media_type = if all_docker && annotations.is_empty() { DOCKER_LIST } else { OCI_INDEX };
    let index = Index {
        schema_version: 2,
        media_type: Some(media_type.to_owned()),
        manifests: images.into_iter().chain(attestations.into_iter().map(|(_, descriptor)| descriptor)).collect(),
        annotations: Some(annotations.clone()).filter(|annotations| !annotations.is_empty()),
    };
    let written =
        serde_json::to_vec(&index).map_err(|error| Error::usage("the index cannot be written").because(error))?;
    Manifest::parse(Some(media_type), written).map_err(Error::usage)
}

/// What makes two images exclude each other: the platform, and what Windows images differ in beyond it.
type Key = (Platform, Option<String>, String);

/// The images in the order of their platforms; the same image twice is one.
fn one_image_a_platform(images: Vec<Entry>) -> Result<Vec<Descriptor>> {
    let mut by_platform: BTreeMap<Key, Entry> = BTreeMap::new();
    for mut entry in images {
        let Some(fields) = &mut entry.descriptor.platform else {
            return Err(Error::refused(format!(
                "the platform of {} in {} is not known",
                entry.descriptor.digest, entry.source
            )));
        };
        let platform = fields.platform();
        fields.os.clone_from(&platform.os);
        fields.architecture.clone_from(&platform.arch);
        fields.variant.clone_from(&platform.variant);
        let features = fields.other.get("os.features").map(ToString::to_string).unwrap_or_default();
        let key = (platform, fields.os_version.clone(), features);
        match by_platform.get(&key) {
            Some(other) if other.descriptor.digest != entry.descriptor.digest => {
                return Err(same_platform(&key.0, other, &entry));
            }
            // the same image through two sources, of which one may have annotated it: whichever comes first in order
            Some(other) if annotations_of(other) <= annotations_of(&entry) => {}
            _ => drop(by_platform.insert(key, entry)),
        }
    }
    Ok(by_platform.into_values().map(|entry| entry.descriptor).collect())
}

fn annotations_of(entry: &Entry) -> Option<&Annotations> {
    entry.descriptor.annotations.as_ref()
}

fn same_platform(platform: &Platform, first: &Entry, second: &Entry) -> Error {
    let named = |entry: &Entry| match entry.source.digest() == Some(&entry.descriptor.digest) {
        true => entry.source.to_string(),
        false => format!("{} ({})", entry.source, entry.descriptor.digest),
    };
    Error::refused(format!("two images for {platform}: {} and {}", named(first), named(second)))
        .hint("name one source for each platform")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::manifest::{OCI_MANIFEST, PlatformFields};
    use super::super::reference::Digest;
    use super::*;

    fn image(source: &str, platform: &str, content: &str) -> Entry {
        let (os, arch) = platform.split_once('/').unwrap();
        let (arch, variant) = arch.split_once('/').map_or((arch, None), |(arch, variant)| (arch, Some(variant)));
        Entry {
            source: format!("registry.example.com/g/app:{source}").parse().unwrap(),
            descriptor: Descriptor {
                media_type: OCI_MANIFEST.into(),
                digest: Digest::of(content.as_bytes()),
                size: 7,
                platform: Some(PlatformFields {
                    architecture: arch.into(),
                    os: os.into(),
                    os_version: None,
                    variant: variant.map(Into::into),
                    other: BTreeMap::new(),
                }),
                annotations: None,
                other: BTreeMap::new(),
            },
        }
    }

    fn attestation(about: &Entry, content: &str) -> Entry {
        let mut entry = image("a", "unknown/unknown", content);
        entry.descriptor.annotations = Some(Annotations::from([
            ("vnd.docker.reference.type".into(), "attestation-manifest".into()),
            ("vnd.docker.reference.digest".into(), about.descriptor.digest.to_string()),
        ]));
        entry
    }

    fn contents(index: &Manifest) -> Vec<&Digest> {
        index.children().iter().map(|child| &child.digest).collect()
    }

    #[test]
    fn images_are_ordered_by_platform_with_their_attestations_after_them() {
        let (arm, amd) = (image("x", "linux/arm64", "arm"), image("y", "linux/amd64", "amd"));
        let (about_arm, about_amd) = (attestation(&arm, "of arm"), attestation(&amd, "of amd"));
        let index =
            compose(vec![about_arm.clone(), arm.clone(), amd.clone(), about_amd.clone()], &Annotations::new()).unwrap();
        let expected = [amd, arm, about_amd, about_arm].map(|entry| entry.descriptor.digest);
        assert_eq!(contents(&index), expected.iter().collect::<Vec<_>>());
        assert_eq!(index.children()[2].platform.as_ref().unwrap().os, "unknown");
    }

    #[test]
    fn two_images_of_one_platform_are_refused_naming_both_sources() {
        let error =
            compose(vec![image("one", "linux/arm64", "a"), image("two", "linux/arm64/v8", "b")], &Annotations::new())
                .unwrap_err();
        assert_eq!(error.kind.exit_code(), 3);
        for part in ["two images for linux/arm64:", "app:one", "app:two"] {
            assert!(error.message.contains(part), "{error}");
        }
    }

    #[test]
    fn the_same_image_twice_is_one_image() {
        let entries = vec![image("one", "linux/amd64", "a"), image("two", "linux/amd64", "a")];
        assert_eq!(compose(entries, &Annotations::new()).unwrap().children().len(), 1);
    }

    #[test]
    fn windows_images_of_two_os_versions_live_side_by_side() {
        let [mut old, mut new] = ["10.0.17763", "10.0.20348"].map(|version| {
            let mut entry = image("w", "windows/amd64", version);
            entry.descriptor.platform.as_mut().unwrap().os_version = Some(version.into());
            entry
        });
        assert_eq!(compose(vec![new.clone(), old.clone()], &Annotations::new()).unwrap().children().len(), 2);
        for entry in [&mut old, &mut new] {
            entry.descriptor.platform.as_mut().unwrap().os_version = None;
        }
        assert!(compose(vec![new, old], &Annotations::new()).is_err());
    }

    #[test]
    fn an_attestation_without_its_image_is_left_out() {
        let (kept, gone) = (image("x", "linux/amd64", "kept"), image("x", "linux/arm64", "gone"));
        let index = compose(vec![kept, attestation(&gone, "of gone")], &Annotations::new()).unwrap();
        assert_eq!(index.children().len(), 1);
        assert!(compose(vec![attestation(&gone, "of gone")], &Annotations::new()).is_err());
    }

    #[test]
    fn a_docker_list_is_made_of_docker_images_without_annotations_only() {
        let docker = |platform: &str| {
            let mut entry = image("d", platform, platform);
            entry.descriptor.media_type = DOCKER_MANIFEST.into();
            entry
        };
        let annotations = Annotations::from([("org.opencontainers.image.version".into(), "0.24.2".into())]);
        let (amd, arm) = (docker("linux/amd64"), docker("linux/arm64"));
        let list = compose(vec![amd.clone(), arm.clone()], &Annotations::new()).unwrap();
        assert_eq!(list.media_type, DOCKER_LIST);
        let annotated = compose(vec![amd.clone(), arm], &annotations).unwrap();
        assert_eq!((annotated.media_type.as_str(), annotated.annotations()), (OCI_INDEX, annotations));
        let mixed = compose(vec![amd, image("o", "linux/arm64", "o")], &Annotations::new()).unwrap();
        assert_eq!(mixed.media_type, OCI_INDEX);
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let annotations = Annotations::from([("b".into(), "2".into()), ("a".into(), "1".into())]);
        let index = compose(vec![image("x", "linux/arm64/v8", "x")], &annotations).unwrap();
        let digest = Digest::of(b"x");
        assert_eq!(
            String::from_utf8(index.bytes).unwrap(),
            format!(
                "{{\"schemaVersion\":2,\"mediaType\":\"{OCI_INDEX}\",\"manifests\":[{{\"mediaType\":\"{OCI_MANIFEST}\",\
                 \"digest\":\"{digest}\",\"size\":7,\"platform\":{{\"architecture\":\"arm64\",\"os\":\"linux\"}}}}],\
                 \"annotations\":{{\"a\":\"1\",\"b\":\"2\"}}}}"
            )
        );
    }

    proptest! {
        #[test]
        fn the_order_of_the_sources_does_not_matter(
            arches in proptest::collection::btree_set("(amd64|arm64|arm|ppc64le|s390x|386|riscv64)", 1..6),
        ) {
            let mut entries: Vec<Entry> = Vec::new();
            for arch in &arches {
                let entry = image(arch, &format!("linux/{arch}"), arch);
                entries.extend([attestation(&entry, &format!("of {arch}")), entry.clone(), entry]);
            }
            let shuffle = std::hash::RandomState::new();
            let ordered = compose(entries.clone(), &Annotations::new()).unwrap();
            prop_assert_eq!(ordered.children().len(), 2 * arches.len());
            entries.sort_by_key(|entry| std::hash::BuildHasher::hash_one(&shuffle, &entry.descriptor.digest));
            prop_assert_eq!(compose(entries, &Annotations::new()).unwrap(), ordered);
        }
    }
}
