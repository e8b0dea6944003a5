use proptest::prelude::*;

use super::super::testing::{Tree, phase};
use super::*;

/// The fingerprint of the only image.
fn of(tree: &Tree) -> Fingerprint {
    tree.inputs().remove(0).fingerprint
}

fn of_text(dockerfile: &str) -> Fingerprint {
    of(&Tree::one(dockerfile, &[]))
}

const FILES: [(&str, &str); 10] = [
    ("a.txt", "1"),
    ("b.md", "2"),
    ("d/a.txt", "3"),
    ("d/e/b.md", "4"),
    ("d/e/f/c.sh", "5"),
    ("s/one.rs", "6"),
    ("s/t/two.rs", "7"),
    ("odd [x]*.txt", "8"),
    ("z", "9"),
    ("d.txt", "10"),
];

/// The files whose change changes the fingerprint.
fn selected(tree: &Tree) -> Vec<String> {
    let graph = tree.graph().unwrap();
    let of = |entries: &[TreeEntry]| graph.inputs(entries, |path| tree.read(path)).unwrap().remove(0).fingerprint;
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
fn what_does_not_count_changes_nothing() {
    let before = of_text("FROM debian:12\nRUN a \\\n  b\nCMD [\"x\"]\n");
    for same in [
        "# a comment\nFROM debian:12\nRUN a \\\n  b\nCMD [\"x\"]\n",
        "FROM debian:12\n\n\nRUN a \\\n  # why\n\n  b\n# end\nCMD [\"x\"]",
        "from debian:12\r\nrun a \\\r\n  b\r\ncmd [\"x\"]\r\n",
        "\u{feff}FROM debian:12\n  RUN a \\  \n  b  \nCMD [\"x\"]\n",
        "ARG UNUSED=1\nFROM debian:12\nRUN a \\\n  b\nCMD [\"x\"]\n",
        "ARG V=12\nFROM debian:$V\nRUN a \\\n  b\nCMD [\"x\"]\n",
        "FROM other:1 AS unused\nRUN z\nFROM debian:12\nRUN a \\\n  b\nCMD [\"x\"]\n",
        "FROM debian:12\nRUN a \\\n  b\nARG UNUSED=1\nCMD [\"x\"]\n",
    ] {
        assert_eq!(of_text(same), before, "{same:?}");
    }
    for other in [
        "FROM debian:13\nRUN a \\\n  b\nCMD [\"x\"]\n",
        "FROM debian:12\nRUN a   b c\nCMD [\"x\"]\n",
        "FROM debian:12\nRUN a \\\n   b\nCMD [\"x\"]\n",
        "FROM debian:12\nCMD [\"x\"]\nRUN a \\\n  b\n",
        "FROM debian:12\nRUN a \\\n  b\nCMD [\"y\"]\n",
        "FROM --platform=linux/amd64 debian:12\nRUN a \\\n  b\nCMD [\"x\"]\n",
        "FROM debian:12\nARG V=1\nRUN a \\\n  b\nCMD [\"x\"]\n",
        "# syntax=docker/dockerfile:1.7\nFROM debian:12\nRUN a \\\n  b\nCMD [\"x\"]\n",
    ] {
        assert_ne!(of_text(other), before, "{other:?}");
    }
}

#[test]
fn an_arg_counts_where_it_is_used() {
    for (text, used) in [
        ("ARG V=@\nFROM x:$V", true),
        ("ARG V=@\nFROM x", false),
        ("ARG V=@\nARG W=$V\nFROM x:$W", true),
        ("ARG V=@\nFROM x\nRUN y", false),
        ("ARG V=@\nFROM x\nARG V\nRUN y", true),
        ("FROM x\nARG V=@\nRUN y", true),
        ("FROM x\nRUN y\nARG V=@", false),
        ("FROM x\nARG V=@\nLABEL v=$V", true),
        ("FROM x\nARG V=@\nLABEL v=${V:-1}", true),
        ("FROM x\nARG V=@ W=1\nLABEL v=$W", false),
        ("FROM x\nARG V=@\nLABEL v=$VV", false),
        ("FROM x\nARG V=@\nCMD echo $V", false),
        ("FROM x\nARG V=@\nENV A=$V\nENV B=1", true),
        ("FROM x AS y\nARG V=@\nFROM y\nRUN z", true),
        ("FROM x AS y\nARG V=@\nFROM x\nRUN z", false),
        ("FROM x\nARG V=@\nCOPY <<E /y\n$V\nE", true),
        ("FROM x\nARG V=@\nADD https://example.com/$V /", true),
    ] {
        let (one, two) = (of_text(&text.replace('@', "1")), of_text(&text.replace('@', "2")));
        assert_eq!(one != two, used, "{text}");
    }
}

#[test]
fn a_build_arg_that_overrides_a_default_hides_its_change() {
    let image = "a: { dockerfile: Dockerfile, tags: ['v{v}'], args: { V: '7' } }";
    let tree = |text: &str| of(&Tree::new(&phase("one", "v", &[image]), &[("Dockerfile", text)]));
    assert_eq!(tree("ARG V=1\nFROM x:$V"), tree("ARG V=2\nFROM x:$V"));
    assert_eq!(tree("FROM x\nARG V=1\nRUN y"), tree("FROM x\nARG V=2\nRUN y"));
}

#[test]
fn a_heredoc_counts_with_every_byte() {
    let before = of_text("FROM x\nRUN <<E\na \\\n# b\n\n  c\nE\nRUN z\n");
    for other in [
        "FROM x\nRUN <<E\na \\\n# B\n\n  c\nE\nRUN z\n",
        "FROM x\nRUN <<E\na \\\n# b\n  c\nE\nRUN z\n",
        "FROM x\nRUN <<E\na \\\n# b\n\n c\nE\nRUN z\n",
        "FROM x\nRUN <<E\na  # b\n\n  c\nE\nRUN z\n",
    ] {
        assert_ne!(of_text(other), before, "{other:?}");
    }
}

#[test]
fn target_and_platforms_count_and_tags_do_not() {
    let of = |image: &str| of(&Tree::new(&phase("one", "v", &[image]), &[("x", "FROM a AS one\nFROM a AS two")]));
    let before = of("a: { dockerfile: x, target: one, tags: ['v{v}'], platforms: [linux/amd64, linux/arm64] }");
    assert_eq!(of("a: { dockerfile: x, target: one, tags: ['{v}'], platforms: [linux/arm64, linux/amd64] }"), before);
    assert_ne!(of("a: { dockerfile: x, target: two, tags: ['v{v}'], platforms: [linux/amd64, linux/arm64] }"), before);
    assert_ne!(of("a: { dockerfile: x, target: one, tags: ['v{v}'], platforms: [linux/amd64] }"), before);
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

/// `a` from `a`, `b` from `b` which is built on it, `c` from `c` which is built on `b`.
fn chain(a: &str) -> Tree {
    let images = ["a", "b", "c"].map(|n| format!("{n}: {{ dockerfile: {n}, tags: ['v{{v}}'] }}"));
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let files =
        [("a", a), ("b", "FROM r.example.com/p/a:v1.2.3"), ("c", "FROM x\nCOPY --from=r.example.com/p/b:v1.2.3 / /")];
    Tree::new(&phase("one", "v", &images), &files)
}

#[test]
fn the_fingerprint_of_a_base_carries_through() {
    let (before, after) = (chain("FROM x:1").inputs(), chain("FROM x:2").inputs());
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before.fingerprint, after.fingerprint);
    }
    assert_eq!(diff(&before[2].parts, &after[2].parts), ["base b changed"]);
}

