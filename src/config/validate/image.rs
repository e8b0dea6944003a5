//! Phases, their images, and what those publish.

use std::collections::HashMap;
use std::ops::Range;

use indexmap::{IndexMap, IndexSet};

use super::{actions, each, optional, platforms};
use crate::config::faults::Faults;
use crate::config::shape::suggest;
use crate::config::yaml::{Entry, Node};
use crate::config::{
    ARCH, ContextSource, Image, NamedContext, Phase, Platform, Template, Trigger, WhenStale, names, raw,
};
use crate::error::{Error, Result};

/// Builds stage images under tags that start like this, and remove them again.
const STAGING_PREFIX: &str = "gsr-";

/// `phases:`. `known` are the components, `default` the platforms of an image that names none.
pub(super) fn phases(
    raw: &[raw::Phase],
    node: &Node,
    known: &IndexSet<&str>,
    default: Option<&[Platform]>,
    faults: &mut Faults,
) -> Option<Vec<Phase>> {
    let mut reader =
        Reader { known, default, faults, phases: HashMap::new(), images: HashMap::new(), tags: HashMap::new() };
    let phases: Vec<_> = raw.iter().enumerate().map(|(i, phase)| reader.phase(phase, node.item(i))).collect();
    phases.into_iter().collect()
}

struct Reader<'a> {
    known: &'a IndexSet<&'a str>,
    default: Option<&'a [Platform]>,
    faults: &'a mut Faults,
    /// The line of each phase, image, and published repository:tag.
    phases: HashMap<String, usize>,
    images: HashMap<String, usize>,
    tags: HashMap<(String, String), usize>,
}

impl Reader<'_> {
    fn phase(&mut self, raw: &raw::Phase, node: &Node) -> Option<Phase> {
        let name = raw.name.as_deref().and_then(|name| {
            let span = node.get("name").span.clone();
            let name = self.faults.take(span.clone(), names::plain_name(name))?;
            first_time(&mut self.phases, name.clone(), span, self.faults, || {
                format!("there is a phase `{name}` already")
            });
            Some(name)
        });
        let component = raw.component.as_deref().and_then(|component| {
            let result = is_known(component, self.known).map(|()| component.to_owned());
            self.faults.take(node.get("component").span.clone(), result)
        });
        let trigger = match &raw.trigger {
            Some(raw) => actions::trigger(raw, node.get("trigger"), self.known, self.faults),
            None => Some(Trigger::default()),
        };
        if raw.images.as_ref().is_some_and(IndexMap::is_empty) && !node.get("images").damaged {
            self.faults.add_with_help(
                node.key_span("images"),
                "the phase has no image",
                "name one, or remove the phase",
            );
        }
        let entries = node.get("images").by_key();
        let images = raw.images.iter().flatten().map(|(name, image)| self.image(image, entries.get(&**name)?));
        // all of them are read before the first fault ends it
        let images: Vec<_> = images.collect();
        Some(Phase {
            name: name?,
            component: component?,
            when_stale: match raw.when_stale {
                Some(raw::WhenStale::Keep) => WhenStale::Keep,
                Some(raw::WhenStale::Rebuild) | None => WhenStale::Rebuild,
            },
            build_before_merge: raw.build_before_merge,
            trigger: trigger?,
            images: images.into_iter().collect::<Option<_>>()?,
        })
    }

    fn image(&mut self, raw: &raw::Image, entry: &Entry) -> Option<Image> {
        let (name, key, node) = (&*entry.key, &entry.key_span, &entry.value);
        let valid_name = self.faults.take(key.clone(), image_name(name));
        first_time(&mut self.images, name.into(), key.clone(), self.faults, || {
            format!("there is an image `{name}` already")
        });
        let repository = optional(raw.repository.as_deref(), node, "repository", self.faults, names::repository_path);
        let dockerfile = optional(raw.dockerfile.as_deref(), node, "dockerfile", self.faults, names::file_in_tree);
        let context = optional(raw.context.as_deref(), node, "context", self.faults, names::path_in_tree);
        let target = optional(raw.target.as_deref(), node, "target", self.faults, names::some_text);
        let args = self.args(raw, node.get("args"));
        let contexts = self.contexts(raw, node.get("contexts"));
        let tags = self.tags(raw.tags.as_deref(), node.get("tags"));
        let repository = repository.map(|repository| repository.unwrap_or_else(|| name.into()));
        if let (Some(repository), Some(tags)) = (&repository, &tags) {
            self.published_once(repository, tags, node.get("tags"));
        }
        let platforms = self.platforms(raw, node);
        Some(Image {
            name: valid_name?,
            repository: repository?,
            dockerfile: dockerfile??,
            context: context?.unwrap_or_default(),
            target: target?,
            args: args?,
            contexts: contexts?,
            tags: tags?,
            platforms: platforms?,
        })
    }

    fn args(&mut self, raw: &raw::Image, node: &Node) -> Option<Vec<(String, Template)>> {
        let entries = node.by_key();
        let read = raw.args.iter().map(|(name, text)| {
            let entry = entries.get(&**name)?;
            let name = self.faults.take(entry.key_span.clone(), names::variable_name(name));
            let value = Template::parse(text).and_then(|value| all_known(value, self.known));
            name.zip(self.faults.take(entry.value.span.clone(), value))
        });
        // all of them are read before the first fault ends it
        read.collect::<Vec<_>>().into_iter().collect()
    }

    fn contexts(&mut self, raw: &raw::Image, node: &Node) -> Option<Vec<NamedContext>> {
        let entries = node.by_key();
        let read = raw.contexts.iter().map(|(name, text)| {
            let entry = entries.get(&**name)?;
            let name = self.faults.take(entry.key_span.clone(), names::context_name(name));
            let source = names::context_source(text).and_then(|source| {
                let (ContextSource::Directory(place) | ContextSource::Image(place) | ContextSource::Git(place)) =
                    &source;
                all_known(place.clone(), self.known).map(|_| source)
            });
            let source = self.faults.take(entry.value.span.clone(), source);
            Some(NamedContext { name: name?, source: source? })
        });
        read.collect::<Vec<_>>().into_iter().collect()
    }

    fn tags(&mut self, raw: Option<&[String]>, node: &Node) -> Option<Vec<Template>> {
        let tags = each(raw?, node, self.faults, |text| image_tag(text, self.known))?;
        if tags.iter().all(Template::is_moving) && !node.damaged {
            let example = self.known.first().unwrap_or(&"component");
            let help = format!("add one with the version of a component, such as `\"v{{{example}}}\"`");
            self.faults.add_with_help(node.span.clone(), "none of the tags holds a version", help);
            return None;
        }
        Some(tags)
    }

    fn published_once(&mut self, repository: &str, tags: &[Template], node: &Node) {
        for (index, tag) in tags.iter().enumerate() {
            let span = node.item(index).span.clone();
            let published = (repository.to_owned(), tag.to_string());
            first_time(&mut self.tags, published, span, self.faults, || {
                format!("`{repository}:{tag}` is published already")
            });
        }
    }

    fn platforms(&mut self, raw: &raw::Image, node: &Node) -> Option<Vec<Platform>> {
        let Some(texts) = raw.platforms.as_deref() else { return self.default.map(<[Platform]>::to_vec) };
        let own = platforms(Some(texts), node, self.faults)?;
        for (index, platform) in own.iter().enumerate() {
            if self.default.is_some_and(|all| !all.contains(platform)) {
                let help = "an image can only narrow the `platforms` of the whole file: add it there";
                let message = format!("`{platform}` is not among the platforms of this file");
                self.faults.add_with_help(node.get("platforms").item(index).span.clone(), message, help);
            }
        }
        Some(own)
    }
}

