//! How long planning a bump takes: the whole process, on generated trees of 5,000 and 50,000 files, beside `git grep`.
//!
//!     cargo bench --bench bump
//!     GS_RELEASE_BENCH=path/to/GraphScope cargo bench --bench bump      # also a clone that you have, with the example config
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
    for files in [5_000, 50_000] {
        let directory = tempfile::tempdir().unwrap();
        trees::generate(directory.path(), files);
        let mut bump = bump(directory.path(), "0.24.2");
        let median = trees::measure(&format!("{files} files"), directory.path(), &mut bump);
        trees::per_file(median, files);
    }
    if let Some(clone) = std::env::var_os("GS_RELEASE_BENCH").map(PathBuf::from) {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/graphscope/release.yaml");
        trees::measure("GraphScope", &clone, bump(&clone, "0.24.4").arg("--config").arg(config));
    }
}

fn bump(repository: &Path, target: &str) -> Command {
    let mut bump = Command::new(env!("CARGO_BIN_EXE_gs-release"));
    bump.arg("-C").arg(repository).args(["bump-vineyard", target, "--dry-run", "--quiet"]);
    bump
}
