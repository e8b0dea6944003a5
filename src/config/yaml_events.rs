//! YAML as a stream of events, each with its bytes.
//!
//! The only place that knows the YAML parser. Nothing here recurses, so no text is too deep for it; whoever builds a
//! tree from the events sets a limit of its own.

use std::ops::Range;

pub use saphyr_parser::{Event, ScalarStyle};
use saphyr_parser::{Parser, StrInput};

/// Why a text is no YAML, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// The byte at which it was noticed, at most the length of the text.
    pub at: usize,
    /// The parser's words, without a place.
    pub reason: String,
}

/// The events of a text; a byte order mark before it is passed over. The bytes of a scalar are its value, quotes
/// included, without anchor and tag. After an error nothing more comes.
pub struct YamlEvents<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    offsets: Offsets,
    is_over: bool,
}

impl<'t> YamlEvents<'t> {
    /// Prepares to read `text`.
    pub fn new(text: &'t str) -> Self {
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        let offsets = Offsets::new(bare, text.len() - bare.len());
        YamlEvents { text, parser: Parser::new_from_str(bare), offsets, is_over: false }
    }
}

impl<'t> Iterator for YamlEvents<'t> {
    type Item = Result<(Event<'t>, Range<usize>), YamlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        match self.parser.next_event()? {
            Ok((event, span)) => {
                self.is_over = event == Event::StreamEnd;
                let start = self.offsets.byte(span.start.index());
                let span = start..self.offsets.byte(span.end.index()).max(start);
                let span = match event {
                    Event::Scalar(_, style, ..) => scalar_span(self.text, span, style),
                    _ => span,
                };
                Some(Ok((event, span)))
            }
            Err(error) => {
                self.is_over = true;
                let at = self.offsets.byte(error.marker().index());
                Some(Err(YamlError { at, reason: error.info().to_owned() }))
            }
        }
    }
}

/// The bytes of a scalar alone: the parser's begin with its anchor and tag, and those of a quoted one end where the next
/// token starts.
fn scalar_span(text: &str, span: Range<usize>, style: ScalarStyle) -> Range<usize> {
    let Some(mut rest) = text.get(span.clone()) else { return span };
    loop {
        rest = rest.trim_start();
        if rest.starts_with(['&', '!']) {
            rest = &rest[rest.find(char::is_whitespace).unwrap_or(rest.len())..];
        } else if rest.starts_with('#') {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else {
            break;
        }
    }
    let value = match style {
        ScalarStyle::Plain => rest.trim_end(),
        ScalarStyle::SingleQuoted => &rest[..quoted_len(rest, '\'', '\'')],
        ScalarStyle::DoubleQuoted => &rest[..quoted_len(rest, '"', '\\')],
        ScalarStyle::Literal | ScalarStyle::Folded => rest,
    };
    let start = span.end - rest.len();
    match value.is_empty() {
        true => span.start..span.start,
        false => start..start + value.len(),
    }
}

/// The length of the quoted text at the start of `text`; `escape` takes the character after it as it is.
fn quoted_len(text: &str, quote: char, escape: char) -> usize {
    let mut rest = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        if c == escape && (c != quote || next == Some(quote)) {
            rest.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// From the parser's characters to bytes.
struct Offsets {
    /// Byte of each character; `None` where characters and bytes are the same.
    bytes: Option<Vec<usize>>,
    /// How many bytes stand before what the parser sees.
    before: usize,
    /// How many bytes the parser sees.
    len: usize,
}

impl Offsets {
    fn new(text: &str, before: usize) -> Self {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(byte, _)| byte).collect());
        Offsets { bytes, before, len: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        let byte = match &self.bytes {
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.len),
            None => character.min(self.len),
        };
        self.before + byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(text: &str) -> Vec<&str> {
        let scalars = YamlEvents::new(text).filter_map(|event| match event.unwrap() {
            (Event::Scalar(..), span) => Some(&text[span]),
            _ => None,
        });
        scalars.collect()
    }

    #[test]
    fn a_scalar_knows_its_bytes_also_after_a_byte_order_mark_and_other_letters() {
        let text = "\u{feff}é: [x, \"größe\", 'ß']\r\nb:   plain text  # ü\r\nc:\r\n";
        assert_eq!(scalars(text), ["é", "x", "\"größe\"", "'ß'", "b", "plain text", "c", ""]);
    }

    #[test]
    fn the_bytes_of_a_scalar_are_the_value_alone() {
        for (text, value) in [
            ("\"a\"   # b\n", "\"a\""),
            ("'it''s'  # 'b'\n", "'it''s'"),
            ("\"a \\\" b\" # \"\n", "\"a \\\" b\""),
            ("&anchor !!str value  # b\n", "value"),
            ("!tag\n  # b\n  'value'\n", "'value'"),
            ("&anchor\n", ""),
            ("''\n", "''"),
            ("two\n  lines\n", "two\n  lines"),
        ] {
            assert_eq!(scalars(&format!("key: {text}"))[1], value, "{text}");
            assert_eq!(scalars(&format!("- {text}- b\n"))[0], value, "{text}");
        }
    }

    #[test]
    fn an_error_has_its_place_and_ends_the_events() {
        let text = "ü: 1\n- a\n";
        let mut events = YamlEvents::new(text).skip_while(Result::is_ok);
        assert_eq!(text[events.next().unwrap().unwrap_err().at..], *"a\n");
        assert!(events.next().is_none());
    }
}
