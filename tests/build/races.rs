//! Builds beside each other, killed and started again, while another thread watches the tags.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gs_release::registry::{Limits, OciRegistry, Registry, tag_state};
use gs_release::version::Version;

use crate::lab::{BOTH, CONFIG, FILES, Lab, slow};

/// The inputs that each release tag may be made of.
fn expected(lab: &Lab, reference: &str, into: &mut BTreeMap<String, BTreeSet<String>>) {
    let plan = lab.run(&["plan", "--ref", reference]).fine().document;
    for image in plan["phases"].as_array().unwrap().iter().flat_map(|phase| phase["images"].as_array().unwrap()) {
        for tag in image["tags"].as_array().unwrap() {
            let tag = format!("{}:{}", image["repository"].as_str().unwrap(), tag.as_str().unwrap());
            into.entry(tag).or_default().insert(image["inputs"].as_str().unwrap().to_owned());
        }
    }
}

/// Looks at release tags and `moving` until `stop`; what is wrong, and how often it looked.
fn watch(
    releases: &BTreeMap<String, BTreeSet<String>>,
    (moving, allowed): (&str, &[Version]),
    stop: &AtomicBool,
) -> (Vec<String>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let registry = OciRegistry::new(None, Limits::default()).unwrap();
    let (mut wrong, mut samples, mut newest) = (Vec::new(), 0, None::<Version>);
    while !stop.load(Ordering::Relaxed) {
        for (tag, inputs) in releases {
            let image = tag.parse().unwrap();
            let Some(state) = runtime.block_on(tag_state(&registry, &image)).unwrap() else { continue };
            let platforms: Vec<String> = state.platforms.iter().map(ToString::to_string).collect();
            if platforms != BOTH || !state.annotations.get("dev.gs-release.inputs").is_some_and(|i| inputs.contains(i))
            {
                wrong.push(format!("{tag} is {state:?}"));
            }
            let index = runtime.block_on(registry.manifest(&image.repository.digest(&state.digest))).unwrap().unwrap();
            for child in index.children() {
                if runtime.block_on(registry.manifest(&image.repository.digest(&child.digest))).unwrap().is_none() {
                    wrong.push(format!("{tag} lists {}, which is not there", child.digest));
                }
            }
        }
        if let Some(state) = runtime.block_on(tag_state(&registry, &moving.parse().unwrap())).unwrap() {
            let version: Version = state.annotations["org.opencontainers.image.version"].parse().unwrap();
            if !allowed.contains(&version) || newest.as_ref().is_some_and(|newest| *newest > version) {
                wrong.push(format!("{moving} is {version} after {newest:?}"));
            }
            newest = Some(version);
        }
        samples += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    (wrong, samples)
}

/// Ends the watch, also when the test fails: its thread is waited for.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn no_tag_is_ever_wrong_while_builds_race_and_are_killed() {
    let file = |path: &str| FILES.iter().find(|(name, _)| *name == path).unwrap().1;
    let (dev, coordinator) = (slow(2, file("dev.Dockerfile")), slow(2, file("coordinator.Dockerfile")));
    let lab = Lab::with(CONFIG, &[("dev.Dockerfile", &dev), ("coordinator.Dockerfile", &coordinator)]);
    // main goes from 0.24.1 to 0.24.2; a branch that is never merged is at 0.25.0
    lab.sandbox.git(&["branch", "first"]);
    lab.bump_and_merge("vineyard", "0.24.2");
    let bump = lab.sandbox.run(&["bump", "vineyard", "0.25.0", "--local", "--force"]);
    assert!(bump.status.success(), "{}", String::from_utf8_lossy(&bump.stderr));
    lab.sandbox.git(&["branch", "--copy", "gs-release/vineyard", "never"]);
    let mut releases = BTreeMap::new();
    for reference in ["first", "main", "never"] {
        expected(&lab, reference, &mut releases);
    }
    let moving = lab.reference("dev:latest").to_string();
    let allowed: Vec<Version> = ["0.24.1", "0.24.2"].map(|version| version.parse().unwrap()).into();
    let stop = AtomicBool::new(false);

    let (wrong, samples) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&releases, (&moving, &allowed), &stop));
        let ends = Ends(&stop);
        // the base branch's first state, twice at once, of which one is killed in each phase
        lab.sandbox.git(&["checkout", "--quiet", "--detach"]);
        lab.sandbox.git(&["branch", "--force", "main", "first"]);
        let mut one = lab.start(&["--ref", "first"]);
        let two = lab.start(&["--ref", "first"]);
        one.wait_for("dev: building");
        one.kill();
        let mut three = lab.start(&["--ref", "first"]);
        three.wait_for("coordinator: ");
        three.kill();
        let (code, said) = two.end();
        assert_eq!(code, 0, "{said}");
        assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.1"));
        // the next state, the branch, and the old state, all at once
        lab.sandbox.git(&["branch", "--force", "main", "gs-release/vineyard~1"]);
        let runs = [
            lab.start(&["--ref", "main", "--phase", "v6d"]),
            lab.start(&["--ref", "main", "--phase", "v6d"]),
            lab.start(&["--ref", "never", "--phase", "v6d"]),
            lab.start(&["--ref", "first", "--phase", "v6d"]),
        ];
        for run in runs {
            let (code, said) = run.end();
            assert_eq!(code, 0, "{said}");
        }
        lab.build(&["--ref", "main"]).fine();
        drop(ends);
        watcher.join().unwrap()
    });
    assert_eq!(wrong, Vec::<String>::new());
    assert!(samples > 20, "only {samples} samples");
    lab.run(&["verify", "--ref", "main"]).fine();
    assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.2"));
}
