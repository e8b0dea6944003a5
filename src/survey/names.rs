//! Names, as keys, images and paths spell them: `V6D_VERSION`, `libvineyard`, `graphscope/graphscope-dev`.

/// The names that one component goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Lower-case letters and digits only.
    squeezed: Vec<String>,
}

impl Names {
    /// The names `names`: of the component, of its upstream repository, of its images.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut all = Names::default();
        names.into_iter().for_each(|name| all.add(name));
        all
    }

    /// One more name. One that says nothing of its own (`version`, `image`) is left out.
    pub fn add(&mut self, name: &str) {
        let squeezed = squeeze(name);
        let says_something = squeezed.len() >= 2 && words(name).iter().any(|word| !is_generic(word));
        if says_something && !self.squeezed.contains(&squeezed) {
            self.squeezed.push(squeezed);
        }
    }

    /// Whether `text` says one of them, whatever stands around it: `VINEYARD_VERSION` and `vineyardd` say `vineyard`.
    /// A name of two letters must be a word of its own.
    pub fn are_in(&self, text: &str) -> bool {
        let whole = squeeze(text);
        self.squeezed.iter().any(|name| match name.len() {
            ..3 => words(text).contains(name),
            _ => whole.contains(name.as_str()),
        })
    }

    /// Whether a directory of `path`, or its file, is named after one of them.
    pub fn are_in_path(&self, path: &str) -> bool {
        path.split('/').any(|part| self.are_in(part))
    }
}

fn squeeze(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The words of a name, in lower case: `coordinatorImage` is `coordinator` and `image`.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_word = false;
    let mut previous = ' ';
    for c in name.chars() {
        let starts = !in_word || c.is_ascii_uppercase() && previous.is_ascii_lowercase();
        in_word = c.is_ascii_alphanumeric();
        if in_word && starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| in_word) {
            word.push(c.to_ascii_lowercase());
        }
        previous = c;
    }
    words
}

/// Words that say that a version follows, and of what kind of thing, but not whose it is.
const GENERIC: [&str; 46] = [
    "version",
    "versions",
    "ver",
    "v",
    "tag",
    "tags",
    "image",
    "images",
    "img",
    "appversion",
    "app",
    "chart",
    "release",
    "revision",
    "rev",
    "ref",
    "branch",
    "base",
    "builder",
    "build",
    "runtime",
    "default",
    "current",
    "project",
    "package",
    "pkg",
    "global",
    "docker",
    "container",
    "number",
    "short",
    "full",
    "semver",
    "str",
    "string",
    "value",
    "name",
    "id",
    "latest",
    "target",
    "new",
    "b",
    "spec",
    "metadata",
    "t",
    "info",
];

/// Whether a word in lower case says nothing of whose a version is.
pub fn is_generic(word: &str) -> bool {
    GENERIC.contains(&word)
}

/// The words of `name` that could say whose a version is.
pub fn telling(name: &str) -> Vec<String> {
    words(name).into_iter().filter(|word| !is_generic(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_what_is_made_of_it() {
        let names = Names::new(["vineyard", "v6d", "gs"]);
        for text in ["VINEYARD_VERSION", "libvineyard", "vineyardcloudnative/vineyardd", "--v6d-version", "GS_VERSION"]
        {
            assert!(names.are_in(text), "{text}");
        }
        for text in ["graphscope-dev", "BASE_VERSION", "flags", ""] {
            assert!(!names.are_in(text), "{text}");
        }
        assert!(names.are_in_path("charts/vineyard-operator/Chart.yaml"));
        assert!(!names.are_in_path("vine/yard/Chart.yaml"));
    }

    #[test]
    fn words_that_every_project_uses_are_no_names() {
        assert!(!Names::new(["version", "image"]).are_in("image.version"));
        assert_eq!(telling("portal.coordinatorImage.tag"), ["portal", "coordinator"]);
        assert!(telling("BASE_VERSION").is_empty());
    }
}
