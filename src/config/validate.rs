//! The rules of `release.yaml`, beyond its shape. Every rule reports and goes on, so that one run shows all faults.

use std::time::Duration;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::de::DeserializeOwned;

use super::place::Places;
use super::raw::{self, Raw};
use super::shape::nearest;
use super::*;

/// Route to a value, built up while walking.
type Route = Vec<Step>;

fn at(route: &[Step], key: &str) -> Route {
    let mut route = route.to_vec();
    route.push(Step::Key(key.to_owned()));
    route
}

fn nth(route: &[Step], index: usize) -> Route {
    let mut route = route.to_vec();
    route.push(Step::Index(index));
    route
}

/// Checks `raw`. Faults land in `places`; the config is only good if there are none.
pub fn validate(raw: Raw, places: &mut Places) -> Config {
    let names: Vec<String> = raw.components.keys().cloned().collect();
    let mut check = Check { places, names };
    let registry = raw.registry.map(|registry| check.registry(registry, &at(&[], "registry")));
    let aliases = raw.registry_aliases.into_iter().enumerate();
    let registry_aliases =
        aliases.map(|(i, alias)| check.registry(alias, &nth(&at(&[], "registry-aliases"), i))).collect();
    let platforms = raw.platforms.unwrap_or_else(|| vec!["linux/amd64".into()]);
    let platforms = check.platforms(&platforms, &at(&[], "platforms"));
    if !raw.phases.is_empty() && registry.is_none() {
        check.places.fault(&at(&[], "phases"), "images need a `registry:` to be published in", None);
    }
    let components = check.components(raw.components);
    let phases = raw.phases.into_iter().enumerate();
    let phases: Vec<Phase> = phases.map(|(i, p)| check.phase(p, &platforms, &nth(&at(&[], "phases"), i))).collect();
    check.distinct_tags(&phases);
    if raw.build.engine == raw::Engine::Actions && raw.build.actions.is_none() {
        check.places.fault(&at(&[], "build"), "engine `actions` needs `actions: { workflow: ... }`", None);
    }
    Config {
        repository: raw.repository.and_then(|name| check.repository(&name, &at(&[], "repository"))),
        base: raw.base.unwrap_or_else(|| "main".into()),
        registry,
        registry_aliases,
        ignore: check.globs(&raw.ignore, &at(&[], "ignore")),
        components,
        pull_request: check.pull_request(raw.pull_request),
        phases,
        build: build(raw.build),
    }
}

fn build(raw: raw::Build) -> Build {
    Build {
        engine: match raw.engine {
            raw::Engine::Buildx => EngineKind::Buildx,
            raw::Engine::Actions => EngineKind::Actions,
        },
        parallel: raw.parallel,
        platform_tags: raw.platform_tags,
        actions: raw.actions.map(|a| Actions { workflow: a.workflow, attempts: a.attempts.unwrap_or(2) }),
        buildx: Buildx {
            builder: raw.buildx.builder,
            cache: raw.buildx.cache.map(|cache| match cache {
                raw::Cache::Registry => BuildCache::Registry,
                raw::Cache::Gha => BuildCache::Gha,
            }),
            provenance: raw.buildx.provenance,
            sbom: raw.buildx.sbom,
        },
    }
}

struct Check<'a> {
    places: &'a mut Places,
    names: Vec<String>,
}

