//! Which of upstream's versions a component may go to without a person: the update policy of `release.yaml`, and the
//! decision that follows for one component on one day. Pure functions over plain values; nothing here asks anybody.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::config::UpdatePolicy;
use crate::version::Version;

/// A version that upstream has, with what the policy asks about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The version.
    pub version: Version,
    /// Upstream calls it a pre-release, or its number does.
    pub prerelease: bool,
    /// Since when it is out; `None`: nobody says, or the policy does not ask.
    pub released: Option<Timestamp>,
    /// The Python packages of which there is no file of it.
    pub lacking: Vec<String>,
}

/// Why a version is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Objection {
    /// `update.prereleases` is false.
    Prerelease,
    /// `update.ignore` names it.
    Ignored,
    /// `update.allow` does not take it.
    NotAllowed {
        /// What `update.allow` says.
        allow: String,
    },
    /// The package index lacks it, or a part of it.
    NotOnIndex {
        /// The projects that have no file of it.
        projects: Vec<String>,
    },
    /// `update.minimum-age` has not passed.
    TooYoung {
        /// When it has.
        #[schemars(with = "String")]
        until: Timestamp,
    },
}

impl fmt::Display for Objection {
    /// As half a sentence, after the version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objection::Prerelease => f.write_str("is a pre-release"),
            Objection::Ignored => f.write_str("is ignored by `update.ignore`"),
            Objection::NotAllowed { allow } => write!(f, "is outside `update.allow` ({allow})"),
            Objection::NotOnIndex { projects } => write!(f, "is not on the package index: {}", projects.join(", ")),
            Objection::TooYoung { until } => write!(f, "is younger than `update.minimum-age` until {until}"),
        }
    }
}

/// A version that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PassedOver {
    /// The version.
    #[schemars(with = "String")]
    pub version: Version,
    /// Why.
    #[serde(flatten)]
    pub why: Objection,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.why)
    }
}

/// What the number alone says against `version`.
pub fn by_number(version: &Version, prerelease: bool, policy: &UpdatePolicy) -> Option<Objection> {
    if prerelease && !policy.prereleases {
        return Some(Objection::Prerelease);
    }
    if policy.ignore.contains(version) {
        return Some(Objection::Ignored);
    }
    let outside = policy.allow.as_ref().filter(|allow| !allow.matches(version));
    outside.map(|allow| Objection::NotAllowed { allow: allow.to_string() })
}

/// What is to be said against `candidate` at `now`. A version whose date nobody knows is old enough: a wait for it would
/// never end.
pub fn judge(candidate: &Candidate, policy: &UpdatePolicy, now: Timestamp) -> Option<Objection> {
    let age = SignedDuration::try_from(policy.minimum_age).unwrap_or(SignedDuration::MAX);
    by_number(&candidate.version, candidate.prerelease, policy).or_else(|| {
        if !candidate.lacking.is_empty() {
            return Some(Objection::NotOnIndex { projects: candidate.lacking.clone() });
        }
        let until = candidate.released?.checked_add(age).unwrap_or(Timestamp::MAX);
        (now < until).then_some(Objection::TooYoung { until })
    })
}

/// A pull request of the component that matters for the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Its number.
    pub number: u64,
    /// The version that it brings.
    pub version: Version,
    /// A person closed it without merging; `false`: it is open.
    pub turned_down: bool,
}

/// What is known of one component.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Its version on the base branch.
    pub current: &'a Version,
    /// Whether there is anybody to ask for versions.
    pub has_upstream: bool,
    /// The rules.
    pub policy: &'a UpdatePolicy,
    /// What upstream has, the newest first.
    pub candidates: &'a [Candidate],
    /// Its pull requests that are open or were turned down.
    pub proposed: &'a [Proposed],
    /// The time.
    pub now: Timestamp,
}

