//! What every registry must do: the one in memory, and a real one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on has failed")]

#[path = "support/registry.rs"]
mod support;

use gs_release::config::Platform;
use gs_release::error::{Error, Kind};
use gs_release::registry::{
    Annotations, Content, Digest, ImageRef, IndexRequest, Limits, Manifest, MemoryRegistry, OCI_INDEX, OciRegistry,
    Published, Registry, Repository, create_index, tag_state,
};
use support::{RealRegistry, upload};

fn platform(arch: &str) -> Platform {
    Platform { os: "linux".into(), arch: arch.into(), variant: None }
}

/// A registry and a way to put images there.
enum Place {
    Memory(MemoryRegistry),
    Real { registry: Box<OciRegistry>, host: String },
}

impl Place {
    fn registry(&self) -> &dyn Registry {
        match self {
            Place::Memory(registry) => registry,
            Place::Real { registry, .. } => &**registry,
        }
    }

    fn repository(&self, path: &str) -> Repository {
        let host = match self {
            Place::Memory(_) => "registry.example.com",
            Place::Real { host, .. } => host,
        };
        format!("{host}/{path}").parse().unwrap()
    }

    /// Pushes an image of one platform as a builder would.
    async fn push(&self, image: &ImageRef, arch: &str, content: &str) -> Digest {
        let made = MemoryRegistry::new();
        let memory = if let Place::Memory(memory) = self { memory } else { &made };
        let digest = memory.push_image(image, &platform(arch), content).await.unwrap();
        let Place::Real { registry, host } = self else { return digest };
        let manifest = made.manifest(image).await.unwrap().unwrap();
        let Content::Image(parts) = &manifest.content else { panic!("an image") };
        for blob in parts.layers.iter().chain([&parts.config]) {
            let bytes = made.blob(&image.repository, blob).await.unwrap();
            upload(host, image.repository.path(), bytes).await;
        }
        registry.put_manifest(image, &manifest).await.unwrap();
        digest
    }

    /// Joins `sources` as `target`, for both platforms.
    async fn join(&self, target: &ImageRef, sources: &[ImageRef], annotations: &Annotations) -> Published {
        self.try_join(target, sources, annotations).await.unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    async fn try_join(
        &self,
        target: &ImageRef,
        sources: &[ImageRef],
        annotations: &Annotations,
    ) -> Result<Published, Error> {
        let platforms = [platform("amd64"), platform("arm64")];
        let request = IndexRequest { target, sources, annotations, platforms: &platforms, adopt: &|_| false };
        create_index(self.registry(), &request).await
    }
}

/// The whole contract of [`Registry`], and of the index writer on top of it.
async fn behaves_like_a_registry(place: &Place) {
    let registry = place.registry();
    let repository = place.repository("g/app");
    let tag = |name: &str| repository.tag(name).unwrap();
    let none = Annotations::new();

    assert_eq!(registry.manifest(&tag("v1")).await.unwrap(), None);
    assert_eq!(registry.tags(&repository).await.unwrap(), [""; 0]);
    registry.check_push(&repository).await.unwrap();

    let amd = place.push(&tag("v1-amd64"), "amd64", "amd").await;
    let arm = place.push(&tag("v1-arm64"), "arm64", "arm").await;
    let state = tag_state(registry, &tag("v1-arm64")).await.unwrap().unwrap();
    assert_eq!((state.digest, state.platforms), (arm.clone(), vec![platform("arm64")]));

    // a source that is not there, or lacks a platform: nothing is written
    let absent = place.try_join(&tag("v1"), &[tag("v1-amd64"), tag("v1-s390x")], &none).await.unwrap_err();
    assert_eq!(absent.kind, Kind::Remote);
    assert!(absent.message.contains("app:v1-s390x is not in the registry"), "{absent}");
    let partial = place.try_join(&tag("v1"), &[tag("v1-amd64")], &none).await.unwrap_err();
    assert_eq!(partial.kind, Kind::Refused);
    assert!(partial.message.contains("no source has linux/arm64 (they have linux/amd64)"), "{partial}");
    assert_eq!(registry.manifest(&tag("v1")).await.unwrap(), None);

    // an index of images that this repository does not have
    let index = index_of_unknown_images(&tag("unknown")).await;
    let refused = registry.put_manifest(&tag("unknown"), &index).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Remote);
    assert_eq!(registry.manifest(&tag("unknown")).await.unwrap(), None);

