//! From what jobs do with images to what they publish: which build ends under which references. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::act::{Act, Step};
use super::command::{self, Build, Doubt};
use super::mark::unknown;
use super::read::Found;
use super::workflow::Job;

/// A build under way: where it stands, and what it makes.
#[derive(Debug, Clone)]
struct Made {
    path: String,
    line: usize,
    build: Result<Build, Doubt>,
    is_arm: BTreeSet<bool>,
}

/// What the jobs of a workflow build and publish.
#[derive(Default)]
pub struct Ledger {
    /// What each reference stands for on the machine of the job.
    images: BTreeMap<String, Made>,
    /// What each stands for in the registry.
    registry: BTreeMap<String, Made>,
    /// What was built, in order.
    built: Vec<Made>,
    /// What was pushed, in order.
    pushed: Vec<(String, Made)>,
}

/// Finds a build that is not among the steps: of the image with this name, by one of these programs.
pub type Elsewhere<'a> = &'a dyn Fn(&str, &[String]) -> Option<Found>;

impl Ledger {
    /// Takes what a job does. `amd64` and `arm64` are the job as it is on machines of either kind.
    pub fn job(&mut self, amd64: &Job, arm64: &Job, elsewhere: Elsewhere<'_>) {
        let own = if amd64.is_arm { arm64 } else { amd64 };
        let pairs: Vec<(&Step, &Step, &Step)> = match amd64.steps.len() == arm64.steps.len() {
            true => own.steps.iter().zip(&amd64.steps).zip(&arm64.steps).map(|((a, b), c)| (a, b, c)).collect(),
            false => own.steps.iter().map(|step| (step, step, step)).collect(),
        };
        let mut called = Vec::new();
        self.images.clear();
        for (step, amd64, arm64) in pairs {
            match &step.act {
                Act::Build(options, directory) => {
                    let (a, b) = match (&amd64.act, &arm64.act) {
                        (Act::Build(a, _), Act::Build(b, _)) => (a, b),
                        _ => (options, options),
                    };
                    let mut build = command::both(a, b, directory.as_deref());
                    if let (Ok(told), true) = (&build, step.conditional) {
                        build = Err(Doubt::about(told, "it is built only under a condition".to_owned()));
                    }
                    let made = Made { path: step.path.clone(), line: step.line, build, is_arm: [own.is_arm].into() };
                    self.built.push(made.clone());
                    for tag in command::tags(options) {
                        if command::is_pushed(options) {
                            self.push(&tag, made.clone());
                        }
                        self.images.insert(tag, made.clone());
                    }
                }
                Act::Call(program) => called.push(program.clone()),
                Act::Tag(from, to) => {
                    if let Some(made) = self.find(from, &called, own.is_arm, elsewhere) {
                        self.images.insert(to.clone(), made);
                    }
                }
                Act::Push(reference) => {
                    if let Some(made) = self.find(reference, &called, own.is_arm, elsewhere) {
                        self.push(reference, made);
                    }
                }
                Act::Index(to, from) => {
                    let part = |one: &String| self.images.get(one).or(self.registry.get(one)).cloned();
                    let parts: Option<Vec<Made>> = from.iter().map(part).collect();
                    if let Some(made) = parts.as_deref().and_then(joined) {
                        self.images.insert(to.clone(), made);
                    }
                }
            }
        }
    }

    fn push(&mut self, reference: &str, made: Made) {
        self.registry.insert(reference.to_owned(), made.clone());
        self.pushed.push((reference.to_owned(), made));
    }

    fn find(&mut self, reference: &str, called: &[String], is_arm: bool, elsewhere: Elsewhere<'_>) -> Option<Made> {
        if let Some(made) = self.images.get(reference).or(self.registry.get(reference)) {
            return Some(made.clone());
        }
        let found = elsewhere(name(reference), called)?;
        let made = Made { path: found.path, line: found.line, build: found.build, is_arm: [is_arm].into() };
        self.images.insert(reference.to_owned(), made.clone());
        Some(made)
    }