/// What to do about one component, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "decision", rename_all = "kebab-case")]
pub enum Decision {
    /// There is nobody to ask for versions.
    NoUpstream,
    /// `update.hold` is true.
    Held,
    /// Upstream has nothing newer.
    UpToDate,
    /// Upstream has newer ones, and every one of them is passed over.
    NothingAllowed,
    /// A person has closed the pull request of this version, or of a newer one.
    TurnedDown {
        /// The version that would be taken.
        #[schemars(with = "String")]
        version: Version,
        /// The number of the closed pull request.
        number: u64,
    },
    /// An open pull request brings a newer version than the policy would choose: a person asked for it.
    Overtaken {
        /// The version of the pull request.
        #[schemars(with = "String")]
        version: Version,
        /// Its number.
        number: u64,
    },
    /// Go to this version.
    Bump {
        /// The version.
        #[schemars(with = "String")]
        version: Version,
    },
}

/// Decides for one component, and says which newer versions were passed over.
///
/// A turned down version turns down all that are older: whoever closes the pull request of 0.24.3 does not want one of 0.24.2
/// in its place.
pub fn decide(facts: &Facts<'_>) -> (Decision, Vec<PassedOver>) {
    let mut passed_over = Vec::new();
    if !facts.has_upstream {
        return (Decision::NoUpstream, passed_over);
    }
    if facts.policy.hold {
        return (Decision::Held, passed_over);
    }
    let mut newer = facts.candidates.iter().filter(|candidate| candidate.version > *facts.current);
    let chosen = newer.find(|candidate| match judge(candidate, facts.policy, facts.now) {
        Some(why) => {
            passed_over.push(PassedOver { version: candidate.version.clone(), why });
            false
        }
        None => true,
    });
    let Some(version) = chosen.map(|candidate| candidate.version.clone()) else {
        let nothing = if passed_over.is_empty() { Decision::UpToDate } else { Decision::NothingAllowed };
        return (nothing, passed_over);
    };
    let open = facts.proposed.iter().find(|p| !p.turned_down && p.version > version);
    let closed = facts.proposed.iter().filter(|p| p.turned_down && p.version >= version).max_by_key(|p| p.number);
    let decision = match (open, closed) {
        (Some(open), _) => Decision::Overtaken { version: open.version.clone(), number: open.number },
        (None, Some(closed)) => Decision::TurnedDown { version, number: closed.number },
        (None, None) => Decision::Bump { version },
    };
    (decision, passed_over)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn policy(change: impl FnOnce(&mut UpdatePolicy)) -> UpdatePolicy {
        let mut policy = UpdatePolicy {
            allow: None,
            prereleases: false,
            minimum_age: std::time::Duration::from_secs(24 * 3600),
            ignore: Vec::new(),
            hold: false,
        };
        change(&mut policy);
        policy
    }

    /// `0.24.3` was released on the first of May 2025, `0.24.4` two hours before now; `0.24.8` has no wheels.
    fn upstream(versions: &[&str]) -> Vec<Candidate> {
        let candidates = versions.iter().map(|text| Candidate {
            version: version(text),
            prerelease: text.contains('-'),
            released: match *text {
                "0.24.4" => Some(time("2025-05-20T10:00:00Z")),
                "0.24.9" => None,
                _ => Some(time("2025-05-01T10:00:00Z")),
            },
            lacking: if *text == "0.24.8" { vec!["vineyard-bdist".into()] } else { Vec::new() },
        });
        candidates.collect()
    }

    fn decided(policy: &UpdatePolicy, versions: &[&str], proposed: &[Proposed]) -> (Decision, Vec<String>) {
        let (decision, passed_over) = decide(&Facts {
            current: &version("0.24.2"),
            has_upstream: true,
            policy,
            candidates: &upstream(versions),
            proposed,
            now: time("2025-05-20T12:00:00Z"),
        });
        (decision, passed_over.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_rule_of_the_policy_gives_its_decision_and_its_reason() {
        let bump = |text: &str| Decision::Bump { version: version(text) };
        let any = policy(|_| {});
        let young = "0.24.4 is younger than `update.minimum-age` until 2025-05-21T10:00:00Z";
        let ignoring = policy(|p| p.ignore = vec![version("0.24.3")]);
        let patches = policy(|p| p.allow = Some("0.24".parse().unwrap()));
        for (policy, versions, decision, passed_over) in [
            (&any, &["0.24.2", "0.24.1"][..], Decision::UpToDate, &[][..]),
            (&any, &[], Decision::UpToDate, &[]),
            (&any, &["0.24.3", "0.24.2"], bump("0.24.3"), &[]),
            (&any, &["0.24.4", "0.24.3"], bump("0.24.3"), &[young]),
            (&any, &["0.24.4"], Decision::NothingAllowed, &[young]),
            (&any, &["0.24.9"], bump("0.24.9"), &[]),
            (&any, &["0.24.8", "0.24.3"], bump("0.24.3"), &["0.24.8 is not on the package index: vineyard-bdist"]),
            (&policy(|p| p.minimum_age = std::time::Duration::ZERO), &["0.24.4"], bump("0.24.4"), &[]),
            (
                &policy(|p| p.minimum_age = std::time::Duration::MAX),
                &["0.24.3"],
                Decision::NothingAllowed,
                &["0.24.3 is younger than `update.minimum-age` until 9999-12-30T22:00:00.999999999Z"],
            ),
            (&any, &["0.25.0-rc.1", "0.24.3"], bump("0.24.3"), &["0.25.0-rc.1 is a pre-release"]),
            (&policy(|p| p.prereleases = true), &["0.25.0-rc.1"], bump("0.25.0-rc.1"), &[]),
            (&ignoring, &["0.24.3"], Decision::NothingAllowed, &["0.24.3 is ignored by `update.ignore`"]),
            (&patches, &["0.25.0", "0.24.3"], bump("0.24.3"), &["0.25.0 is outside `update.allow` (0.24)"]),
            (&policy(|p| p.hold = true), &["0.24.3"], Decision::Held, &[]),
        ] {
            let (found, told) = decided(policy, versions, &[]);
            assert_eq!(
                (found, told),
                (decision, passed_over.iter().map(ToString::to_string).collect()),
                "{versions:?}"
            );
        }
    }

    #[test]
    fn pull_requests_that_people_closed_or_asked_for_are_respected() {
        let proposed = |number, text: &str, turned_down| Proposed { number, version: version(text), turned_down };
        let turned_down = |number| Decision::TurnedDown { version: version("0.24.3"), number };
        for (proposed, decision) in [
            (vec![proposed(7, "0.24.3", false)], Decision::Bump { version: version("0.24.3") }),
            (vec![proposed(7, "0.24.2", false)], Decision::Bump { version: version("0.24.3") }),
            (vec![proposed(7, "0.24.3", true)], turned_down(7)),
            (vec![proposed(7, "0.24.2", true)], Decision::Bump { version: version("0.24.3") }),
            (vec![proposed(7, "0.25.0", true), proposed(5, "0.24.3", true)], turned_down(7)),
            (
                vec![proposed(8, "0.25.0", false), proposed(7, "0.24.3", true)],
                Decision::Overtaken { version: version("0.25.0"), number: 8 },
            ),
        ] {
            assert_eq!(decided(&policy(|_| {}), &["0.24.3"], &proposed).0, decision, "{proposed:?}");
        }
    }

    #[test]
    fn without_upstream_there_is_nothing_to_decide() {
        let policy = policy(|p| p.hold = true);
        let (current, now) = (version("0.24.2"), time("2025-05-20T12:00:00Z"));
        let facts =
            Facts { current: &current, has_upstream: false, policy: &policy, candidates: &[], proposed: &[], now };
        assert_eq!(decide(&facts), (Decision::NoUpstream, vec![]));
    }
}
