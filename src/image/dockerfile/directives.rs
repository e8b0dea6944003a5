//! Parser directives: `# name=value` lines at the very top. The iterating parser does not hand them out.

use super::Span;

/// The directives that matter here.
pub(super) struct Directives {
    /// The escape character.
    pub(super) escape: u8,
    /// Value of `# syntax=`.
    pub(super) syntax: Option<Span>,
}

impl Directives {
    /// Reads the directives of `body`; spans are offsets into it.
    pub(super) fn read(body: &str) -> Self {
        let mut directives = Directives { escape: b'\\', syntax: None };
        let mut at = 0;
        for line in body.split_inclusive('\n') {
            let Some((name, value)) = line.trim_start().strip_prefix('#').and_then(|rest| rest.split_once('=')) else {
                break;
            };
            let trimmed = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "syntax" => {
                    let start = at + line.len() - value.len() + (value.len() - value.trim_start().len());
                    directives.syntax = Some(start..start + trimmed.len());
                }
                "escape" if trimmed == "`" => directives.escape = b'`',
                "escape" | "check" => {}
                _ => break,
            }
            at += line.len();
        }
        directives
    }
}
