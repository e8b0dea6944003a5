//! The whole cycle with a real Docker engine and registry: each run carries out the `run:` lines of the phase workflow.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::events::{drive, fine};
use crate::gate::Gate;
use crate::support::isolated;
use crate::workflow::{WorkflowJob, filled, jobs};
use crate::world::{HOME, Job, TOKEN, World};

/// What the engine and the tests push to.
const REGISTRY: &str = "127.0.0.1:5000";

/// A path of the registry that no other test has used.
fn place(registry: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    format!("{registry}/test-cycle-{now:x}")
}

/// How a process of this name is run to its end. False: it was killed, and its job begins anew.
type Runner<'a> = &'a dyn Fn(&str, &mut Command) -> bool;

fn to_its_end(_: &str, command: &mut Command) -> bool {
    fine(command.output().unwrap());
    true
}

/// Carries out the jobs of a run in their order, but for the last, which is an event of its own: what it starts must not wait
/// for this run.
fn by_workflow(runner: Runner<'_>, world: &World, run: u64, phase: &str, commit: &str) {
    let mut values = BTreeMap::from([
        ("inputs.phase", phase.to_owned()),
        ("inputs.commit", commit.to_owned()),
        ("github.token", TOKEN.to_owned()),
    ]);
    let jobs = jobs();
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["plan", "share", "publish", "next"]);
    let carry_out = |job: &WorkflowJob, values: &BTreeMap<&str, String>| loop {
        if let Some(outputs) = carry_out(runner, world, run, job, values) {
            return outputs;
        }
    };
    let outputs = carry_out(&jobs[0], &values);
    // `platforms<<MARK`, and the value on the next line
    let platforms = outputs.lines().skip_while(|line| !line.starts_with("platforms<<")).nth(1);
    let platforms: Vec<String> = serde_json::from_str(platforms.unwrap_or_else(|| panic!("{outputs}"))).unwrap();
    for platform in platforms {
        values.insert("matrix.platform", platform);
        carry_out(&jobs[1], &values);
    }
    carry_out(&jobs[2], &values);
    // the last job is what `drive` delivers
    let last: Vec<&str> = jobs[3].steps.iter().filter(|step| step.condition.is_none()).map(|step| &*step.run).collect();
    assert_eq!(last, ["gs-release build --no-wait"]);
}

/// Runs the steps of one job, and gives its outputs; `None`: it was killed.
fn carry_out(
    runner: Runner<'_>,
    world: &World,
    run: u64,
    job: &WorkflowJob,
    values: &BTreeMap<&str, String>,
) -> Option<String> {
    let surroundings = Job { checkout: filled(&job.checkout, values), run: Some(run), ..Job::default() };
    let sandbox = world.checkout(&surroundings);
    let output = sandbox.path().join(".git/output");
    std::fs::write(&output, "").unwrap();
    let tool = Path::new(env!("CARGO_BIN_EXE_gs-release")).parent().unwrap();
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap());
    let home = std::env::var_os("HOME").unwrap();
    let docker = std::env::var_os("DOCKER_CONFIG").unwrap_or_else(|| Path::new(&home).join(".docker").into());
    for step in &job.steps {
        let mut command = isolated("bash", sandbox.path());
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &step.run]);
        world.surround(&mut command, &surroundings);
        // a job has no token unless its step names it
        command.env_remove("GITHUB_TOKEN").env("GITHUB_OUTPUT", &output);
        command.env("PATH", &path).env("DOCKER_CONFIG", &docker);
        for (name, value) in &step.env {
            command.env(name, filled(value, values));
        }
        if !runner(&format!("job {} of run {run}", job.name), &mut command) {
            return None;
        }
    }
    Some(std::fs::read_to_string(output).unwrap())
}

fn uninterrupted(world: &World, run: u64, phase: &str, commit: &str) {
    by_workflow(&to_its_end, world, run, phase, commit);
}

