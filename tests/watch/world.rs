//! GraphScope with two components whose releases are watched.

use serde_json::Value;

pub use crate::hosted::{HOME, UPSTREAM, World};
use crate::support::document;

/// GraphScope is its own upstream.
pub const CONFIG: &str = r#"
repository: alibaba/GraphScope
components:
  vineyard:
    version: 0.24.1
    upstream: { github: v6d-io/v6d }
    update: { allow: "<=0.24.5", minimum-age: 24h, ignore: [0.24.4] }
    sites:
      - { files: V6D_VERSION, whole: true }
  graphscope:
    version: 0.28.0
    upstream: { github: alibaba/GraphScope }
    sites:
      - { files: VERSION, whole: true }
pull-request: { labels: [release] }
"#;

impl World {
    pub fn new(config: &str) -> Self {
        let files: [(&str, &[u8]); 3] =
            [("release.yaml", config.as_bytes()), ("V6D_VERSION", b"v0.24.1\n"), ("VERSION", b"0.28.0\n")];
        let world = World::with_files(&files);
        world.publish(UPSTREAM, "0.24.1", "2024-01-01T00:00:00Z");
        world.publish(HOME, "0.28.0", "2024-01-01T00:00:00Z");
        world
    }

    /// Publishes a release with notes.
    pub fn publish(&self, repository: &str, version: &str, published_at: &str) {
        self.release(repository, version, published_at, &format!("What is new in {version}"));
    }

    /// Runs `watch`, and gives the exit code and the document, which is as its schema says.
    pub fn watch(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, watched) = document(self.run(&[&["watch", "--json"], arguments].concat()));
        let schema = serde_json::from_slice(&self.run(&["schema", "watch"]).stdout).unwrap();
        if watched.get("error").is_none() {
            jsonschema::validate(&schema, &watched).unwrap_or_else(|error| panic!("{error}: {watched}"));
        }
        (code, watched)
    }

    /// The calls to the API and the requests of git since the last time.
    pub fn take_requests(&self) -> (Vec<String>, Vec<String>) {
        let calls = self.fake.calls();
        self.fake.take_writes();
        let lines = std::mem::take(&mut self.git.set().seen).into_iter().map(|seen| seen.line).collect();
        (calls, lines)
    }
}

/// The component called `name` in the document of `watch`.
pub fn of<'a>(watched: &'a Value, name: &str) -> &'a Value {
    let components = watched["components"].as_array().unwrap_or_else(|| panic!("{watched}"));
    components.iter().find(|component| component["component"] == name).unwrap()
}
