//! What is wrong with a tree: drifted sites, stale rules, faults of the image graph, workflows that cannot do what
//! `release.yaml` asks of them. Every fault in one run.
//!
//! [`examine`] reads each file once, for all components and rules, and gives a [`Report`] of plain [`Finding`]s.
//! [`mend`] turns those that can be mended into new contents. Neither writes a file or prints.

mod context;
mod finding;
mod graph;
mod ignore;
mod mend;
mod neighbours;
mod sites;
mod starts;
mod workflow;
mod workflows;

use std::collections::{BTreeMap, HashMap};

pub use finding::{Finding, Mend, Severity};
pub use ignore::Ignored;
pub use mend::{Mended, mend};

use sites::Watch;

use crate::config::Config;
use crate::error::Result;
use crate::git::{Scanned, Snapshot};
use crate::version::Version;

/// What is examined, besides the files.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The config.
    pub config: &'a Config,
    /// Path of its file, as the user knows it.
    pub path: &'a str,
    /// Text of its file.
    pub text: &'a str,
    /// Where it stands in the tree; `None` if it comes from outside.
    pub in_tree: Option<&'a str>,
    /// The version that each component has in this tree.
    pub versions: &'a BTreeMap<String, Version>,
    /// The version that its sites should read, where that is another one.
    pub against: &'a BTreeMap<String, Version>,
}

impl Subject<'_> {
    /// What is looked for: one entry a component.
    fn watches(&self) -> Vec<Watch<'_>> {
        let components = self.config.components.iter();
        let versions = |name: &str| self.against.get(name).or_else(|| self.versions.get(name));
        components
            .filter_map(|component| Some(Watch::new(self.config, component, versions(&component.name)?, self.in_tree)))
            .collect()
    }
}

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// By path, then place.
    pub findings: Vec<Finding>,
    /// Findings that `check.ignore` accepts.
    pub ignored: Vec<Ignored>,
    /// How many files there are.
    pub files: usize,
    /// How many of them could not be searched, because a partial clone lacks them.
    pub unreadable: usize,
}

impl Report {
    /// Whether there is neither an error nor a warning.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }

    /// How many findings are as bad as `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Looks at every file of `snapshot`, each once.
///
/// # Errors
/// Usage, where the repository or a file cannot be read.
pub fn examine(subject: &Subject<'_>, snapshot: &Snapshot<'_>) -> Result<Report> {
    let watches = subject.watches();
    let dockerfiles = graph::dockerfiles(subject.config);
    let keep = |path: &str| dockerfiles.contains(path) || workflows::reads(path) || context::reads(path);
    let worth = |path: &str| match keep(path) {
        true => u64::MAX,
        false => watches.iter().map(|watch| watch.scanner.worth(path)).max().unwrap_or_default(),
    };
    let scanned = snapshot.scan(
        |file| worth(&file.path),
        |file, bytes| {
            let found = sites::examine(&watches, &file.path, bytes);
            let kept = keep(&file.path).then(|| bytes.to_owned());
            (found.is_something() || kept.is_some()).then_some((found, kept))
        },
    )?;

    let mut report = Report { files: snapshot.files().len(), ..Report::default() };
    let mut counts = sites::Counts::new(&watches);
    let mut kept: HashMap<&str, Vec<u8>> = HashMap::new();
    for (file, scanned) in snapshot.files().iter().zip(scanned) {
        match scanned {
            Scanned::Read(Some((found, bytes))) => {
                counts.add(&found);
                report.findings.extend(found.findings);
                kept.extend(bytes.map(|bytes| (file.path.as_str(), bytes)));
            }
            Scanned::Read(None) | Scanned::Skipped => {}
            Scanned::Missing => {
                report.unreadable += 1;
                report.findings.extend(counts.missing(&watches, &file.path));
            }
        }
    }
    report.findings.extend(counts.findings(subject, &watches));
    let tree = if dockerfiles.is_empty() { Vec::new() } else { snapshot.entries()? };
    report.findings.extend(graph::findings(subject, &kept, &tree)?);
    let workflows = workflows::read(&kept);
    report.findings.extend(starts::findings(subject, &workflows));
    report.findings.extend(workflows::findings(&workflows));
    ignore::apply(subject, &mut report);
    report.findings.sort_by(|a, b| (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code)));
    report.findings.dedup();
    Ok(report)
}
