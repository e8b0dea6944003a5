//! Versions count only when the package index has them: requirements, exact versions, and the watch.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::sync::Arc;

use base64::Engine;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use crate::index::{FakeIndex, JSON};
use crate::support::document;
use crate::world::{CONFIG, UPSTREAM, World, of};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/github/keys");
const PROJECTS: [&str; 2] = ["vineyard", "vineyard-bdist"];

/// A world where vineyard is 0.24.3, of which one package is missing; 0.24.2 is whole.
fn released() -> (World, FakeIndex) {
    let upstream = "{ github: v6d-io/v6d, pypi: [vineyard, Vineyard_bdist] }";
    let world = World::new(&CONFIG.replace("{ github: v6d-io/v6d }", upstream));
    let index = FakeIndex::start();
    for version in ["0.24.2", "0.24.3"] {
        world.publish(UPSTREAM, version, "2024-02-01T00:00:00Z");
        index.publish("vineyard", version, false);
        index.publish("vineyard-bdist", version, version == "0.24.3");
    }
    (world, index)
}

fn run(world: &World, url: &str, arguments: &[&str]) -> Output {
    world.command(arguments).env("PIP_INDEX_URL", url).output().unwrap()
}

#[test]
fn a_version_counts_only_when_every_package_is_there() {
    let (world, index) = released();
    let (code, found) = document(run(&world, &index.url(), &["bump-vineyard", "latest", "--dry-run", "--json"]));
    assert_eq!((code, &found["to"]), (0, &json!("0.24.2")), "{found}");
    let (code, refused) = document(run(&world, &index.url(), &["bump-vineyard", "0.24.3", "--json"]));
    assert_eq!(code, 3);
    assert!(refused["error"]["message"].as_str().unwrap().contains("no files of it for vineyard-bdist"), "{refused}");
    assert_eq!(document(run(&world, &index.url(), &["bump-vineyard", "0.24.3", "--force", "--json"])).0, 0);
}

#[test]
fn the_watch_waits_for_the_packages_and_asks_for_each_once() {
    let (world, index) = released();
    let (code, watched) = document(run(&world, &index.url(), &["watch", "--json"]));
    let vineyard = of(&watched, "vineyard");
    assert_eq!((code, &vineyard["version"]), (0, &json!("0.24.2")), "{vineyard}");
    let missing = json!([{"version": "0.24.3", "reason": "not-on-index", "projects": ["vineyard-bdist"]}]);
    assert_eq!(vineyard["passed-over"], missing);
    assert_eq!(index.take_seen(), PROJECTS.map(|project| (project.to_owned(), None)));

    index.publish("vineyard-bdist", "0.24.3", false);
    let (_, watched) = document(run(&world, &index.url(), &["watch", "--json"]));
    assert_eq!(of(&watched, "vineyard")["version"], "0.24.3");
}

#[test]
fn packages_alone_are_an_upstream_too() {
    let world = World::new(&CONFIG.replace("{ github: v6d-io/v6d }", "{ pypi: [vineyard, vineyard-bdist] }"));
    let index = FakeIndex::start();
    for version in ["0.24.1", "0.24.2", "0.24.3a20240526", "0.24.5"] {
        index.publish("vineyard", version, false);
    }
    index.publish("vineyard-bdist", "0.24.2", false);
    let (code, watched) = document(run(&world, &index.url(), &["watch", "--json"]));
    assert_eq!((code, &of(&watched, "vineyard")["version"]), (0, &json!("0.24.2")), "{watched}");
    assert!(!world.pulls()[0].body.contains("What changed upstream"));
    let (code, found) = document(run(&world, &index.url(), &["bump-vineyard", "0.x", "--dry-run", "--json"]));
    assert_eq!((code, &found["to"]), (0, &json!("0.24.2")));
}

#[test]
fn a_login_in_the_address_is_shown_to_the_index_alone() {
    let (world, index) = released();
    let url = index.url().replace("http://", "http://octocat:hunter2@");
    let output = run(&world, &url, &["bump-vineyard", "latest", "--dry-run", "--json", "--verbose"]);
    let printed = [output.stdout.clone(), output.stderr.clone()].concat();
    assert!(!String::from_utf8_lossy(&printed).contains("hunter2"));
    assert_eq!(document(output).0, 0);
    let shown = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("octocat:hunter2"));
    assert_eq!(index.take_seen(), PROJECTS.map(|project| (project.to_owned(), Some(shown.clone()))));
    assert!(world.fake.state().requests.iter().all(|request| !format!("{request:?}").contains("hunter2")));
}

