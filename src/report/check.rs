//! What `check` found: for a person, as the JSON document, and as annotations of GitHub Actions.

use anstyle::Style;
use serde_json::Value;

use super::step::{escaped, is_in_actions, property};
use super::{BOLD, CYAN, RED, YELLOW, documents, json_of, say};
use crate::check::{Finding, Mended, Report, Severity};
use crate::error::Result;

/// Prints the findings, grouped by file, and one line that sums them up.
pub fn check(report: &Report, mended: &Mended) {
    let mut path = "";
    for finding in &report.findings {
        if finding.path != path {
            path = &finding.path;
            outln!("{BOLD}{path}{BOLD:#}");
        }
        outln!("{}\n", text(finding));
    }
    for edit in &mended.edits {
        let verb = if mended.contents.is_empty() { "would mend" } else { "mended" };
        outln!("{verb} {}:{}:{}: {} -> {}", edit.path, edit.line, edit.column, edit.old, edit.new);
    }
    outln!("{BOLD}{}{BOLD:#}", sum(report));
}

/// One finding: what it is, its line with a marker under it, what to do.
fn text(finding: &Finding) -> String {
    let (word, style) = look(finding.severity);
    let mut text = format!("  {style}{word}[{}]{style:#}: {}", finding.code, finding.message);
    let (number, margin) = margins(finding);
    if finding.source.trim().is_empty() {
        text.push_str(&format!("\n  {CYAN}{number} |{CYAN:#}"));
    } else {
        let shown: String = finding.source.chars().map(shown).collect();
        let before = finding.source.get(..finding.marker.start).unwrap_or_default();
        let marked = finding.source.get(finding.marker.clone()).unwrap_or_default();
        let marker = "^".repeat(width(marked).max(1));
        text.push_str(&format!("\n  {CYAN}{number} |{CYAN:#} {}", shown.trim_end()));
        text.push_str(&format!("\n  {CYAN}{margin} |{CYAN:#} {}{style}{marker}{style:#}", " ".repeat(width(before))));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("\n  {CYAN}{margin} ={CYAN:#} {help}"));
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

/// A tab and its like would move the marker.
fn shown(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn sum(report: &Report) -> String {
    let counted = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
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
