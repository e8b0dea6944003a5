//! `v{vineyard}`: a text with places for component versions.

use std::fmt;

/// A text with places, such as an image tag. `{arch}` is a place too, for build args.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
}

/// What a template cannot be.
pub type BadTemplate = &'static str;

impl Template {
    /// Reads `text`; a brace that is not closed, or not opened, is an error.
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        let template = Template { text: text.to_owned() };
        let opened = text.matches('{').count();
        match template.places().count() == opened && opened == text.matches('}').count() {
            true => Ok(template),
            false => Err("its braces do not match"),
        }
    }

    /// The names of its places, in order.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
    }

    /// Whether it stays the same from version to version.
    pub fn is_moving(&self) -> bool {
        self.places().next().is_none()
    }

    /// The text with each place filled by `value` of its name. A name without value stays as it is.
    pub fn render(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let names: Vec<&str> = self.places().collect();
        names.into_iter().fold(self.text.clone(), |text, name| match value(name) {
            Some(value) => text.replace(&format!("{{{name}}}"), &value),
            None => text,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let template = Template::parse("wheel-v{vineyard}-{arch}").unwrap();
        assert_eq!(template.places().collect::<Vec<_>>(), ["vineyard", "arch"]);
        assert_eq!(template.render(|name| (name == "vineyard").then(|| "0.24.2".into())), "wheel-v0.24.2-{arch}");
        assert!(!template.is_moving());
        assert!(Template::parse("latest").unwrap().is_moving());
        assert!(Template::parse("v{vineyard").is_err());
        assert!(Template::parse("v}").is_err());
    }
}
