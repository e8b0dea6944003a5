//! What is said about values that a config cannot have: at their place, all in one run.

use super::{faults_of, with_component, with_image};

/// Asserts that the component with `line` added has one fault, told as `expected`, at the value of `line`.
fn refused_in_component(cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let found = faults_of(&with_component(&format!("version: 0.24.2\n{line}")));
        assert_eq!(found.len(), 1, "{line}: {found:#?}");
        assert!(found[0].starts_with("4:") && found[0].contains(expected), "{line}: {found:#?}");
    }
}

fn refused_in_site(cases: &[(&str, &str)]) {
    let sites: Vec<(String, &str)> =
        cases.iter().map(|(site, expected)| (format!("sites: [{{ {site} }}]"), *expected)).collect();
    refused_in_component(&sites.iter().map(|(line, expected)| (&**line, *expected)).collect::<Vec<_>>());
}

/// The same for an image, which has a Dockerfile and a tag unless `line` gives one.
fn refused_in_image(cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let rest = ["dockerfile: Dockerfile", "tags: ['v{vineyard}']"];
        let rest = rest.iter().filter(|other| other.split(':').next() != line.split(':').next());
        let lines: Vec<&str> = std::iter::once(*line).chain(rest.copied()).collect();
        let found = faults_of(&with_image(&lines.join("\n")));
        assert_eq!(found.len(), 1, "{line}: {found:#?}");
        assert!(found[0].starts_with("8:") && found[0].contains(expected), "{line}: {found:#?}");
    }
}

/// The same for a line at the top, beside a valid component.
fn refused_at_top(cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let found = faults_of(&format!("{line}\ncomponents: {{ a: {{ version: 1.0.0 }} }}\n"));
        assert_eq!(found.len(), 1, "{line}: {found:#?}");
        assert!(found[0].starts_with("1:") && found[0].contains(expected), "{line}: {found:#?}");
    }
}

#[test]
fn faults_of_shape_and_of_rules_are_told_in_one_run_in_the_order_of_the_file() {
    let text = "bse: main
components:
  v:
    version: 0.24
    sites:
      - { files: a, agr: X }
      - { files: ../a, whole: true }
      - { files: a, arg: A, env: B }
    update: { minimum-age: soon }
  v: { version: 0.24.2 }
phases:
  - name: p
    component: w
    images:
      i: { dockerfile: d, tags: [latest, '{vv}'] }
";
    assert_eq!(
        faults_of(text),
        [
            "1:1 unknown key `bse` | did you mean `base`?",
            "4:14 `version` must be a string, not a number | a version has three parts, such as `0.24.2`",
            "6:21 unknown key `agr` | did you mean `arg`?",
            "7:18 the glob `../a` leads out of the repository | paths are relative to the root of the repository",
            "8:29 the site has `arg` already, and can have only one form | write a site of its own for each form",
            "9:28 `soon` is not an age | write minutes, hours or days: 90m, 24h, 3d",
            "10:3 duplicate key `v` | it is given on line 3 already",
            "13:16 there is no component `w` | did you mean `v`?",
            "15:42 there is no component `vv` | did you mean `v`?",
        ]
    );
}

#[test]
fn a_key_without_a_value_is_told_at_the_key() {
    for (key, expected) in [
        ("pull-request", "1:1 `pull-request` has no value | give it a mapping, or remove the key"),
        ("phases", "1:1 `phases` has no value | give it a list, or remove the key"),
        ("base", "1:1 `base` has no value | give it a string, or remove the key"),
    ] {
        assert_eq!(faults_of(&format!("{key}:\ncomponents: {{ a: {{ version: 1.0.0 }} }}\n")), [expected]);
    }
}

