//! The order of the modules, and which crate may be used where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

/// A module imports only from those before it.
const ORDER: [&str; 18] = [
    "error",
    "process",
    "version",
    "config",
    "image",
    "edit",
    "git",
    "github",
    "transport",
    "pypi",
    "registry",
    "bump",
    "build",
    "doctor",
    "survey",
    "check",
    "report",
    "cli",
];

/// A crate or module, and the only modules of this crate that may use it.
const CRATES: [(&str, &[&str]); 10] = [
    ("git2", &["git"]),
    ("clap", &["cli"]),
    ("minijinja", &["bump"]),
    ("parse_dockerfile", &["image"]),
    ("saphyr_parser", &["config"]),
    ("serde_yaml", &["config"]),
    ("octocrab", &["github"]),
    // octocrab is given its HTTP client ready made: limits, no redirects.
    ("reqwest", &["github", "transport", "pypi", "registry"]),
    ("http_auth", &["registry"]),
    ("tokio::process", &["process"]),
];

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn modules_import_only_from_those_before_them() {
    let root = Path::new("src");
    for path in sources(root) {
        let relative = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let module = relative.split(['/', '.']).next().unwrap().to_owned();
        let Some(position) = ORDER.iter().position(|name| *name == module) else {
            assert!(["lib", "main"].contains(&module.as_str()), "{relative} is in no known module");
            continue;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        for later in &ORDER[position + 1..] {
            assert!(!text.contains(&format!("crate::{later}")), "{relative} imports from {later}");
        }
        for (name, owners) in CRATES {
            let uses = text.contains(&format!("{name}::")) || text.contains(&format!("use {name}"));
            assert!(!uses || owners.contains(&&*module), "{relative} uses {name}, which belongs to {owners:?}");
        }
    }
}
