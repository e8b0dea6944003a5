//! The bot is killed before and after each of its writes to GitHub, and the next job carries on.

use std::time::Duration;

use crate::events::{Event, by_hand, drive, fine};
use crate::fake::Failure;
use crate::fake_registry::FakeRegistry;
use crate::world::World;

/// Kills the job at its `nth` write in the whole cycle, in the middle of the call. False: there are fewer writes.
fn killed_at(nth: usize, failure: &Failure) -> bool {
    let registry = FakeRegistry::start();
    let world = World::new(&format!("{}/g", registry.host), "linux/amd64");
    let mut killed = false;
    let writes = |world: &World| world.fake.calls().iter().filter(|call| !call.starts_with("GET ")).count();
    world.fake.fail_next("POST|PATCH|PUT", ".*", nth, failure.clone());
    drive(&world, &by_hand, &mut |world, Event { job, arguments }| {
        let sandbox = world.checkout(&job);
        let mut child = world.start(&sandbox, &job, arguments);
        loop {
            if !killed && writes(world) >= nth {
                killed = true;
                child.kill().unwrap();
                child.wait().unwrap();
                return;
            }
            if child.try_wait().unwrap().is_some() {
                return fine(child.wait_with_output().unwrap());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    world.assert_end();
    killed
}

#[test]
fn a_bot_that_is_killed_before_a_write_is_carried_on_by_the_next() {
    let count = (1..).take_while(|nth| killed_at(*nth, &Failure::Hang)).count();
    assert!(count >= 3, "the pull request and a run for each phase, at least: {count}");
}

#[test]
fn a_bot_that_is_killed_after_a_write_is_carried_on_by_the_next() {
    let count = (1..).take_while(|nth| killed_at(*nth, &Failure::CloseAfterEffect)).count();
    assert!(count >= 3, "the pull request and a run for each phase, at least: {count}");
}