/// Notes a fault if `what` has been seen before.
fn first_time<K: Eq + std::hash::Hash>(
    seen: &mut HashMap<K, usize>,
    what: K,
    span: Range<usize>,
    faults: &mut Faults,
    message: impl Fn() -> String,
) {
    let line = faults.line(span.start);
    if let Some(first) = seen.get(&what) {
        faults.add_with_help(span, message(), format!("the first is on line {first}"));
    } else {
        seen.insert(what, line);
    }
}

pub(super) fn is_known(component: &str, known: &IndexSet<&str>) -> Result<()> {
    if known.contains(&component) {
        return Ok(());
    }
    Err(Error::usage(format!("there is no component `{component}`")).hint(suggest(
        component,
        known.iter().copied(),
        "the components are",
    )))
}

fn image_name(name: &str) -> Result<String> {
    let name = names::repository_path(name)?;
    if name.contains('/') {
        return Err(Error::usage(format!("the image name `{name}` holds a `/`"))
            .hint("choose a plain name, and give the rest as `repository:`"));
    }
    Ok(name)
}

/// `template`, if every component that it names is known.
fn all_known(template: Template, known: &IndexSet<&str>) -> Result<Template> {
    template.components().try_for_each(|name| is_known(name, known))?;
    Ok(template)
}

fn image_tag(text: &str, known: &IndexSet<&str>) -> Result<Template> {
    let template = tag_template(text, known)?;
    let example = template.render(|_| Some("0.0.0".into()));
    if !names::is_image_tag(&example) {
        return Err(Error::usage(format!("`{text}` cannot be the tag of an image"))
            .hint("letters, digits, `_`, `.` and `-`, at most 128, with none of `.` and `-` first"));
    }
    if example.starts_with(STAGING_PREFIX) {
        return Err(Error::usage(format!("`{text}` starts with `{STAGING_PREFIX}`"))
            .hint("such tags hold images while they are built, and are removed: choose another"));
    }
    Ok(template)
}

/// Tags name an index of all platforms, and so have no architecture.
pub(super) fn tag_template(text: &str, known: &IndexSet<&str>) -> Result<Template> {
    let template = Template::parse(text)?;
    for name in template.places() {
        match name {
            ARCH => {
                return Err(Error::usage("a tag stands for all platforms and cannot hold `{arch}`")
                    .hint("`platform-tags: true` under `build:` publishes a tag for each platform too"));
            }
            "version" => {
                return Err(Error::usage("`{version}` does not say of which component")
                    .hint(format!("write the name of one: {}", known.iter().copied().collect::<Vec<_>>().join(", "))));
            }
            _ => is_known(name, known)?,
        }
    }
    Ok(template)
}