    // joined in any order, written once
    let annotations = Annotations::from([("org.opencontainers.image.version".to_owned(), "1.0.0".to_owned())]);
    let first = place.join(&tag("v1"), &[tag("v1-amd64"), tag("v1-arm64")], &annotations).await;
    assert!(first.changed && first.previous.is_none());
    assert_eq!(first.platforms, [platform("amd64"), platform("arm64")]);
    let again = place.join(&tag("v1"), &[repository.digest(&arm), repository.digest(&amd)], &annotations).await;
    assert_eq!((again.changed, &again.digest, &again.previous), (false, &first.digest, &Some(first.digest.clone())));
    let state = tag_state(registry, &tag("v1")).await.unwrap().unwrap();
    assert_eq!((state.annotations, state.platforms), (annotations, first.platforms));

    // a moving tag is the same index, byte for byte
    let latest = place.join(&tag("latest"), &[repository.digest(&first.digest)], &none).await;
    assert_eq!(latest.digest, first.digest);
    let v1 = registry.manifest(&tag("v1")).await.unwrap().unwrap();
    assert_eq!(v1.media_type, OCI_INDEX);
    assert_eq!(registry.manifest(&repository.digest(&v1.digest)).await.unwrap().as_ref(), Some(&v1));
    assert_eq!(registry.manifest(&tag("latest")).await.unwrap(), Some(v1.clone()));

    // a tag moves, what it pointed at stays
    let newer = place.push(&tag("v2-arm64"), "arm64", "newer arm").await;
    let moved = place.join(&tag("latest"), &[tag("v1-amd64"), repository.digest(&newer)], &none).await;
    assert_eq!((moved.changed, moved.previous), (true, Some(first.digest.clone())));
    assert!(registry.has_manifest(&repository.digest(&first.digest)).await.unwrap());

    // to another repository, with everything that belongs to it
    let copy = place.repository("g/copy").tag("v1").unwrap();
    let copied = place.join(&copy, &[tag("v1")], &none).await;
    assert_eq!(copied.digest, first.digest);
    let state = tag_state(registry, &copy.repository.digest(&arm)).await.unwrap().unwrap();
    assert_eq!(state.platforms, [platform("arm64")]);

    assert_eq!(registry.tags(&repository).await.unwrap(), ["latest", "v1", "v1-amd64", "v1-arm64", "v2-arm64"]);
    let deleted = registry.delete_tag(&tag("v2-arm64")).await.unwrap();
    assert_eq!(registry.has_manifest(&tag("v2-arm64")).await.unwrap(), !deleted);
    assert!(registry.has_manifest(&repository.digest(&newer)).await.unwrap(), "what the tag pointed at stays");
    let by_digest = registry.delete_tag(&repository.digest(&newer)).await.unwrap_err();
    assert_eq!(by_digest.kind, Kind::Usage);
}

async fn index_of_unknown_images(image: &ImageRef) -> Manifest {
    let elsewhere = Place::Memory(MemoryRegistry::new());
    let source = image.repository.tag("source").unwrap();
    elsewhere.push(&source, "s390x", "unknown").await;
    let request = IndexRequest {
        target: image,
        sources: &[source],
        annotations: &Annotations::from([("a".to_owned(), "b".to_owned())]),
        platforms: &[],
        adopt: &|_| false,
    };
    create_index(elsewhere.registry(), &request).await.unwrap();
    elsewhere.registry().manifest(image).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_registry_in_memory_behaves_like_a_registry() {
    behaves_like_a_registry(&Place::Memory(MemoryRegistry::new())).await;
}

#[tokio::test]
#[ignore = "needs docker-registry"]
async fn a_real_registry_behaves_like_a_registry() {
    let Some(real) = RealRegistry::start().await else { return };
    let registry = OciRegistry::new(None, Limits::default()).unwrap();
    let place = Place::Real { registry: Box::new(registry), host: real.host.clone() };
    behaves_like_a_registry(&place).await;
    agrees_with_skopeo(place.registry(), &place.repository("g/app").tag("v1").unwrap()).await;
}

/// An independent client reads the same bytes.
async fn agrees_with_skopeo(registry: &dyn Registry, image: &ImageRef) {
    let skopeo = std::process::Command::new("skopeo")
        .args(["inspect", "--raw", "--tls-verify=false", &format!("docker://{image}")])
        .output();
    let output = match skopeo {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: skopeo is not installed, so no other client has looked at the index");
            return;
        }
        other => other.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, registry.manifest(image).await.unwrap().unwrap().bytes);
}
