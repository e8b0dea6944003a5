//! Heredocs: where they stand in `RUN`, `COPY` and `ADD`, and the same text without them.
//!
//! parse-dockerfile knows a heredoc only as the first word of a `RUN`, and one of them. Here all of them are found by
//! BuildKit's own rules (`heredocsFromLine` of its Dockerfile parser), so that the parser never sees one.

use std::ops::Range;

use super::Span;
use super::words::continuation_end;

/// The heredocs of one instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heredocs {
    /// The first byte of the instruction.
    pub(super) instruction: usize,
    /// Their words, such as `<<EOF`.
    pub(super) words: Vec<Span>,
    /// Their bodies, from the first byte of the first to the last terminator.
    pub(super) bodies: Span,
}

/// All heredocs of `text`, in order. One that does not end is none.
pub(super) fn find(text: &str, escape: u8) -> Vec<Heredocs> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line = LogicalLine::read(text, at, escape);
        at = line.end;
        if let Some(heredocs) = heredocs(text, &line) {
            at = heredocs.bodies.end;
            found.push(heredocs);
        }
    }
    found
}

/// `text` with words and bodies of `heredocs` blotted out: each byte and each line stays where it is.
pub(super) fn without(text: &str, heredocs: &[Heredocs]) -> String {
    let mut blotted = String::with_capacity(text.len());
    let mut at = 0;
    for heredocs in heredocs {
        for word in &heredocs.words {
            blotted.push_str(&text[at..word.start]);
            blotted.extend(std::iter::repeat_n('_', word.len()));
            at = word.end;
        }
        blotted.push_str(&text[at..heredocs.bodies.start]);
        for line in text[heredocs.bodies.clone()].split_inclusive('\n') {
            let content = line.trim_end_matches(['\r', '\n']);
            // a comment
            blotted.extend(std::iter::repeat_n('#', content.len()));
            blotted.push_str(&line[content.len()..]);
        }
        at = heredocs.bodies.end;
    }
    blotted.push_str(&text[at..]);
    blotted
}

/// An instruction without its continuations.
struct LogicalLine {
    text: String,
    /// For each byte of `text`, its offset in the file.
    origin: Vec<usize>,
    /// Where the next line begins.
    end: usize,
}

impl LogicalLine {
    fn read(text: &str, start: usize, escape: u8) -> Self {
        let bytes = text.as_bytes();
        let is_comment = text[start..].trim_start_matches([' ', '\t']).starts_with('#');
        let (mut line, mut origin, mut at) = (String::new(), Vec::new(), start);
        while let Some(c) = text[at..].chars().next() {
            match continuation_end(bytes, at, escape).filter(|_| !is_comment) {
                Some(next) => at = next,
                None => {
                    line.push(c);
                    origin.extend(at..at + c.len_utf8());
                    at += c.len_utf8();
                    if c == '\n' {
                        break;
                    }
                }
            }
        }
        LogicalLine { text: line, origin, end: at }
    }
}

fn heredocs(text: &str, line: &LogicalLine) -> Option<Heredocs> {
    if !line.text.contains("<<") {
        return None;
    }
    let words = words(&line.text)?;
    let is = |word: Option<&Range<usize>>, keyword: &str| {
        word.is_some_and(|word| line.text[word.clone()].eq_ignore_ascii_case(keyword))
    };
    let keyword = words.get(usize::from(is(words.first(), "ONBUILD")));
    if !["RUN", "COPY", "ADD"].iter().any(|name| is(keyword, name)) {
        return None;
    }
    let markers: Vec<_> =
        words.iter().filter_map(|word| Some((word, Marker::read(&line.text[word.clone()])?))).collect();
    let mut end = line.end;
    for (_, marker) in &markers {
        end = marker.body_end(text, end)?;
    }
    let place = |word: &Range<usize>| Some(*line.origin.get(word.start)?..line.origin.get(word.end - 1)? + 1);
    let places: Vec<Span> = markers.iter().filter_map(|(word, _)| place(word)).collect();
    let instruction = *line.origin.get(words.first()?.start)?;
    (!places.is_empty()).then_some(Heredocs { instruction, words: places, bodies: line.end..end })
}