impl Check<'_> {
    fn fault(&mut self, route: &[Step], message: impl Into<String>) {
        self.places.fault(route, message, None);
    }

    /// The value of `result`, or a fault at `route`.
    fn ok<T>(&mut self, result: Result<T>, route: &[Step]) -> Option<T> {
        result.map_err(|error| self.places.fault(route, error.message, error.hints.into_iter().next())).ok()
    }

    /// The entries of a map, in the order of the file; the schema has checked their type.
    fn entries<T: DeserializeOwned>(&mut self, map: raw::Ordered, route: &[Step]) -> Vec<(String, T, Route)> {
        let entries = map.into_iter().map(|(name, value)| {
            let here = at(route, &name);
            match serde_json::from_value(value) {
                Ok(entry) => Some((name, entry, here)),
                Err(error) => {
                    self.fault(&here, error.to_string());
                    None
                }
            }
        });
        entries.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn name(&mut self, name: &str, route: &[Step]) {
        let fine = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !fine {
            let help = "use letters, digits and - _ .: it becomes part of commands, branches and tags".to_owned();
            self.places.fault_at_key(route, format!("`{name}` cannot be a name"), Some(help));
        }
    }

    fn repository(&mut self, text: &str, route: &[Step]) -> Option<RepositoryName> {
        let parsed = text.parse();
        self.ok(parsed, route)
    }

    fn registry(&mut self, text: String, route: &[Step]) -> String {
        if text.is_empty() || text.contains("://") || text.ends_with('/') || text.contains(char::is_whitespace) {
            let help = "write host and path alone, such as registry.example.com/graphscope".to_owned();
            self.places.fault(route, format!("`{text}` is not a registry"), Some(help));
        }
        text
    }

    fn platforms(&mut self, texts: &[String], route: &[Step]) -> Vec<Platform> {
        if texts.is_empty() {
            self.fault(route, "at least one platform is needed");
        }
        let parsed = texts.iter().enumerate().filter_map(|(i, text)| {
            let platform = text.parse();
            self.ok(platform, &nth(route, i))
        });
        parsed.collect()
    }

    fn path(&mut self, path: String, route: &[Step]) -> String {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            let help = "paths are relative to the repository's root and stay inside it".to_owned();
            self.places.fault(route, format!("`{path}` is outside the repository"), Some(help));
        }
        path
    }

    fn globs(&mut self, patterns: &[String], route: &[Step]) -> GlobSet {
        let mut set = GlobSetBuilder::new();
        for (i, pattern) in patterns.iter().enumerate() {
            let pattern = self.path(pattern.clone(), &nth(route, i));
            match GlobBuilder::new(&pattern).literal_separator(true).build() {
                Ok(glob) => {
                    set.add(glob);
                }
                Err(error) => self.fault(&nth(route, i), format!("bad glob: {error}")),
            }
        }
        set.build().unwrap_or_default()
    }

    fn files(&mut self, files: raw::OneOrMany, route: &[Step]) -> FileGlobs {
        let patterns = match files {
            raw::OneOrMany::One(one) => vec![one],
            raw::OneOrMany::Many(many) => many,
        };
        if patterns.iter().all(|pattern| pattern.starts_with('!')) {
            self.fault(route, "`files` selects nothing");
        }
        let (exclude, include): (Vec<_>, Vec<_>) = patterns.iter().cloned().partition(|p| p.starts_with('!'));
        let exclude: Vec<String> = exclude.iter().map(|pattern| pattern[1..].to_owned()).collect();
        FileGlobs { include: self.globs(&include, route), exclude: self.globs(&exclude, route), patterns }
    }

    fn components(&mut self, raw: raw::Ordered) -> Vec<Component> {
        let root = at(&[], "components");
        if raw.is_empty() {
            self.fault(&root, "there is no component");
        }
        let entries = self.entries::<raw::Component>(raw, &root);
        entries.into_iter().filter_map(|(name, component, route)| self.component(name, component, &route)).collect()
    }

    fn component(&mut self, name: String, raw: raw::Component, route: &[Step]) -> Option<Component> {
        self.name(&name, route);
        let version = match (raw.version, raw.version_file) {
            (Some(version), None) => self.ok(version.parse(), &at(route, "version")).map(VersionSource::Inline),
            (None, Some(file)) => Some(VersionSource::File(self.path(file, &at(route, "version-file")))),
            (Some(_), Some(_)) => {
                self.fault(&at(route, "version-file"), "`version` and `version-file` exclude each other");
                None
            }
            (None, None) => {
                self.fault(route, format!("component `{name}` needs `version` or `version-file`"));
                None
            }
        };
        let tag = raw.tag.unwrap_or_else(|| "v{version}".into());
        let tag = match tag.split_once("{version}") {
            Some((prefix, suffix)) if !format!("{prefix}{suffix}").contains(['{', '}']) => {
                TagTemplate { prefix: prefix.to_owned(), suffix: suffix.to_owned() }
            }
            _ => {
                self.fault(&at(route, "tag"), "a tag has the place {version} once, and no other");
                TagTemplate { prefix: String::new(), suffix: String::new() }
            }
        };
        let upstream = raw.upstream.and_then(|u| self.repository(&u.github, &at(&at(route, "upstream"), "github")));
        let update = self.update(raw.update, &at(route, "update"));
        let sites = raw.sites.into_iter().enumerate();
        let sites = sites.filter_map(|(i, site)| self.site(site, &nth(&at(route, "sites"), i))).collect();
        let ignore = self.globs(&raw.ignore, &at(route, "ignore"));
        Some(Component { name, version: version?, tag, upstream, update, ignore, sites })
    }

    fn update(&mut self, raw: raw::Update, route: &[Step]) -> UpdatePolicy {
        let age = raw.minimum_age.and_then(|age| self.ok(duration(&age), &at(route, "minimum-age")));
        let ignore = raw.ignore.iter().enumerate();
        UpdatePolicy {
            allow: raw.allow.and_then(|allow| self.ok(allow.parse(), &at(route, "allow"))),
            prereleases: raw.prereleases,
            minimum_age: age.unwrap_or_default(),
            ignore: ignore.filter_map(|(i, v)| self.ok(v.parse(), &nth(&at(route, "ignore"), i))).collect(),
            hold: raw.hold,
        }
    }

    fn site(&mut self, raw: raw::Site, route: &[Step]) -> Option<SiteRule> {
        let files = self.files(raw.files, &at(route, "files"));
        if raw.expect == Some(0) {
            self.fault(&at(route, "expect"), "`expect: 0` asks for nothing; remove the site");
        }
        let texts = [&raw.arg, &raw.env, &raw.image, &raw.path, &raw.regex];
        let declared = texts.into_iter().flatten().count() + usize::from(raw.whole.is_some());
        let whole = raw.whole.and_then(|whole| match whole {
            true => Some(SiteForm::Whole),
            false => {
                self.fault(&at(route, "whole"), "`whole` can only be true");
                None
            }
        });
        let path = raw.path.and_then(|path| self.ok(path.parse(), &at(route, "path")).map(SiteForm::Path));
        let regex = raw.regex.and_then(|regex| self.regex(&regex, &at(route, "regex")));
        let named = [raw.arg.map(SiteForm::Arg), raw.env.map(SiteForm::Env), raw.image.map(SiteForm::Image)];
        let form = named.into_iter().chain([path, regex, whole]).flatten().next();
        if declared != 1 {
            let help = "a site has exactly one of arg, env, image, path, regex, whole".to_owned();
            self.places.fault(route, format!("this site has {declared} forms"), Some(help));
            return None;
        }
        Some(SiteRule { files, form: form?, expect: raw.expect, line: self.places.line(route) })
    }

    fn regex(&mut self, text: &str, route: &[Step]) -> Option<SiteForm> {
        match regex::bytes::Regex::new(text) {
            Ok(regex) if regex.capture_names().flatten().any(|name| name == "version") => Some(SiteForm::Regex(regex)),
            Ok(_) => {
                let help = "name the part that is the version: (?<version>\\S+)".to_owned();
                self.places.fault(route, "bad regex: it has no group `version`", Some(help));
                None
            }
            Err(error) => {
                self.fault(route, format!("bad regex: {error}"));
                None
            }
        }
    }

    fn template(&mut self, text: &str, extra: &[&str], route: &[Step]) -> Option<Template> {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(why) => {
                self.fault(route, format!("`{text}`: {why}"));
                return None;
            }
        };
        for place in template.places() {
            if !extra.contains(&place) && !self.names.iter().any(|name| name == place) {
                let near = nearest(place, self.names.iter().map(String::as_str));
                let help = near.map(|near| format!("did you mean `{{{near}}}`?"));
                self.places.fault(route, format!("`{{{place}}}` is no component"), help);
            }
        }
        Some(template)
    }

    fn phase(&mut self, raw: raw::Phase, platforms: &[Platform], route: &[Step]) -> Phase {
        self.name(&raw.name, &at(route, "name"));
        if !self.names.contains(&raw.component) {
            let near = nearest(&raw.component, self.names.iter().map(String::as_str)).map(str::to_owned);
            let help = near.map(|near| format!("did you mean `{near}`?"));
            self.places.fault(&at(route, "component"), format!("`{}` is no component", raw.component), help);
        }
        let images = at(route, "images");
        let entries = self.entries::<raw::Image>(raw.images, &images);
        Phase {
            name: raw.name,
            component: raw.component,
            when_stale: match raw.when_stale {
                raw::WhenStale::Rebuild => WhenStale::Rebuild,
                raw::WhenStale::Keep => WhenStale::Keep,
            },
            build_before_merge: raw.build_before_merge,
            trigger: raw.trigger.and_then(|t| self.template(&t.tag, &[], &at(&at(route, "trigger"), "tag"))),
            images: entries
                .into_iter()
                .map(|(name, image, route)| self.image(name, image, platforms, &route))
                .collect(),
        }
    }

    fn image(&mut self, name: String, raw: raw::Image, platforms: &[Platform], route: &[Step]) -> Image {
        self.name(&name, route);
        let tags = raw.tags.iter().enumerate();
        let tags: Vec<Template> =
            tags.filter_map(|(i, tag)| self.template(tag, &[], &nth(&at(route, "tags"), i))).collect();
        if tags.iter().all(Template::is_moving) {
            let help = "add one with a component's version, such as \"v{vineyard}\"".to_owned();
            self.places.fault(&at(route, "tags"), format!("every tag of `{name}` is moving"), Some(help));
        }
        let args = raw.args.into_iter().filter_map(|(arg, value)| {
            let here = at(&at(route, "args"), &arg);
            Some((arg, self.template(value.as_str()?, &["arch"], &here)?))
        });
        let args = args.collect();
        Image {
            repository: raw.repository.unwrap_or_else(|| name.clone()),
            name,
            dockerfile: self.path(raw.dockerfile, &at(route, "dockerfile")),
            context: self.path(raw.context.unwrap_or_default(), &at(route, "context")),
            target: raw.target,
            args,
            tags,
            platforms: match raw.platforms {
                Some(own) => self.platforms(&own, &at(route, "platforms")),
                None => platforms.to_vec(),
            },
        }
    }

    /// No two images may publish the same tag of the same repository.
    fn distinct_tags(&mut self, phases: &[Phase]) {
        let mut seen = std::collections::BTreeMap::new();
        for (i, phase) in phases.iter().enumerate() {
            for image in &phase.images {
                for tag in &image.tags {
                    let key = (image.repository.clone(), tag.to_string());
                    if let Some(other) = seen.insert(key, &image.name) {
                        let route = at(&at(&nth(&at(&[], "phases"), i), "images"), &image.name);
                        let tag = format!("{}:{tag}", image.repository);
                        self.fault(&route, format!("`{tag}` is published by `{other}` already"));
                    }
                }
            }
        }
    }

    fn pull_request(&mut self, raw: raw::PullRequest) -> PullRequest {
        let push_to = at(&at(&[], "pull-request"), "push-to");
        PullRequest {
            labels: raw.labels,
            reviewers: raw.reviewers,
            assignees: raw.assignees,
            milestone: raw.milestone,
            draft: raw.draft,
            automerge: raw.automerge,
            commit_via: match raw.commit_via {
                raw::CommitVia::Git => CommitVia::Git,
                raw::CommitVia::Api => CommitVia::Api,
            },
            push_to: raw.push_to.and_then(|name| self.repository(&name, &push_to)),
        }
    }
}

/// `90m`, `24h`, `3d`: a whole number and a unit.
fn duration(text: &str) -> Result<Duration> {
    let unit = [("m", 60), ("h", 3600), ("d", 86400), ("s", 1)].into_iter().find(|(unit, _)| text.ends_with(unit));
    let parsed = unit.and_then(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds).map(Duration::from_secs)
    });
    parsed.ok_or_else(|| Error::usage(format!("`{text}` is not a duration")).hint("write 90m, 24h or 3d"))
}
