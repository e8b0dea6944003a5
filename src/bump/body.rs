//! The text of a bump's pull request.

use minijinja::{Environment, Value, context};

use super::BumpPlan;
use super::upstream::Quoted;
use crate::config::{Config, Image, Phase};
use crate::error::{Error, Result};

const TEMPLATE: &str = include_str!("pull_request.md.j2");

/// The body, in Markdown, without the marker.
pub fn render(config: &Config, plan: &BumpPlan, quoted: &Quoted) -> Result<String> {
    let versions = |name: &str| plan.versions.get(name).map(ToString::to_string);
    let concerned = |phase: &&Phase| phase.images.iter().any(|image| mentions(image, plan));
    let first = config.phases.iter().position(|phase| concerned(&phase)).unwrap_or(config.phases.len());
    let phases = config.phases[first..].iter().map(|phase| {
        let images = phase.images.iter().map(|image| {
            let tags: Vec<String> = image.tags.iter().map(|tag| tag.render(versions)).collect();
            context! { repository => image.repository.clone(), tags => tags.join(", ") }
        });
        context! { name => phase.name.clone(), images => images.collect::<Vec<_>>() }
    });
    let phases: Vec<Value> = phases.collect();
    let edits = &plan.edits;
    let changes = edits.edits.iter().map(|edit| {
        let (path, old, new) = (edit.path.clone(), edit.old.clone(), edit.new.clone());
        context! { path, line => edit.line, old, new, drifted => edit.drifted }
    });
    let changes: Vec<Value> = changes.collect();
    let leftovers =
        edits.leftovers.iter().map(|leftover| context! { path => leftover.path.clone(), line => leftover.line });
    let leftovers: Vec<Value> = leftovers.collect();
    let environment = Environment::new();
    let render = || {
        environment.render_str(
            TEMPLATE,
            context! {
                component => plan.component.clone(), from => plan.from.to_string(), to => plan.to.to_string(),
                edits => changes, leftovers, phases,
                compare => quoted.compare.clone(), notes => quoted.notes.trim().to_owned(),
            },
        )
    };
    render().map_err(|error| Error::usage(format!("the pull request's text cannot be made: {error}")))
}

/// Whether `image` is another one after the bump, as far as its own lines tell.
fn mentions(image: &Image, plan: &BumpPlan) -> bool {
    let templates = image.tags.iter().chain(image.args.iter().map(|(_, template)| template));
    let named = templates.flat_map(|template| template.places()).any(|place| place == plan.component);
    named || plan.contents.contains_key(&image.dockerfile)
}
