//! `tests/cases/*/`: a tree (`in/`), a command (`cmd`), and what must come out (`out/`): the JSON document, and each file that
//! the new branch changes, byte for byte. `SNAPSHOTS=overwrite cargo test --test cases` writes `out/` anew, for review.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use support::Sandbox;

#[test]
fn every_case_gives_what_its_out_directory_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 10);
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(case: &Path) -> Result<(), String> {
    let sandbox = Sandbox::empty();
    copy(&case.join("in"), sandbox.path());
    sandbox.git(&["init", "--quiet", "--initial-branch", "main"]);
    sandbox.commit();
    let command = std::fs::read_to_string(case.join("cmd")).unwrap();
    let output = sandbox.run(&[&command.split_whitespace().collect::<Vec<_>>()[..], &["--local", "--json"]].concat());

    let branch = sandbox.git(&["branch", "--list", "--format=%(refname:short)", "gs-release/*"]);
    let mut changed = BTreeMap::new();
    if let Some(branch) = branch.lines().next() {
        for path in sandbox.git(&["diff", "--name-only", "main", branch]).lines() {
            changed.insert(path.to_owned(), sandbox.bytes(&["show", &format!("{branch}:{path}")]));
        }
        let modes = |rev: &str| sandbox.git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", rev]);
        assert_eq!(modes("main"), modes(branch), "{}: modes", case.display());
    }
    let code = output.status.code().unwrap();
    support::assert_fits(&serde_json::from_slice(&output.stdout).unwrap(), if code == 0 { "bump" } else { "error" });
    let stdout = format!("exit {code}\n{}", String::from_utf8(output.stdout).unwrap());
    changed.insert("stdout".into(), redacted(&stdout).into_bytes());

    let out = case.join("out");
    if std::env::var("SNAPSHOTS").is_ok_and(|action| action == "overwrite") {
        let _absent = std::fs::remove_dir_all(&out);
        for (path, content) in &changed {
            std::fs::create_dir_all(out.join(path).parent().unwrap()).unwrap();
            std::fs::write(out.join(path), content).unwrap();
        }
    }
    let mut expected = BTreeMap::new();
    read(&out, &out, &mut expected);
    if changed == expected {
        return Ok(());
    }
    let mut report = format!("{}: out/ differs", case.display());
    let paths: std::collections::BTreeSet<&String> = changed.keys().chain(expected.keys()).collect();
    for path in paths.into_iter().filter(|path| changed.get(*path) != expected.get(*path)) {
        let show = |side: &BTreeMap<String, Vec<u8>>| {
            side.get(path).map_or("(absent)".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        report.push_str(&format!("\n{path}\n--- expected\n{}\n--- found\n{}", show(&expected), show(&changed)));
    }
    Err(report)
}

/// Commit ids carry the time.
fn redacted(stdout: &str) -> String {
    let lines = stdout.lines().map(|line| match line.trim_start().strip_prefix("\"commit\": \"") {
        Some(_) => "  \"commit\": \"[COMMIT]\",",
        None => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (source, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if source.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&source).unwrap(), target).unwrap();
        } else if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, target).unwrap();
        }
    }
}

fn read(root: &Path, directory: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, into);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            into.insert(name, std::fs::read(&path).unwrap());
        }
    }
}