#[test]
fn pip_s_own_configuration_is_obeyed() {
    let (world, index) = released();
    let arguments = ["bump-vineyard", "latest", "--dry-run", "--json"];
    world.clone.write("venv/pip.conf", format!("[global]\nindex-url = {}\n", index.url()).as_bytes());
    world.clone.write("named.conf", b"[global]\nindex-url = http://127.0.0.1:1/simple\n");
    let venv = world.clone.path().join("venv");
    let found = world.command(&arguments).env("VIRTUAL_ENV", &venv).output().unwrap();
    assert_eq!(document(found).1["to"], "0.24.2");
    let mut overridden = world.command(&arguments);
    overridden.env("VIRTUAL_ENV", &venv).env("PIP_CONFIG_FILE", world.clone.path().join("named.conf"));
    overridden.env("PIP_INDEX_URL", index.url());
    assert_eq!(document(overridden.output().unwrap()).1["to"], "0.24.2", "the environment goes first");
}

/// A TLS server, its certificate signed by `ca.pem`, that has 0.24.2 of whatever is asked for.
fn index_over_tls() -> String {
    let file = |name: &str| format!("{KEYS}/{name}");
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server-key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let wheel =
        json!({ "filename": "vineyard-0.24.2-py3-none-any.whl", "url": "https://files.example.com/a", "hashes": {} });
    let page = json!({ "meta": { "api-version": "1.0" }, "name": "vineyard", "files": [wheel] }).to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, socket.unwrap());
            // a client that does not trust the certificate hangs up
            if stream.read(&mut [0; 8192]).is_ok() {
                let length = page.len();
                let head = format!("content-type: {JSON}\r\ncontent-length: {length}\r\nconnection: close");
                stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{page}").as_bytes()).unwrap();
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    format!("https://127.0.0.1:{}/simple", address.port())
}

#[test]
fn the_authority_that_pip_trusts_is_trusted_and_no_other() {
    let world = World::new(&CONFIG.replace("{ github: v6d-io/v6d }", "{ pypi: [vineyard] }"));
    let url = index_over_tls();
    let bump = |name: &str, value: &str| {
        let mut command = world.command(&["bump-vineyard", "latest", "--dry-run", "--json"]);
        document(command.env("PIP_INDEX_URL", &url).env(name, value).output().unwrap())
    };
    let authority = format!("{KEYS}/ca.pem");
    world.clone.write("pip.conf", format!("[install]\ncert = {authority}\n").as_bytes());
    let file = world.clone.path().join("pip.conf");
    for (name, value) in [("PIP_CERT", authority.as_str()), ("PIP_CONFIG_FILE", file.to_str().unwrap())] {
        let (code, found) = bump(name, value);
        assert_eq!((code, &found["to"]), (0, &json!("0.24.2")), "{found}");
    }
    let (code, told) = bump("PIP_CONFIG_FILE", "/dev/null");
    assert!(code == 4 && told["error"].to_string().contains("certificate"), "{told}");
    let (code, told) = bump("PIP_CERT", "/nowhere.pem");
    assert!(code == 2 && told["error"].to_string().contains("/nowhere.pem"), "{told}");
}

#[cfg(unix)]
#[test]
fn where_nothing_is_configured_pip_is_asked() {
    use std::os::unix::fs::PermissionsExt;

    let (world, index) = released();
    let ask = |directory: &str| {
        let mut command = world.command(&["bump-vineyard", "latest", "--dry-run", "--json"]);
        command.env("PIP_CONFIG_FILE", "/dev/null").env("PATH", world.clone.path().join(directory));
        document(command.output().unwrap())
    };
    let (code, refused) = ask("nothing");
    assert_eq!(code, 2);
    assert!(refused["error"]["hints"][0].as_str().unwrap().contains("PIP_INDEX_URL"), "{refused}");

    let script = format!("#!/bin/sh\necho \"  -i, --index-url <url>  Base URL (default {}). This\"\n", index.url());
    world.clone.write("bin/python3", script.as_bytes());
    let file = world.clone.path().join("bin/python3");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, found) = ask("bin");
    assert_eq!((code, &found["to"]), (0, &json!("0.24.2")), "{found}");
}

#[test]
fn an_index_that_cannot_be_used_is_told_with_what_to_do() {
    let (world, index) = released();
    let arguments = ["bump-vineyard", "0.24.2", "--json"];
    index.answer_in_html();
    let (code, told) = document(run(&world, &index.url(), &arguments));
    assert_eq!(code, 4);
    assert!(told["error"]["message"].as_str().unwrap().contains("JSON form"), "{told}");
    let empty = FakeIndex::start();
    let (code, told) = document(run(&world, &empty.url(), &arguments));
    assert_eq!(code, 2);
    let message = format!("{} has no project `vineyard`", empty.url());
    assert_eq!(told["error"]["message"], json!(message));
}
