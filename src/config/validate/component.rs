//! Components, what may move their versions, and their sites.

use std::time::Duration;

use indexmap::IndexMap;

use super::{each, ignore, optional};
use crate::config::faults::Faults;
use crate::config::raw::{self, OneOrMany};
use crate::config::yaml::{Entry, Node};
use crate::config::{
    ARCH, Component, FileGlobs, SiteForm, SiteRule, TagTemplate, UpdatePolicy, Upstream, VersionSource, globs, names,
};
use crate::error::{Error, Result};
use crate::version::{Part, Requirement, Version};

/// Places of templates that are no components.
const RESERVED: [&str; 2] = [ARCH, "version"];

/// `components:`, in the order of the file.
pub(super) fn components(
    raw: &IndexMap<String, raw::Component>,
    node: &Node,
    faults: &mut Faults,
) -> Option<Vec<Component>> {
    let entries = node.by_key();
    let components = raw.iter().map(|(name, component)| self::component(component, entries.get(&**name)?, faults));
    // all of them are read before the first fault ends it
    components.collect::<Vec<_>>().into_iter().collect()
}

fn component(raw: &raw::Component, entry: &Entry, faults: &mut Faults) -> Option<Component> {
    let node = &entry.value;
    let name = faults.take(entry.key_span.clone(), component_name(&entry.key));
    let version = version_source(raw, entry, faults);
    let tag = optional(raw.tag.as_deref(), node, "tag", faults, str::parse);
    let update = update_policy(raw.update.as_ref(), node.get("update"), faults);
    let ignore = ignore(&raw.ignore, node.get("ignore"), faults);
    let upstream = match &raw.upstream {
        Some(raw) => upstream(raw, node, faults).map(Some),
        None => Some(None),
    };
    let list = node.get("sites");
    let sites: Vec<_> = raw.sites.iter().enumerate().map(|(i, raw)| site(raw, list.item(i), faults)).collect();
    Some(Component {
        name: name?,
        version: version?,
        tag: tag?.unwrap_or_else(|| TagTemplate { prefix: "v".into(), suffix: String::new() }),
        upstream: upstream?,
        update: update?,
        ignore: ignore?,
        sites: sites.into_iter().collect::<Option<_>>()?,
    })
}

fn upstream(raw: &raw::Upstream, component: &Node, faults: &mut Faults) -> Option<Upstream> {
    let node = component.get("upstream");
    let github = optional(raw.github.as_deref(), node, "github", faults, str::parse);
    let pypi = each(&raw.pypi, node.get("pypi"), faults, |name| names::python_project(name));
    let upstream = Upstream { github: github?, pypi: pypi? };
    if upstream.github.is_none() && upstream.pypi.is_empty() {
        if !node.damaged {
            let help = "write `upstream: { github: owner/name }`, or the projects of the package index after `pypi:`";
            faults.add_with_help(component.key_span("upstream"), "`upstream` names neither `github` nor `pypi`", help);
        }
        return None;
    }
    Some(upstream)
}

fn component_name(name: &str) -> Result<String> {
    if RESERVED.contains(&name) {
        return Err(Error::usage(format!("a component cannot be called `{name}`"))
            .hint(format!("`{{{name}}}` has a meaning of its own in tags and args")));
    }
    names::plain_name(name)
}

fn version_source(raw: &raw::Component, entry: &Entry, faults: &mut Faults) -> Option<VersionSource> {
    let (name, node) = (&entry.key, &entry.value);
    match (&raw.version, &raw.version_file) {
        (Some(version), None) => {
            faults.take(node.get("version").span.clone(), exact(version)).map(VersionSource::Inline)
        }
        (None, Some(file)) => {
            faults.take(node.get("version-file").span.clone(), names::file_in_tree(file)).map(VersionSource::File)
        }
        (Some(_), Some(_)) => {
            let help = "keep the one that tells the current version";
            faults.add_with_help(
                node.key_span("version-file"),
                format!("`{name}` has both `version` and `version-file`"),
                help,
            );
            None
        }
        (None, None) => {
            if !node.damaged {
                let help = "write the current version, such as `version: 0.24.2`, or the file that holds it";
                let message = format!("`{name}` has neither `version` nor `version-file`");
                faults.add_with_help(entry.key_span.clone(), message, help);
            }
            None
        }
    }
}

fn exact(text: &str) -> Result<Version> {
    // a block scalar ends in a line break
    text.trim().parse().map_err(|error: Error| Error::usage(error.message).hint("write three numbers, such as 0.24.2"))
}

