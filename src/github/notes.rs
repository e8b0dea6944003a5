//! Release notes of another project, made harmless for quoting: nobody is notified, nothing is linked back. Pure text.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::UpstreamVersion;
use crate::version::Version;

/// Longest notes, in characters.
const LONGEST: usize = 60_000;
/// Longest body, in characters, without the marker: GitHub takes 65,536.
const LONGEST_BODY: usize = 65_000;
/// A zero-width space: invisible, and the end of a word for GitHub.
const GAP: char = '\u{200b}';

/// The notes of every release after `from` up to `to`, the newest first, each under its tag; still as upstream wrote them.
/// Pre-releases on the way are passed over. Empty: nobody wrote any.
pub fn between(versions: &[UpstreamVersion], from: &Version, to: &Version) -> String {
    let on_the_way =
        |v: &&UpstreamVersion| v.version > *from && v.version <= *to && (!v.prerelease || v.version == *to);
    let mut found: Vec<&UpstreamVersion> = versions.iter().filter(on_the_way).collect();
    found.sort_by(|a, b| b.version.cmp(&a.version));
    let sections = found.iter().filter_map(|v| Some(format!("### {}\n\n{}\n", v.tag, v.notes.as_deref()?.trim())));
    sections.collect::<Vec<_>>().join("\n")
}

/// `notes` for the body of a pull request: mentions (`@name`), references (`#12`, `GH-12`, `owner/name#12`) and links
/// to issues and pull requests no longer notify or link back, comments no longer hide anything, code blocks and `<details>`
/// end where the notes end, and the whole has at most 60,000 characters, cut at the end of a line.
pub fn defused(notes: &str) -> String {
    let text = notes.replace("\r\n", "\n");
    // `www.` has the same meaning; GitHub offers this second name for links that shall not be seen from the other end.
    let text = LINK.replace_all(&text, "https://redirect.github.com/");
    let text = MENTION.replace_all(&text, |found: &Captures<'_>| format!("@{GAP}{}", &found[1]));
    let text = REFERENCE.replace_all(&text, |found: &Captures<'_>| format!("{}{GAP}{}", &found[1], &found[2]));
    closed(shortened(&text.replace("<!--", "&lt;!--"), LONGEST))
}

static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)https?://(?:www\.)?github\.com/"));
static MENTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"@([A-Za-z0-9])"));
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(#|\bGH-)([0-9])"));

static DETAILS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)</?details\b[^>]*>"));

#[expect(clippy::unwrap_used, reason = "constant patterns, compiled by every test of this module")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

/// `body` at a length that GitHub takes, with room for the marker, cut at the end of a line.
pub(super) fn fitting(body: &str) -> String {
    shortened(body, LONGEST_BODY)
}

fn shortened(text: &str, longest: usize) -> String {
    const MORE: &str = "\n\n*(shortened)*\n";
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    // Room for what follows the cut.
    let most = longest - 40;
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    let end = text[..end].rfind('\n').unwrap_or(end);
    closed(text[..end].to_owned()) + MORE
}

/// `text` with everything closed that would swallow what follows it, and nothing that closes what is around it.
fn closed(text: String) -> String {
    let text = with_details_in_pairs(&text);
    match open_fence(&text) {
        Some(fence) => format!("{text}\n{fence}"),
        None => text,
    }
}

/// The fence that ends the code block that `text` leaves open (CommonMark, section 4.5).
fn open_fence(text: &str) -> Option<String> {
    let mut open: Option<&str> = None;
    for line in text.lines().map(str::trim_start) {
        let mark = if line.starts_with('~') { '~' } else { '`' };
        let (fence, rest) = line.split_at(line.len() - line.trim_start_matches(mark).len());
        open = match open {
            Some(begun) if fence.starts_with(begun) && rest.trim().is_empty() => None,
            Some(begun) => Some(begun),
            // code within a line may be marked by three of them, too
            None if fence.len() >= 3 && !(mark == '`' && rest.contains('`')) => Some(fence),
            None => None,
        };
    }
    open.map(str::to_owned)
}

