//! The engine that drives BuildKit through `docker buildx bake`: a generated definition of one target for each job.
//!
//! Any builder will do: the engine's own, one in a container, remote ones, those of several nodes. Nothing that it does
//! is believed before it was read from the registry.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::engine::{Engine, Job, OnStep};
use crate::config::{BuildCache, Buildx as Settings};
use crate::error::{Error, Result};
use crate::process::{Command, Output};
use crate::registry::ImageRef;

/// How often a result is handed over.
const ATTEMPTS: usize = 3;
/// Before it is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// Lines of a failed step that are shown.
const TAIL: usize = 40;

/// BuildKit, through `docker buildx`.
#[derive(Debug, Clone)]
pub struct Buildx {
    settings: Settings,
    /// Where definitions are written.
    scratch: PathBuf,
}

impl Buildx {
    /// An engine with the options of release.yaml, which writes its definitions to the directory `scratch`.
    pub fn new(settings: Settings, scratch: PathBuf) -> Self {
        Buildx { settings, scratch }
    }

    /// The definition of `job`, as `docker buildx bake` reads it
    /// (<https://docs.docker.com/build/bake/reference/>).
    pub fn definition(&self, job: &Job) -> Value {
        let platforms: Vec<String> = job.platforms.iter().map(ToString::to_string).collect();
        let mut target = json!({
            "context": job.context,
            "dockerfile": job.dockerfile,
            "platforms": platforms,
            "args": escaped(&job.args),
            "contexts": escaped(&job.contexts),
            "tags": [job.push_to.to_string()],
            "output": ["type=registry"],
            "attest": self.attestations(),
        });
        if let Some(stage) = &job.target {
            target["target"] = stage.as_str().into();
        }
        if job.no_cache {
            target["no-cache"] = true.into();
        }
        match &self.settings.cache {
            None => {}
            Some(BuildCache::Registry) => {
                let place = format!("type=registry,ref={}:gsr-cache", job.push_to.repository);
                target["cache-from"] = json!([place]);
                target["cache-to"] = json!([format!("{place},mode=max")]);
            }
            Some(BuildCache::Gha) => {
                let place = format!("type=gha,scope={}", job.image);
                target["cache-from"] = json!([place]);
                target["cache-to"] = json!([format!("{place},mode=max")]);
            }
        }
        json!({ "target": { "image": target } })
    }

    fn attestations(&self) -> Vec<&'static str> {
        let provenance = match self.settings.provenance {
            true => "type=provenance,mode=max",
            false => "type=provenance,disabled=true",
        };
        if self.settings.sbom { vec![provenance, "type=sbom"] } else { vec![provenance] }
    }
}

/// Bake replaces `${...}` in strings; what is meant literally has its `$` doubled.
fn escaped(values: &BTreeMap<String, String>) -> BTreeMap<&String, String> {
    values.iter().map(|(name, value)| (name, value.replace("${", "$${").replace("%{", "%%{"))).collect()
}

impl Buildx {
    async fn bake(&self, definition: &Path, on_step: OnStep<'_>) -> Result<Output> {
        let mut command = Command::new("docker").args(["buildx", "bake", "--progress", "plain", "--file"]);
        command = command.arg(definition);
        if let Some(builder) = &self.settings.builder {
            command = command.args(["--builder", builder]);
        }
        let output = command.arg("image").env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1").run_with(|line: &str| {
            if let Some(step) = step(line) {
                on_step(step);
            }
        });
        output.await.map_err(|error| {
            let build = Error::build(error.to_string());
            error.hints.iter().fold(build, |build, hint| build.hint(hint))
        })
    }
}

/// Whether what failed was not the build, but handing its result over, and in a way that passes: a second build of the
/// same image names or pushes the same things at the same moment, or the registry has trouble. All steps are cached.
fn may_pass(output: &str) -> bool {
    let reason = reason(output).to_lowercase();
    let refused = ["denied", "unauthorized", "forbidden", "authorization"].iter().any(|word| reason.contains(word));
    let trouble =
        reason.contains("unexpected status from") && [": 429", ": 5"].iter().any(|code| reason.contains(code));
    // the engine takes what the other build is still pushing for pushed
    let unfinished = reason.contains("are missing in your target registry");
    trouble || unfinished || (reason.contains("failed to push") && !refused) || reason.ends_with(": already exists")
}

