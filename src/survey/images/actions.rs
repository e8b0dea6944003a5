//! What the actions of Docker do with images: <https://github.com/docker/build-push-action>,
//! <https://github.com/docker/metadata-action>.

use super::act::Act;
use super::mark::unknown;

/// What the action `uses` does with images, given these inputs.
pub fn acts(uses: &str, with: &dyn Fn(&str) -> Option<String>) -> Vec<Act> {
    if name(uses) != "docker/build-push-action" {
        return Vec::new();
    }
    let mut options = Vec::new();
    for tag in list(&with("tags").unwrap_or_default()) {
        options.extend(["--tag".to_owned(), tag]);
    }
    for argument in lines(&with("build-args").unwrap_or_default()) {
        options.extend(["--build-arg".to_owned(), argument]);
    }
    for (input, option) in [("target", "--target"), ("file", "--file")] {
        options.extend(with(input).into_iter().flat_map(|value| [option.to_owned(), value]));
    }
    // nobody pushes on `false`; anything else may be true
    if with("push").is_some_and(|push| push != "false")
        || with("outputs").is_some_and(|to| to.contains("type=registry"))
    {
        options.push("--push".to_owned());
    }
    let context = with("context").filter(|context| !context.is_empty()).unwrap_or_else(|| ".".to_owned());
    options.push(context.replace("{{defaultContext}}:", "").replace("{{defaultContext}}", "."));
    vec![Act::Build(options, Some(String::new()))]
}

/// Names and values of the outputs of the action `uses` that say what an image is called, when the tag `reference` is
/// released.
pub fn outputs(uses: &str, with: &dyn Fn(&str) -> Option<String>, reference: Option<&str>) -> Vec<(String, String)> {
    if name(uses) != "docker/metadata-action" {
        return Vec::new();
    }
    let Some(tag) = reference.and_then(|reference| reference.strip_prefix("refs/tags/")) else { return Vec::new() };
    let rules = with("tags").map(|rules| lines(&rules)).filter(|rules| !rules.is_empty());
    let rules = rules.unwrap_or_else(|| vec!["type=ref,event=tag".to_owned()]);
    let latest = !with("flavor").unwrap_or_default().replace(' ', "").contains("latest=false");
    let mut tags: Vec<String> = Vec::new();
    for rule in rules {
        let field = |name: &str| rule.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let version = tag.trim_start_matches('v');
        let affixed =
            |tag: &str| format!("{}{tag}{}", field("prefix").unwrap_or_default(), field("suffix").unwrap_or_default());
        let made = match (field("type"), field("event"), field("pattern")) {
            (Some("ref"), Some("tag"), _) => Some((tag.to_owned(), true)),
            (Some("semver" | "pep440"), _, Some(pattern)) => {
                let pattern = pattern.replace(' ', "");
                let told = pattern.replace("{{version}}", version).replace("{{raw}}", tag);
                // a part of a version cannot be written in a config
                (!told.contains("{{")).then_some((told, true))
            }
            (Some("raw"), ..) => field("value").map(|value| (value.to_owned(), false)),
            (None, ..) if !rule.contains('=') => Some((rule.clone(), false)),
            _ => None,
        };
        if let Some((tag, is_release)) = made {
            tags.push(affixed(&tag));
            if is_release && latest && !tags.iter().any(|tag| tag == "latest") {
                tags.push("latest".to_owned());
            }
        }
    }
    let images = list(&with("images").unwrap_or_default());
    let references =
        images.iter().flat_map(|image| tags.iter().map(move |tag| format!("{}:{tag}", image.to_ascii_lowercase())));
    let told: Vec<String> = references.collect();
    vec![("tags".to_owned(), told.join("\n")), ("version".to_owned(), tags.first().cloned().unwrap_or_default())]
}

/// The action without its version.
fn name(uses: &str) -> &str {
    uses.split('@').next().unwrap_or(uses)
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.trim().trim_matches(['"', '\'']).to_owned());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// A list with commas or lines between its items.
fn list(text: &str) -> Vec<String> {
    lines(text)
        .iter()
        .flat_map(|line| match unknown(line) {
            // what cannot be told may hold commas
            Some(_) => vec![line.clone()],
            None => line.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        move |name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_build_and_push_is_a_command_of_docker() {
        let with =
            inputs(&[("tags", "a:1,a:2\nb:1"), ("build-args", "A=b c\n"), ("file", "x/Dockerfile"), ("push", "true")]);
        let expected = [
            "--tag",
            "a:1",
            "--tag",
            "a:2",
            "--tag",
            "b:1",
            "--build-arg",
            "A=b c",
            "--file",
            "x/Dockerfile",
            "--push",
            ".",
        ];
        let expected = expected.map(str::to_owned).to_vec();
        assert_eq!(acts("docker/build-push-action@v6", &with), [Act::Build(expected, Some(String::new()))]);
        assert!(acts("docker/login-action@v3", &with).is_empty());
    }

    #[test]
    fn metadata_tells_the_tags_of_a_release() {
        let told = |tags: &str, flavor: &str| {
            let with = inputs(&[("images", "R.example.com/a"), ("tags", tags), ("flavor", flavor)]);
            outputs("docker/metadata-action@v5", &with, Some("refs/tags/v{gs}"))[0].1.clone()
        };
        assert_eq!(told("", ""), "r.example.com/a:v{gs}\nr.example.com/a:latest");
        assert_eq!(
            told("type=semver,pattern={{version}}\ntype=semver,pattern={{major}}", "latest=false"),
            "r.example.com/a:{gs}"
        );
        assert_eq!(told("type=raw,value=edge\ntype=sha", ""), "r.example.com/a:edge");
        assert!(outputs("docker/metadata-action@v5", &inputs(&[]), None).is_empty());
    }
}
