//! What `init` found, for a person and as a document.

use serde_json::Value;

use super::counted;
use super::documents::{Init, InitComponent, InitDoubt, InitImage, InitPhase, InitSite, json_of};
use crate::config::Phase;
use crate::error::Result;
use crate::survey::mention::Reason;
use crate::survey::{Finding, Form, Rule, Survey, Verdict};

/// A summary, line by line to `line`: what was found of each component.
pub fn survey(survey: &Survey, line: fn(&str)) {
    for (index, subject) in survey.subjects.iter().enumerate() {
        let own = || survey.findings.iter().filter(move |finding| finding.subject == index);
        let count = |matches: fn(&Verdict) -> bool| own().filter(|finding| matches(&finding.verdict)).count();
        let behind = own().filter(|finding| {
            finding.verdict == Verdict::Site && survey.places[finding.place].value != subject.version
        });
        line(&format!(
            "{} {}{}: {} ({} behind) in {}; {} doubtful, {} rejected",
            subject.name,
            subject.version,
            if survey.proposed { " (proposed)" } else { "" },
            counted(count(|verdict| *verdict == Verdict::Site), "site"),
            behind.count(),
            counted(survey.rules.iter().filter(|rule| rule.subject == index).count(), "rule"),
            count(|verdict| matches!(verdict, Verdict::Doubtful(_))),
            count(|verdict| matches!(verdict, Verdict::Rejected(_))),
        ));
    }
    line(&format!(
        "{} in {}; {} doubtful",
        counted(survey.phases.iter().map(|phase| phase.images.len()).sum(), "image"),
        counted(survey.phases.len(), "phase"),
        survey.no_images.len(),
    ));
}

/// The document of `init`. `written` is the file that was written.
///
/// # Errors
/// None in practice.
pub fn survey_json(survey: &Survey, written: Option<&str>) -> Result<Value> {
    let components = survey.subjects.iter().enumerate().map(|(index, subject)| InitComponent {
        name: &subject.name,
        version: subject.version.to_string(),
        version_file: survey.version_file(index),
        upstream: subject.upstream.as_deref(),
        proposed: survey.proposed,
    });
    let sites = survey.findings.iter().filter(|finding| finding.verdict == Verdict::Site).map(|finding| {
        let (place, subject) = (&survey.places[finding.place], &survey.subjects[finding.subject]);
        InitSite {
            component: &subject.name,
            path: &place.path,
            line: place.line,
            column: place.column,
            version: place.value.to_string(),
            drifted: place.value != subject.version,
            rule: survey.rule_of(finding.subject, finding.place).map(rule).unwrap_or_default(),
        }
    });
    let doubts = |reason: fn(&Finding) -> Option<&Reason>| {
        let found = survey.findings.iter().filter_map(move |finding| Some((finding, reason(finding)?)));
        let doubts = found.map(|(finding, reason)| {
            let place = &survey.places[finding.place];
            InitDoubt {
                component: &survey.subjects[finding.subject].name,
                path: &place.path,
                line: place.line,
                column: place.column,
                version: place.value.to_string(),
                text: &place.text,
                reason: reason.to_string(),
            }
        });
        doubts.collect()
    };
    json_of(&Init {
        components: components.collect(),
        sites: sites.collect(),
        doubtful: doubts(|finding| match &finding.verdict {
            Verdict::Doubtful(reason) => Some(reason),
            _ => None,
        }),
        rejected: doubts(|finding| match &finding.verdict {
            Verdict::Rejected(reason) => Some(reason),
            _ => None,
        }),
        phases: survey.phases.iter().map(phase).collect(),
        no_images: &survey.no_images,
        config: &survey.config,
        written,
    })
}

fn phase(phase: &Phase) -> InitPhase<'_> {
    let images = phase.images.iter().map(|image| InitImage {
        image: &image.name,
        dockerfile: &image.dockerfile,
        target: image.target.as_deref(),
        tags: image.tags.iter().map(ToString::to_string).collect(),
        platforms: image.platforms.iter().map(ToString::to_string).collect(),
    });
    InitPhase { phase: &phase.name, component: &phase.component, images: images.collect() }
}

fn rule(rule: &Rule) -> String {
    match &rule.form {
        Form::Whole => "whole".to_owned(),
        Form::Arg(name) => format!("arg {name}"),
        Form::Env(name) => format!("env {name}"),
        Form::Image(name) => format!("image {name}"),
        Form::Path(route) => format!("path {route}"),
        Form::Regex(pattern) => format!("regex {pattern}"),
    }
}
