//! What single commands do with images.
//!
//! Source: <https://docs.docker.com/reference/cli/docker/>.

/// Something that a script does with images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file that says so.
    pub path: String,
    /// Its line, from 1.
    pub line: usize,
    /// Whether it is done only under a condition.
    pub conditional: bool,
    /// What is done.
    pub act: Act,
}

/// What is done with an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// `docker build` with these options in this directory, if that can be told.
    Build(Vec<String>, Option<String>),
    /// `docker tag`.
    Tag(String, String),
    /// `docker push`.
    Push(String),
    /// One reference for images of several platforms.
    Index(String, Vec<String>),
    /// A program of the tree is called, which is not followed.
    Call(String),
}

/// Where a name and a value were written for later steps: `$GITHUB_ENV` and `$GITHUB_OUTPUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The variable that names the file.
    pub file: String,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// What `docker` with these words does with images, in `directory`.
pub fn acts(words: &[&str], directory: Option<&str>) -> Vec<Act> {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let plain = |words: &[&str]| -> Vec<String> {
        let is_plain = |word: &&&str| !word.starts_with(['-', '>', '2']);
        words.iter().filter(is_plain).map(|word| (*word).to_owned()).collect()
    };
    match words {
        ["build", options @ ..] | ["buildx" | "image" | "builder", "build", options @ ..] => {
            vec![Act::Build(own(options), directory.map(str::to_owned))]
        }
        ["tag", from, to, ..] | ["image", "tag", from, to, ..] => {
            vec![Act::Tag((*from).to_owned(), (*to).to_owned())]
        }
        ["push", rest @ ..] | ["image" | "manifest", "push", rest @ ..] => {
            plain(rest).into_iter().take(1).map(Act::Push).collect()
        }
        ["manifest", "create", rest @ ..] => match plain(rest).split_first() {
            Some((to, from)) => vec![Act::Index(to.clone(), from.to_vec())],
            None => Vec::new(),
        },
        ["buildx", "imagetools", "create", rest @ ..] => {
            let tags = super::command::tags(&own(rest));
            let from: Vec<String> = plain(rest).into_iter().filter(|word| !tags.contains(word)).collect();
            let made = |tag: String| [Act::Index(tag.clone(), from.clone()), Act::Push(tag)];
            tags.into_iter().flat_map(made).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_tell_what_they_do_with_images() {
        let told = |line: &str| acts(&line.split_whitespace().collect::<Vec<_>>(), Some("k8s"));
        let text = |text: &str| text.to_owned();
        assert_eq!(told("buildx build -q ."), [Act::Build(vec![text("-q"), text(".")], Some(text("k8s")))]);
        assert_eq!(told("tag a:1 b:1"), [Act::Tag(text("a:1"), text("b:1"))]);
        assert_eq!(told("push -q a:1"), [Act::Push(text("a:1"))]);
        assert_eq!(told("manifest push --purge a:1"), [Act::Push(text("a:1"))]);
        let index = Act::Index(text("a:1"), vec![text("a:1-amd64"), text("a:1-arm64")]);
        assert_eq!(told("manifest create a:1 --amend a:1-amd64 --amend a:1-arm64"), std::slice::from_ref(&index));
        let both = [index, Act::Push(text("a:1"))];
        assert_eq!(told("buildx imagetools create -t a:1 a:1-amd64 a:1-arm64"), both);
        assert!(told("run a:1 docker build .").is_empty());
    }
}
