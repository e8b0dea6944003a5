//! Words of `release.yaml` with a form of their own: repositories, registries, tags, branches, paths.
//!
//! Each reader gives what it read, or a usage error that says what is wrong and how to write it.

use std::str::FromStr;
use std::time::Duration;

use super::{ContextSource, RepositoryName, TagTemplate, Template};
use crate::error::{Error, Result};

pub(super) fn refuse<T>(message: String, hint: impl Into<String>) -> Result<T> {
    Err(Error::usage(message).hint(hint))
}

pub(super) fn all(text: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(is_allowed)
}

impl FromStr for RepositoryName {
    type Err = Error;

    /// Reads `owner/name`.
    fn from_str(text: &str) -> Result<Self> {
        // `_` stands in the names of users that a company manages
        let is_owner =
            |part: &str| all(part, |b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) && !part.starts_with('-');
        let is_name =
            |part: &str| all(part, |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !matches!(part, "." | "..");
        match text.split_once('/') {
            Some((owner, name)) if is_owner(owner) && is_name(name) && !name.ends_with(".git") => {
                Ok(RepositoryName { owner: owner.into(), name: name.into() })
            }
            _ => {
                // the last two parts of https://github.com/owner/name.git and git@github.com:owner/name
                let parts: Vec<&str> = text.trim_end_matches(".git").rsplit(['/', ':']).take(2).collect();
                let hint = match &parts[..] {
                    [name, owner] if is_owner(owner) && is_name(name) => format!("write `{owner}/{name}`"),
                    _ => "write it as owner/name, such as `alibaba/GraphScope`".into(),
                };
                refuse(format!("`{text}` is not the name of a GitHub repository"), hint)
            }
        }
    }
}

/// The name of a project on a package index (PEP 508), normalised (PEP 503).
pub fn python_project(text: &str) -> Result<String> {
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_name = all(text, |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !is_name || !is_edge(text.bytes().next()) || !is_edge(text.bytes().next_back()) {
        let message = format!("`{text}` is not the name of a project on a package index");
        return refuse(message, "write the name alone, such as `vineyard-bdist`");
    }
    Ok(normalised_project(text))
}

/// The name of a project as package indexes write it (PEP 503): lower case, and one `-` for each run of `-`, `_` and `.`.
pub fn normalised_project(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

impl FromStr for TagTemplate {
    type Err = Error;

    /// Reads a text that holds `{version}` once and no other brace.
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once("{version}") {
            Some((prefix, suffix)) if !prefix.contains(['{', '}']) && !suffix.contains(['{', '}']) => {
                Ok(TagTemplate { prefix: prefix.into(), suffix: suffix.into() })
            }
            _ => refuse(format!("`{text}` must hold `{{version}}` once, and no other place"), "`v{version}` is usual"),
        }
    }
}

/// Reads `host[:port]` or `host[:port]/path`, the place that images are published under.
pub fn registry_name(text: &str) -> Result<String> {
    if let Some((_, bare)) = text.split_once("://") {
        return refuse(format!("`{text}` is a URL, not a registry"), format!("write `{}`", bare.trim_end_matches('/')));
    }
    let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let is_host = all(name, |b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    // as Docker tells `localhost/x` and `example.com/x` from the repository `library/x`
    let looks_like_a_host = name == "localhost" || name.contains('.') || port.is_some();
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if !is_host || !looks_like_a_host || !is_port || !path.is_none_or(is_repository_path) {
        let hint = "write host[:port]/path in lower case, such as `registry.example.com/graphscope`";
        return refuse(format!("`{text}` is not a registry"), hint);
    }
    Ok(text.into())
}

/// Reads the name of a repository under a registry, as the OCI distribution specification has it ("Pulling manifests").
pub(super) fn repository_path(text: &str) -> Result<String> {
    if let Some((name, _)) = text.split_once(['@', ':']).filter(|(name, _)| is_repository_path(name)) {
        return refuse(format!("`{text}` is more than the name of a repository"), format!("write `{name}`"));
    }
    if !is_repository_path(text) {
        let hint = "lower-case letters and digits, joined by `-`, `_`, `.` or `/`: `graphscope/graphscope-dev`";
        return refuse(format!("`{text}` is not the name of a repository"), hint);
    }
    Ok(text.into())
}

fn is_repository_path(text: &str) -> bool {
    text.split('/').all(|part| {
        let is_alphanumeric = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        is_alphanumeric(part.bytes().next())
            && is_alphanumeric(part.bytes().last())
            && separators.filter(|s| !s.is_empty()).all(|s| matches!(s, "." | "_" | "__") || all(s, |b| b == b'-'))
    })
}

/// Whether `text` can be a tag, as the OCI distribution specification has it ("Pulling manifests").
pub(super) fn is_image_tag(text: &str) -> bool {
    all(text, |b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        && !text.starts_with(['.', '-'])
        && text.len() <= 128
}

/// Reads the name of a component or a phase, which stands in commands, branches and places of templates.
pub(super) fn plain_name(text: &str) -> Result<String> {
    let is_plain = all(text, |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 50
        && is_branch_name(text);
    if !is_plain {
        let hint = "letters, digits, `-`, `_` and `.`, at most 50, as a branch of git may be called";
        return refuse(format!("`{text}` cannot be a name"), hint);
    }
    Ok(text.into())
}

/// Reads the name of an ARG, an ENV or a build arg.
pub(super) fn variable_name(text: &str) -> Result<String> {
    let is_name =
        all(text, |b| b.is_ascii_alphanumeric() || b == b'_') && !text.starts_with(|c: char| c.is_ascii_digit());
    if !is_name {
        return refuse(
            format!("`{text}` is not the name of a variable"),
            "letters, digits and `_`, such as `VINEYARD_VERSION`",
        );
    }
    Ok(text.into())
}

/// Reads the name of a branch.
pub(super) fn branch_name(text: &str) -> Result<String> {
    if !is_branch_name(text) {
        return refuse(format!("`{text}` is not the name of a branch"), "write it as git does, such as `main`");
    }
    Ok(text.into())
}

/// Whether `text` can be a branch or a tag of git, by the rules of git-check-ref-format(1).
pub(super) fn is_branch_name(text: &str) -> bool {
    all(text, |b| b > b' ' && b != 0x7f && !b"~^:?*[\\".contains(&b))
        && !["..", "//", "@{"].iter().any(|mark| text.contains(mark))
        && !text.starts_with(['-', '/'])
        && !text.ends_with(['.', '/'])
        && !text.split('/').any(|part| part.starts_with('.') || part.ends_with(".lock"))
        && !matches!(text, "@" | "HEAD")
}

/// Reads a path from the root of the repository; `./a//b/` comes back as `a/b`, and `.` as nothing.
pub(super) fn path_in_tree(text: &str) -> Result<String> {
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let hint = "paths are relative to the root of the repository, with `/` between their parts";
    if text.is_empty() {
        return refuse("the path is empty".into(), "write `.` for the root of the repository");
    }
    if text.starts_with('/') || parts.contains(&"..") {
        return refuse(format!("`{text}` leads out of the repository"), hint);
    }
    if text.contains(['\\', '\0']) {
        return refuse(format!("`{text}` is not a path"), hint);
    }
    Ok(parts.join("/"))
}

/// Reads the path of a file, as [`path_in_tree`] does.
pub(super) fn file_in_tree(text: &str) -> Result<String> {
    let path = path_in_tree(text)?;
    if path.is_empty() || text.ends_with('/') {
        return refuse(format!("`{text}` is a directory, not a file"), "write the path of the file");
    }
    Ok(path)
}

/// Reads a text that has no rules but to be there: a label, a user, the name of a stage or a builder.
pub(super) fn some_text(text: &str) -> Result<String> {
    if text.trim() != text || text.is_empty() || text.contains(char::is_control) {
        return refuse(
            format!("`{}` cannot be a name", text.escape_debug()),
            "write at least a letter, and no space around it",
        );
    }
    Ok(text.into())
}

/// Reads the source of a named context: a directory, `docker-image://reference` or `https://...git#ref`.
pub(super) fn context_source(text: &str) -> Result<ContextSource> {
    let example = |template: &Template| template.render(|_| Some("0".into()));
    if let Some(reference) = text.strip_prefix("docker-image://") {
        let reference = Template::parse(reference)?;
        if !is_image_reference(&example(&reference)) {
            return refuse(format!("`{text}` names no image"), "write `docker-image://registry.example.com/name:tag`");
        }
        return Ok(ContextSource::Image(reference));
    }
    if text.starts_with("https://") {
        let url = Template::parse(text)?;
        let (repository, reference) = text.split_once('#').unwrap_or((text, ""));
        let is_url = repository.len() > "https://".len() && !text.contains(char::is_whitespace);
        if !is_url || reference.is_empty() {
            let hint = "write `https://github.com/owner/name.git#ref`: without a ref every build may get other files";
            return refuse(format!("`{text}` does not say what to fetch"), hint);
        }
        return Ok(ContextSource::Git(url));
    }
    if text.contains("://") || text.starts_with("git@") {
        let hint = "write a path of this repository, `docker-image://reference`, or `https://...git#ref`";
        return refuse(format!("`{text}` is not a source of a context"), hint);
    }
    path_in_tree(text).and_then(|path| Template::parse(&path)).map(ContextSource::Directory)
}

/// Reads the name of a named context: a stage, or a reference as `FROM` has it.
pub(super) fn context_name(text: &str) -> Result<String> {
    let is_name =
        is_image_reference(text) || all(text, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    if !is_name {
        let hint = "write the name of a stage, or a reference as `FROM` has it, in lower case";
        return refuse(format!("`{text}` cannot be the name of a context"), hint);
    }
    Ok(text.into())
}

/// Whether `text` is `[host/]path[:tag][@digest]`.
fn is_image_reference(text: &str) -> bool {
    let (text, digest) = text.split_once('@').map_or((text, None), |(text, digest)| (text, Some(digest)));
    let is_digest = |digest: &str| {
        digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && all(hex, |b| b.is_ascii_hexdigit()))
    };
    let name_from = text.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match text[name_from..].split_once(':') {
        Some((name, tag)) => (&text[..name_from + name.len()], Some(tag)),
        None => (text, None),
    };
    let is_name = is_repository_path(name)
        || name.split_once('/').is_some_and(|(host, path)| registry_name(host).is_ok() && is_repository_path(path));
    is_name && tag.is_none_or(is_image_tag) && digest.is_none_or(is_digest)
}

/// Reads a number of minutes, hours or days: `90m`, `24h`, `3d`.
pub(super) fn age(text: &str) -> Result<Duration> {
    let unit = match text.bytes().last() {
        Some(b'm') => Some(60),
        Some(b'h') => Some(60 * 60),
        Some(b'd') => Some(24 * 60 * 60),
        _ => None,
    };
    let digits = text.get(..text.len().saturating_sub(1)).filter(|digits| all(digits, |b| b.is_ascii_digit()));
    // a century is beyond any meaning, and far from where sums of times overflow
    let seconds = unit.zip(digits).and_then(|(unit, digits)| digits.parse::<u64>().ok()?.checked_mul(unit));
    match seconds.filter(|seconds| *seconds <= 100 * 366 * 24 * 60 * 60) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => refuse(format!("`{text}` is not an age"), "write minutes, hours or days: 90m, 24h, 3d"),
    }
}
