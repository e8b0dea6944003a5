//! Whatever the bytes are: no panic, and every fault has a place in the text.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::config::Config;

/// Reads `bytes`, and holds what is told about them against the text.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Err(error) = Config::parse("release.yaml", bytes) {
        prop_assert!(!error.faults.is_empty(), "{}", error.message);
        for fault in &error.faults {
            prop_assert!(fault.text.get(fault.span.clone()).is_some(), "{:?}: {}", fault.span, fault.message);
        }
    }
    Ok(())
}

/// Pieces of which valid and nearly valid files are made.
fn scraps() -> impl Strategy<Value = String> {
    let words = vec![
        "components:",
        "phases:",
        "images:",
        "tags:",
        "sites:",
        "files:",
        "version: 0.24.2",
        "\n",
        "\r\n",
        "\n  ",
        "\n    - ",
        "\t",
        "&a ",
        "*a",
        "!t ",
        "\u{feff}",
        "---",
        "...",
        "{vineyard}",
        "<<: ",
    ];
    let scrap = prop_oneof![
        proptest::sample::select(words).prop_map(str::to_owned),
        "[-:,{}\\[\\]!|>%@`'\"#? \r\n]",
        "\\PC{0,4}",
    ];
    proptest::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

/// A change to the bytes of a file.
#[derive(Debug, Clone)]
enum Change {
    Delete(Index, usize),
    Duplicate(Index, usize),
    Insert(Index, Vec<u8>),
    DeleteLine(Index),
    DuplicateLine(Index, Index),
}

fn changes() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 1..40usize).prop_map(|(at, len)| Change::Delete(at, len)),
        (at(), 1..40usize).prop_map(|(at, len)| Change::Duplicate(at, len)),
        (at(), scraps()).prop_map(|(at, text)| Change::Insert(at, text.into_bytes())),
        (at(), proptest::collection::vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        at().prop_map(Change::DeleteLine),
        (at(), at()).prop_map(|(from, to)| Change::DuplicateLine(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let place = |at: &Index| at.index(bytes.len() + 1);
    let line = |at: &Index| {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        let before = if lines.is_empty() { 0 } else { at.index(lines.len()) };
        let start: usize = lines.iter().take(before).map(|line| line.len()).sum();
        start..start + lines.get(before).map_or(0, |line| line.len())
    };
    let (range, with) = match change {
        Change::Delete(at, len) => (place(at)..(place(at) + len).min(bytes.len()), Vec::new()),
        Change::Duplicate(at, len) => {
            let copied = bytes[place(at)..(place(at) + len).min(bytes.len())].to_vec();
            (place(at)..place(at), copied)
        }
        Change::Insert(at, inserted) => (place(at)..place(at), inserted.clone()),
        Change::DeleteLine(at) => (line(at), Vec::new()),
        Change::DuplicateLine(from, to) => (line(to).start..line(to).start, bytes[line(from)].to_vec()),
    };
    bytes.splice(range, with);
}

const OWN: &[u8] = include_bytes!("../../../release.yaml");
const EXAMPLE: &[u8] = include_bytes!("design.yaml");

proptest! {
    #[test]
    fn arbitrary_text_is_read_or_refused_with_places(text in prop_oneof![scraps(), ".*", "(?s).*"]) {
        check(text.as_bytes())?;
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused_with_places(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_damaged_file_is_read_or_refused_with_places(
        original in prop_oneof![Just(OWN), Just(EXAMPLE)],
        changes in proptest::collection::vec(changes(), 1..6),
    ) {
        let mut bytes = original.to_vec();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        check(&bytes)?;
    }
}