/// The words of `line`, split at white space outside quotes; `None` where a quote is not closed.
fn words(line: &str) -> Option<Vec<Range<usize>>> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            (_, None) if c.is_whitespace() => {
                words.extend(start.take().map(|start| start..at));
                continue;
            }
            ('"' | '\'', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            // the shell's escape, whatever that of the file is
            ('\\', None | Some('"')) => {
                chars.next();
            }
            _ => {}
        }
        start.get_or_insert(at);
    }
    words.extend(start.map(|start| start..line.len()));
    quote.is_none().then_some(words)
}

/// What a word such as `<<-"EOF"` announces.
struct Marker {
    name: String,
    /// Whether tabs before the terminator do not count.
    strips_tabs: bool,
}

impl Marker {
    fn read(word: &str) -> Option<Self> {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        let (rest, strips_tabs) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
        let mut name = String::new();
        let mut chars = rest.chars();
        while let Some(c) = chars.next() {
            match c {
                '<' => return None,
                '"' | '\'' => {}
                '\\' => name.extend(chars.next()),
                _ => name.push(c),
            }
        }
        (!name.is_empty()).then_some(Marker { name, strips_tabs })
    }

    /// Where the line after the terminator begins, for a body that begins at `start`.
    fn body_end(&self, text: &str, start: usize) -> Option<usize> {
        let mut at = start;
        for line in text[start..].split_inclusive('\n') {
            at += line.len();
            let line = line.trim_end_matches(['\r', '\n']);
            if line == self.name || self.strips_tabs && line.trim_start_matches('\t') == self.name {
                return Some(at);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heredocs_are_found_wherever_a_command_takes_one() {
        for (text, bodies) in [
            ("RUN <<EOF\na\nEOF\n", "a\nEOF\n"),
            ("RUN cat <<EOF > /x\nFROM y\nEOF\nFROM z", "FROM y\nEOF\n"),
            ("RUN cat <<A >/a && cat 3<<-B >/b\nx\nA\ny\n\t\tB\nARG V", "x\nA\ny\n\t\tB\n"),
            ("run true \\\n # comment <<C\n  && cat <<\"E O\"\r\nx\r\nE O\r\nFROM z", "x\r\nE O\r\n"),
            ("ONBUILD COPY a <<'EOF' /d/\nx\nEOF", "x\nEOF"),
            ("# escape=`\nRUN cat `\n <<EOF\nx\\\nEOF\n", "x\\\nEOF\n"),
        ] {
            let escape = if text.starts_with("# escape") { b'`' } else { b'\\' };
            let found = find(text, escape);
            assert_eq!(found.iter().map(|h| &text[h.bodies.clone()]).collect::<Vec<_>>(), [bodies], "{text}");
            let blotted = without(text, &found);
            assert_eq!(blotted.len(), text.len());
            assert_eq!(blotted.matches('\n').count(), text.matches('\n').count());
            assert!(!blotted.contains("FROM y") && find(&blotted, escape).is_empty(), "{blotted}");
        }
    }

    #[test]
    fn what_only_looks_like_a_heredoc_is_none() {
        for text in [
            "RUN echo '<<EOF'\nEOF\n",
            "RUN echo $((1<<EOF))\nEOF\n",
            "RUN cat <<<EOF\nEOF\n",
            "RUN x << EOF\nEOF\n",
            "RUN [\"a\", \"<<EOF\"]\nEOF\n",
            "# RUN <<EOF\nEOF\n",
            "LABEL a=b <<EOF\nEOF\n",
            "RUN <<EOF\nnever ends\n",
            "RUN echo don't <<EOF\nEOF\n",
        ] {
            assert!(find(text, b'\\').is_empty(), "{text}");
        }
    }
}
