//! How much `gs-release build` adds to BuildKit, and how long a plan takes.
//!
//!     cargo bench --bench build                  # planning alone
//!     GS_RELEASE_BENCH_REGISTRY=127.0.0.1:5000/bench GS_RELEASE_BENCH_BASE=debian:12-slim cargo bench --bench build
//!
//! Planning: what should be published of a generated repository, and the plan over an empty registry, without a network.
//! Building: the same images by `gs-release build` and by hand, one `docker buildx bake` a phase, turn by turn; every step
//! that works is in nobody's cache.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and cannot go on without its parts")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gs_release::build::{BuildPlan, Desired, Observed};
use gs_release::config::Config;
use gs_release::git::Repository;
use gs_release::image::graph::{Graph, Release};
use serde_json::{Value, json};

/// Each measurement of planning, and each of building.
const PLANS: usize = 9;
const BUILDS: usize = 5;
/// How long the step of an image works, in seconds; the real ones take from twenty seconds to minutes.
const WORK: u32 = 20;

fn main() {
    // `cargo test --all-targets` runs benches too, with this argument missing
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for images in [100, 1_000, 4_000] {
        plan(images);
    }
    let setting = |name: &str| std::env::var(format!("GS_RELEASE_BENCH_{name}")).ok();
    if let (Some(registry), Some(base)) = (setting("REGISTRY"), setting("BASE")) {
        build(&registry, &base);
    }
}

