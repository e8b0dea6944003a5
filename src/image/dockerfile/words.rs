//! The words of an instruction: split at white space, with continuation lines and the comments among them taken for
//! what they are.

use super::{Definition, Span};

/// The text that words stand in, and its escape character.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    /// The whole file.
    pub(super) text: &'a str,
    /// A backslash, or a backtick.
    pub(super) escape: u8,
}

impl Words<'_> {
    /// Splits the arguments of `ARG` or `ENV` into definitions.
    pub(super) fn definitions(&self, arguments: Span, env: bool) -> Vec<Definition> {
        let words = self.words(arguments.clone());
        let bytes = self.text.as_bytes();
        if let (true, Some(first)) = (env, words.first())
            && !bytes[first.clone()].contains(&b'=')
        {
            // the old form, `ENV NAME the rest of the line`
            let rest = words.get(1).map_or(arguments.end, |second| second.start)..arguments.end;
            return vec![Definition { env, name: self.text[first.clone()].to_owned(), value: Some(rest) }];
        }
        words.into_iter().filter_map(|word| self.definition(word, env)).collect()
    }

    fn definition(&self, word: Span, env: bool) -> Option<Definition> {
        let written = &self.text[word.clone()];
        // `ARG "V=1"`: the quotes are around all of it
        let quoted = ['"', '\''].iter().any(|q| written.len() > 1 && written.starts_with(*q) && written.ends_with(*q));
        let inner = if quoted { word.start + 1..word.end - 1 } else { word };
        let written = &self.text[inner.clone()];
        let (name, value) = match written.find('=') {
            Some(equals) => (&written[..equals], Some(inner.start + equals + 1..inner.end)),
            None => (written, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
        (!name.is_empty() && name.chars().all(is_name)).then(|| Definition { env, name: name.to_owned(), value })
    }

    /// The words of `span`, split at white space outside quotes; continuations and the comment lines among them are
    /// white space.
    fn words(&self, span: Span) -> Vec<Span> {
        let bytes = self.text.as_bytes();
        let mut words = Vec::new();
        let (mut start, mut quote) = (None, None);
        let mut at = span.start;
        while at < span.end {
            let byte = bytes[at];
            if let Some(next) = continuation_end(bytes, at, self.escape) {
                // a continuation inside a word would join it; such a word is not one place, so it ends here
                words.extend(start.take().map(|start| start..at));
                at = next.min(span.end);
                continue;
            }
            match (byte, quote) {
                (b'"' | b'\'', None) => quote = Some(byte),
                (_, Some(open)) if byte == open => quote = None,
                (_, None) if byte.is_ascii_whitespace() => {
                    words.extend(start.take().map(|start| start..at));
                    at += 1;
                    continue;
                }
                _ => {}
            }
            start.get_or_insert(at);
            at += if byte == self.escape && quote != Some(b'\'') { 2 } else { 1 };
        }
        words.extend(start.map(|start| start..span.end));
        words
    }
}

/// If a line continuation begins at `at`, where the next line's content begins: comment and blank lines are skipped.
pub(in crate::image) fn continuation_end(bytes: &[u8], at: usize, escape: u8) -> Option<usize> {
    if bytes.get(at) != Some(&escape) {
        return None;
    }
    let mut line = line_end(bytes, at + 1)?;
    loop {
        let content = line + bytes[line..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        match bytes.get(content) {
            Some(b'#') => line = content + bytes[content..].iter().position(|b| *b == b'\n')? + 1,
            Some(b'\n') => line = content + 1,
            _ => return Some(line),
        }
    }
}

/// The start of the next line, if only white space stands between `at` and it.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let newline = at + bytes.get(at..)?.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\r'))?;
    (bytes[newline] == b'\n').then_some(newline + 1)
}
