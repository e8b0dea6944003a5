//! What is told before anything is done, and what a share waits for.

use std::collections::BTreeSet;
use std::path::Path;

use super::workshop::{Ask, Workshop, build, desired, digest, plan, tree};
use crate::build::run::{Works, findings};
use crate::build::{Desired, Promotion};
use crate::config::Platform;

/// Image, tag, where it points and where it will, for each moving tag that a build would set; then the notes.
async fn moves(shop: &Workshop, desired: &Desired, promotion: Promotion) -> (Vec<String>, Vec<String>) {
    let plan = plan(shop, desired, &BTreeSet::new()).await;
    let plan = plan.with_moves(desired, &shop.registry, &promotion).await.unwrap();
    let mut found = Vec::new();
    for image in plan.images() {
        for moved in &image.moves {
            found.push(format!("{}:{} {:?} {:?}", image.image, moved.tag, moved.from, moved.to));
        }
    }
    (found, plan.notes)
}

#[tokio::test]
async fn a_plan_names_the_moving_tags_that_will_be_set() {
    let shop = Workshop::default();
    let first = desired(&tree("1.2.3"), "c1");
    let new = ["dev:latest None None", "app:latest None None"];
    assert_eq!(moves(&shop, &first, Promotion::Upwards).await.0, new);

    let never = Promotion::Never("it is a branch".into());
    let (found, notes) = moves(&shop, &first, never.clone()).await;
    assert_eq!((found.len(), notes), (0, vec!["moving tags stay: it is a branch".to_owned()]));

    // published, as from a branch; what is left to do is the tags
    build(&shop, &first, Ask { promotion: never, ..Ask::default() }).await.0.unwrap();
    let releases = [digest(&shop, "dev:v1.2.3").await, digest(&shop, "app:4.5.6").await];
    let due = [format!("dev:latest None {:?}", releases[0]), format!("app:latest None {:?}", releases[1])];
    assert_eq!(moves(&shop, &first, Promotion::Upwards).await.0, due);

    build(&shop, &first, Ask::default()).await.0.unwrap();
    assert_eq!(moves(&shop, &first, Promotion::Upwards).await, (Vec::new(), Vec::new()));
    let next = [format!("dev:latest {:?} None", releases[0]), format!("app:latest {:?} None", releases[1])];
    assert_eq!(moves(&shop, &desired(&tree("1.2.4"), "c2"), Promotion::Upwards).await.0, next);
}

#[tokio::test]
async fn a_plan_says_which_moving_tag_stays_at_a_higher_version() {
    let shop = Workshop::default();
    build(&shop, &desired(&tree("1.2.4"), "c2"), Ask::default()).await.0.unwrap();
    let older = desired(&tree("1.2.3"), "c1");
    let (found, notes) = moves(&shop, &older, Promotion::Upwards).await;
    // the other component has the same version in both
    assert_eq!((found.len(), notes.len()), (1, 1), "{found:?}");
    assert_eq!(notes[0], "r.example.com/p/dev:latest stays at 1.2.4, which is higher than 1.2.3");
    assert_eq!(moves(&shop, &older, Promotion::Always).await.0.len(), 2);
}

#[tokio::test]
async fn a_moving_tag_that_is_behind_is_a_finding_and_one_of_a_missing_image_is_not() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    let never = Promotion::Never("it is a branch".into());
    build(&shop, &desired, Ask { promotion: never, only: Some(0), ..Ask::default() }).await.0.unwrap();
    let plan = plan(&shop, &desired, &BTreeSet::new()).await;
    let plan = plan.with_moves(&desired, &shop.registry, &Promotion::Upwards).await.unwrap();
    let found = findings(&plan);
    assert_eq!(
        found,
        [
            "r.example.com/p/app:4.5.6 is missing",
            "r.example.com/p/lone:4.5.6 is missing",
            "r.example.com/p/dev:latest does not point at the release"
        ]
    );
}

/// Stages the share of `platform`, and gives what it says it waits for.
async fn share(shop: &Workshop, desired: &Desired, platform: &str) -> String {
    let plan = plan(shop, desired, &BTreeSet::new()).await;
    let works = Works {
        desired,
        registry: &shop.registry,
        engine: shop,
        tree: Path::new("/tree"),
        parallel: 1,
        platform_tags: false,
        promotion: Promotion::Upwards,
        listener: &|_| (),
    };
    works.stage_share(&plan, &platform.parse().unwrap(), None).await.unwrap()
}

#[tokio::test]
async fn a_share_waits_for_those_that_are_not_staged_yet() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    assert_eq!(
        share(&shop, &desired, "linux/amd64").await,
        "phase v6d waits for the shares of linux/arm64, and for `gs-release build` to join them"
    );
    let last = "phase v6d waits for `gs-release build` to publish it";
    assert_eq!(share(&shop, &desired, "linux/arm64").await, last);
    assert_eq!(share(&shop, &desired, "linux/amd64").await, last, "a second time, too");
}

#[tokio::test]
async fn the_plan_of_a_share_has_its_platform_alone() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    let platform: Platform = "linux/arm64".parse().unwrap();
    let plan = plan(&shop, &desired, &BTreeSet::new()).await.share(&platform, None);
    let images: Vec<&str> = plan.images().map(|image| &*image.image).collect();
    assert_eq!(images, ["base", "dev"], "of the first phase that is not complete");
    assert!(plan.images().all(|image| image.platforms == ["linux/arm64"]));
}
