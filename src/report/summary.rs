//! The summary and the annotations of a GitHub Actions step
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use std::io::Write;

use super::Record;
use crate::build::BuildPlan;
use crate::error::{Error, Fault};

/// Adds the result of a build to the step's summary; nothing outside of GitHub Actions.
pub fn summary(plan: &BuildPlan, record: &Record, error: Option<&Error>) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") else { return };
    let text = markdown(plan, record, error);
    let written = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    if let Err(error) = written.and_then(|mut file| file.write_all(text.as_bytes())) {
        super::warn(&format!("the step's summary cannot be written: {error}"));
    }
}

/// Marks the files at fault in the pull request or run, where this is GitHub Actions.
pub fn annotations(error: &Error) {
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") {
        error.faults.iter().for_each(|fault| super::say(&annotation(fault)));
    }
}

fn annotation(fault: &Fault) -> String {
    let (line, column) = fault.line_column();
    let file = escaped(&fault.path).replace(':', "%3A").replace(',', "%2C");
    format!("::error file={file},line={line},col={column}::{}", escaped(&fault.message))
}

/// What a workflow command needs to be escaped everywhere.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_names_file_line_and_column() {
        let fault = Fault {
            path: "d/a,b.Dockerfile".into(),
            text: "FROM x\nFROM y\n".into(),
            span: 12..13,
            message: "50% of\nit".into(),
            help: None,
        };
        assert_eq!(annotation(&fault), "::error file=d/a%2Cb.Dockerfile,line=2,col=6::50%25 of%0Ait");
    }
}
