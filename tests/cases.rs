//! `tests/cases/*/`: a tree (`in/`), a command (`cmd`), and what must come out (`out/`): of `bump` the JSON document, and each
//! file that the new branch changes, byte for byte; of `check` what a person sees, and each working file that it changes. `SNAPSHOTS=overwrite cargo test --test cases` writes `out/` anew, for review.
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
    let words: Vec<&str> = command.split_whitespace().collect();
    let changed = match words[0] {
        "check" => checked(&sandbox, &words),
        _ => bumped(&sandbox, &words),
    };
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

/// What a bump prints and commits.
fn bumped(sandbox: &Sandbox, words: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let output = sandbox.run(&[words, &["--local", "--json"]].concat());
    let branch = sandbox.git(&["branch", "--list", "--format=%(refname:short)", "gs-release/*"]);
    let mut changed = BTreeMap::new();
    if let Some(branch) = branch.lines().next() {
        for path in sandbox.git(&["diff", "--name-only", "main", branch]).lines() {
            changed.insert(path.to_owned(), sandbox.bytes(&["show", &format!("{branch}:{path}")]));
        }
        let modes = |rev: &str| sandbox.git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", rev]);
        assert_eq!(modes("main"), modes(branch), "{words:?}: modes");
    }
    let code = output.status.code().unwrap();
    support::assert_fits(&serde_json::from_slice(&output.stdout).unwrap(), if code == 0 { "bump" } else { "error" });
    let stdout = format!("exit {code}\n{}", String::from_utf8(output.stdout).unwrap());
    changed.insert("stdout".into(), redacted(&stdout).into_bytes());
    changed
}

/// What a check prints and writes.
fn checked(sandbox: &Sandbox, words: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let output = sandbox.run(words);
    let changed = sandbox.git(&["diff", "--name-only", "--diff-filter=M"]);
    let read = |path: &str| (path.to_owned(), std::fs::read(sandbox.path().join(path)).unwrap());
    let mut changed: BTreeMap<String, Vec<u8>> = changed.lines().map(read).collect();
    let (code, document) = sandbox.json(words);
    support::assert_fits(&document, "check");
    assert_eq!((output.status.code(), document["clean"] == true), (Some(code), code == 0), "{words:?}");
    let stdout = format!("exit {code}\n{}", String::from_utf8(output.stdout).unwrap());
    changed.insert("stdout".into(), stdout.into_bytes());
    changed
}

#[test]
fn every_code_of_check_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(root.join("schema/release.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let codes = schema["$defs"]["Ignore"]["properties"]["code"]["oneOf"].as_array().unwrap();
    let mut told = String::new();
    for entry in std::fs::read_dir(root.join("tests/cases")).unwrap() {
        told += &std::fs::read_to_string(entry.unwrap().path().join("out/stdout")).unwrap();
    }
    let documented = std::fs::read_to_string(root.join("docs/check.md")).unwrap();
    for code in codes.iter().map(|code| code["const"].as_str().unwrap()) {
        assert!(told.contains(&format!("[{code}]")), "no case shows `{code}`");
        assert!(documented.contains(&format!("| `{code}` |")), "docs/check.md does not tell of `{code}`");
    }
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
