//! git's credential helpers, asked through git itself: it knows which of them is for which URL.
//!
//! libgit2's own way would hand our environment, and with it our credentials for GitHub, to whatever is configured.

use std::path::Path;
use std::time::Duration;

use crate::process::Command;

/// A helper may have to ask a person, or a keyring that is locked.
const LIMIT: Duration = Duration::from_secs(60);

/// User name and password that the helpers configured for the repository at `directory` have for `url`. No git, no helper
/// and a helper that fails are all the same as one that knows nothing, as with git.
///
/// Blocks, and must not be called from async code.
pub(super) fn ask(directory: &Path, url: &str, user: Option<&str>) -> Option<(String, String)> {
    let user = user.map(|user| format!("username={user}\n")).unwrap_or_default();
    let git = Command::new("git")
        .args(["credential", "fill"])
        .current_dir(directory)
        // nobody may be there to answer, on a terminal or in a window
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "")
        .stdin(format!("url={url}\n{user}\n"))
        .time_limit(LIMIT);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let output = runtime.block_on(git.run()).ok().filter(|output| output.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let value = |name: &str| {
        text.lines().find_map(|line| line.split_once('=').filter(|(key, _)| *key == name)).map(|(_, v)| v.to_owned())
    };
    Some((value("username")?, value("password")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(helper: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(directory.path()).unwrap();
        let mut config = repository.config().unwrap();
        // an empty one takes back those of the machine
        for (name, value) in [("credential.helper", ""), ("credential.https://example.com.helper", helper)] {
            config.set_str(name, value).unwrap();
        }
        directory
    }

    #[test]
    fn the_helper_of_a_url_is_asked_for_it() {
        let directory = repository("!printf 'username=a\\npassword=b=c\\n' #");
        let answer = ask(directory.path(), "https://example.com/a/b.git", None);
        assert_eq!(answer, Some(("a".into(), "b=c".into())));
    }

    #[test]
    fn a_helper_that_fails_or_says_nothing_knows_nothing() {
        for helper in ["!false", "!true", "no-such-helper-of-gs-release"] {
            let directory = repository(helper);
            assert_eq!(ask(directory.path(), "https://example.com/a/b.git", Some("octocat")), None, "{helper}");
        }
    }
}
