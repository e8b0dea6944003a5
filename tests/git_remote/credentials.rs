//! Who is shown the token, and what a server's no means.

use crate::git_http::basic;
use crate::world::{PATIENT, World, git};
use gs_release::error::Kind;
use gs_release::git::{Auth, PushOutcome};

#[test]
fn the_token_is_shown_when_the_server_asks() {
    let world = World::new();
    let clone = world.clone(&[]);
    clone.fetch(&["main"]).unwrap();
    assert!(world.options.shown().is_empty(), "nobody asked");
    world.options.set().token = Some("example".into());
    clone.fetch(&["main"]).unwrap();
    assert_eq!(clone.push(clone.commit("0.24.2\n"), None).unwrap(), PushOutcome::Done);
    assert!(world.options.shown().iter().all(|shown| *shown == basic("example")));
    assert!(!world.options.shown().is_empty());

    world.options.set().token = Some("another".into());
    let error = clone.fetch(&["main"]).unwrap_err();
    assert_eq!(error.kind, Kind::Remote);
    assert_eq!(error.message, format!("cannot fetch from {}: the server refused the token", world.url()));
    assert!(error.hints[0].contains("expired"), "{:?}", error.hints);
    git(&clone.path, &["config", "credential.helper", "!printf 'username=x-access-token\\npassword=another\\n' #"]);
    clone.fetch(&["main"]).unwrap();
    assert_eq!(world.options.shown().last(), Some(&basic("another")), "the helper is asked after a refused token");
}

#[test]
fn without_a_token_a_server_that_asks_is_a_failure_that_says_so() {
    let world = World::new();
    let clone = world.clone(&[]);
    world.options.set().token = Some("example".into());
    let nobody = Auth { token: None, server: clone.server.clone() };
    let error = clone.repository.fetch(&clone.remote(), &["main"], &nobody, PATIENT).unwrap_err();
    assert!(error.message.ends_with("the server asks for credentials, and there are none for it"), "{error}");
    assert!(error.hints[0].contains("set GITHUB_TOKEN"), "{:?}", error.hints);
    let elsewhere = Auth { server: "https://github.com".into(), ..clone.auth("example") };
    let error = clone.repository.fetch(&clone.remote(), &["main"], &elsewhere, PATIENT).unwrap_err();
    assert!(error.hints[0].contains("https://github.com alone"), "{:?}", error.hints);
    assert!(world.options.shown().is_empty());
}

#[test]
fn a_redirect_to_another_server_does_not_carry_the_token() {
    let world = World::new();
    let clone = world.clone(&[]);
    let other = World::new();
    world.options.set().redirect = Some(other.server.url.clone());
    other.options.set().token = Some("example".into());
    let error = clone.fetch(&["main"]).unwrap_err();
    assert!(error.message.contains("asks for credentials"), "{error}");
    assert_eq!(other.options.set().seen.len(), 1);
    assert!(other.options.shown().is_empty());
    assert!(clone.push(clone.commit("0.24.2\n"), None).is_err());
    assert!(other.options.shown().is_empty());
}

#[test]
fn a_servers_no_has_a_hint_of_its_own() {
    let world = World::new();
    let clone = world.clone(&[]);
    for (status, hint) in [(403, "may not do this"), (404, "does not exist"), (502, "in trouble")] {
        world.options.set().status = Some(("git-receive-pack", status));
        let error = clone.push(clone.commit("0.24.2\n"), None).unwrap_err();
        assert_eq!(error.kind, Kind::Remote);
        assert!(error.message.contains(&status.to_string()), "{error}");
        assert!(error.hints[0].contains(hint), "{:?}", error.hints);
    }
}
