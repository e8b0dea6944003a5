//! Names on a registry: a [`Repository`], an image in it ([`ImageRef`]), and the [`Digest`] of content.
//!
//! The grammar is that of the distribution project (<https://pkg.go.dev/github.com/distribution/reference>), with
//! Docker's defaults: no registry means Docker Hub, one path part there means `library/`. What was parsed is safe to
//! put into a URL.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

use crate::error::{Error, Result};

/// The registry of names that name none.
const DOCKER_HUB: &str = "docker.io";

/// A repository on a registry, such as `registry.example.com/graphscope/coordinator`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// Host and port of the registry as people write it: `registry.example.com`, `127.0.0.1:5000`, `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path on the registry: `graphscope/coordinator`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The image under a tag of this repository; a usage error where `tag` cannot be one.
    pub fn tag(&self, tag: &str) -> Result<ImageRef> {
        let valid = tag.len() <= 128
            && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !valid {
            return Err(Error::usage(format!("`{tag}` cannot be a tag of {self}"))
                .hint("a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two"));
        }
        Ok(ImageRef { repository: self.clone(), target: Target::Tag(tag.to_owned()) })
    }

    /// The image of this repository that has this digest.
    pub fn digest(&self, digest: &Digest) -> ImageRef {
        ImageRef { repository: self.clone(), target: Target::Digest(digest.clone()) }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl FromStr for Repository {
    type Err = Error;

    /// Reads `host[:port]/path` or, for Docker Hub, `path`. Tag and digest have no place here.
    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &str| Error::usage(format!("`{text}` is not an image repository: {why}"));
        let (registry, path) = match text.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => (DOCKER_HUB, text),
        };
        let registry = match registry {
            "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
            other => other,
        };
        if !is_host(registry) {
            return Err(bad(&format!("`{registry}` is not a host")));
        }
        if let Some(part) = path.split('/').find(|part| !is_path_part(part)) {
            return Err(match part {
                "" => bad("a part of its path is empty"),
                _ => bad(&format!("`{part}` cannot be a part of its path"))
                    .hint("path parts are lower-case letters and digits, joined by `.`, `_`, `__` or `-`"),
            });
        }
        let path = match registry == DOCKER_HUB && !path.contains('/') {
            true => format!("library/{path}"),
            false => path.to_owned(),
        };
        Ok(Repository { registry: registry.to_owned(), path })
    }
}

/// `name`, `name:port`, `127.0.0.1:port` or `[::1]:port`.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rfind(':') {
        Some(colon) if !text.ends_with(']') => (&text[..colon], Some(&text[colon + 1..])),
        _ => (text, None),
    };
    let name_ok = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(|label| {
            let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            !label.is_empty() && inner && !label.starts_with('-') && !label.ends_with('-')
        }),
    };
    name_ok && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_part(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(alphanumeric).filter(|s| !s.is_empty());
    part.starts_with(alphanumeric)
        && part.ends_with(alphanumeric)
        && separators.into_iter().all(|s| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

/// One image on a registry, by tag or by digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Where it is.
    pub repository: Repository,
    /// Which one it is.
    pub target: Target,
}

/// What names an image within its repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A name that can move.
    Tag(String),
    /// The content itself.
    Digest(Digest),
}

impl ImageRef {
    /// The tag, if it is named by one.
    pub fn tag(&self) -> Option<&str> {
        match &self.target {
            Target::Tag(tag) => Some(tag),
            Target::Digest(_) => None,
        }
    }

    /// The digest, if it is named by one.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.target {
            Target::Tag(_) => None,
            Target::Digest(digest) => Some(digest),
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Tag(tag) => write!(f, "{}:{tag}", self.repository),
            Target::Digest(digest) => write!(f, "{}@{digest}", self.repository),
        }
    }
}

impl FromStr for ImageRef {
    type Err = Error;

    /// Reads `repository:tag`, `repository@digest` or `repository:tag@digest`, where the digest decides. A reference
    /// with neither means the tag `latest`, as it does for Docker.
    fn from_str(text: &str) -> Result<Self> {
        let reference = crate::image::Reference::parse(text);
        let repository: Repository = reference.name().parse()?;
        let tagged = repository.tag(reference.tag().unwrap_or("latest"))?;
        match reference.digest() {
            Some(digest) => Ok(repository.digest(&digest.parse()?)),
            None => Ok(tagged),
        }
    }
}

/// The digest of some content: `sha256:` and 64 hexadecimal digits, or the same of SHA-512.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// The SHA-256 digest of `content`.
    pub fn of(content: &[u8]) -> Self {
        Digest(format!("sha256:{}", hex(&sha2::Sha256::digest(content))))
    }

    /// Whether `content` has this digest.
    pub fn matches(&self, content: &[u8]) -> bool {
        match self.0.split_once(':') {
            Some(("sha512", digits)) => hex(&sha2::Sha512::digest(content)) == digits,
            _ => Digest::of(content) == *self,
        }
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // writing to a String cannot fail
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let digits = match text.split_once(':') {
            Some(("sha256", digits)) if digits.len() == 64 => digits,
            Some(("sha512", digits)) if digits.len() == 128 => digits,
            _ => "",
        };
        let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        match valid {
            true => Ok(Digest(text)),
            false => Err(Error::usage(format!("`{text}` is not a digest"))
                .hint("a digest is `sha256:` and 64 lower-case hexadecimal digits")),
        }
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.to_owned().try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_with_dockers_defaults() {
        let digest = Digest::of(b"");
        for (text, read) in [
            ("debian", "docker.io/library/debian:latest".to_owned()),
            ("debian:12-slim", "docker.io/library/debian:12-slim".to_owned()),
            ("index.docker.io/a/b:c", "docker.io/a/b:c".to_owned()),
            ("127.0.0.1:5000/g/coordinator:0.29.0", "127.0.0.1:5000/g/coordinator:0.29.0".to_owned()),
            ("[::1]:5000/a:b", "[::1]:5000/a:b".to_owned()),
            ("localhost/a", "localhost/a:latest".to_owned()),
            (&format!("example.com/a__b/c--d:t@{digest}"), format!("example.com/a__b/c--d@{digest}")),
        ] {
            let image: ImageRef = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(image.to_string(), read, "{text}");
            assert_eq!(read.parse::<ImageRef>().unwrap(), image);
        }
    }

    #[test]
    fn what_cannot_be_a_reference_is_refused() {
        for text in [
            "",
            "Debian",
            "a//b",
            "a:",
            "a:-b",
            "a:b c",
            "a@sha256:00",
            "-.com/a",
            "a.com:x/b",
            "a.com:99999/b",
            "[zz]/a",
            "a/../b",
            "a___b",
            "a_",
            "example.com/",
            "a?b",
            "a%2f",
            "a:b/c:d",
        ] {
            let error = text.parse::<ImageRef>().expect_err(text);
            assert_eq!(error.kind.exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn a_digest_matches_its_content_only() {
        let digest = Digest::of(b"a");
        assert!(digest.matches(b"a") && !digest.matches(b"b"));
        let long = format!("sha512:{}", hex(&sha2::Sha512::digest(b"a"))).parse::<Digest>().unwrap();
        assert!(long.matches(b"a") && !long.matches(b"b"));
        assert!(digest.as_str().to_uppercase().parse::<Digest>().is_err());
    }
}
