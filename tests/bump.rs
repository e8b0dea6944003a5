//! `gs-release bump`, the real binary in real repositories.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::path::PathBuf;

use serde_json::Value;

use support::Sandbox;

fn config(sites: &str) -> String {
    format!("components:\n  vineyard:\n    version: 0.24.1\n    sites:\n{sites}")
}

/// Bumps `path` with content `before` by one site to 0.24.2, and gives the content on the branch.
fn bumped(site: &str, path: &str, before: &str) -> String {
    let sandbox = Sandbox::new(&[("release.yaml", &config(&format!("      - {site}\n"))), (path, before)]);
    let output = sandbox.run(&["bump-vineyard", "0.24.2", "--local"]);
    assert!(output.status.success(), "{before:?}: {}", String::from_utf8_lossy(&output.stderr));
    sandbox.git(&["show", &format!("gs-release/vineyard:{path}")])
}

#[test]
fn dockerfile_shapes_keep_every_other_byte() {
    let arg = "{ files: Dockerfile, arg: V }";
    let env = "{ files: Dockerfile, env: V }";
    let image = "{ files: Dockerfile, image: graphscope/graphscope-dev }";
    for (site, before, after) in [
        (arg, "ARG V=0.24.1\nFROM x", "ARG V=0.24.2\nFROM x"),
        (arg, "\u{feff}ARG\tV=v0.24.1\r\nFROM x\r\n", "\u{feff}ARG\tV=v0.24.2\r\nFROM x\r\n"),
        (arg, "ARG \"V=0.24.1\"\nFROM x\n", "ARG \"V=0.24.2\"\nFROM x\n"),
        (arg, "ARG A=1 V='v0.23.0' B=2\nFROM x\n", "ARG A=1 V='v0.24.2' B=2\nFROM x\n"),
        (arg, "arg V=0.24.1\nFROM x as y\nARG V=0.24.1\n", "arg V=0.24.2\nFROM x as y\nARG V=0.24.2\n"),
        (arg, "# escape=`\nARG A=1 `\n # c\n V=0.24.1\nFROM x\n", "# escape=`\nARG A=1 `\n # c\n V=0.24.2\nFROM x\n"),
        (arg, "ARG V=latest\nFROM x\nARG V=0.24.1\n", "ARG V=latest\nFROM x\nARG V=0.24.2\n"),
        (arg, "ARG V=0.28.0a20240526\nFROM x\nARG V=0.24.1\n", "ARG V=0.28.0a20240526\nFROM x\nARG V=0.24.2\n"),
        (env, "FROM x\nENV A=1 \\\n  V=0.24.1\n", "FROM x\nENV A=1 \\\n  V=0.24.2\n"),
        (env, "FROM x\nENV V 0.24.1\nARG V=0.24.1\n", "FROM x\nENV V 0.24.2\nARG V=0.24.1\n"),
        (
            image,
            "FROM a.com/graphscope/graphscope-dev:v0.24.1-amd64 AS b\n",
            "FROM a.com/graphscope/graphscope-dev:v0.24.2-amd64 AS b\n",
        ),
        (
            image,
            "ARG R=r.example.com\nARG B=v0.24.1\nARG ARCH=amd64\nFROM $R/graphscope/graphscope-dev:$B-$ARCH\nFROM graphscope/graphscope-dev-base:v0.24.1\n",
            "ARG R=r.example.com\nARG B=v0.24.2\nARG ARCH=amd64\nFROM $R/graphscope/graphscope-dev:$B-$ARCH\nFROM graphscope/graphscope-dev-base:v0.24.1\n",
        ),
        (image, "FROM graphscope/graphscope-dev:${B:-v0.24.1}\n", "FROM graphscope/graphscope-dev:${B:-v0.24.2}\n"),
        (
            image,
            "FROM x\nCOPY --chown=1 --from=graphscope/graphscope-dev:wheel-v0.24.1 --link /a /b\nRUN <<E\nFROM graphscope/graphscope-dev:v0.24.1\nE\n",
            "FROM x\nCOPY --chown=1 --from=graphscope/graphscope-dev:wheel-v0.24.2 --link /a /b\nRUN <<E\nFROM graphscope/graphscope-dev:v0.24.1\nE\n",
        ),
        (
            image,
            "FROM x\nRUN --mount=type=bind,from=localhost:5000/graphscope/graphscope-dev:v0.24.1,target=/m true\n",
            "FROM x\nRUN --mount=type=bind,from=localhost:5000/graphscope/graphscope-dev:v0.24.2,target=/m true\n",
        ),
    ] {
        assert_eq!(bumped(site, "Dockerfile", before), after);
    }
}

