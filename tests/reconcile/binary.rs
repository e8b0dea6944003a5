//! The whole table through the real binary.

use gs_release::github::Marker;
use serde_json::json;

use crate::fake::Pull;
use crate::stage::{WANTED, World, each, scene};
use crate::table;

/// The pull requests of a row.
fn pulls(row: &str, pull: Pull) -> Vec<Pull> {
    let nth = |number: u64| Pull { number, ..pull.clone() };
    let elsewhere = |number| Pull { base: "staging".into(), ..nth(number) };
    let unmarked = |pull: Pull| Pull { body: "By hand".into(), ..pull };
    match row {
        "none" => vec![],
        "open" => vec![nth(1)],
        "open, marker gone" => vec![unmarked(nth(1))],
        "merged" => vec![Pull { open: false, merged: true, ..nth(1) }],
        "merged, then pushed to" => {
            vec![Pull { open: false, merged: true, head_sha: "b".repeat(40), ..nth(1) }]
        }
        "closed by a person" => vec![Pull { open: false, ..nth(1) }],
        "closed, marker gone" => vec![unmarked(Pull { open: false, ..nth(1) })],
        "closed, text gone" => vec![unmarked(Pull { open: false, title: "By hand".into(), ..nth(1) })],
        "closed, then another opened" => vec![Pull { open: false, ..nth(1) }, nth(2)],
        "closed by the bot" => {
            let marker = Marker { superseded: true, ..Marker::parse(&pull.body).unwrap() };
            vec![Pull { open: false, body: marker.put_in(&pull.body), ..nth(1) }]
        }
        "two open" => vec![nth(1), nth(2)],
        "to another base" => vec![elsewhere(1)],
        "a person's to another base" => vec![unmarked(elsewhere(1))],
        "here and to another base" => vec![nth(1), elsewhere(2)],
        other => panic!("no row {other}"),
    }
}

struct Case {
    about: String,
    options: Vec<&'static str>,
    row: &'static str,
    column: &'static str,
    cell: &'static str,
}

impl Case {
    fn run(&self) {
        let about = &self.about;
        let world = World::at(self.column, |pull| pulls(self.row, pull));
        let (tip, before) = (world.tip(), world.pulls());
        let (code, told) = world.bump(&self.options);
        let after = world.pulls();
        if ["taken", "newer"].contains(&self.cell) {
            assert_eq!((code, world.tip()), (3, tip), "{about}: {told}");
            let message = told["error"]["message"].as_str().unwrap();
            let expected = if self.cell == "taken" { "not gs-release's" } else { "brings vineyard 0.24.5 already" };
            assert!(message.contains(expected), "{about}: {message}");
            let is_told = |pull: &Pull| pull.open && pull.base == "main" && self.cell == "taken";
            let newest = before.iter().filter(|pull| is_told(pull)).map(|pull| pull.number).max();
            for (old, new) in before.iter().zip(&after) {
                assert_eq!(new.comments.len(), usize::from(newest == Some(new.number)), "{about}: {:?}", new.comments);
                assert_eq!(text_of(old), text_of(new), "{about}");
            }
            assert_eq!(before.len(), after.len(), "{about}");
            return;
        }
        assert_eq!(code, 0, "{about}: {told}");
        let mut words = self.cell.split(' ');
        let (branch, pull, closed) = (words.next().unwrap(), words.next().unwrap(), words.next());
        self.check_branch(&world, branch, tip);
        let number = self.check_pull(&world, pull, &before, &told);
        self.check_others(&before, &after, number, closed);
        world.fake.take_writes();
        let (code, again) = world.bump(&self.options);
        assert_eq!((code, &again["pull-request"]["action"]), (0, &json!("unchanged")), "{about}, again: {again}");
        assert_eq!(world.fake.take_writes(), [""; 0], "{about}, again");
    }

