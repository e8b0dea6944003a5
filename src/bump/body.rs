//! The text of a bump's pull request.

use minijinja::{Environment, Value, context};

use crate::config::{Component, Config, VersionSource};
use crate::edit::EditPlan;
use crate::error::{Error, Result};
use crate::version::Version;

const TEMPLATE: &str = include_str!("pull_request.md.j2");

/// The body, in Markdown, with the hidden marker at its end.
pub fn render(
    config: &Config,
    component: &Component,
    from: &Version,
    to: &Version,
    edits: &EditPlan,
) -> Result<String> {
    let versions = |name: &str| match name == component.name {
        true => Some(to.to_string()),
        false => match &config.component(name)?.version {
            VersionSource::Inline(version) => Some(version.to_string()),
            VersionSource::File(_) => None,
        },
    };
    let phases: Vec<_> = config
        .phases
        .iter()
        .map(|phase| {
            let images = phase.images.iter().map(|image| {
                let tags: Vec<String> = image.tags.iter().map(|tag| tag.render(versions)).collect();
                context! { repository => image.repository.clone(), tags => tags.join(", ") }
            });
            context! { name => phase.name.clone(), images => images.collect::<Vec<_>>() }
        })
        .collect();
    let changes = edits.edits.iter().map(|edit| {
        let (path, old, new) = (edit.path.clone(), edit.old.clone(), edit.new.clone());
        context! { path, line => edit.line, old, new, drifted => edit.drifted }
    });
    let changes: Vec<Value> = changes.collect();
    let leftovers =
        edits.leftovers.iter().map(|leftover| context! { path => leftover.path.clone(), line => leftover.line });
    let leftovers: Vec<Value> = leftovers.collect();
    let compare = component.upstream.as_ref().map(|upstream| {
        let (old, new) = (component.tag.render(from), component.tag.render(to));
        context! { name => upstream.to_string(), old, new }
    });
    let marker = serde_json::json!({"component": component.name, "version": to.to_string()});
    let environment = Environment::new();
    let render = || {
        environment.render_str(
            TEMPLATE,
            context! {
                component => component.name.clone(), from => from.to_string(), to => to.to_string(),
                edits => changes, leftovers => leftovers, phases, compare, marker => marker.to_string(),
            },
        )
    };
    render().map_err(|error| Error::usage(format!("the pull request's text cannot be made: {error}")))
}
