//! Which files of the tree count.

use proptest::prelude::*;

use super::super::super::testing::{Tree, phase};
use super::super::*;
use super::{FILES, of};

/// The files whose change changes the fingerprint.
fn selected(tree: &Tree) -> Vec<String> {
    let graph = tree.graph().unwrap();
    let of = |entries: &[TreeEntry]| {
        graph.inputs(entries, |path| tree.read(path), &BTreeMap::new()).unwrap().remove(0).fingerprint
    };
    let mut entries = tree.entries();
    let before = of(&entries);
    let mut selected = Vec::new();
    for index in 0..entries.len() {
        let id = std::mem::replace(&mut entries[index].id, "changed".into());
        if of(&entries) != before {
            selected.push(entries[index].path.clone());
        }
        entries[index].id = id;
    }
    selected.retain(|path| path != "Dockerfile" && !path.ends_with("ignore"));
    selected
}

fn selected_by(instructions: &str, ignore: &str) -> Vec<String> {
    let mut tree = Tree::one(&format!("FROM scratch\n{instructions}\n"), &FILES);
    tree.write(".dockerignore", ignore);
    selected(&tree)
}

#[test]
fn files_are_selected_as_docker_does() {
    let all: Vec<&str> = vec![
        "a.txt",
        "b.md",
        "d.txt",
        "d/a.txt",
        "d/e/b.md",
        "d/e/f/c.sh",
        "odd [x]*.txt",
        "s/one.rs",
        "s/t/two.rs",
        "z",
    ];
    for (instructions, ignore, expected) in [
        ("RUN x", "", vec![]),
        ("COPY a.txt /x", "", vec!["a.txt"]),
        ("COPY ./a.txt /b.md ../z /x/", "", vec!["a.txt", "b.md", "z"]),
        ("COPY d /x", "", vec!["d/a.txt", "d/e/b.md", "d/e/f/c.sh"]),
        ("COPY d/ /x", "", vec!["d/a.txt", "d/e/b.md", "d/e/f/c.sh"]),
        ("COPY d/e/../a.txt /x", "", vec!["d/a.txt"]),
        ("COPY *.txt /x/", "", vec!["a.txt", "d.txt", "odd [x]*.txt"]),
        ("COPY d* /x/", "", vec!["d.txt", "d/a.txt", "d/e/b.md", "d/e/f/c.sh"]),
        ("COPY */e /x/", "", vec!["d/e/b.md", "d/e/f/c.sh"]),
        ("COPY ?/*.rs /x/", "", vec!["s/one.rs"]),
        ("COPY [^b-z].* /x/", "", vec!["a.txt"]),
        ("COPY [\"odd [[]x]\\\\*.txt\", \"/x\"]", "", vec!["odd [x]*.txt"]),
        ("COPY . /x", "", all.clone()),
        ("ADD d/e /x", "", vec!["d/e/b.md", "d/e/f/c.sh"]),
        ("ADD https://example.com/a.txt /x", "", vec![]),
        ("ADD https://example.com/$UNKNOWN/a.txt /x", "", vec![]),
        ("ADD git@example.com:a/b.git#v1 /x", "", vec![]),
        ("COPY missing /x", "", vec![]),
        ("COPY ${UNKNOWN}@a:${UNKNOWN} /x", "", all.clone()),
        ("COPY $UNKNOWN /x", "", all.clone()),
        ("ARG F=a\nCOPY $F.txt /x", "", vec!["a.txt"]),
        ("ENV F=d/e\nCOPY ${F}/f /x", "", vec!["d/e/f/c.sh"]),
        ("COPY --from=other:1 a.txt /x", "", vec![]),
        ("COPY <<a.txt /x\nz\na.txt", "", vec![]),
        ("RUN --mount=type=bind,source=d/e,target=/m x", "", vec!["d/e/b.md", "d/e/f/c.sh"]),
        ("RUN --mount=target=/m x", "", all.clone()),
        ("RUN --mount=type=bind,source=*.txt,target=/m x", "", vec![]),
        ("RUN --mount=type=cache,target=/m x", "", vec![]),
        ("RUN --mount=type=secret,id=z,src=z x", "", vec![]),
        ("RUN --mount=type=bind,from=other:1,source=d,target=/m x", "", vec![]),
        ("COPY --exclude=*.md --exclude=e/f d /x", "", vec!["d/a.txt", "d/e/b.md"]),
        ("COPY --exclude=*.txt --exclude=e *.txt d /x/", "", vec!["a.txt", "d.txt", "odd [x]*.txt"]),
        ("COPY --exclude=**/*.md d /x", "", vec!["d/a.txt", "d/e/f/c.sh"]),
        ("COPY --parents **/*.rs /x", "", vec!["s/one.rs", "s/t/two.rs"]),
        ("COPY --parents --exclude=t s/./*/*.rs s/one.rs /x", "", vec!["s/one.rs"]),
        ("COPY . /x", "*\n!d\nd/e", vec!["d/a.txt"]),
        ("COPY . /x", "**/*.md\n**/*.txt\ns", vec!["d/e/f/c.sh", "z"]),
        ("COPY d /x", "d/e/*\n!d/e/f", vec!["d/a.txt", "d/e/f/c.sh"]),
        ("COPY a.txt /x", "*.txt", vec![]),
        ("RUN --mount=target=/m x", "*\n!z", vec!["z"]),
    ] {
        assert_eq!(selected_by(instructions, ignore), expected, "{instructions} with {ignore:?}");
    }
}

