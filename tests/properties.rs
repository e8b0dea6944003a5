//! What holds for edits in any file: nothing outside their ranges changes, and there and back again is the identity.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::sync::LazyLock;

use gs_release::config::Config;
use gs_release::edit::{EditPlan, Reading, Scanner, prove};
use gs_release::version::Version;
use proptest::prelude::*;

const CONFIG: &str = r#"
components:
  vineyard:
    version: 0.24.1
    sites:
      - { files: "*Dockerfile", arg: V }
      - { files: "*Dockerfile", env: V }
      - { files: "*", image: g/dev }
      - { files: "*.sh", regex: 'V=["'']?v?(?<version>[0-9A-Za-z.-]+)' }
      - { files: "*.bare", whole: true }
"#;

static PARSED: LazyLock<Config> = LazyLock::new(|| Config::parse("release.yaml", CONFIG.as_bytes()).unwrap());

/// Lines that carry versions, and lines that only look like it.
fn line() -> impl Strategy<Value = String> {
    let version =
        prop_oneof!["0\\.24\\.[0-9]", "v0\\.2[0-4]\\.[0-9]{1,2}(-amd64)?", "0\\.24\\.1a2024", "latest", "\\$X", ""];
    let value =
        (version, prop_oneof![Just(""), Just("\""), Just("'")]).prop_map(|(v, quote)| format!("{quote}{v}{quote}"));
    let keyword = prop_oneof![
        Just("ARG V="),
        Just("arg\tA=1 V="),
        Just("ENV V="),
        Just("FROM g/dev:"),
        Just("FROM r.example.com:5000/g/dev:wheel-"),
        Just("COPY --from=g/dev:"),
        Just("FROM other/g/dev:"),
        Just("# V="),
        Just("V="),
        Just("RUN echo "),
    ];
    (keyword, value).prop_map(|(keyword, value)| format!("{keyword}{value}"))
}

fn file() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop_oneof![Just("a.Dockerfile"), Just("b.sh"), Just("c.yml"), Just("d.bare")];
    let lines = proptest::collection::vec(line(), 0..8);
    let rubbish = proptest::collection::vec(any::<u8>(), 0..12);
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    (name, lines, end, rubbish, any::<bool>()).prop_map(|(name, lines, end, rubbish, bom)| {
        let mut bytes = if bom { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        bytes.extend(lines.join(end).into_bytes());
        if name != "a.Dockerfile" {
            bytes.extend(rubbish);
        }
        (name.to_owned(), bytes)
    })
}

/// The edits of a bump to `target`, and the result; `None` where the file is refused, which changes nothing either.
fn bumped(from: &str, target: &str, path: &str, bytes: &[u8]) -> Option<(EditPlan, Vec<u8>)> {
    let (from, target): (Version, Version) = (from.parse().unwrap(), target.parse().unwrap());
    let config = &*PARSED;
    let component = config.component("vineyard").unwrap();
    let scanner = Scanner::new(config, component, &from, None);
    let scan = scanner.scan(path, bytes).ok()?;
    let places = scan.places.iter().filter(|(_, place)| matches!(place.reading, Reading::Version(_))).count();
    let mut plan = EditPlan::new(&scanner);
    plan.add(&scanner, &target, path, bytes, scan).ok()?;
    let after = plan.apply(path, bytes).unwrap();
    let again = Scanner::new(config, component, &target, None);
    prove(&again, &target, path, places, &after).ok()?;
    Some((plan, after))
}

proptest! {
    #[test]
    fn an_edit_changes_its_own_bytes_and_no_other((path, bytes) in file()) {
        if let Some((plan, after)) = bumped("0.24.1", "0.125.0-rc.1", &path, &bytes) {
            let (mut old_at, mut new_at) = (0, 0);
            for edit in plan.edits_of(&path) {
                let kept = edit.range.start - old_at;
                prop_assert_eq!(&after[new_at..new_at + kept], &bytes[old_at..edit.range.start]);
                prop_assert_eq!(&bytes[edit.range.clone()], edit.old.as_bytes());
                new_at += kept;
                prop_assert_eq!(&after[new_at..new_at + edit.new.len()], b"0.125.0-rc.1");
                (old_at, new_at) = (edit.range.end, new_at + edit.new.len());
            }
            prop_assert_eq!(&after[new_at..], &bytes[old_at..]);
        }
    }

    #[test]
    fn a_second_bump_to_the_same_version_finds_nothing_to_do((path, bytes) in file()) {
        if let Some((_, after)) = bumped("0.24.1", "0.24.2", &path, &bytes) {
            let (plan, same) = bumped("0.24.2", "0.24.2", &path, &after).unwrap();
            prop_assert!(plan.edits.is_empty());
            prop_assert_eq!(same, after);
        }
    }

    #[test]
    fn there_and_back_again_is_the_identity((path, bytes) in file()) {
        if let Some((plan, after)) = bumped("0.24.1", "0.24.2", &path, &bytes)
            && plan.edits.iter().all(|edit| !edit.drifted)
            && !String::from_utf8_lossy(&bytes).contains("0.24.2")
        {
            let (_, back) = bumped("0.24.2", "0.24.1", &path, &after).unwrap();
            prop_assert_eq!(back, bytes);
        }
    }
}