#[test]
fn what_a_base_does_on_build_counts_where_it_is_done() {
    let tree = |a: &str| {
        let images = ["a: { dockerfile: a, tags: ['v{v}'] }", "b: { dockerfile: b, context: d, tags: ['v{v}'] }"];
        Tree::new(
            &phase("one", "v", &images),
            &[&FILES[..], &[("a", a), ("b", "FROM r.example.com/p/a:v1.2.3")]].concat(),
        )
    };
    let both = |tree: &Tree| tree.inputs().into_iter().map(|inputs| inputs.fingerprint).collect::<Vec<_>>();
    for (a, counts) in [("FROM x\nONBUILD COPY a.txt /", true), ("FROM x\nONBUILD RUN y", false)] {
        let mut tree = tree(a);
        let before = both(&tree);
        tree.write("a.txt", "changed");
        assert_eq!(both(&tree), before, "{a}: not of the context of `b`, and not copied by `a`");
        tree.write("d/a.txt", "changed");
        assert_eq!(both(&tree)[1] != before[1], counts, "{a}");
    }
}

#[test]
fn the_version_in_a_base_s_tag_is_no_input_of_its_own() {
    let tree = chain("FROM x:1");
    let (mut config, mut bumped) = (tree.config.clone(), tree.clone());
    config = config.replace("1.2.3", "1.2.4");
    bumped.config = config;
    for path in ["b", "c"] {
        let text = String::from_utf8(bumped.read(path).unwrap().unwrap()).unwrap();
        bumped.write(path, &text.replace("1.2.3", "1.2.4").replace("r.example.com", "alias.example.com"));
    }
    assert_eq!(tree.inputs()[1].fingerprint, bumped.inputs()[1].fingerprint);
    // the text of a COPY is an instruction of its own
    assert_ne!(tree.inputs()[2].fingerprint, bumped.inputs()[2].fingerprint);
}