#[async_trait(?Send)]
impl Engine for Buildx {
    async fn build(&self, job: &Job, on_step: OnStep<'_>) -> Result<()> {
        let cannot = |error: std::io::Error| {
            Error::build(format!("the build's definition cannot be written to {}: {error}", self.scratch.display()))
        };
        let mut file = tempfile::Builder::new().suffix(".json").tempfile_in(&self.scratch).map_err(cannot)?;
        file.write_all(self.definition(job).to_string().as_bytes()).map_err(cannot)?;
        let mut output = self.bake(file.path(), on_step).await?;
        for _ in 1..ATTEMPTS {
            if output.success() || !may_pass(&output.stderr) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            output = self.bake(file.path(), on_step).await?;
        }
        if output.success() {
            return Ok(());
        }
        Err(explain(&job.push_to, &output.stderr))
    }
}

/// The failure that BuildKit's output tells: of the build, or of the registry that did not take its result.
fn explain(push_to: &ImageRef, output: &str) -> Error {
    let told = failure(output);
    if reason(output).contains("failed to push") {
        return Error::remote(format!("{push_to} is built, but cannot be pushed:\n{told}"))
            .hint("look at the registry and the login of the builder: `gs-release doctor` tries both");
    }
    let error = Error::build(format!("{push_to} does not build:\n{told}"));
    if output.contains("Cannot connect to the Docker daemon") {
        return error.hint("start the Docker engine; `gs-release doctor` says what else is missing");
    }
    match reason(output).contains("no builder \"") {
        true => {
            error.hint("`docker buildx ls` lists the builders; BUILDX_BUILDER or `build.buildx.builder` names this one")
        }
        false => error,
    }
}

/// The line in which BuildKit says why it failed.
fn reason(output: &str) -> &str {
    output.lines().rfind(|line| line.starts_with("ERROR: ")).unwrap_or_default()
}

/// What a line of BuildKit's plain progress begins: `[linux/arm64 2/5] RUN make` in `#7 [linux/arm64 2/5] RUN make`.
fn step(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('#')?;
    let (number, rest) = rest.split_once(' ')?;
    let begins = number.bytes().all(|b| b.is_ascii_digit()) && (rest.starts_with('[') || rest.starts_with("pushing "));
    (begins && !rest.starts_with("[internal]")).then_some(rest)
}

