//! `table.txt`, taken apart.

use std::collections::BTreeMap;

const TABLE: &str = include_str!("table.txt");

/// One part of the table: who asks.
pub struct Part {
    /// `person`, `schedule`, or `person --force`.
    pub title: &'static str,
    /// What is done, by row and column.
    pub cells: BTreeMap<(&'static str, &'static str), &'static str>,
}

/// The parts, in order.
pub fn parts() -> Vec<Part> {
    TABLE.split("## ").skip(1).map(part).collect()
}

fn part(text: &'static str) -> Part {
    let mut lines = text.lines();
    let title = lines.next().unwrap();
    let columns: Vec<&str> = lines.next().unwrap().split('|').skip(1).map(str::trim).collect();
    let mut cells = BTreeMap::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let mut row = line.split('|').map(str::trim);
        let name = row.next().unwrap();
        let found: Vec<&str> = row.collect();
        assert_eq!(found.len(), columns.len(), "{line}");
        cells.extend(columns.iter().zip(found).map(|(column, cell)| ((name, *column), cell)));
    }
    Part { title, cells }
}
