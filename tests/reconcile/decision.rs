//! The decision alone, in every combination.

use std::collections::BTreeSet;

use gs_release::bump::branch::Standing;
use gs_release::bump::reconcile::{Asker, BranchStep, Intent, PullStep, Refusal, Steps, decide};
use gs_release::git::Commit;
use gs_release::github::{Marker, PullRequest, State};
use gs_release::version::Version;

use crate::table;

const COLUMNS: [&str; 6] = ["absent", "ready", "behind", "older", "newer", "taken"];

fn commit(digit: char) -> Commit {
    let id = digit.to_string().repeat(40);
    Commit { id: id.parse().unwrap(), tree: id.parse().unwrap() }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn standing(column: &str) -> Standing {
    let tip = commit('a');
    let outdated = |text| Standing::Outdated { tip, version: Some(version(text)) };
    match column {
        "absent" => Standing::Absent,
        "ready" => Standing::Ready(tip),
        "behind" => outdated("0.24.3"),
        "older" => outdated("0.24.2"),
        "newer" => outdated("0.24.5"),
        "taken" => Standing::Taken { tip, commits: vec![tip] },
        other => panic!("no column {other}"),
    }
}

/// The pull requests of `row`, whose text speaks of what the branch has or had, the newest first.
fn pulls(row: &str, column: &str) -> Vec<PullRequest> {
    let (text, tree) = match column {
        "older" => ("0.24.2", "older"),
        "newer" => ("0.24.5", "newer"),
        "behind" => ("0.24.3", "behind"),
        _ => ("0.24.3", "wanted"),
    };
    let marker = Marker {
        component: "vineyard".into(),
        version: version(text),
        tree: tree.into(),
        set_up: true,
        superseded: false,
    };
    let pull = |number: u64, state: State| PullRequest {
        number,
        url: String::new(),
        node_id: String::new(),
        title: String::new(),
        body: marker.render(),
        state,
        draft: false,
        head_branch: "gs-release/vineyard".into(),
        head_sha: commit('a').id.to_string(),
        head_message: None,
        base_branch: "main".into(),
        author: String::new(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        labels: vec![],
        reviewers: vec![],
        reviewing_teams: vec![],
        assignees: vec![],
        milestone: None,
        automerge: false,
    };
    let open = |number| pull(number, State::Open);
    let elsewhere = |number| PullRequest { base_branch: "staging".into(), ..open(number) };
    let unmarked = |pull: PullRequest| PullRequest { body: "By hand".into(), ..pull };
    match row {
        "none" => vec![],
        "open" => vec![open(1)],
        "open, marker gone" => vec![unmarked(open(1))],
        "merged" => vec![pull(1, State::Merged)],
        "merged, then pushed to" => vec![PullRequest { head_sha: "b".repeat(40), ..pull(1, State::Merged) }],
        "closed by a person" => vec![pull(1, State::Closed)],
        "closed, marker gone" => {
            let title = format!("chore: bump vineyard from 0.24.1 to {text}");
            vec![unmarked(PullRequest { title, ..pull(1, State::Closed) })]
        }
        "closed, text gone" => {
            let trailer = format!(r#"Gs-Release: {{"component":"vineyard","version":"{text}","base":"b","tree":"t"}}"#);
            let head_message = Some(format!("By hand\n\n{trailer}\n"));
            vec![unmarked(PullRequest { title: "By hand".into(), head_message, ..pull(1, State::Closed) })]
        }
        "closed, then another opened" => vec![open(2), pull(1, State::Closed)],
        "closed by the bot" => {
            let body = Marker { superseded: true, ..marker.clone() }.render();
            vec![PullRequest { body, ..pull(1, State::Closed) }]
        }
        "two open" => vec![open(2), open(1)],
        "to another base" => vec![elsewhere(1)],
        "a person's to another base" => vec![unmarked(elsewhere(1))],
        "here and to another base" => vec![elsewhere(2), open(1)],
        other => panic!("no row {other}"),
    }
}

fn told(decision: &Result<Steps, Refusal>) -> String {
    let steps = match decision {
        Ok(steps) => steps,
        Err(Refusal::Taken(_)) => return "taken".into(),
        Err(Refusal::Newer(_)) => return "newer".into(),
        Err(Refusal::TurnedDown(_)) => return "turned down".into(),
    };
    let branch = match steps.branch {
        BranchStep::Keep(_) => "keep",
        BranchStep::Move(None) => "make",
        BranchStep::Move(Some(_)) => "move",
    };
    let pull = match steps.pull {
        PullStep::Open => "open",
        PullStep::Leave(_) => "leave",
        PullStep::Update(_) => "update",
        PullStep::Retarget(_) => "retarget",
    };
    let closed: String = steps.superseded.iter().map(|pull| format!(" #{}", pull.number)).collect();
    format!("{branch} {pull}{closed}")
}

#[test]
fn every_combination_is_decided_as_the_table_says() {
    let parts = table::parts();
    let without = &parts[0].cells;
    let wanted = version("0.24.3");
    let rows: BTreeSet<&str> = without.keys().map(|(row, _)| *row).collect();
    let mut seen = 0;
    for part in &parts {
        let intent = Intent {
            component: "vineyard",
            version: &wanted,
            tree: "wanted",
            base: "main",
            asker: if part.title.starts_with("schedule") { Asker::Schedule } else { Asker::Person },
            force: part.title.contains("--force"),
            allow_downgrade: part.title.contains("--allow-downgrade"),
        };
        for row in &rows {
            for column in COLUMNS {
                let cell = part.cells.get(&(row, column)).unwrap_or_else(|| &without[&(*row, column)]);
                let decision = decide(&standing(column), &pulls(row, column), &intent);
                assert_eq!(told(&decision), *cell, "{}: {row}, {column}", part.title);
                seen += 1;
            }
        }
    }
    assert_eq!((parts[0].title, parts.len(), seen), ("person", 4, 4 * 14 * 6));
}
