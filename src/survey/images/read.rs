//! The builds of a tree: what its Makefiles say, with the name of a component in place of its version.

use super::super::assign::{Finding, Subject, Verdict};
use super::super::scan::Occurrence;
use super::command::{self, Build, Doubt};
use super::make::{Makefile, Scope};
use super::path::parent;

/// What a command builds, and where it stands.
#[derive(Debug, Clone)]
pub struct Found {
    /// Path of the Makefile.
    pub path: String,
    /// Line of the recipe, from 1.
    pub line: usize,
    /// What it builds, or why that cannot be told.
    pub build: Result<Build, Doubt>,
}

/// Whether the file at `path` is a Makefile.
pub fn is_makefile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["Makefile", "makefile", "GNUmakefile"].contains(&name) || name.ends_with(".mk")
}

/// `bytes`, the content of the file at `path`, with `{component}` for each version that is a site of it.
pub fn templated(
    path: &str,
    bytes: &[u8],
    subjects: &[Subject],
    places: &[Occurrence],
    findings: &[Finding],
) -> Option<String> {
    let sites = findings.iter().filter(|finding| finding.verdict == Verdict::Site);
    let mut sites: Vec<_> = sites
        .filter(|finding| places[finding.place].path == path)
        .map(|finding| (&places[finding.place].range, &subjects[finding.subject].name))
        .collect();
    sites.sort_by_key(|(range, _)| range.start);
    let mut text = String::from_utf8(bytes.to_owned()).ok()?;
    for (range, name) in sites.into_iter().rev() {
        text.get(range.clone())?;
        text.replace_range(range.clone(), &format!("{{{name}}}"));
    }
    Some(text)
}

/// What the recipes of the Makefile `text` at `path` build. `read` gives other files of the tree, [`templated`].
pub fn builds(path: &str, text: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<Found> {
    let file = Makefile::read(text);
    let (amd64, arm64) = (Scope::new(&file, path, "x86_64", read), Scope::new(&file, path, "aarch64", read));
    let mut found = Vec::new();
    for recipe in file.recipes.iter().filter(|recipe| recipe.text.contains("docker")) {
        let text = recipe.text.trim_start_matches(['@', '-', '+', ' ', '\t']);
        if text.starts_with('#') {
            continue;
        }
        for build in command::builds(&amd64.expand(text), &arm64.expand(text), parent(path)) {
            let build = match build {
                Ok(build) if recipe.conditional => Err(Doubt {
                    dockerfile: Some(build.dockerfile),
                    reason: "it is built only under a condition".to_owned(),
                }),
                build => build,
            };
            found.push(Found { path: path.to_owned(), line: recipe.line, build });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_file_that_a_recipe_reads_says_whose_version_it_is() {
        let text = "V := $(shell cat ../V6D_VERSION)\na:\n\tcd .. && docker build -t g/a:$(V) -f k8s/a.Dockerfile .\n";
        let read = |path: &str| (path == "V6D_VERSION").then(|| "v{vineyard}\n".to_owned());
        let found = builds("k8s/Makefile", text, &read);
        assert_eq!(found[0].build.as_ref().unwrap().tags, ["g/a:v{vineyard}"]);
        assert_eq!(found[0].line, 3);
        let text = "ifdef X\na:\n\tdocker build -t g/a:1 .\nendif\n\t# docker build .\n";
        let found = builds("Makefile", text, &read);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].build.as_ref().unwrap_err().reason, "it is built only under a condition");
    }
}
