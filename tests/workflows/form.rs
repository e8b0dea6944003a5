//! What may stand in a workflow, as far as the linters do not say it.

use gs_release::config::Config;

use crate::files::{jobs, read, root, steps, workflows};

#[test]
fn every_action_is_pinned_by_commit_with_its_version_beside_it() {
    for file in workflows().into_iter().chain([root().join("action.yml")]) {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: ")) {
            let pinned = line == "./" || is_pinned(line) || is_example(&file, line);
            assert!(pinned, "{}: {line}", file.display());
        }
    }
}

fn is_pinned(used: &str) -> bool {
    let Some((action, version)) = used.split_once(" # v") else { return false };
    let commit = action.split_once('@').map(|(_, commit)| commit).unwrap_or_default();
    commit.len() == 40
        && commit.bytes().all(|b| b.is_ascii_hexdigit())
        && version.starts_with(|c: char| c.is_ascii_digit())
}

/// An example uses this action by its release; whoever copies it writes the owner, and the commit of the release they take.
fn is_example(file: &std::path::Path, used: &str) -> bool {
    file.starts_with(root().join("docs")) && used == ACTION
}

/// This action as the documentation names it: there is no tag but those of releases.
const ACTION: &str = concat!("alibaba/gs-release@v", env!("CARGO_PKG_VERSION"));

#[test]
fn the_documentation_names_the_action_by_its_release() {
    let pages = ["README.md", "docs/github.md", "docs/check.md", "docs/examples/graphscope/README.md"];
    let texts = pages.map(|page| std::fs::read_to_string(root().join(page)).unwrap());
    let mentions = texts.iter().flat_map(|text| text.match_indices("/gs-release@").map(move |(at, _)| &text[at..]));
    let others: Vec<&str> = mentions
        .map(|rest| &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())])
        .filter(|mention| !ACTION.ends_with(mention.trim_end_matches('`')))
        .collect();
    assert!(others.is_empty(), "{ACTION}: {others:?}");
}

#[test]
fn no_expression_is_part_of_a_shell_line() {
    for step in steps() {
        let run = step.text("run").unwrap_or_default();
        assert!(!run.contains("${{"), "{}: {run}", step.file.display());
    }
}

#[test]
fn every_job_has_a_time_limit_and_permissions_of_its_own() {
    for file in workflows() {
        let workflow = read(&file);
        assert!(workflow["permissions"].as_mapping().is_some_and(|all| all.is_empty()), "{}", file.display());
        assert!(workflow.get("concurrency").is_some(), "{}", file.display());
        for (name, job) in jobs(&workflow) {
            assert!(job["timeout-minutes"].as_u64().is_some(), "{}: {name}", file.display());
            assert!(job["permissions"].as_mapping().is_some(), "{}: {name}", file.display());
        }
    }
}

#[test]
fn nothing_but_the_tests_is_ever_cancelled() {
    for file in workflows().into_iter().filter(|file| !file.ends_with("ci.yml")) {
        assert_eq!(read(&file)["concurrency"]["cancel-in-progress"].as_bool(), Some(false), "{}", file.display());
    }
}

#[test]
fn every_config_of_an_example_is_one_and_names_a_workflow() {
    for example in std::fs::read_dir(root().join("docs/examples")).unwrap() {
        for file in std::fs::read_dir(example.unwrap().path()).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "yaml") {
                let config = Config::parse(&file.to_string_lossy(), &std::fs::read(&file).unwrap()).unwrap();
                assert!(config.build.actions.is_some(), "{}", file.display());
            }
        }
    }
}

#[test]
fn the_phase_builds_of_the_example_are_those_of_this_repository() {
    let runs = |file: &str| {
        let workflow = read(&root().join(file));
        let jobs: Vec<_> = jobs(&workflow).map(|(name, job)| (name.to_owned(), job["permissions"].clone())).collect();
        let lines: Vec<_> = steps()
            .iter()
            .filter(|step| step.file == root().join(file))
            .filter_map(|step| Some(step.text("run")?.to_owned()))
            .collect();
        (jobs, lines)
    };
    let here = runs(".github/workflows/build-images.yml");
    assert_eq!(runs("docs/examples/graphscope/.github/workflows/build-images.yml"), here);
}

#[test]
fn the_phase_builds_take_what_the_engine_sends_and_carry_the_request_in_their_name() {
    let workflow = read(&root().join(".github/workflows/build-images.yml"));
    let inputs = workflow["on"]["workflow_dispatch"]["inputs"].as_mapping().unwrap();
    let names: Vec<&str> = inputs.keys().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, ["phase", "commit", "request"]);
    assert!(workflow["run-name"].as_str().unwrap().contains("${{ inputs.request }}"));
    assert_eq!(workflow["jobs"]["next"]["if"], "always()");
}