/// `text` in which every `<details>` is closed, and no `</details>` closes another one than its own.
fn with_details_in_pairs(text: &str) -> String {
    let (mut paired, mut copied, mut depth) = (String::with_capacity(text.len()), 0, 0);
    for tag in DETAILS.find_iter(text) {
        if !tag.as_str().starts_with("</") {
            depth += 1;
        } else if depth > 0 {
            depth -= 1;
        } else {
            paired.push_str(&text[copied..tag.start()]);
            paired.push_str("&lt;");
            copied = tag.start() + 1;
        }
    }
    paired.push_str(&text[copied..]);
    if depth > 0 {
        // a tag inside of code would be text
        let fence = open_fence(&paired).map(|fence| format!("\n{fence}")).unwrap_or_default();
        paired.push_str(&fence);
        paired.push_str(&"\n</details>".repeat(depth));
    }
    paired
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Marker;
    use super::*;

    #[test]
    fn the_notes_of_every_release_on_the_way_are_told_the_newest_first() {
        let release = |version: &str, notes: Option<&str>| UpstreamVersion {
            version: version.parse().unwrap(),
            tag: format!("v{version}"),
            published_at: None,
            prerelease: version.contains('-'),
            notes: notes.map(str::to_owned),
            url: None,
        };
        let versions = [
            release("0.24.1", Some("old")),
            release("0.24.2", Some("Fixes.\r\n")),
            release("0.24.3", None),
            release("0.24.4-rc.1", Some("try it")),
            release("0.24.4", Some("More fixes.")),
            release("0.25.0", Some("newer")),
        ];
        let told = |from: &str, to: &str| between(&versions, &from.parse().unwrap(), &to.parse().unwrap());
        assert_eq!(told("0.24.1", "0.24.4"), "### v0.24.4\n\nMore fixes.\n\n### v0.24.2\n\nFixes.\n");
        assert_eq!(told("0.24.2", "0.24.4-rc.1"), "### v0.24.4-rc.1\n\ntry it\n");
        assert_eq!(told("0.24.4", "0.24.1"), "");
    }

    #[test]
    fn mentions_and_references_are_defused() {
        let notes = "Fixed by @sighingnow in #1234, GH-7, v6d-io/v6d#99 and\r\n\
            https://github.com/v6d-io/v6d/pull/1234 (thanks @v6d-io/team!)";
        assert_eq!(
            defused(notes),
            "Fixed by @\u{200b}sighingnow in #\u{200b}1234, GH-\u{200b}7, v6d-io/v6d#\u{200b}99 and\n\
             https://redirect.github.com/v6d-io/v6d/pull/1234 (thanks @\u{200b}v6d-io/team!)"
        );
    }

    #[test]
    fn ordinary_markdown_stays_as_it_is() {
        let notes = "## What's new\n\n- a `b` [c](https://v6d.io/docs#top) & d\n";
        assert_eq!(defused(notes), notes);
    }

    #[test]
    fn a_code_block_that_upstream_left_open_is_closed() {
        assert_eq!(defused("```sh\nmake"), "```sh\nmake\n```");
        for whole in ["```sh\nmake\n```\n", "~~~\n```\n~~~\n", "````\n```\n````\n", "a ``` b\n", "```a```\n"] {
            assert_eq!(defused(whole), whole);
        }
        assert_eq!(defused("~~~~\n```\n~~~"), "~~~~\n```\n~~~\n~~~~");
    }

    #[test]
    fn details_of_upstream_end_where_the_notes_end() {
        for (notes, harmless) in [
            ("<details><summary>a</summary>b</details>", "<details><summary>a</summary>b</details>"),
            ("<details open>\na", "<details open>\na\n</details>"),
            ("a</details>b</DETAILS >", "a&lt;/details>b&lt;/DETAILS >"),
            ("</details><details>", "&lt;/details><details>\n</details>"),
            ("<details>\n```\na", "<details>\n```\na\n```\n</details>"),
        ] {
            assert_eq!(defused(notes), harmless);
            assert_eq!(defused(harmless), harmless);
        }
    }

    #[test]
    fn notes_cannot_carry_a_marker_of_their_own() {
        let notes = "<!-- gs-release: {\"component\":\"vineyard\",\"version\":\"9.9.9\"} -->";
        assert!(Marker::parse(notes).is_some());
        assert_eq!(Marker::parse(&defused(notes)), None);
    }

    #[test]
    fn long_notes_end_at_a_line_outside_code() {
        let short = defused(&format!("```\n{}", "0123456789ä\n".repeat(9_000)));
        assert!(short.chars().count() <= LONGEST, "{}", short.chars().count());
        assert!(short.ends_with("0123456789ä\n```\n\n*(shortened)*\n"));
    }

    proptest! {
        #[test]
        fn defusing_twice_is_defusing_once(notes in "[-@#a-z0-9/ \n<!GH]{0,60}") {
            let once = defused(&notes);
            prop_assert_eq!(defused(&once), once.clone());
        }
    }
}
