//! What a file is for, as far as its path tells: some kinds of file mention versions that no release moves.

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A licence or a notice: names what was reviewed, for ever.
    Licence,
    /// A changelog or release notes: says what was true then.
    Changelog,
    /// Written by a tool; what it says follows from elsewhere.
    Lock,
    /// Text for people: most versions in it are examples or history.
    Docs,
    /// Anything else: configuration, scripts, code.
    Code,
}

impl FileKind {
    /// The kind of the file at `path`.
    pub fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let name = lower.rsplit('/').next().unwrap_or(&lower);
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        let ending = ending.rsplit('.').next().unwrap_or(ending);
        let text = matches!(ending, "" | "md" | "rst" | "txt" | "html" | "adoc");
        let starts = |words: &[&str]| words.iter().any(|word| stem.starts_with(word));
        if text && starts(&["license", "licence", "notice", "copying", "third_party", "third-party", "thirdparty"]) {
            return FileKind::Licence;
        }
        let notes = ["changelog", "changes", "history", "news", "release-notes", "release_notes", "releasenotes"];
        if text && notes.contains(&stem) || lower.split('/').any(|part| notes.contains(&part)) {
            return FileKind::Changelog;
        }
        if ending == "lock"
            || stem.ends_with("-lock")
            || matches!(name, "go.sum" | "go.work.sum" | "npm-shrinkwrap.json")
        {
            return FileKind::Lock;
        }
        let list_of_packages = ending == "txt" && (stem.contains("requirements") || stem == "cmakelists");
        match ending {
            "md" | "rst" | "adoc" | "html" | "htm" | "ipynb" | "svg" | "tex" => FileKind::Docs,
            "txt" if !list_of_packages && !stem.contains("version") => FileKind::Docs,
            _ => FileKind::Code,
        }
    }
}

/// Whether the file at `path` is the source of a program: versions in it may be help texts.
pub fn is_program(path: &str) -> bool {
    let endings = ["go", "py", "rs", "java", "scala", "c", "cc", "cpp", "h", "hpp", "js", "ts"];
    path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

/// Whether the file at `path` describes a package of a language, which may have a version of its own.
pub fn is_manifest(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("Cargo.toml" | "package.json" | "pyproject.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_configuration_and_scripts() {
        assert!(is_program("k8s/cmd/commands/deploy/deploy_vineyardd.go"));
        for path in ["k8s/Makefile", "charts/a/values.yaml", "a.Dockerfile", "scripts/install_deps.sh", "go"] {
            assert!(!is_program(path), "{path}");
        }
    }

    #[test]
    fn a_path_tells_what_a_file_is_for() {
        for (path, kind) in [
            ("NOTICE.txt", FileKind::Licence),
            ("LICENSE", FileKind::Licence),
            ("docs/CHANGELOG.md", FileKind::Changelog),
            ("docs/release-notes/v1.md", FileKind::Changelog),
            ("rust/Cargo.lock", FileKind::Lock),
            ("js/package-lock.json", FileKind::Lock),
            ("README.md", FileKind::Docs),
            ("tutorials/1.ipynb", FileKind::Docs),
            ("CMakeLists.txt", FileKind::Code),
            ("python/requirements.txt", FileKind::Code),
            ("V6D_VERSION", FileKind::Code),
            ("charts/a/values.yaml", FileKind::Code),
            (".github/workflows/release.yml", FileKind::Code),
            ("src/history.rs", FileKind::Code),
        ] {
            assert_eq!(FileKind::of(path), kind, "{path}");
        }
    }
}
