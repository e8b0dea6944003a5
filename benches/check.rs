//! How long a check takes: the whole process, on generated trees of 5,000, 50,000 and 100,000 files, beside `git grep`.
//!
//!     cargo bench --bench check
//!     GS_RELEASE_BENCH=path/to/GraphScope cargo bench --bench check     # also a clone that you have, with the example config
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and cannot go on without its parts")]

#[path = "support/trees.rs"]
mod trees;

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    // `cargo test --all-targets` runs benches too, with this argument missing
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    trees::heading();
    for files in [5_000, 50_000, 100_000] {
        let directory = tempfile::tempdir().unwrap();
        trees::generate(directory.path(), files);
        let median = trees::measure(&format!("{files} files"), directory.path(), &mut check(directory.path()));
        trees::per_file(median, files);
    }
    if let Some(clone) = std::env::var_os("GS_RELEASE_BENCH").map(PathBuf::from) {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/graphscope/release.yaml");
        trees::measure("GraphScope", &clone, check(&clone).arg("--config").arg(config));
    }
}

fn check(repository: &Path) -> Command {
    let mut check = Command::new(env!("CARGO_BIN_EXE_gs-release"));
    check.arg("-C").arg(repository).args(["check", "--ref", "HEAD", "--quiet"]);
    check
}
