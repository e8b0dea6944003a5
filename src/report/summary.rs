//! The summary and the annotations of a GitHub Actions step
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use std::io::Write;

use super::Record;
use crate::build::BuildPlan;
use crate::error::Error;

/// Adds the result of a build to the step's summary; nothing outside of GitHub Actions.
pub fn summary(plan: &BuildPlan, record: &Record, error: Option<&Error>) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") else { return };
    let text = markdown(plan, record, error);
    let written = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    if let Err(error) = written.and_then(|mut file| file.write_all(text.as_bytes())) {
        super::warn(&format!("the step's summary cannot be written: {error}"));
    }
}

fn markdown(plan: &BuildPlan, record: &Record, error: Option<&Error>) -> String {
    let mut text = format!(
        "### Images of {}\n\n| phase | image | was | now |\n|---|---|---|---|\n",
        &plan.commit[..9.min(plan.commit.len())]
    );
    for phase in &plan.phases {
        for image in &phase.images {
            let now = match record.images.get(&image.image) {
                Some(done) if done.failure.is_some() => format!("failed: {}", first_line(done.failure.as_deref())),
                Some(done) if !done.tags.is_empty() => {
                    let tags: Vec<String> = done.tags.iter().map(|(tag, ..)| format!("`{tag}`")).collect();
                    tags.join("<br>")
                }
                _ if image.state.is_settled() => "unchanged".into(),
                _ => "not published".into(),
            };
            text.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                phase.name,
                image.image,
                cell(&image.state.to_string()),
                cell(&now)
            ));
        }
    }
    if let Some(error) = error {
        text.push_str(&format!("\n**Failed**\n\n```\n{error}\n```\n"));
    }
    text
}

fn first_line(text: Option<&str>) -> &str {
    text.and_then(|text| text.lines().next()).unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
