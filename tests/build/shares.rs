//! A share for each platform, made side by side and joined into one index; and tags of single platforms.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use crate::lab::{BOTH, CONFIG, Lab, RELEASED};

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn shares_are_joined_without_building() {
    let lab = Lab::new();
    for phase in ["v6d", "gs"] {
        for platform in BOTH {
            let share = lab.build(&["--platform", platform]).fine();
            assert!(share.document["waits-for"].as_str().unwrap().contains(phase), "{}", share.document);
            assert_eq!(share.built().len(), 2, "{platform} of {phase}: {}", share.document);
            let twice = lab.build(&["--platform", platform]).fine();
            assert!(twice.built().is_empty(), "a share that is there is not built again");
        }
        if phase == "v6d" {
            assert!(RELEASED.iter().all(|tag| lab.tag(tag).is_none()), "shares write no release tag");
            assert!(lab.tag("dev:latest").is_none());
            assert!(lab.build(&["--phase", "v6d"]).fine().built().is_empty());
        }
    }
    assert!(lab.tag("coordinator:0.28.0").is_none());
    assert!(lab.build(&[]).fine().built().is_empty(), "everything was there");
    lab.run(&["verify"]).fine();
    let dev = lab.tag("dev:v0.24.1").unwrap();
    assert_eq!(dev.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), BOTH);
    assert_eq!(lab.configuration("dev:v0.24.1", "arm64")["architecture"], "arm64");
    let rest = lab.build(&["--platform", BOTH[0]]).fine();
    assert!(rest.document["waits-for"].as_str().unwrap().starts_with("nothing"), "{}", rest.document);
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn a_plain_build_adds_the_share_that_is_missing() {
    let lab = Lab::new();
    lab.build(&["--platform", "linux/arm64", "--phase", "v6d"]).fine();
    let mut running = lab.start(&["--phase", "v6d"]);
    running.wait_for("base: building for linux/amd64\n");
    running.wait_for("dev: building for linux/amd64\n");
    let (code, said) = running.end();
    assert_eq!(code, 0, "{said}");
    lab.build(&[]).fine();
    lab.run(&["verify"]).fine();
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn platforms_that_differ_in_an_arg_are_built_apart_and_may_have_tags_of_their_own() {
    let config = CONFIG.replace(r#"V: "v{vineyard}", G:"#, r#"V: "v{vineyard}", ARCH: "{arch}", G:"#);
    let config = format!("{config}build: {{ platform-tags: true }}\n");
    let dockerfile = "ARG V\nARG ARCH\nFROM registry.example.com/g/dev:$V-$ARCH AS dev\nFROM scratch\nARG ARCH\nCOPY --from=dev /payload /p\nLABEL arch=$ARCH\n";
    let lab = Lab::with(&config, &[("coordinator.Dockerfile", dockerfile)]);
    lab.build(&[]).fine();
    for arch in ["amd64", "arm64"] {
        assert_eq!(lab.configuration("coordinator:0.28.0", arch)["config"]["Labels"]["arch"], arch);
        for tag in ["base:v0.24.1", "dev:v0.24.1", "coordinator:0.28.0", "client:0.28.0"] {
            let whole: BTreeSet<String> = lab.children(tag).into_iter().collect();
            let part = lab.children(&format!("{tag}-{arch}"));
            assert!(whole.is_superset(&part.into_iter().collect()), "{tag}-{arch} holds what {tag} does");
            let platforms = lab.tag(&format!("{tag}-{arch}")).unwrap().platforms;
            assert_eq!(platforms.iter().map(|p| p.arch.as_str()).collect::<Vec<_>>(), [arch]);
        }
    }
    // an adopted image gets them, too
    lab.bump_and_merge("vineyard", "0.24.2");
    assert_eq!(lab.build(&[]).fine().built(), ["coordinator", "dev"]);
    assert!(lab.tag("base:v0.24.2-arm64").is_some() && lab.tag("base:v0.24.2-amd64").is_some());
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn platform_tags_that_are_missing_are_added_without_a_build() {
    let lab = Lab::new();
    lab.build(&[]).fine();
    assert_eq!(lab.tags("client"), ["0.28.0"]);
    lab.sandbox.write("release.yaml", format!("{CONFIG}build: {{ platform-tags: true }}\n").as_bytes());
    lab.sandbox.commit();
    assert!(lab.build(&[]).fine().built().is_empty());
    assert_eq!(lab.tags("client"), ["0.28.0", "0.28.0-amd64", "0.28.0-arm64"]);
}

#[test]
#[ignore = "needs a Docker engine with buildx, and a registry on 127.0.0.1:5000"]
fn steps_of_another_platform_run_under_emulation() {
    // each platform's own program runs while its image is built: it does nothing but exit
    let dockerfile = "FROM scratch\nARG TARGETARCH\nCOPY exit-$TARGETARCH /exit\nRUN [\"/exit\"]\n";
    let lab = Lab::with(CONFIG, &[("client.Dockerfile", dockerfile)]);
    for (arch, machine, code) in [
        // mov edi, 0; mov eax, 60; syscall
        ("amd64", 62, &[0xbf, 0, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05][..]),
        // mov x0, 0; mov x8, 93; svc 0
        ("arm64", 183, &[0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4][..]),
    ] {
        let path = format!("exit-{arch}");
        lab.sandbox.write(&path, &program(machine, code));
        let path = lab.sandbox.path().join(path);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    lab.sandbox.commit();
    lab.build(&[]).fine();
    assert_eq!(lab.tag("client:0.28.0").unwrap().platforms.len(), 2);
}

/// The smallest program: an ELF header, one segment, `code`.
fn program(machine: u16, code: &[u8]) -> Vec<u8> {
    const START: u64 = 0x40_0000;
    let headers = 64 + 56;
    let size = (headers + code.len()) as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(2u16.to_le_bytes());
    file.extend(machine.to_le_bytes());
    file.extend(1u32.to_le_bytes());
    for number in [START + headers as u64, 64, 0] {
        file.extend(number.to_le_bytes());
    }
    file.extend(0u32.to_le_bytes());
    for number in [64u16, 56, 1, 0, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    file.extend([1u32, 5].into_iter().flat_map(u32::to_le_bytes));
    file.extend([0, START, START, size, size, 0x1000].into_iter().flat_map(u64::to_le_bytes));
    file.extend(code);
    file
}
