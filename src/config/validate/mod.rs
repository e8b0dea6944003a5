//! The rules of `release.yaml` beyond its shape.
//!
//! Every rule is applied to whatever is there, so that one run tells all faults. A function returns `None` when
//! it noted a fault, or when the shape check did; what is absent is only missed where the shape check took
//! nothing away.

mod actions;
mod check;
mod component;
mod image;

use globset::GlobSet;
use indexmap::IndexSet;

use super::faults::Faults;
use super::yaml::Node;
use super::{
    Build, BuildCache, Buildx, CommitVia, Config, EngineKind, Phase, Platform, PullRequest, globs, names, raw,
};
use crate::error::{Error, Result};

/// The valid config of `root`, which has the shape of [`raw::Release`] except for what is absent.
pub(super) fn config(root: &Node, faults: &mut Faults) -> Option<Config> {
    let raw: raw::Release = match serde_yaml::from_value(root.to_yaml()) {
        Ok(raw) => raw,
        Err(error) => {
            faults.add(root.span.clone(), error.to_string());
            return None;
        }
    };
    let raw_components = raw.components.unwrap_or_default();
    let known: IndexSet<&str> = raw_components.keys().map(String::as_str).collect();
    let platforms = platforms(raw.platforms.as_deref(), root, faults);
    let phases = image::phases(&raw.phases, root.get("phases"), &known, platforms.as_deref(), faults);
    if raw_components.is_empty() && root.has("components") && !root.get("components").damaged {
        faults.add_with_help(
            root.key_span("components"),
            "there is no component",
            "name what has a version of its own",
        );
    }
    if !raw.phases.is_empty() && raw.registry.is_none() && !root.damaged {
        let help = "say where the images are published: `registry: registry.example.com/graphscope`";
        faults.add_with_help(root.key_span("phases"), "phases need a `registry`", help);
    }
    let build = build(raw.build.unwrap_or_default(), root, phases.as_deref(), &known, faults);
    let repository = optional(raw.repository.as_deref(), root, "repository", faults, str::parse);
    let base = optional(raw.base.as_deref(), root, "base", faults, names::branch_name);
    let registry = optional(raw.registry.as_deref(), root, "registry", faults, names::registry_name);
    let aliases = root.get("registry-aliases");
    let registry_aliases = each(&raw.registry_aliases, aliases, faults, |alias| names::registry_name(alias));
    let ignore = ignore(&raw.ignore, root.get("ignore"), faults);
    let components = component::components(&raw_components, root.get("components"), faults);
    let check_ignore = check::ignore(&raw.check.unwrap_or_default().ignore, root.get("check").get("ignore"), faults);
    let pull_request = pull_request(raw.pull_request.unwrap_or_default(), root.get("pull-request"), faults);
    Some(Config {
        repository: repository?,
        base: base?.unwrap_or_else(|| "main".into()),
        registry: registry?,
        registry_aliases: registry_aliases?,
        ignore: ignore?,
        components: components?,
        pull_request: pull_request?,
        phases: phases?,
        build: build?,
        check_ignore: check_ignore?,
    })
}

/// What `read` makes of the text of `key`, if there is one. The outer `None`: it is at fault.
fn optional<T>(
    text: Option<&str>,
    parent: &Node,
    key: &str,
    faults: &mut Faults,
    read: impl Fn(&str) -> Result<T>,
) -> Option<Option<T>> {
    match text {
        Some(text) => faults.take(parent.get(key).span.clone(), read(text)).map(Some),
        None => Some(None),
    }
}

/// What `read` makes of each item of a list; `None` if any is at fault.
fn each<R, T>(items: &[R], list: &Node, faults: &mut Faults, read: impl Fn(&R) -> Result<T>) -> Option<Vec<T>> {
    let span = |index| list.item(index).span.clone();
    // all of them are read before the first fault ends it
    let read: Vec<Option<T>> = items.iter().enumerate().map(|(i, item)| faults.take(span(i), read(item))).collect();
    read.into_iter().collect()
}

