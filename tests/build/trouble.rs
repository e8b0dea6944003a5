//! What goes wrong: an image that does not build, a registry or an engine that is not there, tags that were damaged.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::lab::{CONFIG, HOST, Lab, output, shell, unique};

/// A step that fails, unlike any before it.
fn failing(last: &str) -> String {
    format!(
        "FROM --platform=$BUILDPLATFORM {} AS no\nRUN echo no luck with {}; false\n{last}COPY --from=no /bin/true /true\n",
        shell(),
        unique()
    )
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_failing_image_stops_what_depends_on_it_and_nothing_else() {
    let more = "      other: { dockerfile: client.Dockerfile, args: { G: none }, tags: [\"v{vineyard}\"] }\n      after: { dockerfile: after.Dockerfile, args: { V: \"{vineyard}\" }, tags: [\"v{vineyard}\"] }\n  - name: gs\n";
    let config = CONFIG.replace("  - name: gs\n", more);
    let mended = "ARG V\nFROM registry.example.com/g/base:v$V\nLABEL x=y\n";
    let failing = failing("FROM scratch\n");
    let after = "ARG V\nFROM registry.example.com/g/dev:v$V\nLABEL after=yes\n";
    let lab = Lab::with(&config, &[("dev.Dockerfile", &failing), ("after.Dockerfile", after)]);
    let run = lab.build(&[]);
    assert_eq!(run.code, 5, "{}", run.document);
    for part in ["no luck with", "RUN echo no luck", "dev", "not built: after (needs dev)", "phase v6d"] {
        assert!(run.error().contains(part), "`{part}` is not in: {}", run.error());
    }
    assert!(lab.tag("base:v0.24.1").is_some() && lab.tag("other:v0.24.1").is_some(), "siblings are published");
    for tag in
        ["dev:v0.24.1", "dev:latest", "after:v0.24.1", "coordinator:0.28.0", "coordinator:latest", "client:0.28.0"]
    {
        assert!(lab.tag(tag).is_none(), "{tag}");
    }
    assert!(!run.stderr.contains("phase gs"), "{}", run.stderr);

    lab.sandbox.write("dev.Dockerfile", mended.as_bytes());
    lab.sandbox.commit();
    assert_eq!(lab.build(&[]).fine().built(), ["after", "client", "coordinator", "dev"]);
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn latest_stays_where_the_phase_that_would_move_it_fails() {
    let lab = Lab::new();
    lab.build(&[]).fine();
    let latest = lab.digest("dev:latest");
    lab.bump_and_merge("vineyard", "0.24.2");
    lab.sandbox.write("base.Dockerfile", failing("FROM scratch\n").as_bytes());
    lab.sandbox.commit();
    assert_eq!(lab.build(&[]).code, 5);
    assert_eq!(lab.digest("dev:latest"), latest);
    assert!(lab.tag("dev:v0.24.2").is_none());
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn without_an_engine_the_hint_is_the_doctor() {
    let lab = Lab::new();
    let output =
        lab.command(&["build", "--engine", "buildx", "--json"]).env("DOCKER_HOST", "unix:///nonexistent").output();
    let (code, document) = crate::support::document(output.unwrap());
    assert_eq!(code, 5, "{document}");
    assert!(document["error"]["hints"].to_string().contains("gs-release doctor"), "{document}");
    assert!(lab.tag("base:v0.24.1").is_none());
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_registry_that_is_down_or_refuses_is_named_before_anything_is_built() {
    let lab = Lab::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = refusing.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in refusing.incoming() {
            let mut stream = stream.unwrap();
            let _request = stream.read(&mut [0; 4096]);
            let _gone = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"r\"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            );
        }
    });
    for host in [nobody, host] {
        let run = lab.sandbox.run(&["build", "--engine", "buildx", "--registry", &format!("{host}/g"), "--json"]);
        let (code, document) = crate::support::document(run);
        assert_eq!(code, 4, "{document}");
        assert!(document["error"]["message"].as_str().unwrap().contains(&host.to_string()), "{document}");
    }
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn verify_finds_a_tag_that_is_missing_incomplete_or_hollow() {
    let lab = Lab::new();
    lab.build(&[]).fine();
    let registry = format!("http://{HOST}/v2/{}", lab.place.split_once('/').unwrap().1);
    // an incomplete one: somebody pushed a single platform over it
    let arm64 = lab.children("client:0.28.0")[1].clone();
    let source = format!("{}/client@{arm64}", lab.place);
    output(
        "docker",
        &["buildx", "imagetools", "create", "--tag", &lab.reference("client:0.28.0").to_string(), &source],
    );
    // a hollow one: an image was deleted behind its index
    let child = lab.children("dev:v0.24.1")[0].clone();
    output(
        "curl",
        &["--fail", "--silent", "--show-error", "-X", "DELETE", &format!("{registry}/dev/manifests/{child}")],
    );
    let verify = lab.run(&["verify"]);
    assert_eq!((verify.code, verify.document["verified"].as_bool()), (1, Some(false)));
    let found = verify.document["findings"].to_string();
    assert!(found.contains("linux/amd64 is absent"), "{found}");
    assert!(found.contains(&child) && found.contains("is gone"), "{found}");

    // the next build completes the one, and looks behind the other since it builds anything at all
    lab.build(&[]).fine();
    assert_eq!(lab.tag("client:0.28.0").unwrap().platforms.len(), 2);
    lab.run(&["verify"]).fine();
    // a missing one
    let digest = lab.digest("base:v0.24.1").unwrap();
    output(
        "curl",
        &["--fail", "--silent", "--show-error", "-X", "DELETE", &format!("{registry}/base/manifests/{digest}")],
    );
    let verify = lab.run(&["verify"]);
    assert_eq!(verify.code, 1);
    assert!(verify.document["findings"].to_string().contains("missing"), "{}", verify.document);
}
