//! The parts of a fingerprint: small enough for an annotation, and enough to say in words what has changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::sources::Files;
use super::{hex, short};

/// What an image is made of, part by part, each with a short hash. It decides nothing: the fingerprint does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parts {
    /// Path of the Dockerfile.
    pub dockerfile: String,
    /// Line and hash of each instruction that counts, in order.
    pub lines: Vec<(usize, String)>,
    /// `ARG`s that are used.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// Files that are taken from the tree; those of a large directory under one name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Images of the release that it is built on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, String>,
    /// Other images, as written.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub externals: BTreeSet<String>,
    /// Target, platforms and the like, as they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// What has changed from `old` to `new`, one short clause each, without a final stop: `dockerfiles/x.Dockerfile line 12
/// changed`. Empty if the records are the same.
pub fn diff(old: &Parts, new: &Parts) -> Vec<String> {
    let mut reasons = Vec::new();
    for (name, value) in &new.settings {
        match old.settings.get(name) {
            Some(was) if was == value => {}
            was => reasons.push(format!("{name} is `{value}`, was `{}`", was.map_or("", String::as_str))),
        }
    }
    let gone = old.settings.iter().filter(|(name, _)| !new.settings.contains_key(*name));
    reasons.extend(gone.map(|(name, was)| format!("{name} is not set, was `{was}`")));
    let externals: Vec<_> = new.externals.difference(&old.externals).collect();
    let before: Vec<_> = old.externals.difference(&new.externals).collect();
    match (&before[..], &externals[..]) {
        ([was], [is]) => reasons.push(format!("base {is} was {was}")),
        (before, after) => {
            reasons.extend(after.iter().map(|is| format!("base {is} is new")));
            reasons.extend(before.iter().map(|was| format!("base {was} is gone")));
        }
    }
    named("base", &old.bases, &new.bases, &mut reasons);
    named("arg", &old.args, &new.args, &mut reasons);
    lines(old, new, &mut reasons);
    named("file", &old.files, &new.files, &mut reasons);
    reasons
}

fn named(kind: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>, reasons: &mut Vec<String>) {
    for (name, hash) in new {
        match old.get(name) {
            Some(was) if was == hash => {}
            Some(_) => reasons.push(format!("{kind} {name} changed")),
            None => reasons.push(format!("{kind} {name} is new")),
        }
    }
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    reasons.extend(gone.map(|name| format!("{kind} {name} is gone")));
}

/// Lines are compared as a sequence of hashes, since one more comment shifts the numbers of all that follow.
fn lines(old: &Parts, new: &Parts, reasons: &mut Vec<String>) {
    let hashes = |parts: &Parts| parts.lines.iter().map(|(_, hash)| hash.clone()).collect::<Vec<_>>();
    let path = &new.dockerfile;
    let mut tell = |lines: &[(usize, String)], what: &str| {
        reasons.extend(lines.iter().map(|(line, _)| format!("{path} line {line} {what}")));
    };
    for op in capture_diff_slices(Algorithm::Myers, &hashes(old), &hashes(new)) {
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Insert { new_index, new_len, .. } => tell(&new.lines[new_index..][..new_len], "is new"),
            DiffOp::Delete { old_index, old_len, .. } => tell(&old.lines[old_index..][..old_len], "is gone"),
            DiffOp::Replace { new_index, new_len, .. } => tell(&new.lines[new_index..][..new_len], "changed"),
        }
    }
}

/// Takes in the inputs of one image, in an order that they alone decide.
pub(super) struct Recorder {
    all: Sha256,
    dockerfile: String,
    lines: BTreeMap<usize, BTreeSet<String>>,
    args: BTreeMap<String, BTreeSet<String>>,
    files: BTreeMap<String, BTreeSet<String>>,
    bases: BTreeMap<String, BTreeSet<String>>,
    externals: BTreeSet<String>,
    settings: BTreeMap<String, String>,
}

impl Recorder {
    pub(super) fn new(version: &str, dockerfile: &str) -> Self {
        let mut record = Recorder {
            all: Sha256::new(),
            dockerfile: dockerfile.to_owned(),
            lines: BTreeMap::new(),
            args: BTreeMap::new(),
            files: BTreeMap::new(),
            bases: BTreeMap::new(),
            externals: BTreeSet::new(),
            settings: BTreeMap::new(),
        };
        record.mark("version", version);
        record
    }

    /// Hashes `value`, so that no two sequences of calls hash the same bytes.
    pub(super) fn mark(&mut self, kind: &str, value: &str) {
        for field in [kind, value] {
            self.all.update((field.len() as u64).to_le_bytes());
            self.all.update(field);
        }
    }

    pub(super) fn setting(&mut self, name: &str, value: &str) {
        self.mark(name, value);
        if !value.is_empty() {
            self.settings.insert(name.to_owned(), value.to_owned());
        }
    }

    /// An instruction. Where it stands is for the record only.
    pub(super) fn line(&mut self, line: usize, text: &str) {
        self.mark("line", text);
        self.lines.entry(line).or_default().insert(short(text));
    }

    pub(super) fn arg(&mut self, name: &str, value: &str) {
        self.mark("arg", name);
        self.mark("value", value);
        self.args.entry(name.to_owned()).or_default().insert(short(value));
    }

    pub(super) fn base(&mut self, image: &str, fingerprint: &str) {
        self.mark("base", fingerprint);
        self.bases.entry(image.to_owned()).or_default().insert(short(fingerprint));
    }

    pub(super) fn external(&mut self, reference: &str, platform: &str) {
        self.mark("external", reference);
        self.mark("platform", platform);
        self.externals.insert(reference.to_owned());
    }

    pub(super) fn files(&mut self, files: &Files) {
        self.mark("files", &files.digest);
        for (name, hash) in &files.parts {
            self.files.entry(name.clone()).or_default().insert(hash.clone());
        }
    }

    /// The digest of everything, and its parts.
    pub(super) fn finish(self) -> (String, Parts) {
        let parts = Parts {
            dockerfile: self.dockerfile,
            lines: self.lines.into_iter().map(|(line, hashes)| (line, one(&hashes))).collect(),
            args: all(self.args),
            files: all(self.files),
            bases: all(self.bases),
            externals: self.externals,
            settings: self.settings,
        };
        (hex(&self.all.finalize()), parts)
    }
}

fn all(parts: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, String> {
    parts.into_iter().map(|(name, hashes)| (name, one(&hashes))).collect()
}

/// One short hash for all that a part is, for instance on several platforms.
fn one(hashes: &BTreeSet<String>) -> String {
    match hashes.first() {
        Some(only) if hashes.len() == 1 => only.clone(),
        _ => short(&hashes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")),
    }
}
