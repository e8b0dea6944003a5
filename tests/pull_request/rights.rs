//! What the token may not do, and what the server will not.

use serde_json::json;

use crate::fake::{App, Failure, Token};
use crate::hosted::{BRANCH, HOME, UPSTREAM, World};
use crate::support::document;
use crate::world::CONFIG;

/// A dry run shows what it can.
#[test]
fn a_dry_run_waits_no_longer_for_an_app_than_for_anything_else() {
    let world = World::new(CONFIG);
    world.fake.state().app = Some(App::on(HOME, &WRITE));
    world.git.set().token = None;
    world.fake.fail_next("GET", "/installation$", 1, Failure::Hang);
    let mut command = world.command(&["bump-vineyard", "0.24.2", "--dry-run", "--force"]);
    command.env_remove("GITHUB_TOKEN");
    command.env("GS_RELEASE_APP_ID", "7").env("GS_RELEASE_APP_PRIVATE_KEY", KEY);
    let output = command.output().unwrap();
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && warned.contains("gave the App no token in time"), "{warned}");
}

const KEY: &str = include_str!("../github/keys/app-key.pem");

#[test]
fn without_a_token_everything_stays_here_except_under_actions() {
    let world = World::new(CONFIG);
    world.git.set().token = None;
    let (code, local) =
        document(world.command(&["bump-vineyard", "0.24.2", "--json"]).env_remove("GITHUB_TOKEN").output().unwrap());
    assert_eq!((code, &local["pull-request"]["action"]), (0, &json!("none")));
    assert_eq!(world.clone.git(&["rev-parse", BRANCH]).trim(), local["commit"]);
    assert_eq!((world.tip(), world.fake.calls()), (None, vec![]));

    let in_actions = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        document(command.env_remove("GITHUB_TOKEN").env("GITHUB_ACTIONS", "true").output().unwrap())
    };
    let (code, refused) = in_actions(&["bump-vineyard", "0.24.3", "--json"]);
    assert_eq!(code, 4);
    assert!(refused["error"]["message"].as_str().unwrap().contains("no token"), "{refused}");
    let (code, refused) = in_actions(&["bump", "vinyard", "0.24.3", "--json"]);
    assert_eq!(code, 2, "what is typed wrongly is told before what is missing");
    assert!(refused["error"].to_string().contains("vineyard"), "{refused}");
}

