//! Sites in any text: `image:` references and `regex:` matches.

use std::ops::Range;

use super::scan::{Place, Reader, Reading};
use crate::error::Result;
use crate::image::Reference;

/// What the group `version` of every match holds.
pub(super) fn matches(reader: &Reader<'_>, regex: &regex::bytes::Regex) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for captures in regex.captures_iter(reader.bytes) {
        if let Some(group) = captures.name("version") {
            places.extend(reader.read(group.range())?);
        }
    }
    Ok(places)
}

/// The tag of every reference to the repository `name`.
pub(super) fn images(reader: &Reader<'_>, name: &str) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for start in memchr::memmem::find_iter(reader.bytes, name.as_bytes()) {
        let begin = start - reader.bytes[..start].iter().rev().take_while(|b| is_name_byte(**b)).count();
        let end = start + name.len();
        let Ok(written) = std::str::from_utf8(&reader.bytes[begin..end]) else { continue };
        // `docker://` and its like are a way to fetch, not a registry
        let name_start = written.rfind("://").map_or(0, |scheme| scheme + 3);
        let may_be_registry = |part: &str| part.contains(['$', '{', '}']) || reader.is_registry(part);
        if Reference::parse(&written[name_start..]).name() != &written[name_start..]
            || !Reference::parse(&written[name_start..]).is_repository(name, may_be_registry)
        {
            continue;
        }
        places.extend(after_name(reader, begin, end)?);
    }
    Ok(places)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-/:${}@".contains(&byte)
}

/// What follows the name that stands at `begin..end`.
fn after_name(reader: &Reader<'_>, begin: usize, end: usize) -> Result<Vec<Place>> {
    let rest = &reader.bytes[end..];
    match rest.first() {
        Some(b':') => {}
        Some(b'@') => return Ok(vec![Place { at: begin..end, reading: Reading::Pinned(None) }]),
        // a longer name, or a name without tag
        _ => return Ok(Vec::new()),
    }
    let tag = tag_range(reader.bytes, end + 1);
    if tag.is_empty() {
        return Ok(Vec::new());
    }
    let pinned = reader.bytes[tag.end..].starts_with(b"@sha256:");
    let places = reader.read(tag)?.into_iter().map(|place| match place.reading {
        Reading::Version(range) if pinned => Place { reading: Reading::Pinned(Some(range)), ..place },
        _ => place,
    });
    Ok(places.collect())
}

/// The tag that begins at `start`: tag characters and `${...}`, `{{...}}` among them.
fn tag_range(bytes: &[u8], start: usize) -> Range<usize> {
    let mut at = start;
    let mut depth = 0usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b'\n' => break,
            _ if depth > 0 => {}
            byte if byte.is_ascii_alphanumeric() || b"._-$".contains(byte) => {}
            // left for the check of its encoding
            byte if !byte.is_ascii() => {}
            _ => break,
        }
        at += 1;
    }
    start..at
}
