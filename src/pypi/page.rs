//! The page of one project in the JSON form of the simple API (PEP 691, PEP 700). Pure functions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::config::normalised_project;
use crate::version::Version;

/// What an index has of one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// When the first file of a version came that is not withdrawn, by the version as Python writes it.
    versions: BTreeMap<String, Option<Timestamp>>,
}

#[derive(Deserialize)]
struct Page {
    files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    filename: String,
    #[serde(default)]
    yanked: Yanked,
    /// Since version 1.1 of the API.
    upload_time: Option<Timestamp>,
}

/// `false`, `true`, or the reason (PEP 592).
#[derive(Deserialize)]
#[serde(untagged)]
enum Yanked {
    Flag(bool),
    #[allow(dead_code, reason = "the reason itself is of no interest")]
    Reason(String),
}

impl Default for Yanked {
    fn default() -> Self {
        Yanked::Flag(false)
    }
}

impl Project {
    /// Whether there is a file of `version`, not withdrawn.
    pub fn has(&self, version: &Version) -> bool {
        self.versions.contains_key(&python_spelling(version))
    }

    /// When the first file of `version` came, if the index tells.
    pub fn released(&self, version: &Version) -> Option<Timestamp> {
        self.versions.get(&python_spelling(version)).copied().flatten()
    }

    /// The versions of three numbers, the newest first. Nightlies and other pre-releases are not among them.
    pub fn versions(&self) -> Vec<Version> {
        let mut versions: Vec<Version> = self.versions.keys().filter_map(|text| text.parse().ok()).collect();
        versions.sort_by(|a, b| b.cmp(a));
        versions
    }
}

/// Reads the page of the project called `name`.
pub(super) fn read(name: &str, body: &[u8]) -> Result<Project, serde_json::Error> {
    let page: Page = serde_json::from_slice(body)?;
    let mut project = Project::default();
    for file in page.files.iter().filter(|file| matches!(file.yanked, Yanked::Flag(false))) {
        let Some(version) = version_of(&file.filename, name) else { continue };
        let first = project.versions.entry(three_numbers(version)).or_insert(file.upload_time);
        *first = [*first, file.upload_time].into_iter().flatten().min();
    }
    Ok(project)
}

/// The version in the name of a wheel or a source distribution of `project`
/// (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).
fn version_of<'a>(filename: &'a str, project: &str) -> Option<&'a str> {
    let (name, version) = match filename.strip_suffix(".whl") {
        Some(stem) => {
            let parts: Vec<&str> = stem.split('-').collect();
            let (5 | 6, [name, version, ..]) = (parts.len(), &parts[..]) else { return None };
            (*name, *version)
        }
        None => [".tar.gz", ".zip"].iter().find_map(|end| filename.strip_suffix(end))?.rsplit_once('-')?,
    };
    (normalised_project(name) == project).then_some(version)
}

/// `0.24` is the same as `0.24.0` (PEP 440).
fn three_numbers(version: &str) -> String {
    let version = version.to_ascii_lowercase();
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match version.split('.').count() {
        1 | 2 if version.split('.').all(is_number) => three_numbers(&format!("{version}.0")),
        _ => version,
    }
}

/// `0.25.0-rc.1` is `0.25.0rc1` (PEP 440).
fn python_spelling(version: &Version) -> String {
    let text = version.to_string();
    let Some((numbers, pre)) = text.split_once('-') else { return text };
    let pre = pre.to_ascii_lowercase().replace(['-', '_', '.'], "");
    let word = pre.find(|c: char| c.is_ascii_digit()).unwrap_or(pre.len());
    let mark = match &pre[..word] {
        "alpha" => "a",
        "beta" => "b",
        "c" | "pre" | "preview" => "rc",
        other => other,
    };
    format!("{numbers}{mark}{}", &pre[word..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn project(name: &str, files: serde_json::Value) -> Project {
        let page = json!({"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": files});
        read(name, page.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_version_counts_with_one_file_that_is_not_withdrawn() {
        let found = project(
            "vineyard",
            json!([
                {"filename": "vineyard-0.24.1-py3-none-any.whl", "yanked": false},
                {"filename": "vineyard-0.24.2-cp311-cp311-manylinux2014_x86_64.whl", "yanked": "broken"},
                {"filename": "vineyard-0.24.2-cp311-cp311-manylinux2014_aarch64.whl"},
                {"filename": "vineyard-0.24.3-py3-none-any.whl", "yanked": true},
                {"filename": "vineyard-0.24.4-py3-none-any.whl", "yanked": ""},
                {"filename": "vineyard-0.25.0rc1.tar.gz"},
                {"filename": "vineyard-0.25.0a20240526-py3-none-any.whl"},
                {"filename": "vineyard-0.26.zip"},
                {"filename": "vineyard-0.27.0.exe"},
                {"filename": "other-0.28.0.tar.gz"},
            ]),
        );
        assert_eq!(found.versions(), ["0.26.0", "0.24.2", "0.24.1"].map(version));
        for (text, there) in [("0.24.2", true), ("0.24.3", false), ("0.24.4", false), ("0.25.0-rc.1", true)] {
            assert_eq!(found.has(&version(text)), there, "{text}");
        }
    }

    #[test]
    fn names_of_files_are_read_however_they_are_spelled() {
        for (filename, project, version) in [
            ("vineyard_bdist-0.24.2-py3-none-any.whl", "vineyard-bdist", Some("0.24.2")),
            ("Vineyard.Bdist-0.24.2-1-py3-none-any.whl", "vineyard-bdist", Some("0.24.2")),
            ("vineyard-bdist-0.24.2.tar.gz", "vineyard-bdist", Some("0.24.2")),
            ("vineyard_bdist-0.24.2.tar.gz", "vineyard", None),
            ("vineyard-0.24.2.whl", "vineyard", None),
            ("vineyard", "vineyard", None),
        ] {
            assert_eq!(version_of(filename, project), version, "{filename}");
        }
    }

    #[test]
    fn the_age_is_that_of_the_first_file() {
        let found = project(
            "vineyard",
            json!([
                {"filename": "vineyard-0.24.2-py3-none-any.whl", "upload-time": "2025-04-02T00:00:00.5Z"},
                {"filename": "vineyard-0.24.2.tar.gz", "upload-time": "2025-04-01T00:00:00Z"},
                {"filename": "vineyard-0.24.1.tar.gz"},
            ]),
        );
        assert_eq!(found.released(&version("0.24.2")), Some("2025-04-01T00:00:00Z".parse().unwrap()));
        assert_eq!(found.released(&version("0.24.1")), None);
    }

    #[test]
    fn pre_releases_are_found_as_python_spells_them() {
        for (text, spelled) in
            [("0.25.0-rc.1", "0.25.0rc1"), ("0.25.0-beta2", "0.25.0b2"), ("0.25.0-preview.3", "0.25.0rc3")]
        {
            assert_eq!(python_spelling(&version(text)), spelled);
        }
    }
}
