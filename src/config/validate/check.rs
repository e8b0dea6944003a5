//! `check.ignore`: findings that are accepted, each with its reason.

use super::component::file_globs;
use super::optional;
use crate::config::faults::Faults;
use crate::config::yaml::Node;
use crate::config::{Code, Ignore, names, raw};
use crate::error::{Error, Result};

/// `check.ignore`, in the order of the file.
pub(super) fn ignore(raw: &[raw::Ignore], list: &Node, faults: &mut Faults) -> Option<Vec<Ignore>> {
    let entries: Vec<_> = raw.iter().enumerate().map(|(index, raw)| entry(raw, list.item(index), faults)).collect();
    entries.into_iter().collect()
}

fn entry(raw: &raw::Ignore, node: &Node, faults: &mut Faults) -> Option<Ignore> {
    let files = raw.files.as_ref().and_then(|files| file_globs(files, node.get("files"), faults));
    let code = raw.code.and_then(|code| faults.take(node.get("code").span.clone(), acceptable(code)));
    let line_contains = optional(raw.line_contains.as_deref(), node, "line-contains", faults, names::some_text);
    let reason = optional(raw.reason.as_deref(), node, "reason", faults, reason);
    let line = faults.line(node.span.start);
    Some(Ignore { code: code?, files: files?, line_contains: line_contains?, reason: reason??, line })
}

fn acceptable(code: Code) -> Result<Code> {
    match code {
        Code::UnusedIgnore => {
            Err(Error::usage(format!("`{code}` cannot be ignored"))
                .hint("remove the entry that matches nothing instead"))
        }
        code => Ok(code),
    }
}

fn reason(text: &str) -> Result<String> {
    match text.trim() {
        "" => Err(Error::usage("the reason is empty").hint("say why these findings are accepted")),
        text => Ok(text.to_owned()),
    }
}
