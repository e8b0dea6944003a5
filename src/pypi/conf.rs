//! pip's configuration files: where they are, and the lines of one. Pure functions.

use std::path::{Path, PathBuf};

/// The sections that `pip install` obeys, those that go first before those that they override, whatever file they are in.
const SECTIONS: [&str; 2] = ["install", "global"];

/// The files that pip reads, those that go first before those that they override, as
/// <https://pip.pypa.io/en/stable/topics/configuration/> lists them for Unix. `lookup` gives variables of the environment,
/// `exists` says which files there are.
pub(super) fn files(lookup: impl Fn(&str) -> Option<String>, exists: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let named = lookup("PIP_CONFIG_FILE");
    // this is how pip is told to read none at all
    if named.as_deref() == Some("/dev/null") {
        return Vec::new();
    }
    let named = named.map(PathBuf::from);
    let mut found: Vec<PathBuf> = named.iter().cloned().collect();
    found.extend(lookup("VIRTUAL_ENV").map(|root| PathBuf::from(root).join("pip.conf")));
    // a file that is named takes the place of the user's own, if it is there
    if !named.is_some_and(|named| exists(&named)) {
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

/// The value of `key` in `files`, their texts in the order of [`files`]. One that is empty overrides those after it, but not
/// those of another section.
pub(super) fn value<'a>(files: &'a [String], key: &str) -> Option<&'a str> {
    let in_section =
        |section| files.iter().find_map(|text| in_file(text, section, key)).filter(|value| !value.is_empty());
    SECTIONS.into_iter().find_map(in_section)
}

/// The value of `key` in one section of a file, as Python's `configparser` reads it. pip takes `_` for `-` in keys.
fn in_file<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let (mut inside, mut wanted, mut found) = (false, false, None);
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[') {
            inside = name.trim_end_matches(']') == section;
            wanted = false;
        } else if line.starts_with([' ', '\t']) {
            // the rest of the line before; a value may begin here
            if wanted && found.is_none_or(str::is_empty) {
                found = Some(trimmed);
            }
        } else if let Some((name, value)) = trimmed.split_once(['=', ':']) {
            wanted = inside && name.trim().to_ascii_lowercase().replace('_', "-") == key;
            if wanted {
                found = Some(value.trim());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_come_in_the_order_in_which_they_override_each_other() {
        let with = |pairs: &[(&str, &str)]| {
            let lookup = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            files(lookup, |path| path == Path::new("/c"))
                .iter()
                .map(|path| path.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
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
        let gone = with(&[("HOME", "/home/a"), ("PIP_CONFIG_FILE", "/gone")]);
        assert_eq!(gone[..2], ["/gone", "/home/a/.config/pip/pip.conf"]);
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
            ("[global]\nindex-url =\n", Some("")),
            ("rubbish", None),
        ] {
            assert_eq!(in_file(text, "global", "index-url"), value, "{text}");
        }
    }

    #[test]
    fn a_section_of_the_command_goes_before_the_global_one_of_every_file() {
        let (install, global) = ("[install]\nindex-url = i\n", "[global]\nindex-url = g\n");
        let (nothing, other) = ("[install]\nindex-url =\n", "[download]\nindex-url = d\n");
        for (files, expected) in [
            (&[global, install][..], Some("i")),
            (&[install, global], Some("i")),
            (&["[global]\nindex-url = a\n", global], Some("a")),
            (&[nothing, install, global], Some("g")),
            (&["[global]\nindex-url =\n", global], None),
            (&[other], None),
        ] {
            let files: Vec<String> = files.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(value(&files, "index-url"), expected, "{files:?}");
        }
    }
}
