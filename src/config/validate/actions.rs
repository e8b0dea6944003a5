//! How a phase's workflow is started on GitHub: `build.actions` and the `trigger` of a phase.

use indexmap::{IndexMap, IndexSet};

use super::image::{is_known, tag_template};
use super::optional;
use crate::config::faults::Faults;
use crate::config::yaml::Node;
use crate::config::{ARCH, ATTEMPTS, Actions, COMMIT, PHASE, QUEUE_LIMIT, REQUEST, Template, Trigger, names, raw};
use crate::error::{Error, Result};

/// `build.actions`. `known` are the components.
pub(super) fn actions(raw: raw::Actions, node: &Node, known: &IndexSet<&str>, faults: &mut Faults) -> Option<Actions> {
    let workflow = optional(raw.workflow.as_deref(), node, "workflow", faults, workflow_file);
    let inputs = match &raw.inputs {
        Some(raw) => inputs(raw, node.get("inputs"), known, faults),
        None => [PHASE, COMMIT, REQUEST].map(own_input).into_iter().collect::<Result<_>>().ok(),
    };
    let queue_limit = optional(raw.queue_limit.as_deref(), node, "queue-limit", faults, names::age);
    Some(Actions {
        workflow: workflow??,
        attempts: raw.attempts.unwrap_or(ATTEMPTS),
        queue_limit: queue_limit?.unwrap_or(QUEUE_LIMIT),
        inputs: inputs?,
    })
}

/// `trigger` of a phase.
pub(super) fn trigger(raw: &raw::Trigger, node: &Node, known: &IndexSet<&str>, faults: &mut Faults) -> Option<Trigger> {
    let tag = optional(raw.tag.as_deref(), node, "tag", faults, |text| trigger_tag(text, known));
    let workflow = optional(raw.workflow.as_deref(), node, "workflow", faults, workflow_file);
    if raw.tag.is_some() && raw.inputs.is_some() {
        let help = "leave `inputs` out, or leave `tag` out and have the workflow dispatched";
        faults.add_with_help(node.key_span("inputs"), "a workflow that a tag starts takes no inputs", help);
    }
    let inputs = match &raw.inputs {
        Some(raw) => inputs(raw, node.get("inputs"), known, faults).map(Some),
        None => Some(None),
    };
    Some(Trigger { tag: tag?, workflow: workflow?, inputs: inputs? })
}

/// The input that carries what it is called after.
fn own_input(name: &str) -> Result<(String, Template)> {
    Ok((name.to_owned(), Template::parse(&format!("{{{name}}}"))?))
}

fn inputs(
    raw: &IndexMap<String, String>,
    node: &Node,
    known: &IndexSet<&str>,
    faults: &mut Faults,
) -> Option<Vec<(String, Template)>> {
    let entries = node.by_key();
    let read = raw.iter().map(|(name, text)| {
        let entry = entries.get(&**name)?;
        let value = faults.take(entry.value.span.clone(), input(text, known));
        Some((name.clone(), value?))
    });
    // all of them are read before the first fault ends it
    read.collect::<Vec<_>>().into_iter().collect()
}

fn input(text: &str, known: &IndexSet<&str>) -> Result<Template> {
    let template = Template::parse(text)?;
    for name in template.places() {
        match name {
            PHASE | COMMIT | REQUEST => {}
            ARCH => {
                return Err(Error::usage("one run builds all platforms: an input cannot hold `{arch}`")
                    .hint("let the workflow choose its machines"));
            }
            _ => is_known(name, known)?,
        }
    }
    Ok(template)
}

fn workflow_file(name: &str) -> Result<String> {
    if !name.contains('/') && (name.ends_with(".yml") || name.ends_with(".yaml")) {
        return Ok(name.to_owned());
    }
    Err(Error::usage(format!("`{name}` is not the file name of a workflow"))
        .hint("write its name in .github/workflows, such as `build-images.yml`"))
}

fn trigger_tag(text: &str, known: &IndexSet<&str>) -> Result<Template> {
    let template = tag_template(text, known)?;
    if template.is_moving() {
        return Err(Error::usage(format!("`{text}` holds no version"))
            .hint("each release pushes a tag of its own, such as `v{graphscope}`"));
    }
    let example = template.render(|_| Some("0.0.0".into()));
    if !names::is_branch_name(&example) {
        return Err(Error::usage(format!("`{text}` cannot be a tag of git")).hint("write one such as `v{graphscope}`"));
    }
    Ok(template)
}