/// Plans `count` images, half of them in each of two phases, each on one before it.
fn plan(count: usize) {
    let directory = tempfile::tempdir().unwrap();
    let image = |number: usize| {
        format!(
            "      i{number}: {{ dockerfile: d/{number}, args: {{ V: '{{v}}', G: '{{g}}' }}, tags: ['v{{v}}-{{g}}', latest] }}\n"
        )
    };
    let phase = |name: &str, component: &str, numbers: std::ops::Range<usize>| {
        format!("  - name: {name}\n    component: {component}\n    images:\n{}", numbers.map(image).collect::<String>())
    };
    let config = format!(
        "registry: registry.example.com/g\nplatforms: [linux/amd64, linux/arm64]\ncomponents:\n  v: {{ version: 0.24.1, sites: [] }}\n  g: {{ version: 0.28.0, sites: [] }}\nphases:\n{}{}",
        phase("first", "v", 0..count / 2),
        phase("second", "g", count / 2..count),
    );
    let mut files = vec![("release.yaml".to_owned(), config)];
    for number in 0..count {
        let from = match number {
            0..10 => "debian:12-slim".to_owned(),
            _ => format!("registry.example.com/g/i{}:v$V-$G", number / 10),
        };
        files.push((format!("d/{number}"), format!("ARG V\nARG G\nFROM {from}\nCOPY src/{number} /src\nRUN make\n")));
        files.push((format!("src/{number}/main.c"), format!("int main(void) {{ return {number}; }}\n")));
    }
    commit(directory.path(), &files);

    let mut times: Vec<Duration> = (0..PLANS)
        .map(|_| {
            let start = Instant::now();
            let repository = Repository::open(directory.path()).unwrap();
            let commit = repository.resolve("HEAD").unwrap();
            let mut reader = repository.reader(commit);
            let text = reader.read("release.yaml").unwrap().unwrap();
            let config = Config::parse("release.yaml", &text).unwrap();
            let text = String::from_utf8(text).unwrap();
            let versions =
                BTreeMap::from([("v".into(), "0.24.1".parse().unwrap()), ("g".into(), "0.28.0".parse().unwrap())]);
            let release = Release { config: &config, path: "release.yaml", text: &text, versions: &versions };
            let graph = Graph::read(release, |path| reader.read(path)).unwrap();
            let inputs =
                graph.inputs(&repository.entries(commit).unwrap(), |path| reader.read(path), &BTreeMap::new()).unwrap();
            let desired = Desired::new(commit.id.to_string(), versions, &config, graph, inputs, None).unwrap();
            let plan = BuildPlan::new(&desired, &Observed::default(), &BTreeSet::new()).unwrap();
            assert_eq!(plan.images().filter(|image| image.build).count(), count);
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("plan of {count:>5} images: median {:>8.1?}, best {:>8.1?}", times[PLANS / 2], times[0]);
}

/// Images of the bench by phase, each with the one that it is built on.
const IMAGES: [&[(&str, Option<&str>)]; 2] =
    [&[("base", None), ("dev", Some("base"))], &[("analytical", Some("dev")), ("coordinator", Some("dev"))]];

fn build(registry: &str, base: &str) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..BUILDS {
        // whoever comes first may meet another machine than the second
        for turn in [number % 2, (number + 1) % 2] {
            let directory = tempfile::tempdir().unwrap();
            let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
            let registry = format!("{registry}/{unique:x}");
            generate(directory.path(), &registry, base, unique);
            match turn {
                0 => ours.push(time(&mut by_command(directory.path()))),
                _ => theirs.push(by_hand(directory.path(), &registry)),
            }
        }
    }
    ours.sort();
    theirs.sort();
    let (our, their) = (ours[BUILDS / 2].as_secs_f64(), theirs[BUILDS / 2].as_secs_f64());
    println!("gs-release build: median {our:.2} s; by hand: median {their:.2} s; {:.3} times", our / their);
    println!("  {ours:.2?} and {theirs:.2?}");
}

fn generate(root: &Path, registry: &str, base: &str, unique: u128) {
    let mut config = format!(
        "registry: {registry}\nplatforms: [linux/amd64]\ncomponents:\n  v: {{ version: 1.0.0, sites: [] }}\nphases:\n"
    );
    let mut files = Vec::new();
    for (number, images) in IMAGES.iter().enumerate() {
        config.push_str(&format!("  - name: p{number}\n    component: v\n    images:\n"));
        for (name, on) in *images {
            config.push_str(&format!("      {name}: {{ dockerfile: {name}.Dockerfile, tags: ['v{{v}}'] }}\n"));
            let from = on.map_or(base.to_owned(), |on| format!("{registry}/{on}:v1.0.0"));
            let dockerfile = format!("FROM {from}\nRUN sleep {WORK}; echo {unique} {name} > /made-{name}\n");
            files.push((format!("{name}.Dockerfile"), dockerfile));
        }
    }
    files.push(("release.yaml".into(), config));
    commit(root, &files);
    for (path, content) in &files {
        std::fs::write(root.join(path), content).unwrap();
    }
}

fn by_command(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gs-release"));
    command.arg("-C").arg(root).args(["build", "--engine", "buildx", "--quiet"]);
    command
}

/// One bake a phase, with the images of a phase linked.
fn by_hand(root: &Path, registry: &str) -> Duration {
    let files = IMAGES.iter().enumerate().map(|(number, images)| {
        let target = |(name, on): &(&str, Option<&str>)| {
            let mut target: Value = json!({
                "dockerfile": format!("{name}.Dockerfile"),
                "platforms": ["linux/amd64"],
                "tags": [format!("{registry}/{name}:v1.0.0")],
                "output": ["type=registry"],
            });
            if let Some(on) = on.filter(|on| images.iter().any(|(name, _)| name == on)) {
                target["contexts"] = json!({ format!("{registry}/{on}:v1.0.0"): format!("target:{on}") });
            }
            ((*name).to_owned(), target)
        };
        let targets: serde_json::Map<String, Value> = images.iter().map(target).collect();
        let names: Vec<&String> = targets.keys().collect();
        let file = root.join(format!("bake-{number}.json"));
        std::fs::write(&file, json!({ "group": { "default": { "targets": names } }, "target": targets }).to_string())
            .unwrap();
        file
    });
    let files: Vec<_> = files.collect();
    let bake = |file| {
        let mut command = Command::new("docker");
        command.current_dir(root).args(["buildx", "bake", "--progress", "plain", "--file"]).arg(file);
        time(command.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1"))
    };
    files.iter().map(bake).sum()
}

fn commit(root: &Path, files: &[(String, String)]) {
    let repository =
        git2::Repository::init_opts(root, git2::RepositoryInitOptions::new().initial_head("main")).unwrap();
    let mut update = git2::build::TreeUpdateBuilder::new();
    for (path, content) in files {
        update.upsert(path.as_str(), repository.blob(content.as_bytes()).unwrap(), git2::FileMode::Blob);
    }
    let empty = repository.treebuilder(None).unwrap().write().unwrap();
    let tree = update.create_updated(&repository, &repository.find_tree(empty).unwrap()).unwrap();
    let person = git2::Signature::now("A Person", "person@example.com").unwrap();
    repository.commit(Some("HEAD"), &person, &person, "x", &repository.find_tree(tree).unwrap(), &[]).unwrap();
    // as a clone has it
    time(Command::new("git").arg("-C").arg(root).args(["repack", "-adq"]));
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    start.elapsed()
}
