//! What `docker build` with its options builds.
//!
//! Source of the options: <https://docs.docker.com/reference/cli/docker/buildx/build/>.

use super::mark::{marked, merged, unknown};
use super::path::join;

/// An image that a command builds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// Path of the Dockerfile, from the root.
    pub dockerfile: String,
    /// Path of the context; empty is the root.
    pub context: String,
    /// The target stage.
    pub target: Option<String>,
    /// Build args.
    pub args: Vec<(String, String)>,
    /// References that it is given.
    pub tags: Vec<String>,
    /// The build args that have another value on another machine, where that is more than the architecture's name. The
    /// values here are those of amd64.
    pub of_machine: Vec<String>,
}

/// Why it cannot be told what a command builds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubt {
    /// The Dockerfile, if that can be told.
    pub dockerfile: Option<String>,
    /// The target, if there is one and it can be told.
    pub target: Option<String>,
    /// The reason, half a sentence.
    pub reason: String,
}

impl Doubt {
    /// Doubt about what `build` makes.
    pub fn about(build: &Build, reason: String) -> Self {
        Doubt { dockerfile: Some(build.dockerfile.clone()), target: build.target.clone(), reason }
    }
}

/// Options that stand alone and do not change what is built.
const ALONE: [&str; 10] =
    ["--no-cache", "--pull", "--push", "--load", "--rm", "--force-rm", "-q", "--quiet", "--squash", "--debug"];
/// Options whose value does not change what is built.
const WITH_VALUE: [&str; 19] = [
    "--progress",
    "--network",
    "--cache-from",
    "--cache-to",
    "--shm-size",
    "--memory",
    "-m",
    "--label",
    "--iidfile",
    "--builder",
    "--platform",
    "--output",
    "-o",
    "--provenance",
    "--sbom",
    "--attest",
    "--metadata-file",
    "--annotation",
    "--ulimit",
];

/// What a command builds that has `amd64` for options on that machine and `arm64` on the other, in `directory`.
pub fn both(amd64: &[String], arm64: &[String], directory: Option<&str>) -> Result<Build, Doubt> {
    let (mut one, other) = (build(amd64, directory)?, build(arm64, directory)?);
    let differs = |what: &str| Doubt::about(&one, format!("{what} depends on what the machine is called"));
    let same = one.args.len() == other.args.len() && one.tags.len() == other.tags.len();
    if (&one.dockerfile, &one.context, &one.target) != (&other.dockerfile, &other.context, &other.target) || !same {
        return Err(differs("what is built"));
    }
    for ((name, value), (_, other)) in one.args.iter_mut().zip(&other.args) {
        match merged(value, other) {
            Some(general) => *value = general,
            None => one.of_machine.push(name.clone()),
        }
    }
    for (tag, other) in one.tags.iter_mut().zip(&other.tags) {
        *tag = merged(tag, other).unwrap_or_else(|| {
            let name = tag.rsplit_once(':').map_or(tag.as_str(), |(name, _)| name);
            format!("{name}:{}", marked("what the machine is called"))
        });
    }
    Ok(one)
}

/// Whether the command pushes what it builds.
pub fn is_pushed(options: &[String]) -> bool {
    options.iter().any(|option| option == "--push" || option.contains("type=registry") || option.contains("push=true"))
}

/// The references that the command gives to what it builds.
pub fn tags(options: &[String]) -> Vec<String> {
    let given = options.iter().enumerate().filter_map(|(at, option)| match option.split_once('=') {
        _ if option == "-t" || option == "--tag" => options.get(at + 1).cloned(),
        Some(("--tag", tag)) => Some(tag.to_owned()),
        _ => None,
    });
    given.collect()
}

