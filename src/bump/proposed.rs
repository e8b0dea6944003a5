//! Which version a pull request brings, and whether a person has turned that down.
//!
//! The marker in its body says so, else its title, else the commit at its head: the first two are people's to edit, and the
//! last one stays when the branch is gone.

use super::Trailer;
use crate::config::RepositoryName;
use crate::error::Result;
use crate::github::{PullRequest, Repository, State};
use crate::version::Version;

/// How many closed ones whose text does not say what they brought are looked into.
const LOOKS: usize = 10;

/// Every pull request from the bump branch of `component` in `fork` (`None`: in `home`), the newest first, with what says
/// which version it brings.
///
/// # Errors
/// Remote.
pub async fn pulls_of(home: &Repository, fork: Option<&RepositoryName>, component: &str) -> Result<Vec<PullRequest>> {
    let mut pulls = home.pull_requests_from(fork, &format!("gs-release/{component}")).await?;
    let says_nothing = |pull: &&mut PullRequest| pull.state == State::Closed && version_of(pull, component).is_none();
    for pull in pulls.iter_mut().filter(says_nothing).take(LOOKS) {
        pull.head_message = home.message_of(&pull.head_sha).await?;
    }
    Ok(pulls)
}

/// The version of `component` that `pull` brings.
pub fn version_of(pull: &PullRequest, component: &str) -> Option<Version> {
    let marker = pull.marker().filter(|marker| marker.component == component).map(|marker| marker.version);
    let by_commit = || {
        let trailer = Trailer::parse(pull.head_message.as_ref()?)?;
        trailer.version.parse().ok().filter(|_| trailer.component == component)
    };
    marker.or_else(|| version_in(&pull.title, component)).or_else(by_commit)
}

/// The version that the bot's title of a pull request for `component` names.
fn version_in(title: &str, component: &str) -> Option<Version> {
    let what = title.trim().strip_prefix("chore: ")?;
    let bumped = || Some(what.strip_prefix(&format!("bump {component} from "))?.split_once(" to ")?.1);
    what.strip_prefix(&format!("bring {component} in line with ")).or_else(bumped)?.parse().ok()
}

/// The newest of `pulls` for `version` of `component`, if a person has closed it without merging: that is a "no" to this
/// version.
pub fn turned_down<'a>(pulls: &'a [PullRequest], component: &str, version: &Version) -> Option<&'a PullRequest> {
    let bring_it = |pull: &&PullRequest| version_of(pull, component).as_ref() == Some(version);
    let newest = pulls.iter().filter(bring_it).max_by_key(|pull| pull.number)?;
    let superseded = newest.marker().is_some_and(|marker| marker.superseded);
    (newest.state == State::Closed && !superseded).then_some(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bump::title;

    #[test]
    fn a_title_names_its_version_as_long_as_it_is_the_bot_s_own() {
        let (from, to): (Version, Version) = ("0.24.1".parse().unwrap(), "0.24.2".parse().unwrap());
        for from in [&from, &to] {
            let own = title("vineyard", from, &to);
            assert_eq!(version_in(&own, "vineyard"), Some(to.clone()), "{own}");
            assert_eq!(version_in(&own, "graphscope"), None, "{own}");
            assert_eq!(version_in(&format!("Not now: {own}"), "vineyard"), None, "{own}");
        }
        assert_eq!(version_in("chore: bump vineyard from 0.24.1 to the newest", "vineyard"), None);
    }
}
