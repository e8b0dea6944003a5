//! `release.yaml` as text: the rules, and in comments what a person must look at. Nothing here decides.

use std::collections::BTreeMap;

use super::Request;
use super::assign::{Finding, Subject, Verdict};
use super::rules::{Form, Rule};
use super::scan::Occurrence;

/// Doubtful and rejected places that are shown; the JSON document has all of them.
const MOST_SHOWN: usize = 40;

/// The text of the config.
pub fn config(
    request: &Request,
    subjects: &[Subject],
    places: &[Occurrence],
    findings: &[Finding],
    rules: &[Rule],
) -> String {
    let mut text = format!(
        "# Written by `gs-release init` from commit {}.\n\
         # Rules find places by role, also where they have fallen behind. Places in comments are yours to decide.\n\n",
        &request.commit.id.to_string()[..9]
    );
    if let Some(repository) = &request.repository {
        text += &format!("repository: {repository}\n");
    }
    text += &format!("base: {}\n\ncomponents:\n", quoted(&request.base));
    for (index, subject) in subjects.iter().enumerate() {
        text += &format!("  {}:\n", quoted(&subject.name));
        match version_file(places, rules, index) {
            Some(path) => text += &format!("    version-file: {}\n", quoted(path)),
            None => text += &format!("    version: {}\n", subject.version),
        }
        text += "    tag: \"v{version}\"\n";
        if let Some(upstream) = &subject.upstream {
            text += &format!("    upstream: {{ github: {upstream} }}\n");
        }
        let own: Vec<&Rule> = rules.iter().filter(|rule| rule.subject == index).collect();
        text += if own.is_empty() { "    sites: []\n" } else { "    sites:\n" };
        for rule in own {
            text += &site(rule, subject, places);
        }
        text += &comments(index, places, findings);
    }
    text
}

/// The path of the file that is only the version of `subject`, if a rule has one: the shortest.
pub fn version_file<'a>(places: &'a [Occurrence], rules: &[Rule], subject: usize) -> Option<&'a str> {
    let whole = rules.iter().filter(|rule| rule.subject == subject && rule.form == Form::Whole);
    let paths = whole.flat_map(|rule| rule.places.iter().map(|place| places[*place].path.as_str()));
    paths.min_by_key(|path| (path.matches('/').count(), path.len()))
}

fn site(rule: &Rule, subject: &Subject, places: &[Occurrence]) -> String {
    let mut text = String::new();
    for place in rule.places.iter().map(|place| &places[*place]).filter(|place| place.value != subject.version) {
        text += &format!("      # behind: {} in {}:{}\n", place.value, place.path, place.line);
    }
    let files: Vec<String> = rule.files.iter().map(|file| quoted(file)).collect();
    let files = match files.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let form = match &rule.form {
        Form::Whole => "whole: true".to_owned(),
        Form::Arg(name) => format!("arg: {}", quoted(name)),
        Form::Env(name) => format!("env: {}", quoted(name)),
        Form::Image(name) => format!("image: {}", quoted(name)),
        Form::Path(route) => format!("path: {}", quoted(route)),
        Form::Regex(pattern) => format!("regex: {}", quoted(pattern)),
    };
    let expect = rule.expect.map(|count| format!("expect: {count}"));
    let flow = format!(
        "      - {{ files: {files}, {form}{} }}\n",
        expect.as_ref().map(|e| format!(", {e}")).unwrap_or_default()
    );
    if flow.len() <= 121 {
        return text + &flow;
    }
    text += &format!("      - files: {files}\n        {form}\n");
    expect.into_iter().for_each(|expect| text += &format!("        {expect}\n"));
    text
}

/// What is doubtful and what is rejected, as comments.
fn comments(subject: usize, places: &[Occurrence], findings: &[Finding]) -> String {
    let own = || findings.iter().filter(|finding| finding.subject == subject);
    let mut text = String::new();
    let doubtful: Vec<String> = own()
        .filter_map(|finding| match &finding.verdict {
            Verdict::Doubtful(reason) => {
                let place = &places[finding.place];
                Some(format!("    #   {}:{}: {} ({reason})\n", place.path, place.line, shown(&place.text)))
            }
            _ => None,
        })
        .collect();
    if !doubtful.is_empty() {
        text += &format!("    # doubtful, not among the sites: {}\n", doubtful.len());
        text.extend(doubtful.iter().take(MOST_SHOWN).cloned());
    }
    let mut rejected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in own() {
        if let Verdict::Rejected(reason) = &finding.verdict {
            let place = &places[finding.place];
            rejected.entry(reason.to_string()).or_default().push(format!("{}:{}", place.path, place.line));
        }
    }
    if !rejected.is_empty() {
        text += "    # no sites, for these reasons:\n";
    }
    for (reason, places) in rejected {
        let more = if places.len() > 6 { format!(" and {} more", places.len() - 6) } else { String::new() };
        text += &format!("    #   {reason}: {}{more}\n", places[..places.len().min(6)].join(", "));
    }
    text
}

/// A line of the tree, fit for a comment.
fn shown(line: &str) -> String {
    let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match plain.char_indices().nth(90) {
        Some((cut, _)) => format!("{}…", &plain[..cut]),
        None => plain,
    }
}

/// `text` as a YAML scalar: plain where that is safe, else in single quotes.
pub fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !["true", "false", "yes", "no", "on", "off", "null"].contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}
