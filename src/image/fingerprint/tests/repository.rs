//! This repository's own images.

use super::super::super::testing::Tree;

/// The files of this repository that its images could be made of.
fn this_repository() -> Tree {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let mut tree = Tree::with_config(read("release.yaml"), &[]);
    let files = std::fs::read_dir(root.join("dockerfiles")).unwrap();
    let names = files.map(|file| format!("dockerfiles/{}", file.unwrap().file_name().to_str().unwrap()));
    for path in names.chain(["README.md", ".dockerignore", "Cargo.toml"].map(str::to_owned)) {
        tree.write(&path, &read(&path));
    }
    tree
}

/// The images of this repository that `change` makes stale.
fn stale(change: impl Fn(&mut Tree)) -> Vec<String> {
    let before = this_repository();
    let mut after = before.clone();
    change(&mut after);
    let names = before.graph().unwrap().nodes.into_iter().map(|node| node.image);
    let pairs = names.zip(before.inputs().into_iter().zip(after.inputs()));
    let changed = pairs.filter(|(_, (before, after))| before.fingerprint != after.fingerprint);
    changed.map(|(name, _)| name).collect()
}

#[test]
fn a_bump_of_this_repository_makes_stale_what_carries_the_version() {
    let bump = |component: &str, arg: &str| {
        let config = crate::config::Config::parse("release.yaml", this_repository().config.as_bytes()).unwrap();
        let version = match &config.component(component).unwrap().version {
            crate::config::VersionSource::Inline(version) => version.to_string(),
            crate::config::VersionSource::File(path) => panic!("{path} is not read here"),
        };
        let arg = format!("ARG {arg}=");
        stale(move |tree| {
            tree.config = tree.config.replace(&format!("version: {version}\n"), "version: 99.0.0\n");
            for entry in tree.entries() {
                let text = String::from_utf8(tree.read(&entry.path).unwrap().unwrap()).unwrap();
                tree.write(&entry.path, &text.replace(&format!("{arg}{version}"), &format!("{arg}99.0.0")));
            }
        })
    };
    let all: Vec<String> = this_repository().graph().unwrap().nodes.into_iter().map(|node| node.image).collect();
    // everything but the image whose purpose is to stay
    let vineyard: Vec<&String> = all.iter().filter(|name| *name != "graphscope-dev-base").collect();
    assert_eq!(bump("vineyard", "VINEYARD_VERSION").iter().collect::<Vec<_>>(), vineyard);
    assert_eq!(bump("graphscope", "GRAPHSCOPE_VERSION"), all[5..], "the gs phase and nothing of v6d");
}

#[test]
fn a_file_of_this_repository_makes_stale_what_copies_it() {
    let touched = |path: &'static str| stale(move |tree| tree.write(path, "changed"));
    assert_eq!(touched("dockerfiles/coordinator.yaml"), ["coordinator"]);
    assert_eq!(touched("dockerfiles/analytical.sh"), ["analytical", "analytical-java"]);
    assert_eq!(touched("dockerfiles/constraints.txt").len(), 14, "the constraints are in both bases of all");
    assert!(touched("README.md").is_empty() && touched("Cargo.toml").is_empty());
}
