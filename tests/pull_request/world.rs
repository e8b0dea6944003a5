//! GraphScope with vineyard in two places, and vineyard's releases.

use serde_json::{Value, json};

use crate::hosted::{BRANCH, HOME, UPSTREAM, World};
use crate::support::document;

pub const CONFIG: &str = r#"
repository: alibaba/GraphScope
components:
  vineyard:
    version: 0.24.1
    upstream: { github: v6d-io/v6d }
    update: { allow: "<=0.24.5", minimum-age: 24h, ignore: [0.24.4] }
    sites:
      - { files: V6D_VERSION, whole: true }
      - { files: run.sh, regex: 'V=(?<version>\S+)' }
"#;

impl World {
    pub fn new(config: &str) -> Self {
        let files: [(&str, &[u8]); 3] =
            [("release.yaml", config.as_bytes()), ("V6D_VERSION", b"v0.24.1\n"), ("run.sh", b"V=0.23.0\n")];
        let world = World::with_files(&files);
        for (version, body, published_at) in [
            ("0.25.0", "Not allowed", "2024-05-01T00:00:00Z"),
            ("0.24.5", "Too young", "2099-01-01T00:00:00Z"),
            ("0.24.4", "Ignored", "2024-04-01T00:00:00Z"),
            ("0.24.3", "Third", "2024-03-01T00:00:00Z"),
            ("0.24.2", "Faster, thanks to @sighingnow in #2001", "2024-02-01T00:00:00Z"),
            ("0.24.1", "", "2024-01-01T00:00:00Z"),
        ] {
            world.release(UPSTREAM, version, published_at, body);
        }
        world
    }

    pub fn bump(&self, arguments: &[&str]) -> (i32, Value) {
        document(self.run(&[&["bump-vineyard"], arguments, &["--json"]].concat()))
    }

    /// A file on the server's bump branch.
    pub fn file(&self, path: &str) -> String {
        let repository = self.fake.git(HOME);
        let found = repository.revparse_single(&format!("{BRANCH}:{path}")).unwrap();
        String::from_utf8(found.as_blob().unwrap().content().to_vec()).unwrap()
    }

    /// How many commits the bump branch has over the base.
    pub fn ahead(&self) -> usize {
        let repository = self.fake.git(HOME);
        let id = |name: &str| repository.revparse_single(name).unwrap().id();
        repository.graph_ahead_behind(id(BRANCH), id("main")).unwrap().0
    }

    /// Everything that a bump leaves behind, but for times and ids that follow from them.
    pub fn end_state(&self) -> Value {
        let pulls: Vec<Value> = self
            .pulls()
            .into_iter()
            .map(|pull| {
                json!({
                    "title": pull.title, "body": pull.body.replace(self.fake.server_url(), "https://github.com"), "open": pull.open, "labels": pull.labels,
                    "reviewers": pull.reviewers, "assignees": pull.assignees, "milestone": pull.milestone,
                    "comments": pull.comments, "at the branch": self.tip() == Some(pull.head_sha),
                })
            })
            .collect();
        let repository = self.fake.git(HOME);
        let names: Vec<String> =
            repository.references().unwrap().map(|r| r.unwrap().name().unwrap().to_owned()).collect();
        json!({"pulls": pulls, "references": names, "ahead": self.ahead(), "version": self.file("V6D_VERSION")})
    }
}
