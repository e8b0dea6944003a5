//! What `check` found: for a person, as the JSON document, and as annotations of GitHub Actions.

use anstyle::Style;
use serde_json::Value;

use super::step::{escaped, is_in_actions, property};
use super::{BOLD, CYAN, RED, YELLOW, counted, documents, json_of, say};
use crate::check::{Finding, Mended, Report, Severity};
use crate::error::Result;

/// Characters of a line that fit beside its number on a terminal of 80 columns.
const EXCERPT: usize = 66;
/// Where characters of the line are left out.
const CUT: &str = "...";

/// Prints the findings, grouped by file, and one line that sums them up.
pub fn check(report: &Report, mended: &Mended) {
    let mut path = "";
    for finding in &report.findings {
        if finding.path != path {
            path = &finding.path;
            outln!("{BOLD}{}{BOLD:#}", printable(path));
        }
        outln!("{}\n", text(finding));
    }
    for edit in &mended.edits {
        let verb = if mended.contents.is_empty() { "would mend" } else { "mended" };
        outln!("{verb} {}:{}:{}: {} -> {}", printable(&edit.path), edit.line, edit.column, edit.old, edit.new);
    }
    outln!("{BOLD}{}{BOLD:#}", sum(report));
}

/// One finding: what it is, its line with a marker under it, what to do.
fn text(finding: &Finding) -> String {
    let (word, style) = look(finding.severity);
    let mut text = format!("  {style}{word}[{}]{style:#}: {}", finding.code, printable(&finding.message));
    let (number, margin) = margins(finding);
    if finding.source.trim().is_empty() {
        text.push_str(&format!("\n  {CYAN}{number} |{CYAN:#}"));
    } else {
        let (line, before, marked) = excerpt(finding);
        let (indent, marker) = (" ".repeat(before), "^".repeat(marked));
        text.push_str(&format!("\n  {CYAN}{number} |{CYAN:#} {line}"));
        text.push_str(&format!("\n  {CYAN}{margin} |{CYAN:#} {indent}{style}{marker}{style:#}"));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("\n  {CYAN}{margin} ={CYAN:#} {}", printable(help)));
    }
    text
}

fn look(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Error => ("error", RED),
        Severity::Warning => ("warning", YELLOW),
        Severity::Note => ("note", CYAN),
    }
}

/// Line and column as they are shown, and blanks as wide.
fn margins(finding: &Finding) -> (String, String) {
    let number = format!("{:>4}:{}", finding.line, finding.column);
    let margin = " ".repeat(number.len());
    (number, margin)
}

/// What is shown of the line, where in it the marker begins, and how wide that is, in characters. A long line would wrap
/// and part from its marker: it is cut on both sides of it.
fn excerpt(finding: &Finding) -> (String, usize, usize) {
    let before = finding.source.get(..finding.marker.start).map(width).unwrap_or_default();
    let marked = finding.source.get(finding.marker.clone()).map(width).unwrap_or_default().max(1);
    let line: Vec<char> = printable(&finding.source).trim_end().chars().collect();
    if line.len() <= EXCERPT {
        return (line.into_iter().collect(), before, marked);
    }
    let marked = marked.min(EXCERPT - 2 * CUT.len());
    let spare = EXCERPT - marked;
    let start = before.saturating_sub(spare / 2).min(line.len() - EXCERPT);
    let end = start + EXCERPT;
    let (left, right) = (if start == 0 { "" } else { CUT }, if end == line.len() { "" } else { CUT });
    let middle: String = line[start + left.len()..end - right.len()].iter().collect();
    (format!("{left}{middle}{right}"), before - start, marked)
}