    /// What is published, each with all references that can be told; and the builds that are not, with the reason.
    pub fn close(self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut untold: Vec<(Build, String)> = Vec::new();
        for (reference, made) in self.pushed {
            let Ok(build) = &made.build else {
                found.push(made.found());
                continue;
            };
            let bare = Build { tags: Vec::new(), ..build.clone() };
            if let Some(missing) = unknown(&reference) {
                untold.push((bare, format!("it is pushed under a tag that depends on {missing}")));
                continue;
            }
            let tag = general(&reference, &made.is_arm);
            let same = |found: &&mut Found| {
                found.build.as_ref().is_ok_and(|other| {
                    let other_name = other.tags.first().map(|tag| name(tag));
                    other_name == Some(name(&tag)) && same_but_for_machine(other, &bare).is_some()
                })
            };
            match found.iter_mut().find(same) {
                Some(known) => {
                    known.is_arm.extend(&made.is_arm);
                    if let Ok(build) = &mut known.build {
                        build.of_machine = same_but_for_machine(build, &bare).unwrap_or_default();
                        build.tags.push(tag);
                    }
                }
                None => {
                    let build = Ok(Build { tags: vec![tag], ..bare });
                    found.push(Made { build, ..made }.found());
                }
            }
        }
        for build in found.iter_mut().filter_map(|found| found.build.as_mut().ok()) {
            without_shares(&mut build.tags);
        }
        for made in self.built {
            let Ok(build) = &made.build else {
                found.push(made.found());
                continue;
            };
            let bare = Build { tags: Vec::new(), ..build.clone() };
            let is_told = |found: &Found| match &found.build {
                Ok(other) => (&other.dockerfile, &other.target) == (&bare.dockerfile, &bare.target),
                Err(doubt) => (doubt.dockerfile.as_ref(), &doubt.target) == (Some(&bare.dockerfile), &bare.target),
            };
            if !found.iter().any(is_told) {
                let reason = untold.iter().find(|(other, _)| *other == bare).map(|(_, reason)| reason.clone());
                let reason = reason.unwrap_or_else(|| "it is built, and never pushed".to_owned());
                let build = Err(Doubt::about(&bare, reason));
                found.push(Made { build, ..made }.found());
            }
        }
        found
    }
}

impl Made {
    fn found(self) -> Found {
        Found { path: self.path, line: self.line, build: self.build, is_arm: self.is_arm }
    }
}

/// Takes from `tags` those that are repeated, and those of one machine, if there are others.
fn without_shares(tags: &mut Vec<String>) {
    let ends = ["x86_64", "aarch64", "amd64", "arm64"];
    let is_share = |tag: &String| {
        let tag = tag.rsplit(':').next().unwrap_or_default();
        ends.iter().any(|end| tag.strip_suffix(end).is_some_and(|rest| rest.ends_with(['-', '_', '.'])))
    };
    if !tags.iter().all(is_share) {
        tags.retain(|tag| !is_share(tag));
    }
    let mut seen = BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
}

/// The args that differ from machine to machine, if `one` and `other` are the same build but for those.
fn same_but_for_machine(one: &Build, other: &Build) -> Option<Vec<String>> {
    let same = (&one.dockerfile, &one.context, &one.target) == (&other.dockerfile, &other.context, &other.target);
    let names = |build: &Build| build.args.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let of_machine: BTreeSet<&String> = one.of_machine.iter().chain(&other.of_machine).collect();
    let mut differing = one.args.iter().zip(&other.args).filter(|(a, b)| a != b).map(|(a, _)| &a.0);
    let told = same && names(one) == names(other) && differing.all(|name| of_machine.contains(name));
    told.then(|| of_machine.into_iter().cloned().collect())
}

/// `reference` without its tag.
fn name(reference: &str) -> &str {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => reference,
    }
}

/// `reference` with `{arch}` for the architecture at its end, if it is that of the machine that it was made on.
fn general(reference: &str, is_arm: &BTreeSet<bool>) -> String {
    let own = |is_arm: bool| if is_arm { "-arm64" } else { "-amd64" };
    let bare = is_arm.iter().find_map(|is_arm| reference.strip_suffix(own(*is_arm)));
    bare.map_or_else(|| reference.to_owned(), |bare| format!("{bare}-{{arch}}"))
}

