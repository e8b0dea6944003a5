//! pip's configuration files: where they are, and the lines of one. Pure functions.

use std::path::PathBuf;

/// The files that pip reads, those that go first before those that they override, as
/// <https://pip.pypa.io/en/stable/topics/configuration/> lists them for Unix. `lookup` gives variables of the environment.
pub(super) fn files(lookup: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let named = lookup("PIP_CONFIG_FILE");
    // this is how pip is told to read none at all
    if named.as_deref() == Some("/dev/null") {
        return Vec::new();
    }
    let mut found: Vec<PathBuf> = named.iter().map(PathBuf::from).collect();
    found.extend(lookup("VIRTUAL_ENV").map(|root| PathBuf::from(root).join("pip.conf")));
    // a file that is named takes the place of the user's own
    if named.is_none() {
        let home = lookup("HOME").map(PathBuf::from);
        let user = lookup("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".config")));
        found.extend(user.map(|config| config.join("pip/pip.conf")));
        found.extend(home.map(|home| home.join(".pip/pip.conf")));
    }
    found.push("/etc/pip.conf".into());
    let global = lookup("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".into());
    found.extend(global.split(':').rev().map(|config| PathBuf::from(config).join("pip/pip.conf")));
    found
}

/// The value of `key` in section `[global]` of a file, as Python's `configparser` reads it. pip takes `_` for `-` in keys.
pub(super) fn global<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (mut in_global, mut wanted, mut found) = (false, false, None);
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[') {
            in_global = section.trim_end_matches(']') == "global";
            wanted = false;
        } else if line.starts_with([' ', '\t']) {
            // the rest of the line before; a value may begin here
            if wanted && found.is_none_or(str::is_empty) {
                found = Some(trimmed);
            }
        } else if let Some((name, value)) = trimmed.split_once(['=', ':']) {
            wanted = in_global && name.trim().to_ascii_lowercase().replace('_', "-") == key;
            if wanted {
                found = Some(value.trim());
            }
        }
    }
    found.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_come_in_the_order_in_which_they_override_each_other() {
        let with = |pairs: &[(&str, &str)]| {
            let lookup = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            files(lookup).iter().map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            with(&[("HOME", "/home/a"), ("VIRTUAL_ENV", "/venv")]),
            [
                "/venv/pip.conf",
                "/home/a/.config/pip/pip.conf",
                "/home/a/.pip/pip.conf",
                "/etc/pip.conf",
                "/etc/xdg/pip/pip.conf"
            ]
        );
        assert_eq!(
            with(&[("XDG_CONFIG_HOME", "/x"), ("XDG_CONFIG_DIRS", "/a:/b")]),
            ["/x/pip/pip.conf", "/etc/pip.conf", "/b/pip/pip.conf", "/a/pip/pip.conf"]
        );
        assert_eq!(
            with(&[("HOME", "/home/a"), ("PIP_CONFIG_FILE", "/c")]),
            ["/c", "/etc/pip.conf", "/etc/xdg/pip/pip.conf"]
        );
        assert_eq!(with(&[("HOME", "/home/a"), ("PIP_CONFIG_FILE", "/dev/null")]), [""; 0]);
    }

    #[test]
    fn the_global_section_is_read_as_python_reads_it() {
        for (text, value) in [
            ("[global]\nindex-url = https://a.example.com/simple\n", Some("https://a.example.com/simple")),
            ("[global]\nindex_url: https://a.example.com\n", Some("https://a.example.com")),
            ("[global]\nINDEX-URL=a\n[install]\nindex-url = b\n", Some("a")),
            ("[global]\nindex-url = a\nindex-url = b\n", Some("b")),
            ("[global]\nindex-url =\n    https://a.example.com\n", Some("https://a.example.com")),
            ("[global]\n# index-url = a\n; index-url = a\ntimeout = 60\n  index-url = a\n", None),
            ("[install]\nindex-url = b\n", None),
            ("[global]\nindex-url =\n", None),
            ("rubbish", None),
        ] {
            assert_eq!(global(text, "index-url"), value, "{text}");
        }
    }
}
