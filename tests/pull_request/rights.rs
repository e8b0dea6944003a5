//! What the token may not do, and what the server will not.

use serde_json::json;

use crate::fake::{Failure, Token};
use crate::hosted::{BRANCH, HOME, UPSTREAM, World};
use crate::support::document;
use crate::world::CONFIG;

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
