//! `gs-release manifest create`, the real binary.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use axum::http::Method;
use gs_release::registry::{Digest, ImageRef};
use serde_json::{Value, json};

use crate::fake::{FakeRegistry, Fault};
use crate::place::Place;
use crate::real::RealRegistry;
use crate::support::assert_fits;

fn gs_release(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gs-release"));
    command.args(arguments).env("DOCKER_CONFIG", "/nonexistent").stdin(Stdio::null());
    command
}

fn document(output: &Output) -> Value {
    let stdout = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&stdout).unwrap_or_else(|error| {
        panic!("{error}: {stdout}{}", String::from_utf8_lossy(&output.stderr));
    })
}

/// Images `g/amd64:x` and `g/arm64:x`, to be joined as `g/app:v1` in another repository.
async fn images(place: &Place) -> [String; 3] {
    let named = |path: &str, tag: &str| -> ImageRef { place.repository(path).tag(tag).unwrap() };
    let sources = [named("g/amd64", "x"), named("g/arm64", "x")];
    for (image, arch) in sources.iter().zip(["amd64", "arm64"]) {
        place.push(image, arch, &arch.repeat(1000)).await;
    }
    let [amd, arm] = sources.map(|image| image.to_string());
    [named("g/app", "v1").to_string(), amd, arm]
}

#[tokio::test]
async fn an_index_is_planned_created_and_left_alone() {
    let fake = FakeRegistry::start();
    let place = Place::at(&fake.host);
    let [tag, amd, arm] = images(&place).await;
    let arguments = ["manifest", "create", &tag, &amd, &arm, "--annotation", "a=b=c", "--platform", "linux/arm64"];
    let json = |more: &[&str]| document(&gs_release(&[&arguments[..], &["--json"], more].concat()).output().unwrap());

    let reads_only = || fake.seen().iter().all(|seen| [Method::GET, Method::HEAD].contains(&seen.method));
    fake.forget();
    let planned = json(&["--dry-run"]);
    assert!(reads_only(), "{:?}", fake.seen());
    let created = json(&[]);
    assert_eq!(created, planned);
    assert_fits(&created, "manifest");
    let stored: Value = serde_json::from_slice(&fake.manifest("g/app", "v1").unwrap()).unwrap();
    assert_eq!(stored["annotations"], json!({"a": "b=c"}));
    let digest = created["digest"].clone();
    assert_eq!(
        created,
        json!({
            "tag": tag, "digest": digest, "platforms": ["linux/amd64", "linux/arm64"], "changed": true, "previous": null,
        })
    );
    fake.forget();
    let again = json(&[]);
    assert!(reads_only(), "{:?}", fake.seen());
    assert_eq!((&again["changed"], &again["digest"], &again["previous"]), (&json!(false), &digest, &digest));

    let told = gs_release(&arguments).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&told.stdout),
        format!("{tag}@{} (linux/amd64, linux/arm64)\n", digest.as_str().unwrap())
    );
    assert!(String::from_utf8_lossy(&told.stderr).contains("points there already"));
}