#[test]
fn other_forms_change_the_version_alone() {
    for (site, path, before, after) in [
        ("{ files: V, whole: true }", "V", "v0.24.1", "v0.24.2"),
        ("{ files: V, whole: true }", "V", "0.24.1\r\n", "0.24.2\r\n"),
        (
            "{ files: c.yaml, path: 'a.b[0].c' }",
            "c.yaml",
            "a:\n  b:\n    - c: \"0.24.1\" # 0.24.1\n",
            "a:\n  b:\n    - c: \"0.24.2\" # 0.24.1\n",
        ),
        (
            "{ files: c.yaml, path: v }",
            "c.yaml",
            "x: 1\n---\nv: 0.24.1\n---\nv: '0.23.0'\n",
            "x: 1\n---\nv: 0.24.2\n---\nv: '0.24.2'\n",
        ),
        (
            "{ files: c.json, path: image.tag }",
            "c.json",
            "{ // c\n\t\"image\": {\"tag\": \"v0.24.1\"}\n}",
            "{ // c\n\t\"image\": {\"tag\": \"v0.24.2\"}\n}",
        ),
        (
            "{ files: c.toml, path: a.version }",
            "c.toml",
            "[a]\nversion = '0.24.1' # c\n",
            "[a]\nversion = '0.24.2' # c\n",
        ),
        (
            "{ files: Makefile, regex: 'V \\?= v(?<version>\\S+)', expect: 1 }",
            "Makefile",
            "V ?= v0.24.1\n\tx 0.24.1\n",
            "V ?= v0.24.2\n\tx 0.24.1\n",
        ),
        (
            "{ files: r.txt, regex: 'vineyard..(?<version>[0-9.]+)' }",
            "r.txt",
            "vineyard==0.24.1\nvineyard>=0.16.3\nvineyard==0.24.0a20240526\n",
            "vineyard==0.24.2\nvineyard>=0.16.3\nvineyard==0.24.0a20240526\n",
        ),
        (
            "{ files: w.yml, image: graphscope/graphscope-dev }",
            "w.yml",
            "image: reg.io/graphscope/graphscope-dev:v0.24.1-amd64\nx: graphscope/graphscope-dev:${TAG:-v0.23.0}\ny: other/graphscope/graphscope-dev:v0.24.1\nz: graphscope/graphscope-dev:latest\n",
            "image: reg.io/graphscope/graphscope-dev:v0.24.2-amd64\nx: graphscope/graphscope-dev:${TAG:-v0.24.2}\ny: other/graphscope/graphscope-dev:v0.24.1\nz: graphscope/graphscope-dev:latest\n",
        ),
    ] {
        assert_eq!(bumped(site, path, before), after, "{site}");
    }
}

