//! Other ways for the commit to get there: through the API, into a fork, and when somebody is quicker.

use serde_json::json;

use crate::hosted::{BRANCH, HOME, World};
use crate::world::CONFIG;

#[test]
fn commits_through_the_api_have_the_same_tree_and_are_recognised() {
    let world = World::new(&format!("{CONFIG}pull-request: {{ commit-via: api }}\n"));
    let (code, first) = world.bump(&["0.24.2"]);
    assert_eq!(code, 0, "{first}");
    assert_eq!(world.tip().as_deref(), first["commit"].as_str());
    assert!(!world.git.set().seen.iter().any(|seen| seen.line.contains("receive-pack")), "nothing was pushed");
    world.fake.take_writes();
    assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "unchanged");
    assert_eq!(world.fake.take_writes(), [""; 0]);
    assert_eq!(world.bump(&["0.24.3"]).1["pull-request"]["action"], "updated");
    assert_eq!((world.ahead(), world.file("V6D_VERSION")), (1, "v0.24.3\n".into()));
}

#[test]
fn a_branch_that_moves_during_the_push_is_looked_at_again() {
    let world = World::new(CONFIG);
    world.bump(&["0.24.2"]);
    let path = world.fake.state().repo(HOME).unwrap().git.clone();
    world.git.set().before_push = Some(Box::new(move || {
        let repository = git2::Repository::open_bare(path).unwrap();
        let tip = repository.revparse_single(BRANCH).unwrap().peel_to_commit().unwrap();
        let person = git2::Signature::now("A Person", "person@example.com").unwrap();
        let tree = tip.tree().unwrap();
        let name = format!("refs/heads/{BRANCH}");
        repository.commit(Some(&name), &person, &person, "by hand", &tree, &[&tip]).unwrap();
    }));
    let (code, refused) = world.bump(&["0.24.3"]);
    assert_eq!(code, 3, "{refused}");
    assert_eq!((world.ahead(), world.pulls()[0].comments.len()), (2, 1));
}

#[test]
fn a_fork_gets_the_branch_and_the_home_gets_the_pull_request() {
    let world = World::new(&format!("{CONFIG}pull-request: {{ push-to: octocat/GraphScope }}\n"));
    let (code, missing) = world.bump(&["0.24.2"]);
    assert_eq!(code, 2);
    assert!(missing["error"]["hints"][0].as_str().unwrap().starts_with("git remote add fork "), "{missing}");
    world.fake.add_repository("octocat/GraphScope");
    world.clone.git(&["remote", "add", "fork", &format!("{}/octocat/GraphScope.git", world.fake.server_url())]);
    let (code, opened) = world.bump(&["0.24.2"]);
    assert_eq!((code, &opened["pull-request"]["action"]), (0, &json!("created")), "{opened}");
    assert_eq!((world.tip(), world.pulls()[0].head_repo.as_str()), (None, "octocat/GraphScope"));
    assert_eq!(world.bump(&["0.24.2"]).1["pull-request"]["action"], "unchanged");
}