#[test]
fn what_is_missing_is_told_where_it_belongs() {
    assert_eq!(faults_of("base: main\n").len(), 1);
    assert!(faults_of("base: main\n")[0].starts_with("1:1 the file lacks the key `components` | "));
    let found = faults_of("components: { a: {} }\nphases:\n  - images: { i: {} }\n");
    let expected = [
        "1:15 `a` has neither `version` nor `version-file`",
        "2:1 phases need a `registry`",
        "3:5 an entry of `phases` lacks the key `name`",
        "3:5 an entry of `phases` lacks the key `component`",
        "3:15 `i` lacks the key `dockerfile`",
        "3:15 `i` lacks the key `tags`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for expected in expected {
        assert!(found.iter().any(|fault| fault.starts_with(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn a_value_of_another_type_is_told_with_its_remedy() {
    refused_at_top(&[
        ("base: 1.0", "`base` must be a string, not a number | quote it: \"1.0\""),
        ("base: true", "`base` must be a string, not the boolean true | quote it: \"true\""),
        ("platforms: linux/amd64", "`platforms` must be a list, not a string | write it as a list: [linux/amd64]"),
        ("build: { engine: docker }", "`engine` cannot be `docker` | one of: buildx, actions"),
        ("build: { engine: action }", "did you mean `actions`?"),
        ("build: { parallel: 0 }", "`parallel` must be from 1 to 1000"),
        ("build: { parallel: 1.5 }", "`parallel` must be a whole number"),
    ]);
    refused_in_image(&[("args: { JOBS: 4 }", "`JOBS` must be a string, not a number | quote it: \"4\"")]);
}

#[test]
fn names_at_the_top_must_be_what_they_name() {
    refused_at_top(&[
        ("repository: GraphScope", "`GraphScope` is not the name of a GitHub repository | write it as owner/name"),
        ("repository: https://github.com/alibaba/GraphScope.git", "| write `alibaba/GraphScope`"),
        ("repository: 'Dev:latest'", "is not the name of a GitHub repository"),
        ("base: 'a b'", "`a b` is not the name of a branch"),
        ("base: a..b", "is not the name of a branch"),
        ("base: x.lock", "is not the name of a branch"),
        ("base: -x", "is not the name of a branch"),
        ("base: ''", "is not the name of a branch"),
        ("registry: graphscope", "`graphscope` is not a registry | write host[:port]/path"),
        ("registry: https://example.com/a/", "is a URL, not a registry | write `example.com/a`"),
        ("registry: example.com/Graph", "is not a registry"),
        ("registry: 'example.com:x/a'", "is not a registry"),
        ("registry: ''", "is not a registry"),
        ("registry-aliases: [example.com/a, b]", "`b` is not a registry"),
        ("platforms: []", "there is no platform"),
        ("platforms: [linux/x86_64]", "| write `linux/amd64`"),
        ("platforms: [amd64]", "| write `linux/amd64`"),
        ("platforms: [linux/amd64, linux/amd64]", "`linux/amd64` is given twice"),
        ("ignore: [docs/]", "the glob `docs/` selects no file | write `docs/**` for all files in the directory"),
        ("ignore: ['!docs/a']", "`!docs/a` excludes, which works only in"),
        ("pull-request: { labels: [''] }", "cannot be a name"),
        ("pull-request: { reviewers: ['@octocat'] }", "| write `octocat`"),
        ("pull-request: { milestone: ' x' }", "cannot be a name"),
        ("build: { buildx: { builder: '' } }", "cannot be a name"),
        ("build: { actions: { workflow: a/b.yml } }", "is not the file name of a workflow"),
    ]);
    for registry in ["localhost/a", "127.0.0.1:5000/graphscope", "registry.example.com", "example.com/a/b-c__d.e"] {
        super::config(&format!("registry: '{registry}'\ncomponents: {{ a: {{ version: 1.0.0 }} }}\n"));
    }
}

#[test]
fn a_component_has_a_name_for_branches_and_templates() {
    for name in ["arch", "version", "x.lock", "a..b", "a.", "-a", ".a", "a/b", "a b", "''", "HEAD"] {
        let found = faults_of(&format!("components:\n  {name}: {{ version: 1.0.0 }}\n"));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with("2:3 ") && found[0].contains("cannot be"), "{name}: {found:?}");
    }
    for name in ["v6d", "GraphScope", "a.b", "a_b-c", "0x"] {
        super::config(&format!("components:\n  {name}: {{ version: 1.0.0 }}\n"));
    }
}

#[test]
fn a_component_has_one_version() {
    assert!(faults_of("components: {}\n")[0].starts_with("1:1 there is no component"));
    assert_eq!(
        faults_of(&with_component("version: 0.24.2\nversion-file: V")),
        ["4:5 `vineyard` has both `version` and `version-file` | keep the one that tells the current version"]
    );
    for (line, expected) in [
        ("version: 0.24.2.1", "3:14 `0.24.2.1` is not a version: it has 4 parts instead of three"),
        ("version: latest", "3:14 `latest` is not a version"),
        ("version-file: ../V", "3:19 `../V` leads out of the repository"),
        ("version-file: .", "3:19 `.` is a directory, not a file"),
        ("version-file: ''", "3:19 the path is empty"),
    ] {
        let found = faults_of(&with_component(line));
        assert!(found.len() == 1 && found[0].starts_with(expected), "{line}: {found:?}");
    }
    refused_in_component(&[
        ("tag: v", "`v` must hold `{version}` once"),
        ("tag: '{version}-{arch}'", "must hold `{version}` once"),
        ("upstream: { github: v6d }", "is not the name of a GitHub repository"),
        ("upstream: {}", "`upstream` names neither `github` nor `pypi`"),
        ("upstream: { pypi: [] }", "`upstream` names neither `github` nor `pypi`"),
        ("upstream: { pypi: [vineyard, vineyard==1] }", "`vineyard==1` is not the name of a project"),
        ("upstream: { pypi: [-vineyard] }", "`-vineyard` is not the name of a project"),
        ("update: { allow: soon }", "`soon` is neither a version nor a requirement"),
        ("update: { ignore: [0.24.3, 0.24.x] }", "`0.24.x` is not a version"),
        ("update: { minimum-age: 1000000d }", "is not an age"),
    ]);
}

#[test]
fn a_site_says_one_thing_that_can_be_found() {
    refused_in_site(&[
        ("files: a", "the site does not say what is the version"),
        ("files: a, arg: $X", "`$X` is not the name of a variable"),
        ("files: a, env: 'A=1'", "`A=1` is not the name of a variable"),
        ("files: a, arg: ''", "is not the name of a variable"),
        ("files: a, image: 'g/dev:v1'", "is more than the name of a repository | write `g/dev`"),
        ("files: a, image: example.com/g/dev", "holds the registry `example.com` | write `g/dev`"),
        ("files: a, image: G/Dev", "is not the name of a repository"),
        ("files: a, path: a..b", "`a..b` is not a path: a key is empty"),
        ("files: a, regex: x", "has no group `version` | put the version in a named group"),
        ("files: a, regex: '(?<patch>1)(?<version>x)'", "has both a group `version` and a group `patch`"),
        ("files: a, regex: '(?<patch>1)(?<patch>x)'", "does not compile: duplicate capture group name"),
        ("files: a, regex: '('", "does not compile: unclosed group"),
        ("files: a, whole: false", "`whole` can only be true"),
        ("files: a, whole: true, expect: 0", "`expect` must be from 1"),
        ("files: docs/, whole: true", "| write `docs/**` for all files in the directory"),
        ("files: '!a', whole: true", "there is no glob that selects a file"),
        ("files: [], whole: true", "there is no glob that selects a file"),
        ("files: '', whole: true", "the glob `` is empty"),
    ]);
}

#[test]
fn a_bad_glob_is_told_at_the_glob_wherever_it_stands_in_the_list() {
    let found = faults_of(&with_component(
        "version: 0.24.2\nsites:\n  - whole: true\n    files:\n      - a\n      - '!b/'\n      - c\n      - 'd/['\n      - '!/e'",
    ));
    let starts = ["8:13 the glob `b/` selects", "10:13 the glob `d/[` is malformed", "11:13 the glob `/e` leads out"];
    assert_eq!(found.len(), 3, "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found}");
    }
}

#[test]
fn an_image_is_made_of_files_of_the_tree() {
    refused_in_image(&[
        ("dockerfile: ''", "the path is empty"),
        ("dockerfile: .", "is a directory, not a file"),
        ("dockerfile: dockerfiles/", "is a directory, not a file"),
        ("dockerfile: ../Dockerfile", "leads out of the repository"),
        ("context: ../x", "leads out of the repository"),
        ("context: /x", "leads out of the repository"),
        ("context: ''", "the path is empty | write `.` for the root of the repository"),
        ("target: ''", "cannot be a name"),
        ("args: { 'A B': x }", "`A B` is not the name of a variable"),
        ("args: { A: '{vineyrd}' }", "there is no component `vineyrd` | did you mean `vineyard`?"),
        ("args: { A: 'v{vineyard' }", "has a `{` that belongs to no place"),
        ("repository: 'Dev:latest'", "is not the name of a repository"),
        ("repository: 'dev:latest'", "is more than the name of a repository | write `dev`"),
        ("repository: Dev", "is not the name of a repository"),
        ("platforms: [linux/arm64]", "`linux/arm64` is not among the platforms of this file"),
        ("platforms: [linux/amd64, linux/amd64]", "`linux/amd64` is given twice"),
    ]);
    for name in ["Dev", "a/b", "a:b", "''", "a..b"] {
        let text = with_image("dockerfile: D\ntags: ['{vineyard}']").replace("dev:", &format!("{name}:"));
        let found = faults_of(&text);
        assert!(found.len() == 1 && found[0].starts_with("7:7 "), "{name}: {found:?}");
    }
}

#[test]
fn tags_can_be_tags_and_one_of_them_holds_a_version() {
    refused_in_image(&[
        ("tags: [latest]", "none of the tags holds a version | add one with the version of a component"),
        ("tags: []", "none of the tags holds a version"),
        ("tags: ['{vineyard}', 'a b']", "`a b` cannot be the tag of an image"),
        ("tags: ['-{vineyard}']", "cannot be the tag of an image"),
        ("tags: ['{vineyard}', '']", "cannot be the tag of an image"),
        ("tags: ['gsr-{vineyard}']", "starts with `gsr-`"),
        ("tags: ['{vineyard}-{arch}']", "cannot hold `{arch}`"),
        ("tags: ['v{version}']", "does not say of which component | write the name of one: vineyard"),
        ("tags: ['{vineyard}', '{vineyard}']", "`dev:{vineyard}` is published already | the first is on line 8"),
    ]);
}

#[test]
fn a_named_context_is_a_directory_an_image_or_a_repository_at_a_ref() {
    refused_in_image(&[
        ("contexts: { source: ../x }", "leads out of the repository"),
        ("contexts: { source: '' }", "the path is empty"),
        ("contexts: { source: 'docker-image://A b' }", "names no image"),
        ("contexts: { source: 'https://github.com/a/b.git' }", "does not say what to fetch"),
        ("contexts: { source: 'ssh://example.com/a.git#v1' }", "is not a source of a context"),
        ("contexts: { source: 'git@github.com:a/b.git' }", "is not a source of a context"),
        ("contexts: { source: 'https://github.com/a/b.git#v{x}' }", "there is no component `x`"),
        ("contexts: { 'So urce': x }", "cannot be the name of a context"),
        ("contexts: { '': x }", "cannot be the name of a context"),
    ]);
}

#[test]
fn nothing_is_there_twice_across_phases() {
    let text = "components: { a: { version: 1.0.0 } }
registry: example.com/g
phases:
  - name: p
    component: a
    images:
      i: { dockerfile: D, tags: ['{a}'] }
      j: { dockerfile: D, tags: ['{a}', latest] }
  - name: p
    component: a
    images:
      i: { dockerfile: D, tags: ['x{a}'] }
      k: { dockerfile: D, repository: j, tags: ['x{a}', latest] }
";
    assert_eq!(
        faults_of(text),
        [
            "9:11 there is a phase `p` already | the first is on line 4",
            "12:7 there is an image `i` already | the first is on line 7",
            "13:57 `j:latest` is published already | the first is on line 8",
        ]
    );
}

#[test]
fn a_phase_without_an_image_is_told() {
    let text = "components: { a: { version: 1.0.0 } }\nregistry: example.com/g\nphases: [{ name: p, component: a, images: {} }]\n";
    assert_eq!(faults_of(text), ["3:35 the phase has no image | name one, or remove the phase"]);
}

#[test]
fn the_tag_that_triggers_a_phase_holds_a_version() {
    let text = |tag: &str| {
        let image = with_image("dockerfile: D\ntags: ['{vineyard}']");
        format!("{image}    trigger: {{ tag: '{tag}' }}\n")
    };
    super::config(&text("v{vineyard}"));
    for (tag, expected) in [
        ("v1", "`v1` holds no version"),
        ("a b{vineyard}", "cannot be a tag of git"),
        ("v{x}", "there is no component `x`"),
        ("{arch}{vineyard}", "cannot hold `{arch}`"),
    ] {
        let found = faults_of(&text(tag));
        assert!(found.len() == 1 && found[0].contains(expected), "{tag}: {found:?}");
    }
}

#[test]
fn inputs_of_a_workflow_name_components_and_what_is_asked_for() {
    let text = |trigger: &str| {
        let image = with_image("dockerfile: D\ntags: ['{vineyard}']");
        format!("{image}    trigger: {trigger}\n")
    };
    for (trigger, expected) in [
        ("{ inputs: { a: '{vinyard}' } }", "there is no component `vinyard` | did you mean `vineyard`?"),
        ("{ inputs: { a: '{arch}' } }", "an input cannot hold `{arch}`"),
        ("{ workflow: .github/workflows/a.yml }", "is not the file name of a workflow"),
        ("{ tag: 'v{vineyard}', inputs: { a: b } }", "a workflow that a tag starts takes no inputs"),
    ] {
        let found = faults_of(&text(trigger));
        assert!(found.len() == 1 && found[0].contains(expected), "{trigger}: {found:?}");
    }
}

#[test]
fn engine_actions_needs_a_workflow_for_each_phase() {
    let with_engine = |trigger: &str| {
        let image = with_image("dockerfile: D\ntags: ['{vineyard}']");
        format!("{image}{trigger}build: {{ engine: actions }}\n")
    };
    super::config(&with_engine("    trigger: { tag: 'v{vineyard}', workflow: build.yml }\n"));
    assert_eq!(
        faults_of(&with_engine("")),
        [
            "10:18 engine `actions` needs `actions` | name the workflow that builds a phase: `actions: { workflow: build-images.yml }`"
        ]
    );
}

#[test]
fn a_finding_is_ignored_by_its_code_and_with_a_reason() {
    refused_at_top(&[
        ("check: { ignore: [{ files: a, reason: r }] }", "lacks the key `code`"),
        (
            "check: { ignore: [{ code: untraked, files: a, reason: r }] }",
            "cannot be `untraked` | did you mean `untracked`?",
        ),
        ("check: { ignore: [{ code: unused-ignore, files: a, reason: r }] }", "`unused-ignore` cannot be ignored"),
        ("check: { ignore: [{ code: drift, reason: r }] }", "lacks the key `files`"),
        ("check: { ignore: [{ code: drift, files: ../a, reason: r }] }", "leads out of the repository"),
        ("check: { ignore: [{ code: drift, files: a }] }", "lacks the key `reason`"),
        ("check: { ignore: [{ code: drift, files: a, reason: ' ' }] }", "the reason is empty"),
        ("check: { ignore: [{ code: drift, files: a, reason: r, line-contains: '' }] }", "cannot be a name"),
    ]);
}
