//! The form of an output in the file `$GITHUB_OUTPUT`.

/// An entry that gives `name` this value, of one or several lines. The delimiter is one that the value does not contain.
pub fn entry(name: &str, value: &str) -> String {
    let mut delimiter = "end".to_owned();
    while value.contains(&delimiter) {
        delimiter.push('_');
    }
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_entry() {
        assert_eq!(entry("built", "[]"), "built<<end\n[]\nend\n");
        assert_eq!(entry("x", "a\nend\nend_\ny<<z"), "x<<end__\na\nend\nend_\ny<<z\nend__\n");
    }
}
