use std::collections::BTreeMap;

use super::*;
use crate::github::Marker;

const TABLE: &str = include_str!("table.txt");
const COLUMNS: [&str; 6] = ["absent", "ready", "behind", "older", "newer", "taken"];

/// Cells by row and column, of each of the table's parts.
fn parts() -> Vec<(&'static str, BTreeMap<(&'static str, &'static str), &'static str>)> {
    let parts = TABLE.split("## ").skip(1).map(|part| {
        let mut lines = part.lines();
        let title = lines.next().unwrap();
        let columns: Vec<&str> = lines.next().unwrap().split('|').skip(1).map(str::trim).collect();
        let rows = lines.filter(|line| !line.is_empty()).flat_map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let row = cells.next().unwrap();
            let cells: Vec<_> =
                columns.iter().copied().zip(cells).map(|(column, cell)| ((row, column), cell)).collect();
            assert_eq!(cells.len(), columns.len(), "{line}");
            cells
        });
        (title, rows.collect())
    });
    parts.collect()
}

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

fn told(decision: &Decision) -> String {
    let steps = match decision {
        Decision::Go(steps) => steps,
        Decision::Refuse(Refusal::Taken(_)) => return "taken".into(),
        Decision::Refuse(Refusal::Newer(_)) => return "newer".into(),
        Decision::Refuse(Refusal::TurnedDown(_)) => return "turned down".into(),
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
    let parts = parts();
    let (_, without) = parts.iter().find(|(title, _)| *title == "person").unwrap();
    let wanted = version("0.24.3");
    let mut seen = 0;
    for (title, cells) in &parts {
        let intent = Intent {
            component: "vineyard",
            version: &wanted,
            tree: "wanted",
            base: "main",
            asker: if title.starts_with("schedule") { Asker::Schedule } else { Asker::Person },
            force: title.contains("--force"),
            allow_downgrade: title.contains("--allow-downgrade"),
        };
        let rows: std::collections::BTreeSet<&str> = without.keys().map(|(row, _)| *row).collect();
        for row in rows {
            for column in COLUMNS {
                let cell = cells.get(&(row, column)).unwrap_or_else(|| &without[&(row, column)]);
                let decision = decide(&standing(column), &pulls(row, column), &intent);
                assert_eq!(told(&decision), *cell, "{title}: {row}, {column}");
                seen += 1;
            }
        }
    }
    assert_eq!((parts.len(), seen), (4, 4 * 12 * 6));
}
