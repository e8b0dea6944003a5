//! Each job is killed before and after each of its writes, to GitHub and to the registry, and what it was started by is lost:
//! the schedule alone carries on.

use crate::events::{by_hand, drive_for};
use crate::fake_registry::FakeRegistry;
use crate::gate::Gate;
use crate::world::World;

/// One for each job that is killed, and more.
const ROUNDS: usize = 20;

#[test]
fn what_a_killed_job_has_left_is_carried_on_by_the_next_that_the_schedule_starts() {
    let (gate, registry) = (Gate::default(), FakeRegistry::start());
    let guarded = gate.registry(&registry.host);
    let world = World::behind(&gate, &format!("{}/g", guarded.url.strip_prefix("http://").unwrap()), "linux/amd64");
    let mut killed = 0;
    drive_for(ROUNDS, &world, &by_hand, &mut |world, event| {
        let sandbox = world.checkout(&event.job);
        let mut command = sandbox.command(event.arguments);
        world.surround(&mut command, &event.job);
        if !gate.run(event.arguments[0], &mut command) {
            killed += 1;
        }
    });
    world.assert_end();
    assert!(killed < ROUNDS, "{:#?}", gate.interrupted());

    let steps = gate.interrupted();
    for step in [
        "watch: before POST /alibaba/GraphScope.git/git-receive-pack",
        "watch: before POST /repos/alibaba/GraphScope/pulls",
        "build: before POST /repos/alibaba/GraphScope/actions/workflows/build-images.yml/dispatches",
        "build: before POST /repos/alibaba/GraphScope/issues/1/comments",
        "build: before PUT /v2/g/dev/manifests/latest",
        "build: before PUT /v2/g/coordinator/manifests/latest",
    ] {
        for step in [step.to_owned(), step.replace("before", "after")] {
            assert!(steps.contains(&step), "{step}: {steps:#?}");
        }
    }
}
