//! Generated repositories of many files, and how long a command takes on one: what the benches of bump and check share.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const RUNS: usize = 15;

/// Names the columns of [`measure`].
pub fn heading() {
    println!("{:<28} {:>10} {:>10} {:>12} {:>10}", "tree", "median", "best", "git grep", "peak");
}

/// A repository with a site in every hundredth file, and source code of 5 kB in the others.
pub fn generate(root: &Path, files: usize) {
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

/// Times `command` on `repository`, beside `git grep`; gives the median.
pub fn measure(name: &str, repository: &Path, command: &mut Command) -> Duration {
    let mut grep = Command::new("git");
    grep.arg("-C").arg(repository).args(["grep", "-cF", "0.24.1", "HEAD"]);
    // one after the other, so that both meet the same machine
    let (mut times, mut greps): (Vec<_>, Vec<_>) = (0..RUNS).map(|_| (time(command), time(&mut grep))).unzip();
    times.sort();
    greps.sort();
    let (median, best) = (times[RUNS / 2], times[0]);
    println!("{name:<28} {median:>10.1?} {best:>10.1?} {:>12.1?} {:>7} kB", greps[RUNS / 2], peak(command));
    median
}

/// Says how long each of `files` takes.
pub fn per_file(median: Duration, files: usize) {
    println!("{:>28} {:>8.1} us", "per file", median.as_secs_f64() * 1e6 / files as f64);
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.output().unwrap();
    // `git grep` says 1 where it finds nothing, and a check where it finds something
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