#[test]
fn the_json_document_follows_its_contract() {
    let sites = "      - { files: 'd/*.Dockerfile', arg: V }\n";
    let sandbox = Sandbox::new(&[
        ("release.yaml", &config(sites)),
        ("d/a.Dockerfile", "ARG V=v0.24.1\nFROM x\n"),
        ("d/b.Dockerfile", "ARG V=0.23.0\nFROM x\n"),
        ("notes.md", "a\nuses v0.24.1 here, not 0.24.10 or 0.24.1a20240101\n"),
        ("Cargo.lock", "0.24.1\n"),
    ]);
    let (code, document) = sandbox.json(&["bump-vineyard", "v0.24.2", "--dry-run"]);
    assert_eq!(code, 0);
    assert_eq!(document["from"], "0.24.1");
    assert_eq!(
        document["edits"][0],
        serde_json::json!({"path": "d/a.Dockerfile", "line": 1, "column": 8, "old": "0.24.1", "new": "0.24.2", "site": "arg V", "drifted": false})
    );
    assert_eq!(document["edits"][1]["drifted"], true);
    assert_eq!(document["edits"][2]["path"], "release.yaml");
    assert_eq!(document["edits"].as_array().unwrap().len(), 3);
    assert_eq!(
        document["leftovers"],
        serde_json::json!([{"path": "notes.md", "line": 2, "text": "uses v0.24.1 here, not 0.24.10 or 0.24.1a20240101"}])
    );
    assert_eq!(document["branch"], "gs-release/vineyard");
    assert_eq!(document["commit"], Value::Null);
    assert_eq!(document["pull-request"]["action"], "none");
    assert_eq!(sandbox.git(&["branch", "--list", "gs-release/*"]), "", "a dry run makes no branch");
}

#[test]
fn a_second_run_changes_nothing_and_a_newer_version_moves_the_branch() {
    let sandbox = Sandbox::new(&[("release.yaml", &config("      - { files: V, whole: true }\n")), ("V", "0.24.1\n")]);
    let commit = |version| sandbox.json(&["bump", "vineyard", version]).1["commit"].as_str().unwrap().to_owned();
    let first = commit("0.24.2");
    assert_eq!(commit("0.24.2"), first);
    let newer = commit("0.24.3");
    assert_ne!(newer, first);
    assert_eq!(sandbox.git(&["rev-list", "--count", "main..gs-release/vineyard"]).trim(), "1");
    assert_eq!(sandbox.git(&["show", "gs-release/vineyard:V"]), "0.24.3\n");
}

#[test]
fn a_person_sees_the_diff_what_had_drifted_and_how_to_go_on() {
    let sites = "      - { files: 'V*', whole: true }\n";
    let files = [("release.yaml", &*config(sites)), ("V1", "0.24.1\n"), ("V2", "0.23.0\n")];
    let told = |version: &str| {
        let output = Sandbox::new(&files).run(&["bump-vineyard", version]);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&output.stdout), text(&output.stderr))
    };
    let (result, notes) = told("0.24.2");
    let (diff, rest) = result.split_once("vineyard 0.24.1 -> 0.24.2: 3 places in 3 files\n").unwrap();
    assert!(diff.contains("--- a/V2\n+++ b/V2\n@@ -1 +1 @@\n-0.23.0\n+0.24.2\n"), "{diff}");
    assert!(rest.starts_with("  had drifted to 0.23.0: V2:1 (whole)\n\npull request: chore: bump"), "{rest}");
    let last = rest.lines().last().unwrap();
    assert!(last.starts_with("branch gs-release/vineyard, commit "), "{last}");
    assert!(notes.contains("left out: the push and the pull request (there is no token"), "{notes}");
    assert!(notes.ends_with("to take it here: git merge gs-release/vineyard\n"), "{notes}");

    let (result, _) = told("0.24.1");
    assert!(result.contains(": 1 place in 1 file\n"), "{result}");
    assert!(result.contains("pull request: chore: bring vineyard in line with 0.24.1\n"), "{result}");
}

