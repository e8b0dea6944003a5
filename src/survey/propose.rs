//! Components that a tree seems to have, for whoever has named none.

use std::collections::{BTreeMap, BTreeSet};

use super::assign::Subject;
use super::kind::FileKind;
use super::names::{Names, telling, words};
use super::role::Role;
use super::scan::Occurrence;
use crate::version::Version;

/// Components that `places` give evidence of: by version files, by names of versions that several files share, and the
/// repository's own, called `own`, by the version that its packages and charts share.
pub fn propose(places: &[Occurrence], own: Option<&str>) -> Vec<Subject> {
    let code = || places.iter().filter(|place| FileKind::of(&place.path) == FileKind::Code);
    let mut found: BTreeMap<String, Version> = BTreeMap::new();
    if let (Some(own), Some(version)) = (own, own_version(code())) {
        found.insert(own.to_ascii_lowercase(), version);
    }
    for place in code() {
        if let (Role::Whole(_), Some(name)) = (&place.role, name_of(place.role.name())) {
            found.entry(name).or_insert_with(|| place.value.clone());
        }
    }
    let mut shared: BTreeMap<String, BTreeMap<&Version, BTreeSet<&str>>> = BTreeMap::new();
    for place in code() {
        let named = matches!(&place.role, Role::Arg(_) | Role::Env(_) | Role::Key(_));
        let says_version = words(place.role.name()).iter().any(|word| word == "version");
        if let (true, Some(name)) = (named && says_version, name_of(place.role.name())) {
            shared.entry(name).or_default().entry(&place.value).or_default().insert(&place.path);
        }
    }
    for (name, versions) in shared {
        let most = versions.into_iter().max_by_key(|(_, files)| files.len());
        if let Some((version, _)) = most.filter(|(_, files)| files.len() > 1) {
            found.entry(name).or_insert_with(|| version.clone());
        }
    }
    let subjects = found.into_iter().map(|(name, version)| {
        let names = Names::new([name.as_str()]);
        Subject { name, version, upstream: None, names }
    });
    subjects.collect()
}

/// The one word of a key that says whose version it is.
fn name_of(key: &str) -> Option<String> {
    let mut words = telling(key);
    let name = words.pop().filter(|name| words.is_empty() && name.len() > 1)?;
    (!matches!(name.as_str(), "api" | "schema" | "min" | "max" | "minimum" | "file" | "format")).then_some(name)
}

/// The version of the repository itself: of its `VERSION` file, else the one that most packages and charts have.
fn own_version<'a>(places: impl Iterator<Item = &'a Occurrence> + Clone) -> Option<Version> {
    let unnamed = |place: &&&Occurrence| telling(place.role.name()).is_empty();
    let mut files = places.clone().filter(|place| matches!(place.role, Role::Whole(_)));
    if let Some(file) = files.by_ref().filter(|place| unnamed(&place)).min_by_key(|place| place.path.len()) {
        return Some(file.value.clone());
    }
    let mut counts: BTreeMap<&Version, BTreeSet<&str>> = BTreeMap::new();
    let own = places.filter(unnamed_package);
    own.for_each(|place| {
        counts.entry(&place.value).or_default().insert(&place.path);
    });
    let most = counts.into_iter().max_by_key(|(version, files)| (files.len(), *version))?;
    Some(most.0.clone())
}

/// Whether `place` is the version of a package or a chart itself.
fn unnamed_package(place: &&Occurrence) -> bool {
    let keys = ["version", "appVersion", "package.version", "project.version", "__version__", "revision", "VERSION"];
    matches!(place.role, Role::Path(_) | Role::Key(_) | Role::Element(_)) && keys.contains(&place.role.name())
}

#[cfg(test)]
mod tests {
    use super::super::scan;
    use super::*;

    fn proposed(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let places: Vec<_> = files.iter().flat_map(|(path, text)| scan::read(path, text.as_bytes())).collect();
        propose(&places, Some("GraphScope")).into_iter().map(|s| (s.name, s.version.to_string())).collect()
    }

    #[test]
    fn components_are_proposed_from_version_files_and_shared_names() {
        let files = [
            ("VERSION", "0.31.0\n"),
            ("V6D_VERSION", "v0.24.2\n"),
            ("a.Dockerfile", "ARG GRAPE_VERSION=v0.3.1\n"),
            ("Makefile", "GRAPE_VERSION ?= 0.3.1\nLLVM_VERSION ?= 11.0.0\n"),
        ];
        let told = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(proposed(&files), [told("grape", "0.3.1"), told("graphscope", "0.31.0"), told("v6d", "0.24.2")]);
    }

    #[test]
    fn without_a_version_file_charts_and_packages_tell_the_own_version() {
        let files = [
            ("charts/a/Chart.yaml", "version: 0.24.4\nappVersion: 0.24.4\n"),
            ("setup.cfg", "version = 0.24.4\n"),
            ("x/package.json", "{\"version\": \"1.0.0\"}"),
        ];
        assert_eq!(proposed(&files), [("graphscope".to_owned(), "0.24.4".to_owned())]);
    }
}
