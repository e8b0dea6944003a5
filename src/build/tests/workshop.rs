//! Two tiers, a registry in memory, and an engine that builds in no time and fails on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::build::Promotion;
use crate::build::run::Works;
use crate::build::{BuildPlan, Desired, Engine, Event, Job, Observed, OnStep};
use crate::config::Platform;
use crate::error::{Error, Result};
use crate::image::testing::{Tree, phase};
use crate::registry::{Annotations, ImageRef, IndexRequest, MemoryRegistry, Registry, create_index, tag_state};
use crate::version::Version;

const BOTH: &str = "platforms: [linux/amd64, linux/arm64]";

/// Pushes an image for each platform; what it pushes depends on nothing, so that digests tell builds apart.
#[derive(Default)]
pub(super) struct Workshop {
    pub(super) registry: MemoryRegistry,
    pub(super) builds: AtomicUsize,
    /// Every job so far.
    pub(super) jobs: Mutex<Vec<Job>>,
    /// Images that do not build.
    pub(super) broken: Mutex<BTreeSet<String>>,
    /// Builds that push nothing for arm64.
    pub(super) lame: Mutex<BTreeSet<String>>,
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
    pub(super) fn built(&self) -> Vec<String> {
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap());
        jobs.into_iter().map(|job| format!("{} {}", job.image, job.platforms.len())).collect()
    }
}

/// Two tiers: `base` and `dev` on it, then `app` on `dev` and `lone` on nothing.
pub(super) fn tree(version: &str) -> Tree {
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

pub(super) fn desired(tree: &Tree, commit: &str) -> Desired {
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
pub(super) struct Ask<'a> {
    pub(super) promotion: Promotion,
    pub(super) only: Option<usize>,
    pub(super) platform: Option<&'a str>,
    pub(super) rebuild: BTreeSet<usize>,
    pub(super) platform_tags: bool,
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

pub(super) async fn plan(shop: &Workshop, desired: &Desired, rebuild: &BTreeSet<usize>) -> BuildPlan {
    let tags = desired.images.iter().flat_map(|image| image.releases().unwrap());
    let observed = Observed::look(&shop.registry, tags).await.unwrap();
    BuildPlan::new(desired, &observed, rebuild).unwrap()
}

pub(super) async fn build(shop: &Workshop, desired: &Desired, ask: Ask<'_>) -> (Result<()>, Vec<Event>) {
    let plan = plan(shop, desired, &ask.rebuild).await;
    carry_out(shop, desired, &plan, ask).await
}

pub(super) async fn carry_out(
    shop: &Workshop,
    desired: &Desired,
    plan: &BuildPlan,
    ask: Ask<'_>,
) -> (Result<()>, Vec<Event>) {
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
        Some(platform) => works.stage_share(plan, &platform.parse::<Platform>().unwrap(), ask.only).await.map(drop),
        None => works.carry_out(plan, ask.only).await,
    };
    (outcome, events.into_inner().unwrap())
}

pub(super) fn image(text: &str) -> ImageRef {
    format!("r.example.com/p/{text}").parse().unwrap()
}

pub(super) async fn digest(shop: &Workshop, tag: &str) -> Option<String> {
    tag_state(&shop.registry, &image(tag)).await.unwrap().map(|state| state.digest.to_string())
}

pub(super) async fn states(shop: &Workshop, desired: &Desired) -> Vec<String> {
    let plan = plan(shop, desired, &BTreeSet::new()).await;
    plan.images().map(|image| format!("{}: {}", image.image, image.state)).collect()
}