#[test]
fn nothing_else_of_the_repository_is_touched() {
    let sandbox = Sandbox::new(&[
        ("release.yaml", &config("      - { files: ['*.sh', link], regex: 'V=(?<version>\\S+)' }\n")),
        ("run.sh", "V=0.24.1\n"),
    ]);
    use std::os::unix::fs::{PermissionsExt, symlink};
    std::fs::set_permissions(sandbox.path().join("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("run.sh", sandbox.path().join("link")).unwrap();
    symlink("loop", sandbox.path().join("loop")).unwrap();
    sandbox.commit();
    sandbox.write("run.sh", b"half-done work 0.24.1\n");
    let before = sandbox.git(&["status", "--porcelain"]);
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    assert!(sandbox.run(&["bump-vineyard", "0.24.2", "--local"]).status.success());
    assert_eq!(sandbox.git(&["status", "--porcelain"]), before);
    assert_eq!(sandbox.git(&["rev-parse", "HEAD"]), head);
    let modes = |rev: &str| -> Vec<String> {
        let tree = sandbox.git(&["ls-tree", "-r", rev]);
        tree.lines().map(|line| format!("{}{}", &line[..6], &line[line.find('\t').unwrap()..])).collect()
    };
    assert_eq!(modes("main"), modes("gs-release/vineyard"));
    assert_eq!(sandbox.git(&["diff", "--name-only", "main", "gs-release/vineyard"]), "release.yaml\nrun.sh\n");
}

#[test]
fn write_edits_the_working_files_or_none_of_them() {
    let sandbox = Sandbox::new(&[("release.yaml", &config("      - { files: V, whole: true }\n")), ("V", "0.24.1\n")]);
    sandbox.write("V", b"9.9.9\n");
    assert_eq!(sandbox.run(&["bump-vineyard", "0.24.2", "--write"]).status.code(), Some(3));
    assert!(sandbox.git(&["show", ":release.yaml"]).contains("0.24.1"));
    assert!(!std::fs::read_to_string(sandbox.path().join("release.yaml")).unwrap().contains("0.24.2"));
    sandbox.write("V", b"0.24.1\n");
    let mut unfinished = std::fs::read(sandbox.path().join("release.yaml")).unwrap();
    unfinished.splice(0..0, *b"# half-done work\r\n");
    sandbox.write("release.yaml", &unfinished);
    assert!(sandbox.run(&["bump-vineyard", "0.24.2", "--write"]).status.success());
    assert_eq!(sandbox.git(&["diff", "--name-only"]), "V\nrelease.yaml\n");
}

#[test]
fn write_can_be_run_again_after_a_complete_or_an_interrupted_one() {
    let sites = "      - { files: V, whole: true }\n      - { files: notes.md, regex: 'from (?<version>.+)' }\n";
    let notes = "from 0.24.1 and from 0.23.0\n";
    let sandbox = Sandbox::new(&[("release.yaml", &config(sites)), ("V", "0.24.1\n"), ("notes.md", notes)]);
    let read = |path: &str| std::fs::read_to_string(sandbox.path().join(path)).unwrap();
    let write = || sandbox.run(&["bump-vineyard", "0.24.2", "--write"]);
    sandbox.write("V", b"0.24.2\n");
    assert!(write().status.success(), "one file was done already");
    assert_eq!(read("notes.md"), "from 0.24.2 and from 0.23.0\n");
    let done = sandbox.git(&["diff"]);
    assert_eq!(sandbox.git(&["diff", "--name-only"]), "V\nnotes.md\nrelease.yaml\n");
    let output = write();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing to do"));
    assert_eq!(sandbox.git(&["diff"]), done);
    sandbox.write("V", b"9.9.9\n");
    assert_eq!(write().status.code(), Some(3), "what somebody else wrote is not overwritten");
}

#[test]
fn what_a_person_must_decide_is_refused() {
    let pinned = "FROM graphscope/graphscope-dev:v0.24.1@sha256:0000\n";
    let sites =
        "      - { files: '*.Dockerfile', image: graphscope/graphscope-dev }\n    update: { ignore: [0.24.9] }\n";
    let sandbox = Sandbox::new(&[("release.yaml", &config(sites)), ("a.Dockerfile", pinned)]);
    for (version, message) in [("0.24.2", "pinned by digest"), ("0.24.0", "older than"), ("0.24.9", "is ignored")] {
        let (code, document) = sandbox.json(&["bump-vineyard", version, "--local"]);
        assert_eq!(code, 3, "{document}");
        assert_eq!(document["error"]["kind"], "refused");
        assert!(document["error"]["message"].as_str().unwrap().contains(message), "{document}");
        assert!(!document["error"]["hints"].as_array().unwrap().is_empty());
    }

    let sandbox = Sandbox::new(&[("release.yaml", &config("      - { files: V, whole: true }\n")), ("V", "0.24.1\n")]);
    assert_eq!(sandbox.json(&["bump-vineyard", "0.24.2"]).0, 0);
    sandbox.git(&["switch", "--quiet", "gs-release/vineyard"]);
    assert_eq!(
        sandbox.json(&["bump-vineyard", "0.24.3"]).1["error"]["message"],
        "branch gs-release/vineyard is checked out"
    );
    sandbox.write("mine", b"work\n");
    sandbox.commit();
    sandbox.git(&["switch", "--quiet", "main"]);
    let (code, document) = sandbox.json(&["bump-vineyard", "0.24.3"]);
    assert_eq!(code, 3);
    assert!(document["error"]["message"].as_str().unwrap().contains("not gs-release's"), "{document}");
    assert_eq!(sandbox.json(&["bump-vineyard", "0.24.3", "--force"]).0, 0);
}

#[test]
fn rubbish_is_a_clear_error_and_changes_nothing() {
    let cases: &[(&str, &str, &[u8], &str)] = &[
        ("{ files: none.txt, whole: true }", "V", b"0.24.1", "found nothing"),
        ("{ files: V, whole: true, expect: 2 }", "V", b"0.24.1", "found 1 places instead of 2"),
        ("{ files: ../V, whole: true }", "V", b"0.24.1", "has 1 fault"),
        ("{ files: V, regex: 'a' }", "V", b"0.24.1", "has 1 fault"),
        ("{ files: c.yaml, path: a }", "c.yaml", b"a:\n  b: 0.24.1\n", "c.yaml:2:3: `a` is a mapping or a list"),
        ("{ files: c.yaml, path: a }", "c.yaml", b"a: 0.24.1\nb: \xff\n", "c.yaml:2:4: not valid UTF-8"),
        ("{ files: V, whole: true }", "V", b"0.24.1\xff\n", "V:1:7: a version is not valid UTF-8"),
        (
            "{ files: Dockerfile, arg: V }",
            "Dockerfile",
            b"FROM x\nARG V=0.24.\xff\n",
            "Dockerfile:2:12: a version is not valid UTF-8",
        ),
        ("{ files: Dockerfile, arg: V }", "Dockerfile", b"FROM x\nNONSENSE V\n", "Dockerfile:2:1: not a Dockerfile"),
    ];
    for (site, path, content, expected) in cases {
        let sandbox = Sandbox::new(&[("release.yaml", &config(&format!("      - {site}\n")))]);
        sandbox.write(path, content);
        sandbox.commit();
        let (code, document) = sandbox.json(&["bump-vineyard", "0.24.2"]);
        let message = document["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{site}: {message}");
        assert_eq!(code, 2, "{message}");
        assert_eq!(sandbox.git(&["branch", "--list", "gs-release/*"]), "");
    }
}

#[test]
fn a_place_that_is_no_repository_to_bump_in_is_a_clear_error() {
    let empty = Sandbox::empty();
    let message = |sandbox: &Sandbox, arguments: &[&str]| {
        let (code, document) = sandbox.json(arguments);
        assert_eq!(code, 2, "{document}");
        document["error"]["message"].as_str().unwrap().to_owned()
    };
    assert!(message(&empty, &["bump-vineyard", "0.24.2"]).contains("cannot open a git repository"));
    empty.git(&["init", "--quiet", "--initial-branch", "main"]);
    assert!(message(&empty, &["bump-vineyard", "0.24.2"]).contains("cannot read the config"));
    empty.write("release.yaml", config("").replace("sites:\n", "sites: []\n").as_bytes());
    assert!(message(&empty, &["bump-vineyard", "0.24.2"]).contains("no base branch `main`"));
    empty.commit();
    assert!(message(&empty, &["bump-vineyrd", "0.24.2"]).contains("no component `vineyrd`"));
    assert!(message(&empty, &["bump-vineyard", "0.24.2.1"]).contains("4 parts"));
    assert!(message(&empty, &["bump-vineyard"]).contains("required arguments"));
    assert!(message(&empty, &["bmp"]).contains("unrecognized subcommand"));
    empty.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(empty.json(&["bump-vineyard", "0.24.2"]).0, 0, "a detached HEAD is fine");
}

#[test]
fn a_partial_clone_warns_unless_a_site_needs_what_is_missing() {
    let sandbox = Sandbox::new(&[
        ("release.yaml", &config("      - { files: V, whole: true }\n")),
        ("V", "0.24.1\n"),
        ("other", "x\n"),
    ]);
    let drop = |path: &str| {
        let id = sandbox.git(&["rev-parse", &format!("HEAD:{path}")]);
        let object: PathBuf = sandbox.path().join(".git/objects").join(&id[..2]).join(id[2..].trim());
        std::fs::remove_file(object).unwrap();
    };
    drop("other");
    let output = sandbox.run(&["bump-vineyard", "0.24.2", "--dry-run"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 files are not in this partial clone"));
    drop("V");
    let (code, document) = sandbox.json(&["bump-vineyard", "0.24.2", "--dry-run"]);
    assert_eq!(code, 2);
    assert!(document["error"]["hints"][0].as_str().unwrap().contains("partial clone"), "{document}");
}

#[test]
fn a_config_of_the_tree_is_one_however_it_is_named() {
    let config = config("      - { files: V, whole: true }\n");
    let sandbox = Sandbox::new(&[("ci/release.yaml", &config), ("V", "0.24.1\n")]);
    std::os::unix::fs::symlink("ci/release.yaml", sandbox.path().join("release.yaml")).unwrap();
    sandbox.commit();
    let absolute = sandbox.path().join("ci/release.yaml");
    let at = |directory: &str, name: &str| {
        let directory = sandbox.path().join(directory);
        let arguments = ["-C", directory.to_str().unwrap(), "--config", name, "bump-vineyard", "0.24.2", "--dry-run"];
        let (code, document) = sandbox.json(&arguments);
        assert_eq!(code, 0, "{name}: {document}");
        let edits = document["edits"].as_array().unwrap().iter();
        edits.map(|edit| edit["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for name in
        ["ci/release.yaml", "./ci/release.yaml", "ci//x/../release.yaml", absolute.to_str().unwrap(), "release.yaml"]
    {
        assert_eq!(at("", name), ["V", "ci/release.yaml"], "{name}");
    }
    assert_eq!(at("ci", "./release.yaml"), ["V", "ci/release.yaml"]);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x.yaml"), &config).unwrap();
    assert_eq!(at("", outside.path().join("x.yaml").to_str().unwrap()), ["V"]);
}

#[test]
fn a_pre_release_that_no_file_could_be_read_back_with_is_refused_at_once() {
    let sandbox = Sandbox::new(&[("release.yaml", &config("      - { files: V, whole: true }\n")), ("V", "0.24.1\n")]);
    for version in ["0.25.0-amd64", "0.25.0-1", "0.25.0-rc.1.foo"] {
        let (code, document) = sandbox.json(&["bump-vineyard", version, "--local"]);
        let message = document["error"]["message"].as_str().unwrap();
        assert!(code == 2 && message.contains("is not a version that can be found"), "{message}");
    }
    assert_eq!(sandbox.json(&["bump-vineyard", "0.25.0-rc.1", "--local"]).0, 0);
}

#[test]
fn a_version_file_and_a_version_keep_what_is_around_them() {
    let file = "components: { vineyard: { version-file: VERSION } }";
    let sandbox = Sandbox::new(&[("release.yaml", file), ("VERSION", "\u{feff}v0.24.1\r\n")]);
    assert_eq!(sandbox.json(&["bump-vineyard", "0.24.2", "--local"]).0, 0);
    assert_eq!(sandbox.git(&["show", "gs-release/vineyard:VERSION"]), "\u{feff}v0.24.2\r\n");
    let block = "components:\n  vineyard:\n    version: |\n      v0.24.1\n";
    let sandbox = Sandbox::new(&[("release.yaml", block)]);
    assert_eq!(sandbox.json(&["bump-vineyard", "0.24.2", "--local"]).0, 0);
    assert_eq!(sandbox.git(&["show", "gs-release/vineyard:release.yaml"]), block.replace("0.24.1", "0.24.2"));
}
