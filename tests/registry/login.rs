//! Logging in: who is asked, what is sent, and where it is never sent.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gs_release::error::Kind;
use gs_release::registry::{ImageRef, Registry, tag_state};

use crate::fake::{FakeRegistry, Fault, Login};
use crate::place::{Place, client};

/// A directory of Docker's client with this `config.json`.
fn docker_config(config: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.json"), config).unwrap();
    directory
}

/// As `docker login` writes it.
fn password(host: &str, user: &str, password: &str) -> tempfile::TempDir {
    let auth = STANDARD.encode(format!("{user}:{password}"));
    docker_config(&format!(r#"{{"auths": {{"{host}": {{"auth": "{auth}"}}}}}}"#))
}

/// A registry with one image that wants a login.
async fn registry(login: Login) -> (FakeRegistry, ImageRef) {
    let fake = FakeRegistry::start();
    let place = Place::at(&fake.host);
    let image = place.repository("g/app").tag("v1").unwrap();
    place.push(&image, "amd64", "content").await;
    fake.require(login);
    fake.forget();
    (fake, image)
}

#[tokio::test]
async fn passwords_and_tokens_open_a_registry() {
    for login in [Login::Basic, Login::Token] {
        let (fake, image) = registry(login).await;
        let config = password(&fake.host, "me", "secret");
        let registry = client(Some(config.path()));
        let manifest = registry.manifest(&image).await.unwrap().unwrap();
        registry.put_manifest(&image.repository.tag("v2").unwrap(), &manifest).await.unwrap();
        assert!(fake.manifest("g/app", "v2").is_some());
        registry.check_push(&image.repository).await.unwrap();
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let (fake, image) = registry(Login::Token).await;
    let config = docker_config(&format!(r#"{{"auths": {{"{}": {{"identitytoken": "refresh"}}}}}}"#, fake.host));
    assert!(client(Some(config.path())).manifest(&image).await.unwrap().is_some());
    assert!(fake.seen().iter().all(|seen| !seen.uri.contains("refresh=")), "secrets are in no address");
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_refused() {
    let (fake, image) = registry(Login::Token).await;
    let config = password(&fake.host, "me", "secret");
    let registry = client(Some(config.path()));
    for _ in 0..3 {
        registry.manifest(&image).await.unwrap();
    }
    let tokens = || fake.seen().iter().filter(|seen| seen.uri.starts_with("/token")).count();
    assert_eq!(tokens(), 1);
    fake.expire_tokens();
    assert!(registry.manifest(&image).await.unwrap().is_some());
    assert_eq!(tokens(), 2);
}

#[tokio::test]
async fn a_credential_helper_is_asked() {
    let (fake, image) = registry(Login::Basic).await;
    let bin = tempfile::tempdir().unwrap();
    let helper = bin.path().join("docker-credential-example");
    std::fs::write(&helper, format!(
        "#!/bin/sh\n[ \"$1\" = get ] && [ \"$(cat)\" = {} ] && echo '{{\"Username\": \"me\", \"Secret\": \"secret\"}}'\n",
        fake.host
    ))
    .unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = docker_config(&format!(r#"{{"credHelpers": {{"{}": "example"}}}}"#, fake.host));
    let output = manifest_create(&config, bin.path(), &image);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fake.manifest("g/app", "v2").is_some());
}

/// Helpers are found on PATH, which only a process of its own can have another.
fn manifest_create(config: &tempfile::TempDir, bin: &Path, image: &ImageRef) -> std::process::Output {
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    std::process::Command::new(env!("CARGO_BIN_EXE_gs-release"))
        .args(["manifest", "create", &image.repository.tag("v2").unwrap().to_string(), &image.to_string()])
        .env("DOCKER_CONFIG", config.path())
        .env("PATH", path)
        .output()
        .unwrap()
}

#[tokio::test]
async fn who_is_not_let_in_learns_who_they_were_and_how_to_log_in() {
    for login in [Login::Basic, Login::Token] {
        let (fake, image) = registry(login).await;
        let wrong = password(&fake.host, "someone", "wrong");
        for (config, who) in [(None, "without a login"), (Some(wrong.path()), "to the login `someone`")] {
            let error = client(config).manifest(&image).await.unwrap_err();
            assert_eq!(error.kind, Kind::Remote);
            for part in [&image.to_string(), &fake.host, who, "401"] {
                assert!(error.message.contains(part), "{part}: {error}");
            }
            assert!(error.hints[0].contains(&format!("docker login {}", fake.host)), "{:?}", error.hints);
            assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_right_that_is_missing_is_told_in_the_registrys_words() {
    let (fake, image) = registry(Login::None).await;
    fake.fail(9, Method::POST, "/blobs/uploads/", Fault::status(403, "DENIED", "push is not for you"));
    let error = client(None).check_push(&image.repository).await.unwrap_err();
    assert!(error.message.contains("push is not for you (DENIED)"), "{error}");
    assert_eq!(fake.seen().len(), 1, "a refusal is not argued with");
}

#[tokio::test]
async fn a_login_does_not_follow_a_redirect_to_another_host() {
    let (fake, image) = registry(Login::Basic).await;
    let (elsewhere, _) = registry(Login::None).await;
    let config = password(&fake.host, "me", "secret");
    let registry = client(Some(config.path()));
    tag_state(&registry, &image).await.unwrap();
    let there = vec![("location", format!("http://{}/v2/g/app/manifests/v1", elsewhere.host))];
    fake.fail(1, Method::GET, "/manifests/v1", Fault::Answer(307, there, Vec::new()));
    assert!(registry.manifest(&image).await.unwrap().is_some());
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].authorization, None);
    assert!(fake.seen().last().unwrap().authorization.is_some());
}

#[tokio::test]
async fn a_redirect_to_plain_http_is_refused() {
    let (fake, image) = registry(Login::None).await;
    let there = vec![("location", "http://registry.example.com/v2/g/app/manifests/v1".to_owned())];
    fake.fail(9, Method::GET, "/manifests/v1", Fault::Answer(307, there, Vec::new()));
    let error = client(None).manifest(&image).await.unwrap_err();
    assert!(error.message.contains("refused to follow a redirect to plain HTTP"), "{error}");
}
