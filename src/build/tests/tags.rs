//! What becomes of tags: moving ones, those of platforms, and those that others write.

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;

use super::workshop::{Ask, Workshop, build, desired, digest, image, plan, states, tree};
use crate::build::Promotion;
use crate::build::run::Works;
use crate::build::{Desired, Engine, Event, Job, OnStep, State};
use crate::error::Result;
use crate::registry::tag_state;

#[tokio::test]
async fn moving_tags_go_up_and_only_where_they_are_allowed() {
    let shop = Workshop::default();
    let never = Promotion::Never("it is a branch".into());
    let (outcome, events) =
        build(&shop, &desired(&tree("1.2.4"), "c2"), Ask { promotion: never, ..Ask::default() }).await;
    outcome.unwrap();
    assert_eq!(digest(&shop, "dev:latest").await, None);
    assert!(events.contains(&Event::Note("moving tags stay: it is a branch".into())));
    build(&shop, &desired(&tree("1.2.4"), "c2"), Ask::default()).await.0.unwrap();
    let newest = digest(&shop, "dev:v1.2.4").await;
    assert_eq!(digest(&shop, "dev:latest").await, newest);

    build(&shop, &desired(&tree("1.2.3"), "c1"), Ask::default()).await.0.unwrap();
    assert_eq!(digest(&shop, "dev:latest").await, newest, "never to a lower version");
    let always = Ask { promotion: Promotion::Always, ..Ask::default() };
    build(&shop, &desired(&tree("1.2.3"), "c1"), always).await.0.unwrap();
    assert_eq!(digest(&shop, "dev:latest").await, digest(&shop, "dev:v1.2.3").await);
}

#[tokio::test]
async fn a_kept_image_is_not_overwritten_once_it_is_complete() {
    let shop = Workshop::default();
    let keep = |version: &str| {
        let mut tree = tree(version);
        tree.config = tree.config.replace("name: gs\n", "name: gs\n    when-stale: keep\n");
        tree
    };
    build(&shop, &desired(&keep("1.2.3"), "c1"), Ask::default()).await.0.unwrap();
    shop.built();
    let before = digest(&shop, "app:4.5.6").await;
    let next = desired(&keep("1.2.4"), "c2");
    build(&shop, &next, Ask::default()).await.0.unwrap();
    assert_eq!((shop.built(), digest(&shop, "app:4.5.6").await), (vec!["dev 2".to_owned()], before.clone()));
    assert_eq!(states(&shop, &next).await[2], "app: stale (kept): base dev changed");

    let rebuild = BTreeSet::from([next.image("app").unwrap()]);
    build(&shop, &next, Ask { rebuild, ..Ask::default() }).await.0.unwrap();
    assert_eq!(shop.built(), ["app 2"]);
    assert_ne!(digest(&shop, "app:4.5.6").await, before);
}

#[tokio::test]
async fn a_tag_for_each_platform_is_published_where_the_config_says_so() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    build(&shop, &desired, Ask { platform_tags: true, ..Ask::default() }).await.0.unwrap();
    let share = tag_state(&shop.registry, &image("dev:v1.2.3-arm64")).await.unwrap().unwrap();
    let platforms: Vec<String> = share.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/arm64"]);
}

#[tokio::test]
async fn a_tag_of_somebody_else_is_stale_and_one_without_a_platform_incomplete() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    let amd64 = "linux/amd64".parse().unwrap();
    shop.registry.push_image(&image("base:v1.2.3"), &amd64, "by hand").await.unwrap();
    assert_eq!(states(&shop, &desired).await[0], "base: incomplete: linux/arm64 is absent");
    let plan = plan(&shop, &desired, &BTreeSet::new()).await;
    assert!(matches!(&plan.phases[0].images[0].state, State::Incomplete { absent } if absent == &["linux/arm64"]));
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    assert_eq!(states(&shop, &desired).await[0], "base: current");
}

#[tokio::test]
async fn two_builds_at_once_end_with_one_consistent_set() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    let (first, second) =
        futures_util::join!(build(&shop, &desired, Ask::default()), build(&shop, &desired, Ask::default()));
    first.0.unwrap();
    second.0.unwrap();
    assert_eq!(states(&shop, &desired).await, ["base: current", "dev: current", "app: current", "lone: current"]);
    assert_eq!(digest(&shop, "app:latest").await, digest(&shop, "app:4.5.6").await);
}

#[tokio::test]
async fn tags_of_platforms_are_added_to_what_is_published_already() {
    let shop = Workshop::default();
    let desired = desired(&tree("1.2.3"), "c1");
    build(&shop, &desired, Ask::default()).await.0.unwrap();
    assert_eq!(digest(&shop, "app:4.5.6-amd64").await, None);
    shop.built();
    build(&shop, &desired, Ask { platform_tags: true, ..Ask::default() }).await.0.unwrap();
    assert_eq!(shop.built(), [""; 0]);
    assert!(digest(&shop, "app:4.5.6-amd64").await.is_some() && digest(&shop, "dev:v1.2.3-arm64").await.is_some());
}

/// Another run publishes what this engine has pushed, and removes its staging tags, before anyone has looked at them.
struct Overtaken<'a>(&'a Workshop, &'a Desired);

#[async_trait(?Send)]
impl Engine for Overtaken<'_> {
    async fn build(&self, job: &Job, on_step: OnStep<'_>) -> Result<()> {
        self.0.build(job, on_step).await?;
        build(self.0, self.1, Ask::default()).await.0
    }
}

#[tokio::test]
async fn a_staging_tag_that_another_run_has_removed_is_no_failure() {
    for share in [None, Some("linux/amd64")] {
        let shop = Workshop::default();
        let desired = desired(&tree("1.2.3"), "c1");
        let plan = plan(&shop, &desired, &BTreeSet::new()).await;
        let works = Works {
            desired: &desired,
            registry: &shop.registry,
            engine: &Overtaken(&shop, &desired),
            tree: Path::new("/tree"),
            parallel: 1,
            platform_tags: false,
            promotion: Promotion::Upwards,
            listener: &|_| (),
        };
        match share {
            None => works.carry_out(&plan, None).await.unwrap(),
            Some(platform) => drop(works.stage_share(&plan, &platform.parse().unwrap(), None).await.unwrap()),
        }
        assert_eq!(states(&shop, &desired).await, ["base: current", "dev: current", "app: current", "lone: current"]);
    }
}