fn ignore(patterns: &[String], list: &Node, faults: &mut Faults) -> Option<GlobSet> {
    each(patterns, list, faults, |pattern| match pattern.strip_prefix('!') {
        Some(_) => Err(Error::usage(format!("`{pattern}` excludes, which works only in the `files` of a site"))
            .hint("list nothing but what is to be ignored")),
        None => globs::glob(pattern),
    })?;
    faults.take(list.span.clone(), globs::glob_set(patterns.iter().map(String::as_str)))
}

/// The platforms of the whole file, or of one image.
fn platforms(texts: Option<&[String]>, parent: &Node, faults: &mut Faults) -> Option<Vec<Platform>> {
    let Some(texts) = texts else {
        return Some(vec![Platform { os: "linux".into(), arch: "amd64".into(), variant: None }]);
    };
    let list = parent.get("platforms");
    if texts.is_empty() && !list.damaged {
        faults.add_with_help(list.span.clone(), "there is no platform", "name one, or remove the key");
        return None;
    }
    let platforms = each(texts, list, faults, |text| text.parse::<Platform>())?;
    let mut seen = std::collections::HashSet::new();
    for (index, platform) in platforms.iter().enumerate() {
        if !seen.insert(platform) {
            faults.add(list.item(index).span.clone(), format!("`{platform}` is given twice"));
        }
    }
    Some(platforms)
}

fn pull_request(raw: raw::PullRequest, node: &Node, faults: &mut Faults) -> Option<PullRequest> {
    let user = |name: &String| match name.strip_prefix('@') {
        Some(bare) => Err(Error::usage(format!("`{name}` is not a user")).hint(format!("write `{bare}`"))),
        None => names::some_text(name),
    };
    let labels = each(&raw.labels, node.get("labels"), faults, |label| names::some_text(label));
    let milestone = optional(raw.milestone.as_deref(), node, "milestone", faults, names::some_text);
    let reviewers = each(&raw.reviewers, node.get("reviewers"), faults, user);
    let assignees = each(&raw.assignees, node.get("assignees"), faults, user);
    let push_to = optional(raw.push_to.as_deref(), node, "push-to", faults, str::parse);
    Some(PullRequest {
        labels: labels?,
        reviewers: reviewers?,
        assignees: assignees?,
        milestone: milestone?,
        draft: raw.draft,
        automerge: raw.automerge,
        commit_via: match raw.commit_via {
            Some(raw::CommitVia::Api) => CommitVia::Api,
            Some(raw::CommitVia::Git) | None => CommitVia::Git,
        },
        push_to: push_to?,
    })
}

fn build(
    raw: raw::Build,
    root: &Node,
    phases: Option<&[Phase]>,
    known: &IndexSet<&str>,
    faults: &mut Faults,
) -> Option<Build> {
    let node = root.get("build");
    let engine = match raw.engine {
        Some(raw::Engine::Actions) => EngineKind::Actions,
        Some(raw::Engine::Buildx) | None => EngineKind::Buildx,
    };
    let needs_workflow = phases.is_none_or(|phases| phases.iter().any(|phase| phase.trigger.workflow.is_none()));
    if engine == EngineKind::Actions && raw.actions.is_none() && needs_workflow && !node.damaged {
        let help = "name the workflow that builds a phase: `actions: { workflow: build-images.yml }`";
        faults.add_with_help(node.get("engine").span.clone(), "engine `actions` needs `actions`", help);
    }
    let actions = match raw.actions {
        Some(actions) => actions::actions(actions, node.get("actions"), known, faults).map(Some),
        None => Some(None),
    };
    let buildx = raw.buildx.unwrap_or_default();
    let builder = optional(buildx.builder.as_deref(), node.get("buildx"), "builder", faults, names::some_text);
    Some(Build {
        engine,
        parallel: raw.parallel,
        platform_tags: raw.platform_tags,
        actions: actions?,
        buildx: Buildx {
            builder: builder?,
            cache: buildx.cache.map(|cache| match cache {
                raw::Cache::Registry => BuildCache::Registry,
                raw::Cache::Gha => BuildCache::Gha,
            }),
            provenance: buildx.provenance,
            sbom: buildx.sbom,
        },
    })
}
