//! Annotations: marks on the files of a run or pull request, written to the log as workflow commands.

use crate::error::{Error, Fault};
use crate::report::say;

/// Marks the places at fault; an error without a place is shown with the run. Nothing outside of GitHub Actions.
pub fn annotate_error(error: &Error) {
    if !is_in_actions() {
        return;
    }
    match error.faults.is_empty() {
        true => say(&format!("::error title=gs-release::{}", escaped(&error.message))),
        false => error.faults.iter().for_each(|fault| say(&of_fault(fault))),
    }
}

/// Marks a line of a file, counted from 1, that somebody should look at. Nothing outside of GitHub Actions.
pub fn annotate_warning(path: &str, line: usize, message: &str) {
    if is_in_actions() {
        say(&format!("::warning file={},line={line}::{}", property(path), escaped(message)));
    }
}

/// Whether this is a step of GitHub Actions.
pub fn is_in_actions() -> bool {
    std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true")
}

fn of_fault(fault: &Fault) -> String {
    let (line, column) = fault.line_column();
    format!("::error file={},line={line},col={column}::{}", property(&fault.path), escaped(&fault.message))
}

/// The value of a property of a workflow command.
pub fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// What a workflow command needs to be escaped everywhere.
pub fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
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
        assert_eq!(of_fault(&fault), "::error file=d/a%2Cb.Dockerfile,line=2,col=6::50%25 of%0Ait");
    }
}