#[test]
fn a_token_without_the_rights_is_refused_before_anything_is_written() {
    let world = World::new(CONFIG);
    let read_only = Token { push: false, ..Token::classic("reader", &["repo"]) };
    world.fake.add_token("ghp_reader", read_only);
    world.fake.add_token("ghp_noscope", Token::classic("octocat", &["gist"]));
    let elsewhere =
        Token { reaches: Some(vec![UPSTREAM.into()]), ..Token::fine_grained("octocat", &[("contents", "write")]) };
    world.fake.add_token("github_pat_elsewhere", elsewhere);
    world.git.set().token = None;
    world.fake.state().repo_mut(HOME).private = true;
    for (token, message, hint) in [
        ("ghp_wrong", "401", "expired or revoked"),
        ("ghp_reader", "may not push", "push-to:"),
        ("ghp_noscope", "scopes", "scope repo"),
        ("github_pat_elsewhere", "404", "covers the repository"),
    ] {
        let output = world.command(&["bump-vineyard", "0.24.2", "--json"]).env("GITHUB_TOKEN", token).output().unwrap();
        let (code, refused) = document(output);
        assert_eq!(code, 4, "{token}: {refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(message), "{token}: {refused}");
        assert!(refused["error"]["hints"].to_string().contains(hint), "{token}: {refused}");
        assert_eq!((world.tip(), world.pulls().len()), (None, 0), "{token}");
    }
}

/// Bumps with the token `secret`, git's server letting everything in, and gives the refusal; nothing was written.
fn refused(world: &World, secret: &str) -> String {
    world.git.set().token = None;
    let (code, refused) =
        document(world.command(&["bump-vineyard", "0.24.2", "--json"]).env("GITHUB_TOKEN", secret).output().unwrap());
    assert_eq!((code, world.tip(), world.pulls().len()), (4, None, 0), "{refused}");
    refused["error"].to_string()
}

const WRITE: [(&str, &str); 2] = [("contents", "write"), ("pull_requests", "write")];

#[test]
fn who_may_open_no_pull_request_is_told_before_the_push() {
    let world = World::new(CONFIG);
    world.fake.state().repo_mut(HOME).actions_may_open_pulls = false;
    world.fake.add_token("ghs_job", Token::actions(&WRITE));
    world.fake.add_token("ghs_reader", Token::actions(&[("contents", "write")]));
    world.fake.add_token("github_pat_reader", Token::fine_grained("octocat", &[("contents", "write")]));
    for (secret, parts) in [
        ("ghs_job", ["not permitted to create or approve", "Settings > Actions > General > Workflow permissions"]),
        ("ghs_reader", ["Resource not accessible by integration", "this permission: pull_requests=write"]),
        ("github_pat_reader", ["not accessible by personal access token", "this permission: pull_requests=write"]),
    ] {
        let told = refused(&world, secret);
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    // one that a person has opened can be kept up to date all the same
    world.fake.add_token("ghs_job", Token::actions(&WRITE));
    world.fake.add_token("ghp_octocat", Token::classic("octocat", &["repo"]));
    let bump = |version: &str, secret: &str| {
        document(world.command(&["bump-vineyard", version, "--json"]).env("GITHUB_TOKEN", secret).output().unwrap())
    };
    assert_eq!(bump("0.24.2", "ghp_octocat").1["pull-request"]["action"], "created");
    let (code, updated) = bump("0.24.3", "ghs_job");
    assert_eq!((code, &updated["pull-request"]["action"]), (0, &json!("updated")), "{updated}");
    assert_eq!(world.pulls().len(), 1);
}

#[test]
fn who_may_not_change_workflow_files_is_told_before_the_push() {
    let site = "      - { files: \".github/workflows/*.yml\", regex: 'V=(?<version>\\S+)' }\n";
    let world = World::new(&format!("{CONFIG}{site}"));
    world.fake.commit(HOME, "main", &[(".github/workflows/ci.yml", b"# V=0.24.1\n")]);
    world.fake.add_token("ghs_job", Token::actions(&WRITE));
    world.fake.add_token("ghp_repo", Token::classic("octocat", &["repo"]));
    for (secret, parts) in [
        ("ghs_job", ["GITHUB_TOKEN can never push changes of files under .github/workflows", "workflows: write"]),
        ("ghp_repo", ["workflow files: the token's scopes are repo", "give the token the scope workflow"]),
    ] {
        let told = refused(&world, secret);
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    world.fake.state().app = Some(App::on(HOME, &WRITE));
    let mut command = world.command(&["bump-vineyard", "0.24.2", "--json"]);
    command.env("GS_RELEASE_APP_ID", "7").env("GS_RELEASE_APP_PRIVATE_KEY", KEY);
    let (code, refused) = document(command.output().unwrap());
    assert_eq!((code, world.tip(), world.pulls().len()), (4, None, 0), "{refused}");
    let told = refused["error"].to_string();
    for part in ["the App has workflows: none", "the permission workflows: write", "accept it at https://github.com/"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_team_that_the_token_cannot_ask_is_told_before_the_push() {
    let world = World::new(&format!("{CONFIG}pull-request: {{ reviewers: [alibaba/release] }}\n"));
    world.fake.state().repo_mut(HOME).teams = vec!["release".into()];
    world.fake.add_token("ghs_job", Token::actions(&WRITE));
    let told = refused(&world, "ghs_job");
    assert!(told.contains("GITHUB_TOKEN cannot see teams") && told.contains("members: read"), "{told}");
    assert_eq!(world.bump(&["0.24.2"]).0, 0, "a personal token is not told to have no right");
}

#[test]
fn what_fails_after_the_push_says_that_the_branch_is_there() {
    let world = World::new(&format!("{CONFIG}pull-request: {{ draft: true, automerge: true }}\n"));
    world.fake.state().repo_mut(HOME).allows_drafts = false;
    let (code, told) = world.bump(&["0.24.2"]);
    let hints = told["error"]["hints"].to_string();
    assert_eq!(code, 4, "{told}");
    for part in ["set `draft: false`", "branch gs-release/vineyard is pushed: the same command goes on from there"] {
        assert!(hints.contains(part), "{part}: {told}");
    }
    {
        let mut state = world.fake.state();
        let repo = state.repo_mut(HOME);
        (repo.allows_drafts, repo.allows_automerge) = (true, false);
    }
    let output = world.run(&["bump-vineyard", "0.24.2"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("(allow it under Settings > General > Pull Requests)"), "{told}");
}

#[test]
fn troubles_of_the_server_are_told_in_its_own_words() {
    for (call, failure, part) in [
        (("GET", "/GraphScope$"), Failure::Html(200), "web page"),
        (
            ("POST", "/pulls$"),
            Failure::Status(
                422,
                json!({"message": "Validation Failed", "documentation_url": "https://docs.example.com", "errors": [{"resource": "PullRequest", "field": "head", "code": "invalid"}]}),
            ),
            "head is invalid",
        ),
        (
            ("POST", "/pulls$"),
            Failure::Status(
                403,
                json!({"message": "Resource not accessible by integration", "documentation_url": "https://docs.example.com"}),
            ),
            "Resource not accessible by integration",
        ),
    ] {
        let world = World::new(CONFIG);
        world.fake.fail_next(call.0, call.1, 1, failure);
        let (code, told) = world.bump(&["0.24.2"]);
        assert_eq!(code, 4, "{told}");
        assert!(told["error"]["message"].as_str().unwrap().contains(part), "{part}: {told}");
        let (code, mended) = world.bump(&["0.24.2"]);
        assert_eq!((code, &mended["pull-request"]["action"]), (0, &json!("created")), "the next run goes on");
    }
}
