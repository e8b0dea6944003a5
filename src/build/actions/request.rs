//! The id of a request: what is asked for, in a word that a run carries in its name. Pure.

use crate::build::Desired;
use crate::registry::Digest;

/// Hexadecimal digits of the hash: enough to never meet twice in the life of a repository.
const DIGITS: usize = 16;

/// A phase of a commit with everything it is made of. The same request has the same key wherever it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// `gsr-v6d-`.
    prefix: String,
    hash: String,
}

impl RequestKey {
    /// The key of the phase at `phase`.
    pub fn of(desired: &Desired, phase: usize) -> Self {
        let name = &desired.phases[phase].name;
        let images = desired.of_phase(phase).map(|index| {
            let wanted = &desired.images[index];
            format!("{}={}", wanted.name, wanted.inputs.fingerprint)
        });
        let lines: Vec<String> = [name.clone(), desired.commit.clone()].into_iter().chain(images).collect();
        let digest = Digest::of(lines.join("\n").as_bytes()).to_string();
        let hash = digest.rsplit(':').next().unwrap_or_default().chars().take(DIGITS).collect();
        RequestKey { prefix: prefix(name), hash }
    }

    /// The id of one attempt, which counts from 1: `gsr-v6d-3fa9c1d2e4b50617.1`.
    pub fn id(&self, attempt: u32) -> String {
        format!("{}{}.{attempt}", self.prefix, self.hash)
    }

    /// Which attempt at this request the run called `title` is; `None`: it is none.
    pub fn attempt_in(&self, title: &str) -> Option<u32> {
        let mut found = ids(&self.prefix, title);
        found.find(|(hash, _)| *hash == self.hash).map(|(_, attempt)| attempt)
    }

    /// Whether the run called `title` is of another request for the same phase: of another commit, or of other inputs.
    pub fn is_rival(&self, title: &str) -> bool {
        self.attempt_in(title).is_none() && ids(&self.prefix, title).next().is_some()
    }
}

fn prefix(phase: &str) -> String {
    format!("gsr-{phase}-")
}

/// The hash and the attempt of every id after `prefix` in `title`.
fn ids<'t>(prefix: &str, title: &'t str) -> impl Iterator<Item = (&'t str, u32)> {
    title.match_indices(prefix).map(|(at, found)| &title[at + found.len()..]).filter_map(|rest| {
        let (hash, rest) = rest.split_once('.')?;
        let is_hash = hash.len() == DIGITS && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        is_hash.then(|| rest[..end].parse().ok()).flatten().map(|attempt| (hash, attempt))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RequestKey {
        RequestKey { prefix: prefix("v6d"), hash: "0123456789abcdef".into() }
    }

    #[test]
    fn an_attempt_is_found_in_a_run_s_name_and_only_there() {
        assert_eq!(key().attempt_in(&format!("build v6d at c1 ({})", key().id(12))), Some(12));
        for title in [
            "build v6d",
            "gsr-v6d-0123456789abcdef",
            "gsr-v6d-0123456789abcdef.",
            "gsr-v6d-0123456789abcdef0.1",
            "gsr-v6d-0123456789abcdee.1",
            "gsr-gs-0123456789abcdef.1",
            "gsr-v6d-x-0123456789abcdef.1",
        ] {
            assert_eq!(key().attempt_in(title), None, "{title}");
        }
    }

    #[test]
    fn a_rival_asks_for_the_same_phase_of_something_else() {
        assert!(key().is_rival("gsr-v6d-0123456789abcdee.1"));
        assert!(!key().is_rival("gsr-v6d-0123456789abcdef.1"));
        assert!(!key().is_rival("gsr-gs-0123456789abcdee.1"));
        assert!(!key().is_rival("gsr-v6d-x-0123456789abcdee.1"));
    }
}
