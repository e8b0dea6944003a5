//! What a valid file means.

use std::time::Duration;

use super::{config, with_component, with_image};
use crate::config::{
    BuildCache, Code, CommitVia, ContextSource, EngineKind, NamedContext, Template, VersionSource, WhenStale,
};

#[test]
fn the_design_s_example_is_accepted_whole() {
    let config = config(include_str!("design.yaml"));
    assert_eq!(config.repository.as_ref().map(ToString::to_string).as_deref(), Some("alibaba/GraphScope"));
    assert_eq!(config.registry.as_deref(), Some("registry.cn-hongkong.aliyuncs.com/graphscope"));
    assert_eq!(config.registry_aliases, ["registry-vpc.cn-hongkong.aliyuncs.com/graphscope"]);
    assert!(config.ignore.is_match("docs/a/b.md") && !config.ignore.is_match("src/docs.md"));

    let vineyard = config.component("vineyard").unwrap();
    assert_eq!(vineyard.version, VersionSource::Inline("0.24.2".parse().unwrap()));
    assert_eq!(vineyard.upstream.as_ref().unwrap().to_string(), "v6d-io/v6d");
    assert!(vineyard.update.allow.as_ref().unwrap().matches(&"0.25.0".parse().unwrap()));
    assert_eq!(vineyard.update.minimum_age, Duration::from_secs(86_400));
    assert_eq!(vineyard.update.ignore, ["0.24.3".parse().unwrap()]);
    assert!(vineyard.ignore.is_match("NOTICE"));
    let forms: Vec<String> = vineyard.sites.iter().map(|site| site.form.to_string()).collect();
    assert_eq!(
        forms,
        [
            "arg VINEYARD_VERSION",
            "image graphscope/graphscope-dev",
            "image graphscope/graphscope-dev",
            "path appVersion",
            r"regex VINEYARD_VERSION \?= v(?<version>\S+)",
            "whole",
        ]
    );
    assert_eq!(vineyard.sites.iter().map(|site| site.line).collect::<Vec<_>>(), [17, 18, 19, 20, 21, 22]);
    assert_eq!(vineyard.sites[4].expect, Some(1));
    assert!(
        vineyard.sites[4].files.matches("k8s/Makefile") && !vineyard.sites[4].files.matches("third_party/Makefile")
    );
    assert_eq!(config.component("graphscope").unwrap().version, VersionSource::File("VERSION".into()));

    let pull_request = &config.pull_request;
    assert_eq!(pull_request.reviewers, ["octocat", "example/release-team"]);
    assert_eq!(pull_request.commit_via, CommitVia::Api);
    assert_eq!(pull_request.push_to.as_ref().unwrap().to_string(), "example/GraphScope");

    let [docs, base] = &config.check_ignore[..] else { panic!("two findings are accepted") };
    assert_eq!((docs.code, docs.line_contains.as_deref()), (Code::Untracked, None));
    assert!(docs.files.matches("docs/a/b.md") && docs.reason.starts_with("samples"));
    assert_eq!((base.code, base.line_contains.as_deref()), (Code::FloatingBase, Some("ubuntu:latest")));

    let [v6d, gs] = &config.phases[..] else { panic!("there are two phases") };
    assert!(v6d.build_before_merge && !gs.build_before_merge);
    assert_eq!((v6d.when_stale, gs.when_stale), (WhenStale::Rebuild, WhenStale::Keep));
    assert_eq!(gs.trigger.tag.as_ref().unwrap().to_string(), "v{graphscope}");
    let [base, dev, wheel] = &v6d.images[..] else { panic!("there are three images") };
    assert_eq!((&*base.name, &*base.repository, &*base.context), ("graphscope-dev-base", "graphscope-dev-base", ""));
    assert_eq!(dev.dockerfile, "dockerfiles/graphscope-dev.Dockerfile");
    assert_eq!(dev.args.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["VINEYARD_VERSION", "ARCH"]);
    assert_eq!((&*wheel.repository, &*wheel.context), ("graphscope-dev", "k8s"));
    assert_eq!(dev.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
    assert_eq!(wheel.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64"]);
    assert_eq!((gs.images[0].target.as_deref(), &*gs.images[0].context), (Some("coordinator"), ""));

    let build = &config.build;
    assert_eq!((build.engine, build.parallel, build.platform_tags), (EngineKind::Actions, Some(4), false));
    let actions = build.actions.as_ref().unwrap();
    assert_eq!((&*actions.workflow, actions.attempts), ("build-images.yml", 3));
    assert_eq!(actions.queue_limit, Duration::from_secs(60 * 60));
    assert_eq!(inputs(&actions.inputs), ["phase={phase}", "commit={commit}", "request={request}"]);
    assert_eq!(build.buildx.builder.as_deref(), Some("remote"));
    assert_eq!(build.buildx.cache, Some(BuildCache::Registry));
    assert!(!build.buildx.provenance && build.buildx.sbom);
}

fn inputs(inputs: &[(String, Template)]) -> Vec<String> {
    inputs.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn a_phase_may_have_a_workflow_of_its_own_with_its_own_inputs() {
    let image = with_image("dockerfile: D\ntags: ['{vineyard}']");
    let trigger = "{ workflow: dev-images.yml, inputs: { v6d_version: 'v{vineyard}', id: '{request}' } }";
    let config = config(&format!("{image}    trigger: {trigger}\nbuild: {{ engine: actions }}\n"));
    let trigger = &config.phases[0].trigger;
    assert_eq!((trigger.workflow.as_deref(), trigger.tag.is_some()), (Some("dev-images.yml"), false));
    assert_eq!(inputs(trigger.inputs.as_ref().unwrap()), ["v6d_version=v{vineyard}", "id={request}"]);
}

#[test]
fn a_component_with_a_version_is_enough_and_the_rest_has_defaults() {
    let config = config("components: { vineyard: { version: v0.24.1 } }");
    assert_eq!((&*config.base, config.registry, config.repository), ("main", None, None));
    assert_eq!(config.build.engine, EngineKind::Buildx);
    assert!(!config.build.buildx.provenance && !config.build.buildx.sbom);
    assert_eq!(config.pull_request.commit_via, CommitVia::Git);
    let vineyard = &config.components[0];
    assert_eq!(vineyard.version, VersionSource::Inline("0.24.1".parse().unwrap()));
    assert_eq!(vineyard.tag.render(&"0.24.2".parse().unwrap()), "v0.24.2");
    assert_eq!(vineyard.update.minimum_age, Duration::ZERO);
}

#[test]
fn an_image_is_built_for_amd64_unless_told_otherwise() {
    let config = config(&with_image("dockerfile: Dockerfile\ntags: ['{vineyard}']"));
    assert_eq!(config.phases[0].images[0].platforms[0].to_string(), "linux/amd64");
}

#[test]
fn components_and_images_keep_the_order_of_the_file() {
    let config = config("components: { zebra: { version: 1.0.0 }, ant: { version: 1.0.0 }, mole: { version: 1.0.0 } }");
    assert_eq!(config.components.iter().map(|c| &*c.name).collect::<Vec<_>>(), ["zebra", "ant", "mole"]);
}

#[test]
fn anchors_and_aliases_stand_for_their_values() {
    let config = config(&with_component(
        "version: 0.24.2\nsites:\n  - { files: &files [a, b], arg: A }\n  - { files: *files, env: A }",
    ));
    assert!(config.components[0].sites[1].files.matches("b"));
}

#[test]
fn a_byte_order_mark_and_windows_line_endings_do_no_harm() {
    let text = "\u{feff}components:\r\n  vineyard:\r\n    version: 0.24.2\r\n    sites:\r\n    - { files: a, whole: true }\r\n";
    assert_eq!(config(text).components[0].sites[0].line, 5);
}

#[test]
fn this_repository_s_own_config_and_the_example_are_valid() {
    for text in [include_str!("../../../release.yaml"), include_str!("../../../docs/examples/graphscope/release.yaml")]
    {
        assert!(config(text).component("vineyard").is_some());
    }
}

#[test]
fn paths_lose_what_they_do_not_need() {
    let config = config(&with_image("dockerfile: ./a//b/Dockerfile\ncontext: ./k8s/\ntags: ['{vineyard}']"));
    let image = &config.phases[0].images[0];
    assert_eq!((&*image.dockerfile, &*image.context), ("a/b/Dockerfile", "k8s"));
}

#[test]
fn named_contexts_are_told_apart_and_are_templates() {
    let config = config(&with_image(
        "dockerfile: D\ntags: ['{vineyard}']\ncontexts:\n  source: https://github.com/v6d-io/v6d.git#v{vineyard}\n  \
         here: ./third_party/\n  root: .\n  example.com/base:v1: docker-image://example.com/base@sha256:0123456789abcdef\
         0123456789abcdef0123456789abcdef0123456789abcdef\n  base: docker-image://debian:{vineyard}-{arch}",
    ));
    let contexts = &config.phases[0].images[0].contexts;
    let template = |text: &str| Template::parse(text).unwrap();
    let digest = "0123456789abcdef".repeat(4);
    let expected = [
        ("source", ContextSource::Git(template("https://github.com/v6d-io/v6d.git#v{vineyard}"))),
        ("here", ContextSource::Directory(template("third_party"))),
        ("root", ContextSource::Directory(template(""))),
        ("example.com/base:v1", ContextSource::Image(template(&format!("example.com/base@sha256:{digest}")))),
        ("base", ContextSource::Image(template("debian:{vineyard}-{arch}"))),
    ];
    let expected = expected.map(|(name, source)| NamedContext { name: name.into(), source });
    assert_eq!(*contexts, expected);
}

#[test]
fn upstream_is_on_github_on_the_package_index_or_on_both() {
    for (upstream, meaning) in [
        ("{ github: v6d-io/v6d }", "v6d-io/v6d"),
        ("{ pypi: [Vineyard_bdist] }", "vineyard-bdist on the package index"),
        (
            "{ github: v6d-io/v6d, pypi: [vineyard, vineyard.bdist] }",
            "v6d-io/v6d with vineyard, vineyard-bdist on the package index",
        ),
    ] {
        let found = config(&with_component(&format!("version: 0.24.2\nupstream: {upstream}")));
        assert_eq!(found.components[0].upstream.as_ref().unwrap().to_string(), meaning);
    }
}