#[test]
#[ignore = "needs a Docker engine with buildx and a registry on 127.0.0.1:5000"]
fn the_workflow_s_own_commands_bring_a_release_upstream_to_the_registry() {
    let world = World::new(&place(REGISTRY), "linux/amd64, linux/arm64");
    drive(&world, &uninterrupted, &mut |world, event| fine(world.job(&event.job, event.arguments)));
    world.assert_end();
    let platforms = world.tag("coordinator:0.28.0").unwrap().platforms;
    assert_eq!(platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
}

#[test]
#[ignore = "needs a Docker engine with buildx and a registry on 127.0.0.1:5000"]
fn the_merged_pull_request_is_told_of_a_build_on_this_machine() {
    let world = World::new(&place(REGISTRY), "linux/amd64");
    fine(world.job(&Job::default(), &["watch"]));
    assert!(world.merge());
    let build = || {
        fine(world.job(&Job::default(), &["build", "--engine", "buildx"]));
        world.fake.state().repo(HOME).unwrap().pulls[0].comments.clone()
    };
    let comments = build();
    let [(_, text)] = comments.as_slice() else { panic!("{comments:?}") };
    assert!(text.starts_with("### Images are published\n"), "{text}");
    for tag in ["dev:v0.24.2", "dev:latest", "coordinator:0.28.0", "coordinator:latest"] {
        let digest = world.tag(tag).unwrap_or_else(|| panic!("{tag} is missing")).digest;
        assert!(text.contains(&digest.to_string()), "{tag} {digest}: {text}");
    }
    world.fake.take_writes();
    assert_eq!(build(), comments, "nothing is left to tell");
    assert_eq!(world.fake.take_writes(), [""; 0]);
}

#[test]
#[ignore = "needs a Docker engine with buildx and a registry on 127.0.0.1:5000"]
fn with_each_event_once_dropped_and_then_delivered_twice_it_ends_the_same() {
    let world = World::new(&place(REGISTRY), "linux/amd64");
    let mut seen = Vec::new();
    drive(&world, &uninterrupted, &mut |world, event| {
        let name = (event.arguments, event.job.run);
        if !seen.contains(&name) {
            return seen.push(name);
        }
        fine(world.job(&event.job, event.arguments));
        fine(world.job(&event.job, event.arguments));
    });
    world.assert_end();
    assert_eq!(world.fake.state().repo(HOME).unwrap().pulls.len(), 1);
}

#[test]
#[ignore = "needs a Docker engine with buildx and a registry on 127.0.0.1:5000"]
fn killed_before_and_after_each_write_to_github_and_to_the_registry_it_ends_the_same() {
    let gate = Gate::default();
    let registry = gate.registry(REGISTRY);
    let place = place(registry.url.strip_prefix("http://").unwrap());
    let world = World::behind(&gate, &place, "linux/amd64");
    let jobs = |world: &World, run: u64, phase: &str, commit: &str| {
        by_workflow(&|name, command| gate.run(name, command), world, run, phase, commit);
    };
    drive(&world, &jobs, &mut |world, event| {
        let name = event.arguments.join(" ") + &event.job.run.map(|run| format!(" of run {run}")).unwrap_or_default();
        loop {
            let sandbox = world.checkout(&event.job);
            let mut command = sandbox.command(event.arguments);
            world.surround(&mut command, &event.job);
            if gate.run(&name, &mut command) {
                break;
            }
        }
    });
    world.assert_end();

    let repository = place.split_once('/').unwrap().1;
    let manifest = |image: &str, tag: &str| format!("PUT /v2/{repository}/{image}/manifests/{tag}");
    let dispatch = "POST /repos/alibaba/GraphScope/actions/workflows/build-images.yml/dispatches";
    let expected = [
        ("watch", "POST /alibaba/GraphScope.git/git-receive-pack".to_owned()),
        ("watch", "POST /repos/alibaba/GraphScope/pulls".to_owned()),
        ("build --no-wait", dispatch.to_owned()),
        ("job share of run 500", manifest("dev", "gsr-")),
        ("job publish of run 500", manifest("dev", "v0.24.2")),
        ("job publish of run 500", manifest("dev", "latest")),
        ("build --no-wait of run 500", dispatch.to_owned()),
        ("job share of run 501", manifest("coordinator", "gsr-")),
        ("job publish of run 501", manifest("coordinator", "0.28.0")),
        ("job publish of run 501", manifest("coordinator", "latest")),
    ];
    let steps = gate.interrupted();
    for (name, write) in expected {
        for step in ["before", "after"].map(|when| format!("{name}: {when} {write}")) {
            assert!(steps.iter().any(|known| known.starts_with(&step)), "{step}: {steps:#?}");
        }
    }
}
