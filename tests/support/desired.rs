//! What a commit of a repository wants published, and publishing it as the last job of a workflow run does.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test file uses a part of it")]

use std::path::Path;

use gs_release::build::{Desired, Wanted, annotations};
use gs_release::config::{Config, VersionSource};
use gs_release::git::Repository;
use gs_release::image::graph::{Graph, Release};
use gs_release::registry::{ImageRef, IndexRequest, Registry, create_index};

/// What `revision` of the repository at `path` wants.
pub fn desired(path: &Path, revision: &str) -> Desired {
    let repository = Repository::open(path).unwrap();
    let commit = repository.resolve(revision).unwrap();
    let text = String::from_utf8(repository.read(commit, "release.yaml").unwrap().unwrap()).unwrap();
    let config = Config::parse("release.yaml", text.as_bytes()).unwrap();
    let versions = config.components.iter().map(|component| match &component.version {
        VersionSource::Inline(version) => (component.name.clone(), version.clone()),
        VersionSource::File(_) => panic!("these tests write versions into the config"),
    });
    let versions = versions.collect();
    let release = Release { config: &config, path: "release.yaml", text: &text, versions: &versions };
    let mut reader = repository.reader(commit);
    let graph = Graph::read(release, |path| reader.read(path)).unwrap();
    let inputs =
        graph.inputs(&repository.entries(commit).unwrap(), |path| reader.read(path), &Default::default()).unwrap();
    Desired::new(commit.id.to_string(), versions, &config, graph, inputs, None).unwrap()
}

/// Points the release tags of `wanted` at the images in `staged`.
pub async fn release(registry: &dyn Registry, desired: &Desired, wanted: &Wanted, staged: &[ImageRef]) {
    let annotations = annotations::of(desired, wanted, &Default::default());
    for target in wanted.releases().unwrap() {
        let request = IndexRequest {
            target: &target,
            sources: staged,
            annotations: &annotations,
            platforms: &wanted.platforms,
            adopt: &|_| false,
        };
        create_index(registry, &request).await.unwrap();
    }
}
