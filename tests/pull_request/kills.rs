//! A run that is killed, and the one after it.

use std::process::Stdio;
use std::time::Duration;

use crate::fake::Failure;
use crate::hosted::{HOME, World};
use crate::world::CONFIG;

/// Where a run is killed: at a request that is never answered.
enum Kill {
    Git(&'static str),
    /// At the nth write through the API.
    Write(usize),
}

#[test]
fn killed_between_any_two_side_effects_and_run_again_it_ends_the_same() {
    let settings =
        "pull-request: { labels: [release], reviewers: [siyuan0322], assignees: [octocat], milestone: '0.30' }\n";
    let new_world = || {
        let world = World::new(&format!("{CONFIG}{settings}"));
        let mut state = world.fake.state();
        let home = state.repo_mut(HOME);
        home.collaborators = vec!["siyuan0322".into(), "octocat".into()];
        home.milestones = vec!["0.30".into()];
        drop(state);
        world
    };
    let undisturbed = new_world();
    assert_eq!(undisturbed.bump(&["0.24.2"]).0, 0);
    let writes = undisturbed.fake.take_writes();
    assert_eq!(writes.len(), 6, "open, label, review, assign, milestone, done: {writes:?}");
    let wanted = undisturbed.end_state();

    let at_git = ["git-upload-pack", "service=git-receive-pack", "POST /alibaba/GraphScope.git/git-receive-pack"];
    let kills = at_git.into_iter().map(Kill::Git).chain((1..=writes.len()).map(Kill::Write));
    for kill in kills {
        let world = new_world();
        match kill {
            Kill::Git(line) => world.git.set().hang = Some(line),
            Kill::Write(nth) => {
                let method = writes[nth - 1].split(' ').next().unwrap();
                let before = writes[..nth - 1].iter().filter(|write| write.starts_with(method)).count();
                world.fake.fail_next(method, "", before + 1, Failure::Hang);
            }
        }
        let is_write = |call: &&String| !call.starts_with("GET ");
        let reached = || match kill {
            Kill::Git(line) => world.git.set().seen.iter().any(|seen| seen.line.contains(line)),
            Kill::Write(nth) => world.fake.calls().iter().filter(is_write).count() == nth,
        };
        let mut command = world.command(&["bump-vineyard", "0.24.2"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut waited = 0;
        while !reached() {
            std::thread::sleep(Duration::from_millis(10));
            waited += 1;
            assert!(waited < 3000 && child.try_wait().unwrap().is_none(), "the run ended before it was killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        world.git.set().hang = None;
        let (code, told) = world.bump(&["0.24.2"]);
        assert_eq!(code, 0, "{told}");
        assert_eq!(world.end_state(), wanted);
        world.fake.take_writes();
        assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "unchanged");
        assert_eq!(world.fake.take_writes(), [""; 0]);
    }
}
