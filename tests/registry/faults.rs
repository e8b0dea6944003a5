//! A registry that fails or lies: a retry that succeeds or a clear error, never a tag that was not verified.

use std::time::Duration;

use axum::http::Method;
use gs_release::error::{Error, Kind};
use gs_release::registry::{Annotations, Digest, ImageRef, Limits, OciRegistry, Published, Registry};

use crate::fake::{FakeRegistry, Fault};
use crate::place::{Place, client};

/// Two images on a registry that behaves so far.
struct Scene {
    fake: FakeRegistry,
    place: Place,
    sources: [ImageRef; 2],
}

impl Scene {
    async fn new() -> Self {
        let fake = FakeRegistry::start();
        let place = Place::at(&fake.host);
        let sources = ["amd64", "arm64"].map(|arch| place.repository("g/app").tag(arch).unwrap());
        for image in &sources {
            place.push(image, image.tag().unwrap(), image.tag().unwrap()).await;
        }
        fake.forget();
        Scene { fake, place, sources }
    }

    fn tag(&self, name: &str) -> ImageRef {
        self.place.repository("g/app").tag(name).unwrap()
    }

    async fn create(&self, tag: &str) -> Result<Published, Error> {
        let annotations = Annotations::from([("tag".to_owned(), tag.to_owned())]);
        self.place.try_join(&self.tag(tag), &self.sources, &annotations).await
    }

    /// The error names image and registry, and is one of a remote.
    async fn create_fails(&self) -> Error {
        let error = self.create("v1").await.unwrap_err();
        assert_eq!(error.kind, Kind::Remote);
        assert!(error.message.contains(&format!("{}/g/app", self.fake.host)), "{error}");
        error
    }
}

#[tokio::test]
async fn whatever_may_be_temporary_is_tried_again() {
    let faults = [
        Fault::status(429, "TOOMANYREQUESTS", "slow down"),
        Fault::status(500, "UNKNOWN", "disk full"),
        Fault::status(503, "UNAVAILABLE", "starting"),
        Fault::Drop,
        Fault::Cut,
    ];
    let scene = Scene::new().await;
    for (n, fault) in faults.into_iter().enumerate() {
        for (m, (method, part)) in [
            (Method::GET, "/manifests/amd64"),
            (Method::GET, "/blobs/"),
            (Method::GET, "/manifests/v"),
            (Method::GET, "/manifests/sha256"),
            (Method::PUT, "/manifests/v"),
        ]
        .into_iter()
        .enumerate()
        {
            let tag = format!("v{n}{m}");
            scene.fake.fail(2, method, part, fault.clone());
            let published = scene.create(&tag).await.unwrap_or_else(|error| panic!("{part}: {error}"));
            assert!(published.changed);
            assert!(published.digest.matches(&scene.fake.manifest("g/app", &tag).unwrap()));
            assert!(!scene.fake.is_failing(), "{part} was asked for");
        }
    }
}

#[tokio::test]
async fn what_stays_broken_is_told_with_the_registrys_words() {
    let scene = Scene::new().await;
    scene.fake.fail(99, Method::PUT, "/manifests/v1", Fault::status(500, "UNKNOWN", "disk full"));
    let error = scene.create_fails().await;
    assert!(error.message.contains("500") && error.message.contains("disk full"), "{error}");
    assert!(error.message.ends_with("(tried 5 times)"), "{error}");
    assert_eq!(scene.fake.manifest("g/app", "v1"), None);
}

/// Were the header not read, the pause would be longer than all time there is.
#[tokio::test]
async fn retry_after_decides_the_pause() {
    let scene = Scene::new().await;
    let limits = Limits { backoff: Duration::from_secs(9999), ..Limits::default() };
    let patient = OciRegistry::new(None, limits).unwrap();
    let wait = |seconds: &str| Fault::Answer(429, vec![("retry-after", seconds.to_owned())], b"slow down".to_vec());
    scene.fake.fail(1, Method::GET, "/manifests/amd64", wait("0"));
    assert!(patient.manifest(&scene.sources[0]).await.unwrap().is_some());

    for seconds in ["86400", "18446744073709551615"] {
        scene.fake.fail(1, Method::GET, "/manifests/amd64", wait(seconds));
        let error = client(None).manifest(&scene.sources[0]).await.unwrap_err();
        assert!(error.message.contains("429") && error.message.contains("slow down"), "{error}");
        assert!(error.message.ends_with(&format!("it asks to wait {seconds} s")), "{error}");
    }
}

#[tokio::test]
async fn a_registry_that_never_answers_is_given_up() {
    let scene = Scene::new().await;
    scene.fake.fail(99, Method::GET, "/manifests/amd64", Fault::Hang);
    let limits = Limits {
        request: Duration::from_millis(50),
        attempts: 2,
        backoff: Duration::from_millis(1),
        ..Limits::default()
    };
    let hasty = OciRegistry::new(None, limits).unwrap();
    let error = hasty.manifest(&scene.sources[0]).await.unwrap_err();
    assert!(error.message.contains("did not answer in time"), "{error}");
    assert_eq!(scene.fake.seen().len(), 2);
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_named() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let image: ImageRef = format!("{nobody}/g/app:v1").parse().unwrap();
    let error = client(None).manifest(&image).await.unwrap_err();
    assert!(error.message.starts_with(&format!("{image}: 127.0.0.1 cannot be reached")), "{error}");
}

