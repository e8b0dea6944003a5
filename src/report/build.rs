//! Plans, states and results of builds: tables and JSON documents.

use std::collections::BTreeMap;

use anstyle::Style;
use serde_json::{Value, json};

use super::{BOLD, GREEN, RED, Record, YELLOW, document};
use crate::build::{BuildPlan, ImagePlan, State};
use crate::error::Result;
use crate::version::Version;

/// A plan for a person: every image with its state and what will be done about it.
pub fn plan(plan: &BuildPlan) {
    let width = plan.images().map(|image| image.image.len()).max().unwrap_or(0);
    for phase in &plan.phases {
        anstream::println!("{BOLD}phase {}{BOLD:#}", phase.name);
        for image in &phase.images {
            let color = color(image);
            let what = if image.build { "  build" } else { "" };
            anstream::println!(
                "  {:<width$}  {:<28} {color}{}{color:#}{what}",
                image.image,
                image.tags.join(", "),
                image.state
            );
        }
    }
    let builds = plan.images().filter(|image| image.build).count();
    match builds {
        0 => anstream::println!("nothing to build"),
        builds => anstream::println!("{builds} of {} images to build", plan.images().count()),
    }
}

fn color(image: &ImagePlan) -> Style {
    match image.state {
        State::Current => GREEN,
        State::Kept { .. } | State::Stale { .. } => YELLOW,
        State::Incomplete { .. } | State::Missing => RED,
    }
}

/// Components and images on one screen.
pub fn status(versions: &BTreeMap<String, Version>, images: &BuildPlan) {
    for (component, version) in versions {
        anstream::println!("{BOLD}{component}{BOLD:#} {version}");
    }
    plan(images);
}

/// The document of `status`.
///
/// # Errors
/// None in practice.
pub fn status_json(versions: &BTreeMap<String, Version>, plan: &BuildPlan) -> Result<Value> {
    let mut status = document(plan)?;
    status["components"] = json!(versions);
    Ok(status)
}

/// The document of `verify`.
///
/// # Errors
/// None in practice.
pub fn verify_json(plan: &BuildPlan, findings: &[String]) -> Result<Value> {
    let mut verified = document(plan)?;
    verified["verified"] = findings.is_empty().into();
    verified["findings"] = json!(findings);
    Ok(verified)
}

/// What a build has done, for a person.
pub fn built(plan: &BuildPlan, record: &Record, waits_for: Option<&str>) {
    let built = record.images.values().filter(|image| image.built).count();
    let kept = plan.images().filter(|image| matches!(image.state, State::Kept { .. })).count();
    let mut line = match built {
        0 => "nothing was built".to_owned(),
        1 => "1 image was built".to_owned(),
        built => format!("{built} images were built"),
    };
    if kept > 0 {
        line.push_str(&format!("; {kept} stale images are kept"));
    }
    match waits_for {
        Some(waits_for) => anstream::println!("{line}; {waits_for}"),
        None => anstream::println!("{line}; every image is published and verified"),
    }
}

/// The document of `build`.
pub fn build_json(plan: &BuildPlan, record: &Record, waits_for: Option<&str>) -> Value {
    let images = plan.images().map(|image| {
        let done = record.images.get(&image.image).cloned().unwrap_or_default();
        let tags =
            done.tags.iter().map(|(tag, digest, previous)| json!({"tag": tag, "digest": digest, "previous": previous}));
        json!({
            "image": image.image,
            "was": document(&image.state).unwrap_or_default(),
            "built": done.built,
            "seconds": done.took.map(|took| took.as_secs_f64()),
            "tags": tags.collect::<Vec<_>>(),
        })
    });
    json!({
        "commit": plan.commit,
        "images": images.collect::<Vec<_>>(),
        "verified": record.verified,
        "notes": record.notes,
        "waits-for": waits_for,
    })
}