/// The part of BuildKit's output that says what failed: the step's last lines, the Dockerfile's lines, the reason.
fn failure(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let block =
        lines.windows(2).rposition(|pair| pair[0].trim() == "------" && pair[1].trim_start().starts_with("> ["));
    let first = block.map_or(0, |at| at + 1).max(lines.len().saturating_sub(TAIL));
    lines[first..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn job() -> Job {
        Job {
            image: "coordinator".into(),
            dockerfile: "/src/dockerfiles/coordinator.Dockerfile".into(),
            context: "/src".into(),
            target: Some("coordinator".into()),
            platforms: vec!["linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap()],
            args: BTreeMap::from([("A".into(), "${B} %{if}".into())]),
            contexts: BTreeMap::from([(
                "r.example.com/g/dev:v1".into(),
                "docker-image://r.example.com/g/dev@sha256:00".into(),
            )]),
            push_to: "registry.example.com/g/coordinator:gsr-0123456789abcdef".parse().unwrap(),
            no_cache: false,
        }
    }

    fn engine(settings: Settings) -> Buildx {
        Buildx::new(settings, PathBuf::from("/tmp"))
    }

    #[test]
    fn a_definition_pushes_the_staging_tag_and_nothing_else() {
        let settings = Settings { builder: None, cache: None, provenance: false, sbom: false };
        let definition = engine(settings).definition(&job());
        let target = &definition["target"]["image"];
        assert_eq!(target["tags"], json!(["registry.example.com/g/coordinator:gsr-0123456789abcdef"]));
        assert_eq!(target["output"], json!(["type=registry"]));
        assert_eq!(target["platforms"], json!(["linux/amd64", "linux/arm64"]));
        assert_eq!(target["args"]["A"], "$${B} %%{if}", "bake must not take it for an expression");
        assert_eq!(target["contexts"]["r.example.com/g/dev:v1"], "docker-image://r.example.com/g/dev@sha256:00");
        assert_eq!(target["attest"], json!(["type=provenance,disabled=true"]));
        assert!(target.get("no-cache").is_none() && target.get("cache-to").is_none());
    }

    #[test]
    fn options_reach_the_definition() {
        let settings = Settings { builder: None, cache: Some(BuildCache::Registry), provenance: true, sbom: true };
        let definition = engine(settings).definition(&Job { no_cache: true, ..job() });
        let target = &definition["target"]["image"];
        assert_eq!(target["attest"], json!(["type=provenance,mode=max", "type=sbom"]));
        assert_eq!(target["cache-from"], json!(["type=registry,ref=registry.example.com/g/coordinator:gsr-cache"]));
        assert_eq!(target["no-cache"], true);
    }

    #[test]
    fn trouble_with_handing_over_is_told_from_a_build_that_fails() {
        for (output, expected) in [
            ("#13 ERROR: x\nERROR: failed to solve: image \"r.example.com/g/a:t\": already exists\n", true),
            (
                "ERROR: manifest list/index references to blobs and/or manifests are missing in your target registry: x: unexpected status from PUT request to http://r.example.com/v2/: 400 Bad Request\n",
                true,
            ),
            ("ERROR: failed to solve: failed to push r.example.com/g/a:t: unexpected status: 400 Bad Request", true),
            (
                "ERROR: unexpected status from HEAD request to https://r.example.com/v2/g/a: 500 Internal Server Error",
                true,
            ),
            ("ERROR: unexpected status from HEAD request to https://r.example.com/v2/g/a: 404 Not Found", false),
            ("ERROR: failed to solve: failed to push r.example.com/g/a:t: push access denied", false),
            ("ERROR: failed to solve: failed to push r.example.com/g/a:t: 401 Unauthorized", false),
            ("0.1 mkdir: /x: already exists\nERROR: failed to solve: exit code: 1\n", false),
            ("", false),
        ] {
            assert_eq!(may_pass(output), expected, "{output}");
        }
    }

    #[test]
    fn a_registry_that_does_not_take_the_result_is_no_failure_of_the_build() {
        let image = job().push_to;
        let pushing =
            "ERROR: failed to solve: failed to push r.example.com/g/a:t: unexpected status from POST request: 500";
        let building =
            "ERROR: failed to solve: process \"/bin/sh -c false\" did not complete successfully: exit code: 1";
        let builder = "ERROR: no builder \"arm\" found";
        for (output, kind, hint) in [
            (pushing, Kind::Remote, Some("gs-release doctor")),
            (building, Kind::Build, None),
            (builder, Kind::Build, Some("docker buildx ls")),
        ] {
            let error = explain(&image, output);
            assert_eq!(error.kind, kind, "{output}");
            assert!(error.message.ends_with(output), "{error}");
            assert_eq!(error.hints.len(), usize::from(hint.is_some()));
            assert!(hint.is_none_or(|hint| error.hints[0].contains(hint)), "{error:?}");
        }
    }

    #[test]
    fn steps_are_told_from_the_rest_of_the_output() {
        for (line, expected) in [
            ("#7 [linux/arm64 2/5] RUN make", Some("[linux/arm64 2/5] RUN make")),
            ("#8 pushing manifest for x", Some("pushing manifest for x")),
            ("#1 [internal] load build definition", None),
            ("#7 0.123 output", None),
            ("#7 DONE 0.1s", None),
            ("------", None),
        ] {
            assert_eq!(step(line), expected, "{line}");
        }
    }

    #[test]
    fn a_failure_shows_the_step_and_the_reason() {
        let output = "#5 [2/2] RUN false\n#5 ERROR: exit code: 1\n------\n > [2/2] RUN false:\n0.1 no luck\n------\nx:2\nERROR: failed to solve";
        let shown = failure(output);
        assert!(shown.starts_with(" > [2/2] RUN false:\n0.1 no luck") && shown.ends_with("failed to solve"), "{shown}");
        let long = (0..100).map(|n| format!("line {n}\n")).collect::<String>();
        assert_eq!(failure(&long).lines().count(), TAIL);
    }
}
