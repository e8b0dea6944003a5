//! Which addresses are the same place, and which may be told a secret. Pure text.

use http::Uri;

/// Whether scheme, host and port of two URLs are the same. What is no URL with a host is the same as nothing.
pub(crate) fn same(a: &str, b: &str) -> bool {
    origin(a).is_some_and(|a| origin(b) == Some(a))
}

/// Whether a token may be sent to `url`: over TLS, or to this machine.
pub(crate) fn keeps_secrets(url: &str) -> bool {
    match origin(url) {
        Some((scheme, host, _)) if scheme == "http" => is_loopback(&host),
        Some((scheme, ..)) => scheme == "https",
        None => false,
    }
}

/// `localhost` is loopback by definition (RFC 6761, section 6.3).
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether `url` is a URL of `host`, a name without a port.
pub(super) fn has_host(url: &str, host: &str) -> bool {
    origin(url).is_some_and(|(_, own, _)| own.eq_ignore_ascii_case(host))
}

fn origin(url: &str) -> Option<(String, String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = uri.port_u16().or(match &*scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    })?;
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_and_port_decide() {
        for (url, expected) in [
            ("https://github.com/alibaba/GraphScope.git", true),
            ("https://GitHub.com:443/", true),
            ("https://x@github.com/", true),
            ("http://github.com/", false),
            ("https://github.com:8443/", false),
            ("https://github.com.example.com/", false),
            ("https://github.com@example.com/", false),
            ("ssh://git@github.com/alibaba/GraphScope", false),
            ("git@github.com:alibaba/GraphScope", false),
            ("/srv/git/GraphScope", false),
            ("", false),
        ] {
            assert_eq!(same("https://github.com", url), expected, "{url}");
        }
    }

    #[test]
    fn plain_http_keeps_secrets_on_this_machine_alone() {
        for url in
            ["https://github.example.com", "http://127.0.0.1:3000/api/v3", "http://localhost", "http://[::1]:80/"]
        {
            assert!(keeps_secrets(url), "{url}");
        }
        for url in
            ["http://github.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "ftp://localhost", "x"]
        {
            assert!(!keeps_secrets(url), "{url}");
        }
    }
}