/// The one build that `parts` come from, on machines of all their kinds.
fn joined(parts: &[Made]) -> Option<Made> {
    let (first, rest) = parts.split_first()?;
    let mut first = first.clone();
    for part in rest {
        let (Ok(one), Ok(other)) = (&mut first.build, &part.build) else { continue };
        let differing = one.args.iter().zip(&other.args).filter(|(a, b)| a != b).map(|(a, _)| a.0.clone());
        let of_machine: Vec<String> = one.of_machine.iter().cloned().chain(differing).collect();
        one.of_machine = of_machine;
        one.of_machine = same_but_for_machine(one, other)?;
        first.is_arm.extend(&part.is_arm);
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::super::read::published;
    use super::*;

    const MAKEFILE: &str = "V ?= latest\nARCH := $(subst x86_64,amd64,$(subst aarch64,arm64,$(shell uname -m)))\n\
        all: app\napp:\n\tdocker build --build-arg ARCH=$(ARCH) --build-arg M=$(shell uname -m) -t gs/app:$(V) .\n";

    /// What a workflow publishes that is started by a tag and has these jobs: references, and the reasons of doubts.
    fn told(jobs: &str) -> Vec<String> {
        let text = format!("on:\n  push:\n    tags: ['v*']\nenv:\n  REGISTRY: r.example.com\njobs:\n{jobs}");
        let read = |path: &str| match path {
            "k8s/Makefile" => Some(MAKEFILE.to_owned()),
            "VERSION" => Some("{gs}\n".to_owned()),
            "scripts/push.sh" => Some("docker push $REGISTRY/gs/$1:latest\n".to_owned()),
            _ => None,
        };
        let elsewhere = |_: &str, _: &[String]| None;
        let found = published(".github/workflows/a.yml", &text, &read, (Some("gs"), None), &elsewhere);
        let told = |found: Found| match found.build {
            Ok(build) => {
                let args: Vec<String> = build.args.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let machines = if found.is_arm.contains(&true) { " also arm64" } else { "" };
                format!("{}:{} {} {}{machines}", found.path, found.line, build.tags.join(" "), args.join(" "))
            }
            Err(doubt) => format!("{}:{} {}", found.path, found.line, doubt.reason),
        };
        found.into_iter().map(told).collect()
    }

    #[test]
    fn a_build_is_followed_through_make_tags_and_steps_to_what_is_pushed() {
        let jobs = "  a:
    runs-on: ubuntu-22.04
    steps:
    - run: echo \"SHA=$(git rev-parse HEAD)\" >> $GITHUB_ENV
    - run: |
        cd ${GITHUB_WORKSPACE}/k8s
        # make other
        sudo make app V=${SHA}
    - if: ${{ github.ref == 'refs/heads/main' }}
      run: docker tag gs/app:${SHA} ${{ env.REGISTRY }}/gs/app:edge && docker push ${{ env.REGISTRY }}/gs/app:edge
    - id: tag
      run: echo \"TAG=${GITHUB_REF#refs/tags/v}\" >> $GITHUB_OUTPUT
    - run: |
        tag=${{ steps.tag.outputs.TAG }}
        docker tag gs/app:${SHA} ${{ env.REGISTRY }}/gs/app:${tag}
        docker push ${{ env.REGISTRY }}/gs/app:${tag}
        docker tag gs/app:${SHA} ${REGISTRY}/gs/app:latest
        bash scripts/push.sh app
        docker tag gs/app:${SHA} ${REGISTRY}/gs/app:$(cat VERSION)a$(date +%s)
        docker push ${REGISTRY}/gs/app:$(cat VERSION)a$(date +%s)
";
        assert_eq!(
            told(jobs),
            ["k8s/Makefile:5 r.example.com/gs/app:{gs} r.example.com/gs/app:latest ARCH={arch} M=x86_64"]
        );
    }

    #[test]
    fn shares_of_two_machines_are_one_image() {
        let jobs = "  a:
    strategy: { matrix: { arch: [amd64, arm64], include: [{ arch: arm64, runner: ubuntu-arm }] } }
    runs-on: ${{ matrix.runner }}
    steps:
    - run: make -C k8s app V=new && docker tag gs/app:new $REGISTRY/gs/app:${{ github.ref_name }}-${{ matrix.arch }}
    - run: docker push $REGISTRY/gs/app:${{ github.ref_name }}-${{ matrix.arch }}
  b:
    needs: a
    steps:
    - run: |
        docker manifest create $REGISTRY/gs/app:$GITHUB_REF_NAME --amend $REGISTRY/gs/app:$GITHUB_REF_NAME-amd64 \\
          --amend $REGISTRY/gs/app:$GITHUB_REF_NAME-arm64
        docker manifest push $REGISTRY/gs/app:$GITHUB_REF_NAME
";
        assert_eq!(
            told(jobs),
            [
                "k8s/Makefile:5 r.example.com/gs/app:v{gs}-{arch} r.example.com/gs/app:v{gs} ARCH={arch} M=x86_64 also arm64"
            ]
        );
    }

    #[test]
    fn actions_of_docker_are_builds() {
        let jobs = "  a:
    steps:
    - id: meta
      uses: docker/metadata-action@v5
      with: { images: r.example.com/gs/app, tags: 'type=semver,pattern={{version}}' }
    - uses: docker/build-push-action@v6
      with: { context: k8s, push: true, tags: '${{ steps.meta.outputs.tags }}', build-args: 'A=${{ env.REGISTRY }}' }
";
        let place = ".github/workflows/a.yml:12";
        assert_eq!(
            told(jobs),
            [format!("{place} r.example.com/gs/app:{{gs}} r.example.com/gs/app:latest A=r.example.com")]
        );
    }

    #[test]
    fn what_is_not_published_for_certain_is_told_with_the_reason() {
        let job = |run: &str| told(&format!("  a:\n    steps:\n    - run: {run}\n"));
        for (run, reason) in [
            ("docker build -t gs/app:1 .", "it is built, and never pushed"),
            ("docker build -t gs/app:$X . && docker push gs/app:$X", "it is pushed under a tag that depends on X"),
            ("if [ $X ]; then docker build -t a:1 .; fi; docker push a:1", "it is built only under a condition"),
        ] {
            assert!(
                job(run).iter().all(|told| told == &format!(".github/workflows/a.yml:9 {reason}")),
                "{:?}",
                job(run)
            );
        }
        assert!(told("  a:\n    if: false\n    steps:\n    - run: docker build -t a:1 . --push\n").is_empty());
    }
}