#[tokio::test]
async fn failures_have_their_exit_codes() {
    let fake = FakeRegistry::start();
    let place = Place::at(&fake.host);
    let [tag, amd, arm] = images(&place).await;
    let twin = place.repository("g/twin").tag("x").unwrap();
    place.push(&twin, "amd64", "twin").await;
    let absent = place.repository("g/amd64").tag("y").unwrap().to_string();
    for (arguments, code, kind, message) in [
        (vec![&*tag, &absent], 4, "remote", "is not in the registry"),
        (vec![&*tag, &amd, &twin.to_string()], 3, "refused", "two images for linux/amd64"),
        (vec![&*tag, &amd, &arm, "--platform", "linux/s390x"], 3, "refused", "no source has linux/s390x"),
        (vec![&*amd.replace(":x", "@sha256:00"), &amd], 2, "", ""),
        (vec![&*tag, &amd, "--annotation", "=x"], 2, "", ""),
        (vec![&*tag], 2, "", ""),
    ] {
        let output = gs_release(&[&["manifest", "create", "--json"], &arguments[..]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        if !kind.is_empty() {
            let error = &document(&output)["error"];
            assert_eq!(error["kind"], kind);
            assert!(error["message"].as_str().unwrap().contains(message), "{error}");
        }
    }
    assert_eq!(fake.manifest("g/app", "v1"), None);
}

/// Kills the command at its first request that changes something, then at its second, until it gets through.
#[tokio::test]
async fn killed_at_any_change_and_run_again_it_ends_in_the_same_state() {
    let reference = FakeRegistry::start();
    let [tag, amd, arm] = images(&Place::at(&reference.host)).await;
    let output = gs_release(&["manifest", "create", "--json", &tag, &amd, &arm]).output().unwrap();
    let expected = document(&output)["digest"].clone();

    for n in 1.. {
        let fake = FakeRegistry::start();
        let [tag, amd, arm] = images(&Place::at(&fake.host)).await;
        fake.forget();
        let arguments = ["manifest", "create", "--json", &tag, &amd, &arm];
        let mut killed = gs_release(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let got_through = !fake.wait_for_writes(n, || killed.try_wait().unwrap().is_some());
        // SIGKILL: nothing can be tidied up
        killed.kill().unwrap();
        killed.wait().unwrap();
        if let Some(bytes) = fake.manifest("g/app", "v1") {
            assert_eq!(Digest::of(&bytes).as_str(), expected);
        }
        assert_eq!(document(&gs_release(&arguments).output().unwrap())["digest"], expected, "killed at change {n}");
        if got_through {
            // each of two images: two blobs and a manifest; then the tag
            assert_eq!(n, 8);
            return;
        }
    }
}

#[tokio::test]
async fn a_registry_that_is_overloaded_is_asked_again() {
    let fake = FakeRegistry::start();
    let [tag, amd, arm] = images(&Place::at(&fake.host)).await;
    let slow_down = || Fault::Answer(429, vec![("retry-after", "0".to_owned())], Vec::new());
    for method in [Method::GET, Method::PUT, Method::POST] {
        fake.fail(3, method, "", slow_down());
    }
    let output = gs_release(&["manifest", "create", &tag, &amd, &arm]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "needs docker-registry"]
async fn killed_at_random_moments_on_a_real_registry_it_ends_in_the_same_state() {
    let Some(real) = RealRegistry::start().await else { return };
    let place = Place::at(&real.host);
    let [_, amd, arm] = images(&place).await;
    let target = |n: u64| place.repository("g/app").tag(&format!("v{n}")).unwrap();
    let first = target(0).to_string();
    let expected = document(&gs_release(&["manifest", "create", "--json", &first, &amd, &arm]).output().unwrap());
    for n in 1..20 {
        let tag = target(n).to_string();
        let arguments = ["manifest", "create", "--json", &tag, &amd, &arm];
        let mut killed = gs_release(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(3 * n)).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        if let Some(manifest) = place.registry().manifest(&target(n)).await.unwrap() {
            assert_eq!(manifest.digest.as_str(), expected["digest"]);
        }
        let document = document(&gs_release(&arguments).output().unwrap());
        assert_eq!(document["digest"], expected["digest"], "killed after {} ms", 3 * n);
    }
}

#[tokio::test]
async fn an_interrupt_ends_it_at_once_with_the_code_of_the_signal() {
    let fake = FakeRegistry::start();
    let [tag, amd, arm] = images(&Place::at(&fake.host)).await;
    fake.fail(99, Method::GET, "/manifests/", Fault::Hang);
    fake.forget();
    let mut command = gs_release(&["manifest", "create", "--json", &tag, &amd, &arm]);
    let waiting = command.stdout(Stdio::piped()).spawn().unwrap();
    while fake.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let killed = Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "interrupted");
}
