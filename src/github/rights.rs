//! What the token of a GitHub App may do: no more than the work needs, and no more than the installation was granted.
//!
//! Which call needs which permission is said by GitHub's "Permissions required for GitHub Apps".

use std::collections::BTreeMap;

use crate::config::PullRequest;

/// The permissions that some work needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights(BTreeMap<&'static str, Level>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Read,
    Write,
}

use Level::{Read, Write};

impl Rights {
    /// To look at branches, pull requests and runs.
    pub fn look() -> Self {
        Self::of(&[("contents", Read), ("pull_requests", Read), ("actions", Read)])
    }

    /// To push branches and keep pull requests as `settings` say. Which files change is not known yet.
    pub fn propose(settings: &PullRequest) -> Self {
        let mut rights = Self::of(&[("contents", Write), ("pull_requests", Write), ("workflows", Write)]);
        if !settings.labels.is_empty() {
            // a label that the repository does not have yet
            rights.0.insert("issues", Write);
        }
        if settings.asks_teams() {
            rights.0.insert("members", Read);
        }
        rights
    }

    /// To comment on pull requests.
    pub fn comment() -> Self {
        Self::of(&[("pull_requests", Write)])
    }

    /// To have workflows build, by dispatch or, where a phase is started so, by a `tag`, and to tell of it on commits and
    /// pull requests.
    pub fn build(tag: bool) -> Self {
        let contents = if tag { Write } else { Read };
        Self::of(&[
            ("actions", Write),
            ("checks", Read),
            ("contents", contents),
            ("pull_requests", Write),
            ("statuses", Write),
        ])
    }

    fn of(permissions: &[(&'static str, Level)]) -> Self {
        Rights(permissions.iter().copied().collect())
    }

    /// The part of them that was `granted`: GitHub mints no token with more. `metadata` comes with every other permission, and
    /// keeps the list from being empty, which would mean all of them.
    pub(super) fn within(&self, granted: &BTreeMap<String, String>) -> BTreeMap<&'static str, &'static str> {
        let asked = self.0.iter().filter_map(|(name, level)| {
            let level = match (level, granted.get(*name)?.as_str()) {
                (Write, "write" | "admin") => "write",
                _ => "read",
            };
            Some((*name, level))
        });
        asked.chain([("metadata", "read")]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_what_is_needed_and_granted_alone() {
        let granted = [("contents", "write"), ("pull_requests", "read"), ("actions", "admin"), ("issues", "write")];
        let granted = granted.into_iter().map(|(name, level)| (name.to_owned(), level.to_owned())).collect();
        let list = |rights: Rights| {
            let asked = rights.within(&granted);
            asked.into_iter().map(|(name, level)| format!("{name} {level}")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(list(Rights::look()), "actions read, contents read, metadata read, pull_requests read");
        assert_eq!(list(Rights::comment()), "metadata read, pull_requests read");
        assert_eq!(list(Rights::build(false)), "actions write, contents read, metadata read, pull_requests read");
        assert_eq!(list(Rights::build(true)), "actions write, contents write, metadata read, pull_requests read");
        let propose = |change: fn(&mut PullRequest)| {
            let mut settings = PullRequest::default();
            change(&mut settings);
            list(Rights::propose(&settings))
        };
        assert_eq!(propose(|_| {}), "contents write, metadata read, pull_requests read");
        let labelled = propose(|settings| settings.labels = vec!["release".into()]);
        assert_eq!(labelled, "contents write, issues write, metadata read, pull_requests read");
        assert_eq!(Rights::look().within(&BTreeMap::new()), BTreeMap::from([("metadata", "read")]));
    }

    #[test]
    fn only_who_asks_a_team_for_a_review_looks_at_members() {
        let asked = |reviewer: &str| {
            let settings = PullRequest { reviewers: vec![reviewer.to_owned()], ..PullRequest::default() };
            Rights::propose(&settings).0.contains_key("members")
        };
        assert_eq!((asked("octocat"), asked("alibaba/release")), (false, true));
    }
}