/// `text` without what would move the marker, end the line or command the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn sum(report: &Report) -> String {
    let parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .map(|(severity, word)| (report.count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let found = if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") };
    let ignored = match report.ignored.len() {
        0 => String::new(),
        count => format!(", {count} ignored with a reason"),
    };
    format!("{found} in {}{ignored}", counted(report.files, "file"))
}

/// The document of `check`.
///
/// # Errors
/// None in practice.
pub fn check_json(report: &Report, mended: &Mended) -> Result<Value> {
    json_of(&documents::Check {
        clean: report.is_clean(),
        files: report.files,
        findings: &report.findings,
        ignored: &report.ignored,
        mended: if mended.contents.is_empty() { &[] } else { &mended.edits },
    })
}

/// Marks the findings in the pull request or run, where this is GitHub Actions.
pub fn annotate_findings(report: &Report) {
    if is_in_actions() {
        report.findings.iter().for_each(|finding| say(&annotation(finding)));
    }
}

fn annotation(finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let help = finding.help.iter().map(|help| format!("\n{help}"));
    let message = std::iter::once(finding.message.clone()).chain(help).collect::<String>();
    format!(
        "::{level} file={},line={},col={},endColumn={},title=gs-release {}::{}",
        property(&finding.path),
        finding.line,
        finding.column,
        finding.end_column,
        finding.code,
        escaped(&message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Code;

    #[test]
    fn a_finding_is_told_with_its_line_and_a_marker_under_it() {
        let source = "\timage: größe/x:v0.24.1-amd64";
        let start = source.find("0.24.1").unwrap();
        let finding = Finding::at(Code::Drift, "a", source.as_bytes(), start..start + 6, "it drifted").help("mend it");
        let plain = anstream::adapter::strip_str(&text(&finding)).to_string();
        let expected = "  error[drift]: it drifted\n     1:20 |  image: größe/x:v0.24.1-amd64\n          |                  ^^^^^^\n          = mend it";
        assert_eq!(plain, expected);
    }

    #[test]
    fn a_long_line_is_cut_around_its_marker() {
        let cut = |before: usize, after: usize| {
            let source = format!("{}0.24.1{}", "a".repeat(before), "z".repeat(after));
            let finding = Finding::at(Code::Drift, "a", source.as_bytes(), before..before + 6, "it drifted");
            let (line, start, width) = excerpt(&finding);
            assert_eq!(&line[start..start + width], "0.24.1", "{line}");
            line
        };
        assert_eq!(cut(30, 30).len(), EXCERPT);
        assert!(!cut(30, 30).contains(CUT));
        for (before, after) in [(31, 30), (200, 200), (0, 200), (200, 0), (29, 40), (40, 29)] {
            let line = cut(before, after);
            assert_eq!((line.len(), line.contains(CUT)), (EXCERPT, true), "{line}");
        }
    }

    #[test]
    fn what_a_file_is_called_or_holds_commands_nothing() {
        let finding =
            Finding::at(Code::Drift, "a", b"\x1b[2J x", 5..6, "no `a\n::stop-commands::x`").help("mend\r\x07it");
        let plain = anstream::adapter::strip_str(&text(&finding)).to_string();
        let expected =
            "  error[drift]: no `a ::stop-commands::x`\n     1:6 |  [2J x\n         |      ^\n         = mend  it";
        assert_eq!(plain, expected);
        let path = "a%\n::error::b";
        let found = annotation(&Finding::at(Code::Drift, path, b"", 0..0, "50%\r\n::error::c"));
        let expected = "::error file=a%25%0A%3A%3Aerror%3A%3Ab,line=1,col=1,endColumn=1,title=gs-release drift::50%25%0D%0A::error::c";
        assert_eq!(found, expected);
    }

    #[test]
    fn an_annotation_says_how_bad_it_is_where_and_what_to_do() {
        let finding = Finding::at(Code::Untracked, "a,b.yml", b"x: 1", 3..4, "50% of it").help("mend it");
        let expected =
            "::warning file=a%2Cb.yml,line=1,col=4,endColumn=5,title=gs-release untracked::50%25 of it%0Amend it";
        assert_eq!(annotation(&finding), expected);
    }

    #[test]
    fn the_sum_tells_what_there_is() {
        let mut report = Report { files: 1, ..Report::default() };
        assert_eq!(sum(&report), "nothing found in 1 file");
        report.findings =
            vec![Finding::at(Code::Drift, "a", b"", 0..0, ""), Finding::at(Code::LeftAlone, "a", b"", 0..0, "")];
        assert_eq!(sum(&report), "1 error, 1 note in 1 file");
    }
}
