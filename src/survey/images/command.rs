//! `docker build` commands of one line of the shell, and what they build.
//!
//! Source of the options: <https://docs.docker.com/reference/cli/docker/buildx/build/>.

use super::make::{marked, unknown};
use super::path::join;

/// An image that a command builds.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// Why it cannot be told what a command builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The Dockerfile, if that can be told.
    pub dockerfile: Option<String>,
    /// The reason, half a sentence.
    pub reason: String,
}

/// Options that stand alone and do not change what is built.
const ALONE: [&str; 10] =
    ["--no-cache", "--pull", "--push", "--load", "--rm", "--force-rm", "-q", "--quiet", "--squash", "--debug"];
/// Options whose value does not change what is built.
const WITH_VALUE: [&str; 10] = [
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
];

/// What the commands of a line build, which is run in `directory`. The line comes as it is on amd64 and on arm64; what
/// differs is the architecture, `{arch}`, or cannot be told.
pub fn builds(amd64: &str, arm64: &str, directory: &str) -> Vec<Result<Build, Doubt>> {
    let words = words(amd64).into_iter().zip(words(arm64)).map(|(a, b)| merged(a, &b)).collect::<Vec<_>>();
    let mut here = Some(directory.to_owned());
    let mut found = Vec::new();
    for command in words.split(|word| ["&&", "||", ";", "|", "&"].contains(&word.as_str())) {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let is_prefix = |word: &&str| *word == "sudo" || word.contains('=') && !word.starts_with('-');
        let start = command.iter().position(|word| !is_prefix(word));
        match &command[start.unwrap_or_default()..] {
            ["cd", path] => here = here.filter(|_| unknown(path).is_none()).and_then(|here| join(&here, path)),
            ["docker", "build", options @ ..]
            | ["docker", "buildx", "build", options @ ..]
            | ["docker", "image", "build", options @ ..] => found.push(build(options, here.as_deref())),
            _ => {}
        }
    }
    found
}

fn merged(amd64: String, arm64: &str) -> String {
    let general = amd64.replace("amd64", "{arch}");
    match amd64 == arm64 {
        true => amd64,
        false if general == arm64.replace("arm64", "{arch}") => general,
        false => {
            // a build arg keeps its name
            let name = amd64.split_inclusive('=').next().filter(|name| name.ends_with('=') && arm64.starts_with(name));
            format!("{}{}", name.unwrap_or_default(), marked("what the machine is called"))
        }
    }
}

/// What `docker build` with these options builds.
fn build(options: &[&str], directory: Option<&str>) -> Result<Build, Doubt> {
    let doubt = |reason: String| Doubt { dockerfile: None, reason };
    let (mut file, mut context, mut target) = (None, None, None);
    let (mut args, mut tags, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    let mut options = options.iter().copied();
    while let Some(option) = options.next() {
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
    let named = |reason: String| Doubt { dockerfile: Some(dockerfile.clone()), reason };
    if let Some(reason) = reasons.pop() {
        return Err(named(reason));
    }
    let values = args.iter().map(|(name, value)| (format!("build arg `{name}`"), value.as_str()));
    let values = values.chain(tags.iter().map(|tag| ("its tag".to_owned(), tag.as_str())));
    for (what, value) in values.chain(target.map(|target| ("its target".to_owned(), target))) {
        if let Some(name) = unknown(value) {
            return Err(named(format!("{what} depends on {name}")));
        }
    }
    Ok(Build { dockerfile, context, target: target.map(str::to_owned), args, tags })
}

/// The words of a line of the shell, operators among them.
fn words(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut word, mut quote): (Option<String>, Option<char>) = (None, None);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            _ if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            '`' if quote != Some('\'') => *word.get_or_insert_default() += &marked("the output of a command"),
            '&' | '|' | ';' if quote.is_none() => {
                found.extend(word.take());
                let twice = c != ';' && characters.next_if_eq(&c).is_some();
                found.push(if twice { format!("{c}{c}") } else { c.to_string() });
            }
            // make's marks around a name may have spaces between them
            '\u{1a}' => {
                let name: String = characters.by_ref().take_while(|c| *c != '\u{1a}').collect();
                *word.get_or_insert_default() += &marked(&name);
            }
            c if c.is_whitespace() && quote.is_none() => found.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(line: &str) -> Doubt {
        builds(line, line, "k8s").remove(0).unwrap_err()
    }

    #[test]
    fn a_command_tells_what_it_builds() {
        let line = |arch: &str| {
            format!(
                "cd /k8s/.. && sudo docker build --target=a --build-arg 'A=b c' -t x/y:v1-{arch} -f /k8s/y.Dockerfile ."
            )
        };
        let build = builds(&line("amd64"), &line("arm64"), "k8s").remove(0).unwrap();
        let expected = Build {
            dockerfile: "k8s/y.Dockerfile".into(),
            context: String::new(),
            target: Some("a".into()),
            args: vec![("A".into(), "b c".into())],
            tags: vec!["x/y:v1-{arch}".into()],
        };
        assert_eq!(build, expected);
        assert_eq!(builds("docker build .", "docker build .", "a").remove(0).unwrap().dockerfile, "a/Dockerfile");
        assert!(builds("docker push x", "docker push x", "").is_empty());
    }

    #[test]
    fn what_cannot_be_told_is_named() {
        for (line, dockerfile, expected) in [
            ("docker build -t a:1 --odd x .", Some("k8s/Dockerfile"), "option `--odd` is not understood"),
            ("docker build -t a:`date` .", Some("k8s/Dockerfile"), "its tag depends on the output of a command"),
            ("docker build -t a:1 --build-arg A .", Some("k8s/Dockerfile"), "build arg `A` comes from the environment"),
            ("cd `pwd`; docker build .", None, "the directory it is built in cannot be told"),
            ("docker build ../..", None, "its context is outside of the repository"),
            ("docker build -t a:1", None, "it names no context"),
        ] {
            let doubt = reason(line);
            assert_eq!((doubt.dockerfile.as_deref(), doubt.reason.as_str()), (dockerfile, expected), "{line}");
        }
        let of = |machine: &str| format!("docker build --build-arg P={machine} .");
        let doubt = builds(&of("x86_64"), &of("aarch64"), "").remove(0).unwrap_err();
        assert_eq!(doubt.reason, "build arg `P` depends on what the machine is called");
    }
}
