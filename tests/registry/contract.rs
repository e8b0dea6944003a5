//! What every registry must do.

use gs_release::error::Kind;
use gs_release::registry::{
    Annotations, ImageRef, IndexRequest, Manifest, MemoryRegistry, OCI_INDEX, Registry, create_index, tag_state,
};

use crate::fake::FakeRegistry;
use crate::place::{Place, platform};
use crate::real::RealRegistry;

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
    assert!(registry.manifest(&repository.digest(&first.digest)).await.unwrap().is_some());

    // to another repository, with everything that belongs to it
    let copy = place.repository("g/copy").tag("v1").unwrap();
    let copied = place.join(&copy, &[tag("v1")], &none).await;
    assert_eq!(copied.digest, first.digest);
    let state = tag_state(registry, &copy.repository.digest(&arm)).await.unwrap().unwrap();
    assert_eq!(state.platforms, [platform("arm64")]);

    assert_eq!(registry.tags(&repository).await.unwrap(), ["latest", "v1", "v1-amd64", "v1-arm64", "v2-arm64"]);
    let deleted = registry.delete_tag(&tag("v2-arm64")).await.unwrap();
    assert_eq!(registry.manifest(&tag("v2-arm64")).await.unwrap().is_none(), deleted);
    assert!(registry.manifest(&repository.digest(&newer)).await.unwrap().is_some(), "what the tag pointed at stays");
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
async fn the_protocol_is_spoken_as_specified() {
    behaves_like_a_registry(&Place::at(&FakeRegistry::start().host)).await;
}

#[tokio::test]
async fn images_of_another_registry_are_copied_with_their_blobs() {
    let [from, to] = [FakeRegistry::start(), FakeRegistry::start()];
    let (from, to) = (Place::at(&from.host), Place::at(&to.host));
    let sources = ["amd64", "arm64"].map(|arch| from.repository("g/app").tag(arch).unwrap());
    for source in &sources {
        from.push(source, source.tag().unwrap(), source.tag().unwrap()).await;
    }
    let target = to.repository("other/app").tag("v1").unwrap();
    let published = to.join(&target, &sources, &Annotations::new()).await;
    let state = tag_state(to.registry(), &target).await.unwrap().unwrap();
    assert_eq!((state.digest, state.platforms), (published.digest, vec![platform("amd64"), platform("arm64")]));
}

#[tokio::test]
#[ignore = "needs docker-registry"]
async fn a_real_registry_behaves_like_a_registry() {
    let Some(real) = RealRegistry::start().await else { return };
    let place = Place::at(&real.host);
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
