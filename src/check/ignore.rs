//! Findings that `check.ignore` accepts, and entries of it that accept nothing.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Finding, Report, Subject};
use crate::config::{Code, Ignore};

/// A finding that is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Ignored {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
}

/// Moves what the config accepts from the findings of `report` to its ignored ones. An entry that accepts nothing is a
/// finding of its own.
pub(super) fn apply(subject: &Subject<'_>, report: &mut Report) {
    let entries = &subject.config.check_ignore;
    let mut used = vec![false; entries.len()];
    for finding in std::mem::take(&mut report.findings) {
        let accepting = entries.iter().enumerate().filter(|(_, entry)| accepts(entry, &finding));
        let mut reason = None;
        for (index, entry) in accepting {
            used[index] = true;
            reason = reason.or(Some(&entry.reason));
        }
        match reason {
            Some(reason) => report.ignored.push(Ignored { finding, reason: reason.clone() }),
            None => report.findings.push(finding),
        }
    }
    for (entry, _) in entries.iter().zip(used).filter(|(_, used)| !used) {
        let message = format!("nothing to ignore: there is no `{}` in {}", entry.code, entry.files.patterns.join(", "));
        let found = Finding::on_line(Code::UnusedIgnore, subject.path, subject.text, entry.line, message);
        report.findings.push(found.help("remove the entry"));
    }
}

fn accepts(entry: &Ignore, finding: &Finding) -> bool {
    let on_line = entry.line_contains.as_ref().is_none_or(|text| finding.source.contains(&**text));
    entry.code == finding.code && entry.files.matches(&finding.path) && on_line
}