#[test]
fn files_of_stages_that_are_not_reached_do_not_count() {
    let tree = Tree::one("FROM x AS one\nCOPY a.txt /\nFROM x AS two\nCOPY z /\nFROM x\nCOPY --from=two / /", &FILES);
    assert_eq!(selected(&tree), ["z"]);
}

#[test]
fn the_ignore_file_named_after_the_dockerfile_wins() {
    let mut tree = Tree::one("FROM x\nCOPY . /", &FILES);
    tree.write(".dockerignore", "*\n!z");
    assert_eq!(selected(&tree), ["z"]);
    tree.write("Dockerfile.dockerignore", "*\n!a.txt");
    assert_eq!(selected(&tree), ["a.txt"]);
}

#[test]
fn paths_are_relative_to_the_context() {
    let image = "a: { dockerfile: docker/x, context: d, tags: ['v{v}'] }";
    let mut tree = Tree::new(&phase("one", "v", &[image]), &FILES);
    tree.write("docker/x", "FROM x\nCOPY e a.txt /");
    assert_eq!(selected(&tree), ["d/a.txt", "d/e/b.md", "d/e/f/c.sh"]);
    tree.write("d/.dockerignore", "e/f");
    assert_eq!(selected(&tree), ["d/a.txt", "d/e/b.md"]);
}

#[test]
fn mode_and_path_count() {
    let tree = Tree::one("FROM x\nCOPY d /", &FILES);
    let before = of(&tree);
    let mut executable = tree.clone();
    executable.entry("d/a.txt", 0o100755, "3");
    assert_ne!(of(&executable), before);
    let mut moved = tree.clone();
    moved.remove("d/a.txt");
    moved.write("d/b.txt", "3");
    assert_ne!(of(&moved), before);
    let mut more = tree.clone();
    more.write("d/more", "");
    assert_ne!(of(&more), before);
    let mut elsewhere = tree;
    elsewhere.write("more", "");
    assert_eq!(of(&elsewhere), before);
}

#[test]
fn symlinks_are_followed_where_docker_follows_them() {
    for (copy, expected) in [
        // named itself, or on the way: what it points at is copied
        ("link", vec!["d/a.txt", "link"]),
        ("dir/f", vec!["d/e/f/c.sh", "dir"]),
        ("li*", vec!["d/a.txt", "link"]),
        ("chain", vec!["chain", "d/a.txt", "link"]),
        // inside a directory: a link is a link
        ("in", vec!["in/abs", "in/link"]),
        ("in/abs", vec!["in/abs", "z"]),
    ] {
        let mut tree = Tree::one(&format!("FROM x\nCOPY {copy} /"), &FILES);
        for (path, target) in
            [("link", "d/a.txt"), ("dir", "d/e"), ("chain", "./link"), ("in/link", "../z"), ("in/abs", "/z")]
        {
            tree.entry(path, 0o120000, target);
        }
        let before = of(&tree);
        let changed = |path: &str| {
            let mut changed = tree.clone();
            match tree.entries().iter().any(|entry| entry.path == path && entry.link.is_some()) {
                true => changed.entry(path, 0o120000, "elsewhere"),
                false => changed.write(path, "changed"),
            }
            of(&changed) != before
        };
        let paths = tree.entries().into_iter().map(|entry| entry.path).filter(|path| path != "Dockerfile");
        assert_eq!(paths.filter(|path| changed(path)).collect::<Vec<_>>(), expected, "{copy}");
    }
}

