//! Sites in any text: `image:` references and `regex:` matches.

use std::ops::Range;

use super::scan::{Place, Reader, Reading};
use crate::error::Result;
use crate::image::Reference;
use crate::version::Part;

/// What the group `version` of every match holds, or the groups of its parts.
pub(super) fn matches(reader: &Reader<'_>, regex: &regex::bytes::Regex) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for captures in regex.captures_iter(reader.bytes) {
        if let Some(group) = captures.name("version") {
            places.extend(reader.read(group.range())?);
        }
        for (name, part) in Part::NAMED {
            if let Some(group) = captures.name(name) {
                places.push(reader.part(group.range(), part)?);
            }
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
        let before = reader.bytes[..begin].last().copied();
        if is_reference(reader, name, before, &written[reference_start(written)..]) {
            places.extend(after_name(reader, begin, end)?);
        }
    }
    Ok(places)
}

/// Whether `written`, which ends in `name`, refers to that repository. `before` is the byte before it.
fn is_reference(reader: &Reader<'_>, name: &str, before: Option<u8>, written: &str) -> bool {
    // what a placeholder, or a quoted variable, ends with: `$(REGISTRY)/`, `<registry>/`, `%REGISTRY%/`, `"$REGISTRY"/`
    let follows_placeholder = before.is_some_and(|byte| b")>]%\"'".contains(&byte));
    let may_be_registry = |part: &str| {
        part.contains(['$', '{', '}'])
            || part.is_empty() && follows_placeholder
            // Python's `%s/`
            || part == "s" && before == Some(b'%')
            || reader.is_registry(part)
    };
    let reference = Reference::parse(written);
    reference.name() == written && reference.is_repository(name, may_be_registry)
}

/// Where a reference begins in `written`: after a way to fetch it such as `docker://`, after the operator of
/// `${X:-name`, after a variable that holds the registry with its slash.
fn reference_start(written: &str) -> usize {
    let start_of = |rest: &str| written.len() - rest.len();
    if let Some(at) = written.rfind("${").filter(|at| !written[*at..].contains('}')) {
        let operator = written[at + 2..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if let Some(rest) = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-')) {
            return start_of(rest);
        }
    }
    if let Some(scheme) = written.rfind("://") {
        return scheme + 3;
    }
    let variable = written.strip_prefix("}}").or_else(|| Some(written.strip_prefix("${")?.split_once('}')?.1));
    variable.filter(|rest| !rest.starts_with('/')).map_or(0, start_of)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-/:${}@".contains(&byte)
}

/// What follows the name that stands at `begin..end`.
fn after_name(reader: &Reader<'_>, begin: usize, end: usize) -> Result<Vec<Place>> {
    let rest = &reader.bytes[end..];
    match rest.first() {
        Some(b':') => {}
        Some(b'@') if rest.starts_with(b"@sha") || rest.starts_with(b"@$") => {
            return Ok(vec![Place { at: begin..end, reading: Reading::Pinned(None) }]);
        }
        // a longer name, a name without tag, or an action such as `owner/name@v2`
        _ => return Ok(Vec::new()),
    }
    let tag = tag_range(reader.bytes, end + 1);
    if tag.is_empty() {
        return Ok(Vec::new());
    }
    let pinned = [&b"@sha"[..], b"@$"].iter().any(|digest| reader.bytes[tag.end..].starts_with(digest));
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

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::edit::{Reading, Scanner};

    /// The versions of `graphscope/graphscope-dev` in `text`; `None` where it is pinned.
    fn versions(path: &str, text: &str) -> Vec<Option<String>> {
        let config =
            "components: { v: { version: 0.24.1, sites: [{ files: '**', image: graphscope/graphscope-dev }] } }";
        let config = Config::parse("release.yaml", config.as_bytes()).unwrap();
        let component = config.component("v").unwrap();
        let scanner = Scanner::new(&config, component, &"0.24.1".parse().unwrap(), None);
        let places = scanner.scan(path, text.as_bytes()).unwrap().places.into_iter();
        let version = |reading| match reading {
            Reading::Version(range) => Some(text[range].to_owned()),
            _ => None,
        };
        places.map(|(_, place)| version(place.reading)).collect()
    }

    #[test]
    fn a_reference_is_found_after_whatever_stands_for_its_registry() {
        for before in [
            "",
            "IMAGE=${IMAGE:-",
            "IMAGE=${IMAGE-",
            "${A:-${B}/",
            "docker://",
            "IMAGE := $(REGISTRY)/",
            "$REGISTRY/",
            "${REGISTRY}",
            "${{ env.PREFIX }}",
            "'{{ registry }}/",
            "<registry>/",
            "%REGISTRY%/",
            "%s/",
            "\"$REGISTRY\"/",
            "localhost:5000/",
        ] {
            let text = format!("{before}graphscope/graphscope-dev:v0.24.1-amd64}}\n");
            assert_eq!(versions("x.sh", &text), [Some("0.24.1".into())], "{text}");
        }
        for before in ["my", "fork/", " /", "//", "x${A}", "${A}x", "-", "a.b"] {
            let text = format!("{before}graphscope/graphscope-dev:v0.24.1\n");
            assert_eq!(versions("x.sh", &text), [], "{text}");
        }
    }

    #[test]
    fn only_a_digest_pins() {
        for pinned in [":v0.24.1@sha256:00ff", "@sha256:00ff", ":v0.24.1@sha512:00ff", "@$DIGEST", ":v0.24.1@$D"] {
            assert_eq!(versions("x.yml", &format!("uses: graphscope/graphscope-dev{pinned}")), [None]);
        }
        assert_eq!(versions("x.yml", "uses: graphscope/graphscope-dev@v2"), []);
    }

    #[test]
    fn what_has_an_ending_of_its_own_is_no_dockerfile() {
        for path in ["dockerfile-build.yml", "dockerfile_parser.py", "Dockerfile-notes.md"] {
            let text = "jobs:\n  container: graphscope/graphscope-dev:v0.24.1\n";
            assert_eq!(versions(path, text), [Some("0.24.1".into())], "{path}");
        }
    }

    #[test]
    fn the_version_of_other_software_in_a_tag_stays_in_dockerfiles_too() {
        for path in ["Dockerfile", "x.yml"] {
            let found = |tag: &str| versions(path, &format!("FROM graphscope/graphscope-dev:{tag}\n"));
            assert_eq!(found("12.1.0-v0.24.1"), [Some("0.24.1".into())], "{path}");
            assert_eq!(found("12.1.0-v0.23.0"), [None], "{path}");
        }
    }

    #[test]
    fn a_dockerfile_is_one_by_its_name() {
        for path in ["Dockerfile-dev", "docker/Dockerfile_dev", "dev.containerfile", "Dockerfile.dev"] {
            let text = "ARG V=v0.24.1\nFROM ${REGISTRY}graphscope/graphscope-dev:$V\n";
            assert_eq!(versions(path, text), [Some("0.24.1".into())], "{path}");
        }
    }
}
