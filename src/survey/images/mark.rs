//! Values of which a part cannot be told: the part is marked with the name of what is missing, never guessed.

/// Stands on both sides of the name of what is not known. It cannot occur in a path or a tag.
pub const MARK: char = '\u{1a}';

/// What `text` lacks to be told, if anything.
pub fn unknown(text: &str) -> Option<&str> {
    text.split(MARK).nth(1)
}

/// Something that is called `name` and cannot be told. The same name is the same thing wherever it stands.
pub fn marked(name: &str) -> String {
    format!("{MARK}{}{MARK}", name.replace(MARK, ""))
}

/// Longer values than this many bytes are not kept: a variable that is doubled again and again would fill the memory.
pub const LONGEST: usize = 4096;

/// `value`, the value of `name`, unless it is too long to be kept.
pub fn bounded(name: &str, value: String) -> String {
    if value.len() > LONGEST { marked(name) } else { value }
}

/// A value that is `amd64` on that machine and `arm64` on the other: with `{arch}` where nothing else differs.
pub fn merged(amd64: &str, arm64: &str) -> Option<String> {
    let general = amd64.replace("amd64", "{arch}");
    match amd64 == arm64 {
        true => Some(amd64.to_owned()),
        false if general == arm64.replace("arm64", "{arch}") => Some(general),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_machines_is_the_architecture_or_cannot_be_told() {
        assert_eq!(merged("a", "a").as_deref(), Some("a"));
        assert_eq!(merged("v1-amd64", "v1-arm64").as_deref(), Some("v1-{arch}"));
        assert_eq!(merged("x86_64", "aarch64"), None);
        assert_eq!(unknown(&format!("v{}-x", marked("date"))), Some("date"));
    }
}