#[test]
fn reasons_are_told_in_words() {
    let text = "ARG V=1\nFROM debian:12\nRUN a\nRUN b\nARG V\nRUN c\nCOPY d /\n";
    let before = Tree::one(text, &FILES);
    let parts = |tree: &Tree| tree.inputs().remove(0).parts;
    let because = |change: &dyn Fn(&mut Tree)| {
        let mut after = before.clone();
        change(&mut after);
        diff(&parts(&before), &parts(&after))
    };
    let edit = |from: &str, to: &str| because(&|tree| tree.write("Dockerfile", &text.replace(from, to)));
    assert_eq!(edit("RUN b", "RUN B"), ["Dockerfile line 4 changed"]);
    assert_eq!(edit("RUN a", "# why\n\nRUN A"), ["Dockerfile line 5 changed"]);
    assert_eq!(edit("RUN b\n", "RUN b\nRUN bb\n"), ["Dockerfile line 5 is new"]);
    assert_eq!(edit("RUN b\n", ""), ["Dockerfile line 4 is gone"]);
    assert_eq!(edit("V=1", "V=2"), ["arg V changed"]);
    assert_eq!(edit("debian:12", "debian:13"), ["base debian:13 was debian:12"]);
    assert_eq!(because(&|tree| tree.write("d/a.txt", "x")), ["file d/a.txt changed"]);
    assert_eq!(because(&|tree| tree.write("d/n", "x")), ["file d/n is new"]);
    assert_eq!(because(&|tree| tree.remove("d/a.txt")), ["file d/a.txt is gone"]);
    let platforms = |tree: &mut Tree| tree.config = tree.config.replace("[linux/amd64],", "[linux/arm64],");
    assert_eq!(because(&platforms), ["platforms is `linux/arm64`, was `linux/amd64`"]);
    assert!(because(&|_| {}).is_empty());
}

#[test]
fn the_record_stays_small_and_survives_json() {
    let files: Vec<(String, String)> = (0..500).map(|i| (format!("d/f{i}"), i.to_string())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let tree = Tree::one("FROM x\nCOPY d /d\nCOPY d/f1 /\n", &files);
    let parts = tree.inputs().remove(0).parts;
    assert_eq!(parts.files.keys().collect::<Vec<_>>(), ["d", "d/f1"]);
    let json = serde_json::to_string(&parts).unwrap();
    assert!(json.len() < 300, "{json}");
    assert_eq!(serde_json::from_str::<Parts>(&json).unwrap(), parts);
}

#[test]
fn a_fingerprint_is_written_as_its_version_and_digest() {
    let fingerprint = of_text("FROM x");
    assert_eq!(Fingerprint::parse(fingerprint.as_str()), Some(fingerprint.clone()));
    assert_eq!(fingerprint.as_str().len(), 67);
    assert_eq!(format!("v1:{}", fingerprint.short()), fingerprint.as_str()[..19]);
    for bad in ["", "v1:", "v2:00", "v1:XY", &fingerprint.as_str().to_uppercase()] {
        assert_eq!(Fingerprint::parse(bad), None, "{bad}");
    }
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
        let regex = super::super::pattern::copied(source);
        let patterns = super::super::pattern::Patterns::of_ignore_file(ignore.as_bytes());
        let copied = |path: &str| !patterns.matches(path) && (source == "." || regex.as_ref().unwrap().is_match(path));
        let expected: Vec<String> = paths.iter().filter(|path| copied(path)).cloned().collect();
        prop_assert_eq!(selected(&tree), expected);
    }
}
