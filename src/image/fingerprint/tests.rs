//! What counts in a fingerprint, and what does not.

mod files;
mod repository;

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
