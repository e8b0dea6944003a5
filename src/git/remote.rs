//! Which remote, and what its URL says.

use super::{Repository, failed, origin};
use crate::config::RepositoryName;
use crate::error::Result;

/// A remote of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name in git's configuration.
    pub name: String,
    pub(super) location: String,
}

impl Remote {
    /// The remote-tracking reference of `branch`.
    pub fn tracking(&self, branch: &str) -> String {
        format!("refs/remotes/{}/{branch}", self.name)
    }

    /// The URL without credentials.
    pub fn url(&self) -> String {
        match self.split() {
            Some((scheme, authority, path)) => {
                let host = authority.rsplit('@').next().unwrap_or(authority);
                format!("{scheme}://{host}{path}")
            }
            None => self.location.clone(),
        }
    }

    /// `owner/name`, the last two parts of the URL's path, where it has a host.
    pub fn repository(&self) -> Option<RepositoryName> {
        self.host()?;
        let path = self.location.trim_end_matches('/').trim_end_matches(".git");
        let mut parts = path.rsplit(['/', ':']);
        let (name, owner) = (parts.next()?, parts.next()?);
        format!("{owner}/{name}").parse().ok()
    }

    /// Host, without port; `None` for a path.
    pub fn host(&self) -> Option<&str> {
        let authority = match self.split() {
            Some(("file", ..)) => return None,
            Some((_, authority, _)) => authority,
            // scp's form, `git@host:path`
            None => self.location.split_once(':').map(|(host, _)| host).filter(|host| !host.contains('/'))?,
        };
        let host = authority.rsplit('@').next()?;
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => Some(name),
            _ => Some(host),
        }
    }

    /// Whether it is reached by ssh.
    pub(super) fn is_ssh(&self) -> bool {
        match self.split() {
            Some((scheme, ..)) => scheme.contains("ssh"),
            None => self.host().is_some(),
        }
    }

    /// Scheme, authority, and path with its slash.
    fn split(&self) -> Option<(&str, &str, &str)> {
        let (scheme, rest) = self.location.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some((scheme, authority, path))
    }
}

impl Repository {
    /// The remote that is `wanted` on `server` (a URL), else the one that is `wanted` on any host, else `origin`, else
    /// none. URLs are read as git reads them, `insteadOf` applied.
    pub fn remote_for(&self, wanted: Option<&RepositoryName>, server: &str) -> Result<Option<Remote>> {
        let names = self.inner.remotes().map_err(|error| failed("cannot read the remotes", error))?;
        let remotes = names.iter().flatten().flatten().filter_map(|name| {
            let remote = self.inner.find_remote(name).ok()?;
            Some(Remote { name: name.to_owned(), location: remote.url().ok()?.to_owned() })
        });
        let mut remotes: Vec<Remote> = remotes.collect();
        // the first of the best, in git's order
        remotes.sort_by_key(|remote| std::cmp::Reverse(rank(remote, wanted, server)));
        Ok(remotes.into_iter().next().filter(|remote| rank(remote, wanted, server) > 0))
    }
}

fn rank(remote: &Remote, wanted: Option<&RepositoryName>, server: &str) -> u8 {
    let is_wanted = match (remote.repository(), wanted) {
        (Some(a), Some(b)) => a.to_string().eq_ignore_ascii_case(&b.to_string()),
        _ => false,
    };
    let is_there = remote.host().is_some_and(|host| origin::has_host(server, host));
    match (is_wanted, is_there) {
        (true, true) => 3,
        (true, false) => 2,
        (false, _) => u8::from(remote.name == "origin"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_recognised_however_its_url_is_written() {
        for (url, repository, host) in [
            ("https://github.com/alibaba/GraphScope.git", Some("alibaba/GraphScope"), Some("github.com")),
            ("https://x:secret@github.com/alibaba/GraphScope", Some("alibaba/GraphScope"), Some("github.com")),
            ("git@github.com:alibaba/GraphScope.git", Some("alibaba/GraphScope"), Some("github.com")),
            ("ssh://git@github.com:22/alibaba/GraphScope", Some("alibaba/GraphScope"), Some("github.com")),
            ("http://[::1]:80/alibaba/GraphScope", Some("alibaba/GraphScope"), Some("[::1]")),
            ("/srv/git/alibaba/GraphScope", None, None),
            ("file:///srv/git/alibaba/GraphScope", None, None),
        ] {
            let remote = Remote { name: "origin".into(), location: url.into() };
            assert_eq!(remote.repository().map(|r| r.to_string()).as_deref(), repository, "{url}");
            assert_eq!(remote.host(), host, "{url}");
            assert!(!remote.url().contains("secret"));
        }
    }

    #[test]
    fn only_the_credentials_are_left_out_of_a_url() {
        for (url, shown) in [
            ("https://x:p@ss@github.com/a@b/c@d", "https://github.com/a@b/c@d"),
            ("https://github.com/a/b@c", "https://github.com/a/b@c"),
            ("file:///srv/git@home/b", "file:///srv/git@home/b"),
            ("git@github.com:a/b", "git@github.com:a/b"),
            ("/srv/a@b", "/srv/a@b"),
        ] {
            assert_eq!(Remote { name: "origin".into(), location: url.into() }.url(), shown);
        }
    }

    #[test]
    fn the_server_and_the_repository_decide_which_remote_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository { inner: git2::Repository::init(directory.path()).unwrap() };
        let wanted: RepositoryName = "alibaba/GraphScope".parse().unwrap();
        let choose = |name: &str, url: &str| {
            repository.inner.remote(name, url).unwrap();
            repository.remote_for(Some(&wanted), "https://github.com").unwrap().map(|remote| remote.name)
        };
        assert_eq!(choose("a", "https://example.com/x/y"), None);
        assert_eq!(choose("origin", "https://github.com/person/GraphScope").as_deref(), Some("origin"));
        assert_eq!(choose("b", "https://mirror.example.com/alibaba/graphscope").as_deref(), Some("b"));
        repository.inner.config().unwrap().set_str("url.git@github.com:.insteadOf", "gh:").unwrap();
        assert_eq!(choose("c", "gh:alibaba/GraphScope.git").as_deref(), Some("c"));
    }
}
