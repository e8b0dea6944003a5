//! What is built, in which order, and what a failure stops.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::workshop::{Ask, Workshop, build, desired, digest, image, states, tree};
use crate::build::{Event, annotations};
use crate::error::Kind;
use crate::registry::{Registry, tag_state};

/// What `image` was staged as: the manifests are those of its release tag.
async fn staged(events: &[Event], name: &str, shop: &Workshop) -> String {
    assert!(events.iter().any(|event| matches!(event, Event::Staged { image, adopted: false, .. } if image == name)));
    let release = shop.registry.manifest(&image(&format!("{name}:v1.2.3"))).await.unwrap().unwrap();
    let bare = crate::registry::Index {
        schema_version: 2,
        media_type: Some(crate::registry::OCI_INDEX.into()),
        manifests: release.children().to_vec(),
        annotations: None,
    };
    crate::registry::Digest::of(&serde_json::to_vec(&bare).unwrap()).to_string()
}

#[tokio::test]
async fn an_empty_registry_is_filled_phase_by_phase_and_then_left_alone() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    let (outcome, events) = build(&shop, &desired, Ask::default()).await;
    outcome.unwrap();
    assert_eq!(shop.jobs.lock().unwrap()[1].contexts.len(), 1, "dev is built on the base that was staged");
    let context = shop.jobs.lock().unwrap()[1].contexts["r.example.com/p/base:v1.2.3"].clone();
    assert_eq!(context, format!("docker-image://r.example.com/p/base@{}", staged(&events, "base", &shop).await));
    assert_eq!(shop.built(), ["base 2", "dev 2", "app 2", "lone 2"]);
    let gs = events.iter().position(|event| matches!(event, Event::Phase { name, .. } if name == "gs")).unwrap();
    let verified = events.iter().position(|event| matches!(event, Event::Verified { name } if name == "v6d")).unwrap();
    assert!(verified < gs, "a phase starts when the one before it is verified");
    assert_eq!(states(&shop, &desired).await, ["base: current", "dev: current", "app: current", "lone: current"]);
    assert_eq!(digest(&shop, "dev:latest").await, digest(&shop, "dev:v1.2.3").await);
    for repository in ["base", "dev", "app", "lone"] {
        let tags = shop.registry.tags(&image(&format!("{repository}:x")).repository).await.unwrap();
        assert!(!tags.iter().any(|tag| tag.starts_with("gsr-")), "{tags:?}");
    }
    let state = tag_state(&shop.registry, &image("dev:v1.2.3")).await.unwrap().unwrap();
    assert_eq!(annotations::inputs(&state.annotations).as_ref(), Some(&desired.images[1].inputs.fingerprint));
    assert_eq!(state.annotations[annotations::REVISION], "c1");
    assert_eq!(state.annotations[annotations::VERSIONS], r#"{"g":"4.5.6","v":"1.2.3"}"#);
    assert!(state.annotations[annotations::BASES].contains("r.example.com/p/base:v1.2.3"));

    let (outcome, _) = build(&shop, &desired, Ask::default()).await;
    outcome.unwrap();
    assert_eq!(shop.built(), [""; 0]);
}

#[tokio::test]
async fn a_bump_rebuilds_what_carries_the_version_and_adopts_what_does_not() {
    let shop = Workshop::default();
    build(&shop, &desired(&tree("1.2.3"), "c1"), Ask::default()).await.0.unwrap();
    shop.built();
    let next = desired(&tree("1.2.4"), "c2");
    assert_eq!(
        states(&shop, &next).await,
        ["base: missing", "dev: missing", "app: stale: base dev changed", "lone: current"]
    );
    let before = digest(&shop, "app:4.5.6").await;
    build(&shop, &next, Ask::default()).await.0.unwrap();
    assert_eq!(shop.built(), ["dev 2", "app 2"], "base is the same under another tag");
    assert_ne!(digest(&shop, "app:4.5.6").await, before);
    assert!(digest(&shop, "base:v1.2.3").await.is_some() && digest(&shop, "base:v1.2.4").await.is_some());
}

