//! Images that were deleted behind their indexes.

use super::workshop::{Ask, Workshop, build, carry_out, desired, image, plan, tree};
use crate::build::{BuildPlan, Desired, Observed, observe};
use crate::registry::{Digest, Registry, tag_state};

/// Deletes a manifest that `tag` lists, and gives its digest.
async fn pierce(shop: &Workshop, tag: &str) -> Digest {
    let tag = image(tag);
    let index = shop.registry.manifest(&tag).await.unwrap().unwrap();
    let lost = index.children()[1].digest.clone();
    shop.registry.forget(&tag.repository, &lost);
    lost
}

async fn looked_inside(shop: &Workshop, desired: &Desired) -> (Vec<String>, BuildPlan) {
    let tags = desired.images.iter().flat_map(|image| image.releases().unwrap());
    let mut observed = Observed::look(&shop.registry, tags).await.unwrap();
    let gone = observed.look_inside(&shop.registry, desired).await.unwrap();
    (gone, BuildPlan::new(desired, &observed, &Default::default()).unwrap())
}

#[tokio::test]
async fn an_index_that_lists_what_is_gone_is_incomplete() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    assert_eq!(looked_inside(&shop, &desired).await.0, [""; 0]);
    let lost = pierce(&shop, "dev:v1.2.3").await;
    let (gone, plan) = looked_inside(&shop, &desired).await;
    assert_eq!(
        gone,
        [format!(
            "r.example.com/p/dev:v1.2.3 lists r.example.com/p/dev@{lost}, which is gone: `gs-release build --engine buildx --rebuild dev` makes it anew"
        )]
    );
    let states: Vec<String> = plan.images().map(|image| image.state.to_string()).collect();
    assert_eq!(states, ["current", "incomplete: linux/arm64 is absent", "current", "current"]);
}

#[tokio::test]
async fn what_is_gone_is_built_again_and_not_adopted_from_its_other_tags() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    shop.built();
    // `latest` points at the same index, and the annotations of both say that they are current
    pierce(&shop, "dev:v1.2.3").await;
    let (_, plan) = looked_inside(&shop, &desired).await;
    carry_out(&shop, &desired, &plan, Ask::default()).await.0.unwrap();
    assert_eq!(shop.built(), ["dev 2"]);
    assert_eq!(looked_inside(&shop, &desired).await.0, [""; 0]);
    let [release, latest] = ["dev:v1.2.3", "dev:latest"].map(image);
    let release = tag_state(&shop.registry, &release).await.unwrap();
    assert_eq!(release, tag_state(&shop.registry, &latest).await.unwrap());
}

#[tokio::test]
async fn a_hole_counts_as_soon_as_anything_is_to_be_built() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    pierce(&shop, "dev:v1.2.3").await;
    let due = async || {
        let plan = observe::plan(&shop.registry, &desired).await.unwrap();
        plan.phases.iter().map(|phase| phase.is_settled()).collect::<Vec<bool>>()
    };
    assert_eq!(due().await, [true, true]);
    shop.registry.delete_tag(&image("lone:4.5.6")).await.unwrap();
    assert_eq!(due().await, [false, false]);
}

#[tokio::test]
async fn a_staged_image_with_a_hole_is_not_adopted() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    // staged, and not published: the share of each platform alone
    for platform in ["linux/amd64", "linux/arm64"] {
        build(&shop, &desired, Ask { platform: Some(platform), ..Ask::default() }).await.0.unwrap();
    }
    shop.built();
    let share = desired.images[0].staging(Some(&"linux/arm64".parse().unwrap())).unwrap();
    let index = shop.registry.manifest(&share).await.unwrap().unwrap();
    shop.registry.forget(&share.repository, &index.children()[0].digest);
    build(&shop, &desired, Ask { only: Some(0), ..Ask::default() }).await.0.unwrap();
    assert_eq!(shop.built(), ["base 1"], "the share that is hollow, and no other");
    assert!(plan(&shop, &desired, &Default::default()).await.phases[0].is_settled());
}
