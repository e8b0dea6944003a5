//! Runs over a registry in memory, with an engine that builds in no time and fails on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::run::{Promotion, Works};
use super::{BuildPlan, Desired, Engine, Event, Job, Observed, OnStep, State, annotations};
use crate::config::Platform;
use crate::error::{Error, Kind, Result};
use crate::image::testing::{Tree, phase};
use crate::registry::{Annotations, ImageRef, IndexRequest, MemoryRegistry, Registry, create_index, tag_state};
use crate::version::Version;

const BOTH: &str = "platforms: [linux/amd64, linux/arm64]";

/// Pushes an image for each platform; what it pushes depends on nothing, so that digests tell builds apart.
#[derive(Default)]
struct Workshop {
    registry: MemoryRegistry,
    builds: AtomicUsize,
    /// Every job so far.
    jobs: Mutex<Vec<Job>>,
    /// Images that do not build.
    broken: Mutex<BTreeSet<String>>,
    /// Builds that push nothing for arm64.
    lame: Mutex<BTreeSet<String>>,
}

#[async_trait(?Send)]
impl Engine for Workshop {
    async fn build(&self, job: &Job, on_step: OnStep<'_>) -> Result<()> {
        on_step("[1/1] FROM scratch");
        self.jobs.lock().unwrap().push(job.clone());
        // others get their turn
        tokio::task::yield_now().await;
        if self.broken.lock().unwrap().contains(&job.image) {
            return Err(Error::build(format!("{} does not build: exit code: 1", job.push_to)));
        }
        let number = self.builds.fetch_add(1, Ordering::Relaxed);
        let mut shares = Vec::new();
        for platform in &job.platforms {
            if platform.arch == "arm64" && self.lame.lock().unwrap().contains(&job.image) {
                continue;
            }
            let scratch = job.push_to.repository.tag(&format!("scratch-{number}-{}", platform.arch))?;
            let digest = self.registry.push_image(&scratch, platform, &format!("{} {number}", job.image)).await?;
            self.registry.delete_tag(&scratch).await?;
            shares.push(job.push_to.repository.digest(&digest));
        }
        let request = IndexRequest {
            target: &job.push_to,
            sources: &shares,
            annotations: &Annotations::new(),
            platforms: &[],
            adopt: &|_| false,
        };
        create_index(&self.registry, &request).await.map(drop)
    }
}

impl Workshop {
    fn built(&self) -> Vec<String> {
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap());
        jobs.into_iter().map(|job| format!("{} {}", job.image, job.platforms.len())).collect()
    }
}

/// Two tiers: `base` and `dev` on it, then `app` on `dev` and `lone` on nothing.
fn tree(version: &str) -> Tree {
    let v6d = [
        format!("base: {{ dockerfile: base, {BOTH}, tags: ['v{{v}}'] }}"),
        format!("dev: {{ dockerfile: dev, {BOTH}, args: {{ V: '{{v}}' }}, tags: ['v{{v}}', latest] }}"),
    ];
    let gs = [
        format!("app: {{ dockerfile: app, {BOTH}, args: {{ V: 'v{{v}}' }}, tags: ['{{g}}', latest] }}"),
        format!("lone: {{ dockerfile: lone, {BOTH}, tags: ['{{g}}'] }}"),
    ];
    let phases = [phase("v6d", "v", &[&v6d[0], &v6d[1]]), phase("gs", "g", &[&gs[0], &gs[1]])].concat();
    let files = [
        ("base", "FROM scratch\nCOPY file /\n"),
        ("dev", "ARG V\nFROM r.example.com/p/base:v$V\nARG V\nRUN install $V\n"),
        ("app", "ARG V\nFROM r.example.com/p/dev:$V AS dev\nFROM scratch\nCOPY --from=dev / /\n"),
        ("lone", "FROM scratch\nCOPY file /\n"),
        ("file", "x"),
    ];
    let mut tree = Tree::new(&phases, &files);
    tree.config = tree.config.replace("1.2.3", version);
    tree
}

fn desired(tree: &Tree, commit: &str) -> Desired {
    let config = tree.config();
    let versions: BTreeMap<String, Version> = config
        .components
        .iter()
        .map(|component| match &component.version {
            crate::config::VersionSource::Inline(version) => (component.name.clone(), version.clone()),
            crate::config::VersionSource::File(_) => panic!("tests write versions into the config"),
        })
        .collect();
    Desired::new(commit.into(), versions, &config, tree.graph().unwrap(), tree.inputs(), None).unwrap()
}

/// What a run is asked for.
struct Ask<'a> {
    promotion: Promotion,
    only: Option<usize>,
    platform: Option<&'a str>,
    rebuild: BTreeSet<usize>,
    platform_tags: bool,
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Ask {
            promotion: Promotion::Upwards,
            only: None,
            platform: None,
            rebuild: BTreeSet::new(),
            platform_tags: false,
        }
    }
}

async fn plan(shop: &Workshop, desired: &Desired, rebuild: &BTreeSet<usize>) -> BuildPlan {
    let tags = desired.images.iter().flat_map(|image| image.releases().unwrap());
    let observed = Observed::look(&shop.registry, tags).await.unwrap();
    BuildPlan::new(desired, &observed, rebuild).unwrap()
}

async fn build(shop: &Workshop, desired: &Desired, ask: Ask<'_>) -> (Result<()>, Vec<Event>) {
    let plan = plan(shop, desired, &ask.rebuild).await;
    let events = Mutex::new(Vec::new());
    let listener = |event| events.lock().unwrap().push(event);
    let works = Works {
        desired,
        registry: &shop.registry,
        engine: shop,
        tree: Path::new("/tree"),
        parallel: 2,
        platform_tags: ask.platform_tags,
        promotion: ask.promotion,
        listener: &listener,
    };
    let outcome = match ask.platform {
        Some(platform) => works.stage_share(&plan, &platform.parse::<Platform>().unwrap(), ask.only).await.map(drop),
        None => works.carry_out(&plan, ask.only).await,
    };
    (outcome, events.into_inner().unwrap())
}

fn image(text: &str) -> ImageRef {
    format!("r.example.com/p/{text}").parse().unwrap()
}

async fn digest(shop: &Workshop, tag: &str) -> Option<String> {
    tag_state(&shop.registry, &image(tag)).await.unwrap().map(|state| state.digest.to_string())
}

async fn states(shop: &Workshop, desired: &Desired) -> Vec<String> {
    let plan = plan(shop, desired, &BTreeSet::new()).await;
    plan.images().map(|image| format!("{}: {}", image.image, image.state)).collect()
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