#[tokio::test]
async fn a_manifest_that_is_not_what_it_should_be_is_never_used() {
    let half = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    let scene = Scene::new().await;
    const OTHER: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (part, fault, message) in [
        ("/manifests/amd64", Fault::Bytes(half), "do not have the digest"),
        ("/manifests/sha256", Fault::Bytes(half), "do not have the digest"),
        ("/manifests/amd64", Fault::Header("docker-content-digest", OTHER), "do not have the digest"),
        ("/manifests/amd64", Fault::Header("docker-content-digest", "nonsense"), "announces the digest `nonsense`"),
        ("/manifests/amd64", Fault::Answer(200, Vec::new(), br#"{"schemaVersion": 2"#.to_vec()), "cannot be read"),
        ("/manifests/amd64", Fault::Answer(200, Vec::new(), b"<html>hello</html>".to_vec()), "HTML page"),
        ("/manifests/amd64", Fault::Answer(404, Vec::new(), b"<html>hello</html>".to_vec()), "HTML page"),
        ("/blobs/", Fault::Bytes(half), "does not have this digest"),
    ] {
        scene.fake.behave();
        scene.fake.fail(99, Method::GET, part, fault);
        let error = scene.create_fails().await;
        assert!(error.message.contains(message), "{message}: {error}");
        assert_eq!(scene.fake.manifest("g/app", "v1"), None);
    }
}

#[tokio::test]
async fn a_tag_that_reads_otherwise_than_it_was_written_is_no_success() {
    let scene = Scene::new().await;
    // what a stale cache answers
    scene.fake.fail(99, Method::GET, "/manifests/v1", Fault::status(404, "MANIFEST_UNKNOWN", "manifest unknown"));
    let error = scene.create_fails().await;
    assert!(error.message.contains("but reads as nothing"), "{error}");

    let scene = Scene::new().await;
    // what somebody else writes at the same time
    let theirs = scene.fake.manifest("g/app", "amd64").unwrap();
    let digest = Digest::of(&theirs);
    scene.fake.fail(99, Method::GET, "/manifests/v1", Fault::Answer(200, Vec::new(), theirs));
    let error = scene.create_fails().await;
    assert!(error.message.contains(&format!("but reads as {digest}")), "{error}");

    let scene = Scene::new().await;
    let other = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    scene.fake.fail(1, Method::PUT, "/manifests/v1", Fault::Header("docker-content-digest", other));
    let error = scene.create_fails().await;
    assert!(error.message.contains(&format!("stored {other} instead of")), "{error}");
}

#[tokio::test]
async fn an_index_whose_image_is_gone_is_not_published() {
    let scene = Scene::new().await;
    scene.create("v1").await.unwrap();
    let gone = Fault::status(404, "MANIFEST_UNKNOWN", "manifest unknown");
    scene.fake.fail(99, Method::GET, "/manifests/sha256", gone);
    let latest = scene.place.repository("g/app").tag("latest").unwrap();
    let error = scene.place.try_join(&latest, &[scene.tag("v1")], &Annotations::new()).await.unwrap_err();
    assert!(error.message.contains("an index refers to it"), "{error}");
    assert_eq!(scene.fake.manifest("g/app", "latest"), None);
}

#[tokio::test]
async fn a_tag_of_a_registry_that_cannot_delete_stays() {
    let scene = Scene::new().await;
    for (status, deleted) in [(405, false), (400, false), (404, false), (202, true)] {
        if status != 202 {
            scene.fake.fail(1, Method::DELETE, "/manifests/", Fault::status(status, "UNSUPPORTED", "no"));
        }
        let answer = scene.place.registry().delete_tag(&scene.sources[0]).await.unwrap();
        assert_eq!((answer, scene.fake.manifest("g/app", "amd64").is_none()), (deleted, deleted), "{status}");
    }
}

#[tokio::test]
async fn a_tag_that_is_right_takes_one_request_to_see() {
    let scene = Scene::new().await;
    let published = scene.create("v1").await.unwrap();
    scene.fake.forget();
    let state = gs_release::registry::tag_state(scene.place.registry(), &scene.tag("v1")).await.unwrap().unwrap();
    assert_eq!(state.digest, published.digest);
    assert_eq!(scene.fake.seen().len(), 1);
}

#[tokio::test]
async fn what_the_caller_takes_for_current_is_adopted() {
    use gs_release::registry::{IndexRequest, create_index};
    let scene = Scene::new().await;
    let published = scene.create("v1").await.unwrap();
    let annotations = Annotations::from([("tag".to_owned(), "other".to_owned())]);
    let request = IndexRequest {
        target: &scene.tag("v1"),
        sources: &scene.sources,
        annotations: &annotations,
        platforms: &[],
        adopt: &|state| state.annotations["tag"] == "v1",
    };
    let adopted = create_index(scene.place.registry(), &request).await.unwrap();
    assert_eq!((adopted.changed, adopted.digest), (false, published.digest));
}