#[tokio::test]
async fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    shop.broken.lock().unwrap().insert("dev".into());
    let (outcome, events) = build(&shop, &desired, Ask::default()).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, Kind::Build);
    assert!(
        error.message.contains("phase v6d is not complete; dev: ") && error.message.contains("exit code: 1"),
        "{error}"
    );
    assert!(!events.iter().any(|event| matches!(event, Event::Phase { name, .. } if name == "gs")));
    assert_eq!(states(&shop, &desired).await[..2], ["base: current", "dev: missing"]);
    assert_eq!(digest(&shop, "dev:latest").await, None);

    shop.broken.lock().unwrap().clear();
    shop.broken.lock().unwrap().insert("base".into());
    let other = Workshop { broken: Mutex::new(BTreeSet::from(["base".into()])), ..Workshop::default() };
    let (outcome, events) = build(&other, &desired, Ask::default()).await;
    assert!(outcome.unwrap_err().message.contains("not built: dev (needs base)"));
    assert!(events.contains(&Event::Skipped { image: "dev".into(), needs: "base".into() }));

    shop.broken.lock().unwrap().clear();
    shop.built();
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    assert_eq!(shop.built(), ["dev 2", "app 2", "lone 2"], "what was published is not built again");
}

#[tokio::test]
async fn an_image_without_a_platform_is_never_published() {
    let shop = Workshop { lame: Mutex::new(BTreeSet::from(["base".into()])), ..Workshop::default() };
    let (outcome, _) = build(&shop, &desired(&tree("1.2.3"), "c1"), Ask::default()).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, Kind::Remote);
    assert!(error.message.contains("does not have every platform of `base`"), "{error}");
    assert_eq!(digest(&shop, "base:v1.2.3").await, None);
}

#[tokio::test]
async fn a_share_of_a_platform_that_no_image_has_is_refused() {
    let shop = Workshop::default();
    let ask = Ask { platform: Some("linux/riscv64"), ..Ask::default() };
    let error = build(&shop, &desired(&tree("1.2.3"), "c1"), ask).await.0.unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert!(error.hints[0].contains("linux/amd64, linux/arm64"), "{error:?}");
}

#[tokio::test]
async fn shares_publish_nothing_and_are_joined_without_building() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    for platform in ["linux/amd64", "linux/arm64"] {
        build(&shop, &desired, Ask { platform: Some(platform), ..Ask::default() }).await.0.unwrap();
        assert_eq!(shop.built(), ["base 1", "dev 1"], "the first phase that is not complete");
        assert_eq!((digest(&shop, "base:v1.2.3").await, digest(&shop, "dev:latest").await), (None, None));
        build(&shop, &desired, Ask { platform: Some(platform), ..Ask::default() }).await.0.unwrap();
        assert_eq!(shop.built(), [""; 0], "a share that is there is adopted");
    }
    build(&shop, &desired, Ask { only: Some(0), ..Ask::default() }).await.0.unwrap();
    assert_eq!(shop.built(), [""; 0]);
    assert_eq!(states(&shop, &desired).await[..2], ["base: current", "dev: current"]);
    let (outcome, _) = build(&shop, &desired, Ask { platform: Some("linux/amd64"), ..Ask::default() }).await;
    outcome.unwrap();
    assert_eq!(shop.built(), ["app 1", "lone 1"], "then the next phase");
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    assert_eq!(shop.built(), ["app 1", "lone 1"], "the missing share alone is built");
}

#[tokio::test]
async fn a_later_phase_alone_is_refused_while_an_earlier_one_is_open() {
    let shop = Workshop::default();
    let (outcome, _) = build(&shop, &desired(&tree("1.2.3"), "c1"), Ask { only: Some(1), ..Ask::default() }).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.contains("before phase v6d is complete: base is missing"), "{error}");
    assert_eq!(shop.built(), [""; 0]);
}

#[tokio::test]
async fn a_rebuild_takes_what_depends_on_it_along() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    shop.built();
    let before = digest(&shop, "app:4.5.6").await;
    let rebuild = BTreeSet::from([desired.image("base").unwrap()]);
    build(&shop, &desired, Ask { rebuild, ..Ask::default() }).await.0.unwrap();
    assert_eq!(shop.built(), ["base 2", "dev 2", "app 2"]);
    assert_ne!(digest(&shop, "app:4.5.6").await, before);
}
