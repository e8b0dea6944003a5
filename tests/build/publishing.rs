//! What a build publishes, and what the other commands say of it.

use serde_json::{Value, json};

use gs_release::registry::Digest;

use crate::lab::{BOTH, CONFIG, Lab, RELEASED, output, shell};

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn an_empty_registry_gets_both_phases_for_every_platform() {
    let lab = Lab::with(&format!("{CONFIG}build: {{ buildx: {{ provenance: true }} }}\n"), &[]);
    let plan = lab.run(&["plan"]).fine();
    let states: Vec<&Value> =
        plan.document["phases"].as_array().unwrap().iter().map(|phase| &phase["images"]).collect();
    assert!(states.iter().flat_map(|images| images.as_array().unwrap()).all(|image| image["state"] == "missing"));
    assert_eq!(lab.run(&["verify"]).code, 1, "nothing is there");
    assert!(RELEASED.iter().all(|tag| lab.tag(tag).is_none()), "plan and verify change nothing");

    let built = lab.build(&[]).fine();
    assert_eq!(built.built(), ["base", "client", "coordinator", "dev"]);
    assert_eq!(built.document["verified"], json!(["v6d", "gs"]));

    let verified = lab.run(&["verify"]).fine();
    let commit = lab.sandbox.git(&["rev-parse", "HEAD"]);
    for image in verified.document["phases"].as_array().unwrap().iter().flat_map(|p| p["images"].as_array().unwrap()) {
        assert_eq!(image["state"], "current");
        let reference = format!("{}:{}", image["repository"].as_str().unwrap(), image["tags"][0].as_str().unwrap());
        let buildx = output("docker", &["buildx", "imagetools", "inspect", "--raw", &reference]);
        let skopeo = output("skopeo", &["inspect", "--raw", "--tls-verify=false", &format!("docker://{reference}")]);
        assert_eq!(buildx, skopeo, "{reference}");
        let index: Value = serde_json::from_str(&skopeo).unwrap();
        assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
        assert_eq!(index["annotations"]["dev.gs-release.inputs"], image["inputs"], "{reference}");
        assert_eq!(index["annotations"]["org.opencontainers.image.revision"], commit.trim(), "{reference}");
        let listed = index["manifests"].as_array().unwrap().iter();
        let listed: Vec<String> = listed
            .map(|m| {
                format!("{}/{}", m["platform"]["os"].as_str().unwrap(), m["platform"]["architecture"].as_str().unwrap())
            })
            .collect();
        assert_eq!(listed, [BOTH[0], BOTH[1], "unknown/unknown", "unknown/unknown"], "attestations are kept");
        assert_eq!(image["platforms"], json!(BOTH));
    }
    let coordinator = lab.tag("coordinator:0.28.0").unwrap();
    let versions: Value = serde_json::from_str(&coordinator.annotations["dev.gs-release.versions"]).unwrap();
    assert_eq!(versions, json!({"vineyard": "0.24.1", "graphscope": "0.28.0"}));
    let bases: Value = serde_json::from_str(&coordinator.annotations["dev.gs-release.bases"]).unwrap();
    let base = bases["registry.example.com/g/dev:v0.24.1"].as_str().unwrap();
    assert!(lab.tag(&format!("dev@{base}")).is_some(), "the base is there by the digest that is written down");
    for arch in ["amd64", "arm64"] {
        let configuration = lab.configuration("dev:v0.24.1", arch);
        assert_eq!(configuration["architecture"], arch);
        assert_eq!(configuration["config"]["Labels"]["vineyard"], "0.24.1");
    }

    let before: Vec<_> = RELEASED.iter().map(|tag| lab.digest(tag)).collect();
    let again = lab.build(&[]).fine();
    assert_eq!((again.built(), again.document["verified"].clone()), (vec![], json!(["v6d", "gs"])));
    assert_eq!(RELEASED.iter().map(|tag| lab.digest(tag)).collect::<Vec<_>>(), before);
    assert_eq!(lab.digest("dev:latest"), lab.digest("dev:v0.24.1"));
    assert_eq!(lab.digest("coordinator:latest"), lab.digest("coordinator:0.28.0"));
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_base_of_somebody_else_is_written_down_by_the_digest_that_provenance_attests() {
    let shell = shell();
    let base = format!("FROM {shell}\nCOPY payload /payload\n");
    for attested in [true, false] {
        let config = format!("{CONFIG}build: {{ buildx: {{ provenance: {attested} }} }}\n")
            .replace("platforms: [linux/amd64, linux/arm64]", "platforms: [linux/amd64]");
        let lab = Lab::with(&config, &[("base.Dockerfile", &base)]);
        lab.build(&[]).fine();
        let annotations = lab.tag("base:v0.24.1").unwrap().annotations;
        let expected = attested.then(|| {
            let raw = output("skopeo", &["inspect", "--raw", "--tls-verify=false", &format!("docker://{shell}")]);
            json!({ shell: Digest::of(raw.as_bytes()) })
        });
        let bases = annotations.get("dev.gs-release.bases").map(|text| serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(bases, expected);
    }
}