fn update_policy(raw: Option<&raw::Update>, node: &Node, faults: &mut Faults) -> Option<UpdatePolicy> {
    let default = raw::Update::default();
    let raw = raw.unwrap_or(&default);
    let allow = optional(raw.allow.as_deref(), node, "allow", faults, str::parse::<Requirement>);
    let minimum_age = optional(raw.minimum_age.as_deref(), node, "minimum-age", faults, names::age);
    let ignore = each(&raw.ignore, node.get("ignore"), faults, |text| exact(text));
    Some(UpdatePolicy {
        allow: allow?,
        prereleases: raw.prereleases,
        minimum_age: minimum_age?.unwrap_or(Duration::ZERO),
        ignore: ignore?,
        hold: raw.hold,
    })
}

fn site(raw: &raw::Site, node: &Node, faults: &mut Faults) -> Option<SiteRule> {
    let files = raw.files.as_ref().and_then(|files| file_globs(files, node.get("files"), faults));
    let form = site_form(raw, node, faults);
    Some(SiteRule { files: files?, form: form?, expect: raw.expect, line: faults.line(node.span.start) })
}

pub(super) fn file_globs(raw: &OneOrMany, node: &Node, faults: &mut Faults) -> Option<FileGlobs> {
    let patterns = match raw {
        OneOrMany::One(pattern) => vec![pattern.clone()],
        OneOrMany::Many(patterns) => patterns.clone(),
    };
    each(&patterns, node, faults, |pattern| globs::glob(pattern.strip_prefix('!').unwrap_or(pattern)))?;
    // the globs that are left of a damaged list may well be exclusions only
    let globs = FileGlobs::new(patterns);
    if node.damaged { globs.ok() } else { faults.take(node.span.clone(), globs) }
}

fn site_form(raw: &raw::Site, node: &Node, faults: &mut Faults) -> Option<SiteForm> {
    let forms: [(&str, Option<Result<SiteForm>>); 6] = [
        ("arg", raw.arg.as_deref().map(|name| names::variable_name(name).map(SiteForm::Arg))),
        ("env", raw.env.as_deref().map(|name| names::variable_name(name).map(SiteForm::Env))),
        ("image", raw.image.as_deref().map(|name| image_name(name).map(SiteForm::Image))),
        ("path", raw.path.as_deref().map(|path| path.parse().map(SiteForm::Path))),
        ("regex", raw.regex.as_deref().map(|regex| self::regex(regex).map(SiteForm::Regex))),
        ("whole", raw.whole.map(whole)),
    ];
    let names = forms.each_ref().map(|(name, _)| *name);
    let mut given = Vec::new();
    let mut form = None;
    for (name, read) in forms {
        if let Some(read) = read {
            given.push(name);
            form = faults.take(node.get(name).span.clone(), read);
        }
    }
    match &given[..] {
        [_] => form,
        [] => {
            if !node.damaged {
                let help = format!("give it one of {}", names.join(", "));
                faults.add_with_help(
                    node.span.clone(),
                    "the site does not say what is the version in these files",
                    help,
                );
            }
            None
        }
        [first, others @ ..] => {
            for other in others {
                let message = format!("the site has `{first}` already, and can have only one form");
                faults.add_with_help(node.key_span(other), message, "write a site of its own for each form");
            }
            None
        }
    }
}

fn whole(is_whole: bool) -> Result<SiteForm> {
    if is_whole {
        return Ok(SiteForm::Whole);
    }
    Err(Error::usage("`whole` can only be true").hint("remove it, and say by another form what is the version"))
}

/// A repository without its registry, since a site finds it under every registry.
fn image_name(name: &str) -> Result<String> {
    if let Some((host, path)) = name.split_once('/')
        && (host == "localhost" || host.contains(['.', ':']))
        && names::repository_path(path).is_ok()
    {
        return Err(Error::usage(format!("`{name}` holds the registry `{host}`"))
            .hint(format!("write `{path}`: it is found whatever registry is before it")));
    }
    names::repository_path(name)
}

/// A regular expression with a group `version`, or with groups for its parts.
fn regex(pattern: &str) -> Result<regex::bytes::Regex> {
    let compiled = regex::bytes::Regex::new(pattern).map_err(|error| {
        // the crate draws the pattern over several lines and ends with the reason
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        Error::usage(format!("the regular expression does not compile: {}", reason.trim_start_matches("error: ")))
            .hint("look-around and back-references are not supported; see https://docs.rs/regex/#syntax")
    })?;
    let has = |wanted: &str| compiled.capture_names().any(|name| name == Some(wanted));
    let part = Part::NAMED.iter().map(|(name, _)| *name).find(|name| has(name));
    if let Some(part) = part.filter(|_| has("version")) {
        return Err(Error::usage(format!("the regular expression has both a group `version` and a group `{part}`"))
            .hint("name the version, or its parts: the groups `major`, `minor` and `patch`"));
    }
    if part.is_none() && !has("version") {
        return Err(Error::usage("the regular expression has no group `version`")
            .hint("put the version in a named group: `(?<version>\\S+)`"));
    }
    Ok(compiled)
}