/// What `docker build` with these options builds. Its tags, and what its args are, may be untold.
pub fn build(options: &[String], directory: Option<&str>) -> Result<Build, Doubt> {
    let doubt = |reason: String| Doubt { dockerfile: None, target: None, reason };
    let (mut file, mut context, mut target) = (None, None, None);
    let (mut args, mut tags, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    let mut options = options.iter().map(String::as_str);
    while let Some(option) = options.next() {
        if option.starts_with('>') || option.ends_with(">&1") {
            break;
        }
        if !option.starts_with('-') || option == "-" {
            if context.replace(option).is_some() {
                reasons.push(format!("`{option}` is not understood"));
            }
            continue;
        }
        if ALONE.contains(&option) {
            continue;
        }
        let (name, value) = match option.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            Some((name, value)) => (name, Some(value)),
            None => (option, options.next()),
        };
        match (name, value) {
            ("-f" | "--file", Some(value)) => file = Some(value),
            ("--target", Some(value)) => target = Some(value),
            ("-t" | "--tag", Some(value)) => tags.push(value.to_owned()),
            ("--build-arg", Some(value)) => match value.split_once('=') {
                Some((name, value)) => args.push((name.to_owned(), value.to_owned())),
                None => reasons.push(format!("build arg `{value}` comes from the environment")),
            },
            (name, Some(_)) if WITH_VALUE.contains(&name) => {}
            (name, _) => reasons.push(format!("option `{name}` is not understood")),
        }
    }
    let directory = directory.ok_or_else(|| doubt("the directory it is built in cannot be told".to_owned()))?;
    let tell = |what: &str, path: &str| match unknown(path) {
        Some(name) => Err(doubt(format!("{what} depends on {name}"))),
        None => join(directory, path).ok_or_else(|| doubt(format!("{what} is outside of the repository"))),
    };
    let context = tell("its context", context.ok_or_else(|| doubt("it names no context".to_owned()))?)?;
    let dockerfile = match file {
        Some(file) => tell("its Dockerfile", file)?,
        None => format!("{context}/Dockerfile").trim_start_matches('/').to_owned(),
    };
    let target = target.map(str::to_owned);
    let build = Build { dockerfile, context, target, args, tags, of_machine: Vec::new() };
    if let Some(reason) = reasons.pop() {
        return Err(Doubt::about(&build, reason));
    }
    match build.target.as_deref().and_then(unknown) {
        Some(name) => Err(Doubt::about(&build, format!("its target depends on {name}"))),
        None => Ok(build),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_tell_what_is_built() {
        let line = |arch: &str, machine: &str| {
            options(&format!(
                "--target=a --build-arg A=b --build-arg M={machine} --platform linux/{arch} -t x/y:v1-{arch} -f /k8s/y.Dockerfile .."
            ))
        };
        let build = both(&line("amd64", "x86_64"), &line("arm64", "aarch64"), Some("k8s")).unwrap();
        let expected = Build {
            dockerfile: "k8s/y.Dockerfile".into(),
            context: String::new(),
            target: Some("a".into()),
            args: vec![("A".into(), "b".into()), ("M".into(), "x86_64".into())],
            tags: vec!["x/y:v1-{arch}".into()],
            of_machine: vec!["M".into()],
        };
        assert_eq!(build, expected);
        assert_eq!(super::build(&options("."), Some("a")).unwrap().dockerfile, "a/Dockerfile");
        assert_eq!(tags(&options("-t a:1 --tag=b:2 .")), ["a:1", "b:2"]);
        assert!(is_pushed(&options(". --push")) && !is_pushed(&options(".")));
    }

    #[test]
    fn what_cannot_be_told_is_named() {
        let missing = marked("date");
        for (line, dockerfile, expected) in [
            ("-t a:1 --odd x .".to_owned(), Some("k8s/Dockerfile"), "option `--odd` is not understood"),
            (format!("--target {missing} ."), Some("k8s/Dockerfile"), "its target depends on date"),
            ("--build-arg A .".to_owned(), Some("k8s/Dockerfile"), "build arg `A` comes from the environment"),
            (format!("-f {missing} ."), None, "its Dockerfile depends on date"),
            ("../..".to_owned(), None, "its context is outside of the repository"),
            ("-t a:1".to_owned(), None, "it names no context"),
        ] {
            let doubt = build(&options(&line), Some("k8s")).unwrap_err();
            assert_eq!((doubt.dockerfile.as_deref(), doubt.reason.as_str()), (dockerfile, expected), "{line}");
        }
        let doubt = build(&options("."), None).unwrap_err();
        assert_eq!(doubt.reason, "the directory it is built in cannot be told");
        let doubt = both(&options("--target a ."), &options("--target b ."), Some("")).unwrap_err();
        assert_eq!(doubt.reason, "what is built depends on what the machine is called");
    }
}
