//! Paths in the tree, which begin at its root; the empty one is the root itself.

/// `path` as seen from `directory`, without `.` and `..`; `None` is outside of the tree. A `/` at its start is the root.
pub fn join(directory: &str, path: &str) -> Option<String> {
    let start = if path.starts_with('/') { "" } else { directory };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The directory of the file at `path`.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_tree_or_is_none() {
        for (directory, path, expected) in [
            ("k8s", ".", Some("k8s")),
            ("k8s", "..", Some("")),
            ("k8s", "/k8s/..//V", Some("V")),
            ("a/b", "../c", Some("a/c")),
            ("", "..", None),
        ] {
            assert_eq!(join(directory, path).as_deref(), expected, "{directory} {path}");
        }
    }
}
