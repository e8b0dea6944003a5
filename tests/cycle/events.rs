//! The jobs that events start, each dropped once, and each delivered twice.

use std::process::Output;

use crate::fake_registry::FakeRegistry;
use crate::world::{Job, World};

/// Rounds of the schedule after which everything must be done.
const ROUNDS: usize = 4;

/// What a job that an event starts is asked for.
pub struct Event {
    pub job: Job,
    pub arguments: &'static [&'static str],
}

/// Drives the repository until nothing is left to do: the schedule and the push of the merge start jobs, and each run its last
/// job. `deliver` carries an event out, or not.
pub fn drive(world: &World, carry_out: &dyn Fn(&World, u64, &str, &str), deliver: &mut dyn FnMut(&World, Event)) {
    drive_for(ROUNDS, world, carry_out, deliver);
}

/// The same, where it takes so many rounds of the schedule.
pub fn drive_for(
    rounds: usize,
    world: &World,
    carry_out: &dyn Fn(&World, u64, &str, &str),
    deliver: &mut dyn FnMut(&World, Event),
) {
    for _ in 0..rounds {
        deliver(world, Event { job: Job::default(), arguments: &["watch"] });
        world.merge();
        // after a merge it is the push that starts it, without one the schedule
        deliver(world, Event { job: Job::default(), arguments: &["build", "--no-wait"] });
        while let Some((run, phase, commit)) = world.active().first().cloned() {
            carry_out(world, run, &phase, &commit);
            let job = Job { run: Some(run), ..Job::default() };
            deliver(world, Event { job, arguments: &["build", "--no-wait"] });
            world.fake.end_run(crate::world::HOME, run, "success");
        }
    }
}

/// The jobs of a run without an engine: its images are put into the registry.
pub fn by_hand(world: &World, _run: u64, phase: &str, commit: &str) {
    world.publish(phase, commit);
}

pub fn fine(output: Output) {
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

#[test]
fn a_release_upstream_becomes_images_without_a_person_but_for_the_merge() {
    let registry = FakeRegistry::start();
    let world = World::new(&format!("{}/g", registry.host), "linux/amd64");
    drive(&world, &by_hand, &mut |world, event| fine(world.job(&event.job, event.arguments)));
    world.assert_end();
}

#[test]
fn whichever_event_is_dropped_the_end_is_the_same() {
    // watch, push, the last job of each run: the first of each; the schedule of the next round heals it
    for dropped in 0..4 {
        let registry = FakeRegistry::start();
        let world = World::new(&format!("{}/g", registry.host), "linux/amd64");
        let mut count = 0;
        drive(&world, &by_hand, &mut |world, event| {
            if count != dropped {
                fine(world.job(&event.job, event.arguments));
            }
            count += 1;
        });
        assert!(count > dropped);
        world.assert_end();
    }
}

#[test]
fn events_that_come_twice_start_no_run_twice() {
    let registry = FakeRegistry::start();
    let world = World::new(&format!("{}/g", registry.host), "linux/amd64");
    drive(&world, &by_hand, &mut |world, event| {
        fine(world.job(&event.job, event.arguments));
        fine(world.job(&event.job, event.arguments));
    });
    world.assert_end();
}
