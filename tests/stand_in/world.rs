//! A release of two phases whose images are staged, fail, or never end, by their names.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::fake::FakeRegistry;
use crate::place::Place;
use crate::support::{Sandbox, document};

/// `base` and `after`, which is built on `broken`, in the first phase; `client` in the second.
const CONFIG: &str = r#"
registry: REGISTRY/g
platforms: [linux/amd64]
components:
  vineyard: { version: 0.24.1, sites: [] }
  graphscope: { version: 0.28.0, sites: [] }
phases:
  - name: v6d
    component: vineyard
    images:
      base: { dockerfile: base, tags: ["v{vineyard}", latest] }
      MIDDLE: { dockerfile: middle, tags: ["v{vineyard}"] }
      after: { dockerfile: after, tags: ["v{vineyard}"] }
  - name: gs
    component: graphscope
    images:
      client: { dockerfile: client, tags: ["{graphscope}", latest] }
"#;

/// What `docker buildx bake` does, by the tag that the definition names.
const DOCKER: &str = r#"#!/bin/sh
while [ "$1" != --file ]; do shift; done
case $(cat "$2") in
*/broken:*) printf '#5 [2/2] RUN make\n#5 0.1 no luck\n------\n > [2/2] RUN make:\n0.1 no luck\n------\nERROR: failed to solve: exit code: 1\n' >&2; exit 1 ;;
*/endless:*) exec sleep 600 ;;
esac
"#;

pub struct World {
    pub sandbox: Sandbox,
    pub registry: FakeRegistry,
    programs: tempfile::TempDir,
    place: Place,
    runtime: tokio::runtime::Runtime,
}

impl World {
    /// A release whose second image is called `middle`: `broken`, `endless`, or anything else.
    pub fn new(middle: &str) -> Self {
        let registry = FakeRegistry::start();
        let config = CONFIG.replace("REGISTRY", &registry.host).replace("MIDDLE", middle);
        let after = format!("FROM {}/g/{middle}:v0.24.1\nLABEL after=yes\n", registry.host);
        let files = [
            ("release.yaml", &*config),
            ("base", "FROM scratch\nLABEL base=yes\n"),
            ("middle", "FROM scratch\nLABEL middle=yes\n"),
            ("after", &after),
            ("client", "FROM scratch\nLABEL client=yes\n"),
        ];
        let programs = tempfile::tempdir().unwrap();
        let docker = programs.path().join("docker");
        std::fs::write(&docker, DOCKER).unwrap();
        std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
        World {
            sandbox: Sandbox::new(&files),
            place: Place::at(&registry.host),
            registry,
            programs,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    /// The command with the stand-in, and with nobody's login.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        let path = std::env::var_os("PATH").unwrap();
        let all = std::iter::once(self.programs.path().to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(all).unwrap()).env("DOCKER_CONFIG", Path::new("/nonexistent"));
        command
    }

    /// Runs with `--json`.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        document(self.command(arguments).arg("--json").output().unwrap())
    }

    /// Builds what the images of these names are staged as.
    pub fn stage(&self, images: &[&str]) {
        let (_, plan) = self.json(&["plan"]);
        for name in images {
            let inputs = of(&plan, name)["inputs"].as_str().unwrap().trim_start_matches("v1:")[..16].to_owned();
            let tag = self.place.repository(&format!("g/{name}")).tag(&format!("gsr-{inputs}")).unwrap();
            self.runtime.block_on(self.place.push(&tag, "amd64", name));
        }
    }
}

/// The entry of an image in the document of `build`, `plan` or `status`.
pub fn of<'a>(document: &'a Value, image: &str) -> &'a Value {
    let phases = document["phases"].as_array().into_iter().flatten().flat_map(|phase| phase["images"].as_array());
    let images = phases.chain(document["images"].as_array()).flatten();
    images.into_iter().find(|entry| entry["image"] == image).unwrap_or_else(|| panic!("{image}: {document}"))
}