#[test]
fn links_that_lead_in_circles_select_everything() {
    let mut tree = Tree::one("FROM x\nCOPY a /", &[("z", "1")]);
    tree.entry("a", 0o120000, "b");
    tree.entry("b", 0o120000, "a");
    assert_eq!(selected(&tree), ["a", "b", "z"]);
}

#[test]
fn a_submodule_counts_by_its_commit() {
    for (copy, ignore, counts) in [
        ("sub", "", true),
        ("sub/deep/file", "", true),
        ("*/file", "", true),
        (".", "", true),
        (".", "sub", false),
        (".", "*\n!sub/keep", true),
        ("a.txt", "", false),
        ("*.txt", "", false),
    ] {
        let mut tree = Tree::one(&format!("FROM x\nCOPY {copy} /"), &FILES);
        tree.write(".dockerignore", ignore);
        tree.entry("sub", 0o160000, "1111");
        let before = of(&tree);
        tree.entry("sub", 0o160000, "2222");
        assert_eq!(of(&tree) != before, counts, "{copy} with {ignore:?}");
    }
}

#[test]
fn a_named_context_counts_by_what_is_taken_of_it() {
    for (dockerfile, context, expected) in [
        ("FROM x\nCOPY --from=c a.txt /", "d", &["d/a.txt"][..]),
        ("FROM x\nCOPY --from=c e /", "d", &["d/e/b.md", "d/e/f/c.sh"]),
        ("FROM x AS c\nCOPY z /\nFROM x\nCOPY --from=c *.txt /", "d", &["d/a.txt"]),
        ("FROM x AS c\nFROM c", "d/e", &["d/e/b.md", "d/e/f/c.sh"]),
        ("FROM c", "s", &["s/one.rs", "s/t/two.rs"]),
        ("FROM x\nRUN --mount=from=c,source=t,target=/m y", "s", &["s/t/two.rs"]),
        ("FROM x AS c\nCOPY z /\nFROM x", "d", &[]),
    ] {
        let image = format!("a: {{ dockerfile: Dockerfile, contexts: {{ c: {context} }}, tags: ['v{{v}}'] }}");
        let mut tree = Tree::new(&phase("one", "v", &[&image]), &FILES);
        tree.write("Dockerfile", dockerfile);
        assert_eq!(selected(&tree), expected, "{dockerfile}");
    }
    let at = |url: &str| {
        let image = format!("a: {{ dockerfile: x, contexts: {{ c: '{url}' }}, tags: ['v{{v}}'] }}");
        of(&Tree::new(&phase("one", "v", &[&image]), &[("x", "FROM x\nCOPY --from=c / /")]))
    };
    assert_ne!(at("https://example.com/a.git#1"), at("https://example.com/a.git#2"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// For any tree and sources: what the selection lists is exactly what changes the fingerprint.
    #[test]
    fn a_touched_file_counts_exactly_if_it_is_copied(
        paths in prop::collection::btree_set("[ab](/[ab]){0,3}\\.[xy]", 1..12),
        source in prop_oneof![Just("."), Just("a"), Just("a/b"), Just("*.x"), Just("a/*"), Just("*/b.y"), Just("[a]/?.x")],
        ignore in prop_oneof![Just(""), Just("*.x"), Just("**/*.y"), Just("a\n!a/b"), Just("*\n!a"), Just("b/**")],
    ) {
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "1")).collect();
        let mut tree = Tree::one(&format!("FROM x\nCOPY {source} /d/"), &files);
        tree.write(".dockerignore", ignore);
        let regex = crate::image::pattern::copied(source);
        let patterns = crate::image::pattern::Patterns::of_ignore_file(ignore.as_bytes());
        let copied = |path: &str| !patterns.matches(path) && (source == "." || regex.as_ref().unwrap().is_match(path));
        let expected: Vec<String> = paths.iter().filter(|path| copied(path)).cloned().collect();
        prop_assert_eq!(selected(&tree), expected);
    }
}
