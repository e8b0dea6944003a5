//! How long planning a bump takes: the whole process, on generated trees of 5,000 and 50,000 files, beside `git grep`.
//!
//!     cargo bench --bench bump
//!     GS_RELEASE_BENCH=path/to/GraphScope cargo bench --bench bump      # also a clone that you have, with the example config
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and cannot go on without its parts")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const RUNS: usize = 15;

fn main() {
    // `cargo test --all-targets` runs benches too, with this argument missing
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{:<28} {:>10} {:>10} {:>12} {:>10}", "tree", "median", "best", "git grep", "peak");
    for files in [5_000, 50_000] {
        let directory = tempfile::tempdir().unwrap();
        generate(directory.path(), files);
        let (median, _) = measure(&format!("{files} files"), directory.path(), None, "0.24.2");
        println!("{:>28} {:>8.1} us", "per file", median.as_secs_f64() * 1e6 / files as f64);
    }
    if let Some(clone) = std::env::var_os("GS_RELEASE_BENCH") {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/graphscope/release.yaml");
        measure("GraphScope", &PathBuf::from(clone), Some(&config), "0.24.4");
    }
}

/// A repository with a site in every hundredth file, and source code of 5 kB in the others.
fn generate(root: &Path, files: usize) {
    let repository =
        git2::Repository::init_opts(root, git2::RepositoryInitOptions::new().initial_head("main")).unwrap();
    let mut update = git2::build::TreeUpdateBuilder::new();
    let config = "components:\n  vineyard:\n    version: 0.24.1\n    sites:\n      - { files: \"**/*.Dockerfile\", arg: VINEYARD_VERSION }\n";
    update.upsert("release.yaml", repository.blob(config.as_bytes()).unwrap(), git2::FileMode::Blob);
    for number in 0..files {
        let (path, content) = match number % 100 {
            0 => (
                format!("d{}/{number}.Dockerfile", number % 97),
                format!("# {number}\nARG VINEYARD_VERSION=0.24.1\nFROM debian:12-slim\n"),
            ),
            _ => (
                format!("d{}/{number}.cc", number % 97),
                format!("int f{number}() {{ return {number}; }}  // since 0.16.3\n").repeat(100),
            ),
        };
        update.upsert(path, repository.blob(content.as_bytes()).unwrap(), git2::FileMode::Blob);
    }
    let empty = repository.treebuilder(None).unwrap().write().unwrap();
    let tree = update.create_updated(&repository, &repository.find_tree(empty).unwrap()).unwrap();
    let person = git2::Signature::now("A Person", "person@example.com").unwrap();
    let tree = repository.find_tree(tree).unwrap();
    repository.commit(Some("HEAD"), &person, &person, "x", &tree, &[]).unwrap();
    // as a clone has it
    run(Command::new("git").arg("-C").arg(root).args(["repack", "-adq"]));
}

fn measure(name: &str, repository: &Path, config: Option<&Path>, target: &str) -> (Duration, Duration) {
    let mut bump = Command::new(env!("CARGO_BIN_EXE_gs-release"));
    bump.arg("-C").arg(repository).args(["bump-vineyard", target, "--dry-run", "--quiet"]);
    if let Some(config) = config {
        bump.arg("--config").arg(config);
    }
    let mut grep = Command::new("git");
    grep.arg("-C").arg(repository).args(["grep", "-cF", "0.24.1", "HEAD"]);
    // one after the other, so that both meet the same machine
    let (mut bumps, mut greps): (Vec<_>, Vec<_>) = (0..RUNS).map(|_| (time(&mut bump), time(&mut grep))).unzip();
    bumps.sort();
    greps.sort();
    let (median, best) = (bumps[RUNS / 2], bumps[0]);
    println!("{name:<28} {median:>10.1?} {best:>10.1?} {:>12.1?} {:>7} kB", greps[RUNS / 2], peak(&bump));
    (median, best)
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.output().unwrap();
    // `git grep` says 1 where it finds nothing
    assert!(output.status.code().is_some_and(|code| code <= 1), "{}", String::from_utf8_lossy(&output.stderr));
    start.elapsed()
}

/// The largest resident set of one run.
fn peak(command: &Command) -> String {
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M"]).arg(command.get_program()).args(command.get_args());
    let Ok(output) = timed.output() else { return "?".into() };
    String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("?").trim().to_owned()
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success());
}