    fn check_branch(&self, world: &World, step: &str, before: Option<String>) {
        let about = &self.about;
        let tip = world.tip().unwrap();
        assert_eq!(step == "make", before.is_none(), "{about}");
        assert_eq!(step == "keep", before.as_ref() == Some(&tip), "{about}: {before:?} -> {tip}");
        assert_eq!(world.content(&tip), world.content(scene("ready").tip.as_ref().unwrap()), "{about}");
    }

    /// Returns the number of the pull request that it is now.
    fn check_pull(&self, world: &World, step: &str, before: &[Pull], told: &serde_json::Value) -> u64 {
        let about = &self.about;
        let number = told["pull-request"]["number"].as_u64().unwrap();
        let pulls = world.pulls();
        let now = pulls.iter().find(|pull| pull.number == number).unwrap();
        let old = before.iter().find(|pull| pull.number == number);
        let action = match step {
            "open" => "created",
            "leave" if before.iter().filter(|pull| pull.open).count() == 1 => "unchanged",
            _ => "updated",
        };
        assert_eq!(told["pull-request"]["action"], action, "{about}: {told}");
        assert_eq!(old.is_none(), step == "open", "{about}");
        assert!(now.open && now.base == "main" && now.title.ends_with(&format!("to {WANTED}")), "{about}: {now:?}");
        assert!(now.body.contains(&format!(r#""version":"{WANTED}""#)), "{about}: {}", now.body);
        match (step, old) {
            ("leave", Some(old)) => assert_eq!(text_of(old), text_of(now), "{about}"),
            ("retarget", Some(old)) => assert_eq!(old.base, "staging", "{about}"),
            _ => {}
        }
        number
    }

    fn check_others(&self, before: &[Pull], after: &[Pull], number: u64, closed: Option<&str>) {
        let about = &self.about;
        let closed: Option<u64> = closed.map(|number| number.trim_start_matches('#').parse().unwrap());
        for old in before.iter().filter(|pull| pull.number != number) {
            let new = after.iter().find(|pull| pull.number == old.number).unwrap();
            if closed == Some(old.number) {
                assert!(!new.open && Marker::parse(&new.body).unwrap().superseded, "{about}: {new:?}");
                let [(_, comment)] = new.comments.as_slice() else { panic!("{about}: {:?}", new.comments) };
                assert!(comment.contains(&format!("#{number}")), "{about}: {comment}");
            } else {
                assert_eq!((text_of(old), old.open, &old.base), (text_of(new), new.open, &new.base), "{about}");
                assert!(new.comments.is_empty(), "{about}: {:?}", new.comments);
            }
        }
        assert_eq!(after.iter().filter(|pull| pull.open && pull.base == "main").count(), 1, "{about}");
    }
}

fn text_of(pull: &Pull) -> (&str, &str) {
    (&pull.title, &pull.body)
}

#[test]
fn every_row_is_carried_out_as_the_table_says_and_twice_is_as_once() {
    let mut cases = Vec::new();
    for part in table::parts().into_iter().filter(|part| part.title.starts_with("person")) {
        let options: Vec<&str> = part.title.split(' ').skip(1).collect();
        for ((row, column), cell) in part.cells {
            // GitHub closes what is open when its branch is deleted
            if column == "absent" && pulls(row, scene_pull()).iter().any(|pull| pull.open) {
                continue;
            }
            let about = format!("{}: {row}, {column}: {cell}", part.title);
            cases.push(Case { about, options: options.clone(), row, column, cell });
        }
    }
    assert!(cases.len() > 100);
    each(&cases, Case::run);
}

fn scene_pull() -> Pull {
    Pull { open: true, body: scene("ready").body, ..Pull::default() }
}

#[test]
fn whose_work_is_on_the_branch_is_told_by_trailer_parent_and_tree() {
    let scenes = [
        ("conflicting", "move update"),
        ("base merged in", "move update"),
        ("base merged in and edited", "taken"),
        ("rebased by a person", "taken"),
        ("amended by a person", "taken"),
    ];
    each(&scenes, |(column, cell)| {
        let about = format!("{column}: {cell}");
        Case { about, options: vec![], row: "open", column, cell }.run();
    });
}
