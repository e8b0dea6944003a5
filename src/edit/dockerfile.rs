//! Sites in Dockerfiles: `arg:`, `env:` and `image:`.

use std::collections::BTreeMap;

use super::scan::{Place, Reader, Reading, SEVERAL};
use crate::error::Result;
use crate::image::{Dockerfile, Expanded, Reference, Scope, Span, UNKNOWN};

fn parse(reader: &Reader<'_>) -> Result<Dockerfile> {
    Dockerfile::parse(reader.bytes).map_err(|error| {
        let lines = reader.bytes.split_inclusive(|b| *b == b'\n').take(error.line.saturating_sub(1));
        reader.fault(lines.map(<[u8]>::len).sum(), &format!("not a Dockerfile: {}", error.message))
    })
}

fn mentions(reader: &Reader<'_>, word: &str) -> bool {
    memchr::memmem::find(reader.bytes, word.as_bytes()).is_some()
}

/// Every default of `ARG name`, or value of `ENV name`.
pub(super) fn definitions(reader: &Reader<'_>, name: &str, env: bool) -> Result<Vec<Place>> {
    if !mentions(reader, name) {
        return Ok(Vec::new());
    }
    let file = parse(reader)?;
    let mut places = Vec::new();
    for definition in file.definitions().filter(|d| d.name == name && d.env == env) {
        if let Some(value) = &definition.value {
            places.extend(reader.read(value.clone())?);
        }
    }
    Ok(places)
}

/// The tag of every reference to the repository `name`.
pub(super) fn images(reader: &Reader<'_>, name: &str) -> Result<Vec<Place>> {
    if !mentions(reader, name.rsplit('/').next().unwrap_or(name)) {
        return Ok(Vec::new());
    }
    let file = parse(reader)?;
    let build_args = BTreeMap::new();
    let global = Scope::global(&file, &build_args);
    let mut places = Vec::new();
    let mut add = |word: Span, expanded: Expanded| -> Result<()> {
        places.extend(place(reader, name, word, &expanded)?);
        Ok(())
    };
    if let Some(syntax) = &file.syntax {
        add(syntax.clone(), global.stage().expand(syntax.clone()))?;
    }
    for stage in &file.stages {
        add(stage.from.clone(), global.expand(stage.from.clone()))?;
        let mut scope = global.stage();
        for instruction in &stage.instructions {
            for definition in &instruction.definitions {
                scope.define(definition, Some(&global));
            }
            for word in instruction.references() {
                add(word.clone(), scope.expand(word.clone()))?;
            }
        }
    }
    Ok(places)
}

/// The places of one reference, if it is to the repository `name`.
fn place(reader: &Reader<'_>, name: &str, word: Span, expanded: &Expanded) -> Result<Vec<Place>> {
    let reference = Reference::parse(&expanded.text);
    let is_repository = |text: &str| {
        Reference::parse(text).is_repository(name, |part| part.contains(UNKNOWN) || reader.is_registry(part))
    };
    // a variable may hold the registry with its slash: `${REGISTRY}graphscope/graphscope-dev`
    if !is_repository(&expanded.text) && !expanded.text.strip_prefix(UNKNOWN).is_some_and(is_repository) {
        return Ok(Vec::new());
    }
    let left = |reason| Ok(vec![Place { at: word.clone(), reading: Reading::Left(reason) }]);
    let Some(tag) = reference.tag_range() else {
        return match reference.digest() {
            Some(_) => Ok(vec![Place { at: word, reading: Reading::Pinned(None) }]),
            None => left("no tag"),
        };
    };
    let mut versions = crate::version::find_versions(expanded.text[tag.clone()].as_bytes());
    if versions.len() > 1 {
        // `12.1.0-v0.24.2`: the other one is of other software
        versions.retain(|version| reader.is_current(&expanded.text[tag.clone()][version.clone()]));
        if versions.is_empty() {
            return left(SEVERAL);
        }
    }
    let written = versions.iter().filter_map(|v| expanded.written(tag.start + v.start..tag.start + v.end));
    let written: Vec<Span> = written.collect();
    if versions.is_empty() {
        return match &expanded.text[tag] {
            text if text.contains(UNKNOWN) => left("a variable"),
            text if text.contains(|c: char| c.is_ascii_digit()) => left("not a release version"),
            _ => left("a floating value"),
        };
    }
    if written.len() < versions.len() {
        return left("a version made of several ARGs");
    }
    let mut places = Vec::new();
    for span in written {
        reader.valid_utf8(span.clone())?;
        for reading in reader.readings(span.clone()) {
            let reading = match (reading, reference.digest()) {
                (Reading::Version(range), Some(_)) => Reading::Pinned(Some(range)),
                (reading, _) => reading,
            };
            places.push(Place { at: span.clone(), reading });
        }
    }
    Ok(places)
}
