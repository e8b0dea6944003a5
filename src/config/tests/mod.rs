//! What `release.yaml` may hold, and what is said about one that is not valid.

mod accepted;
mod faults;
mod reference;
mod rubbish;
mod schema;
mod syntax;

use super::Config;

/// The config of `text`, which is valid.
fn config(text: &str) -> Config {
    Config::parse("release.yaml", text.as_bytes()).unwrap_or_else(|e| panic!("{}: {:#?}", e.message, told(&e)))
}

/// Each fault of `text` as `line:column message`, followed by ` | help` if it has any.
fn faults_of(text: &str) -> Vec<String> {
    told(&Config::parse("release.yaml", text.as_bytes()).expect_err("the text is not valid"))
}

fn told(error: &crate::error::Error) -> Vec<String> {
    let tell = |fault: &crate::error::Fault| {
        let (line, column) = fault.line_column();
        let help = fault.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{line}:{column} {}{help}", fault.message)
    };
    error.faults.iter().map(tell).collect()
}

/// A text that is valid, with one component of the given lines.
fn with_component(lines: &str) -> String {
    let indented: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("components:\n  vineyard:\n{indented}")
}

/// A text that is valid, with one phase whose only image has the given lines.
fn with_image(lines: &str) -> String {
    let indented: String = lines.lines().map(|line| format!("        {line}\n")).collect();
    format!(
        "components: {{ vineyard: {{ version: 0.24.2 }} }}\n\
         registry: registry.example.com/graphscope\n\
         phases:\n  - name: v6d\n    component: vineyard\n    images:\n      dev:\n{indented}"
    )
}
