//! Which builds are certain enough to be images of the release, and of which phase. Pure: nothing is read here.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Build, Doubt};
use super::mark::unknown;
use super::read::Found;
use crate::image::{Dockerfile, Reference, Scope, UNKNOWN};

/// An image that is certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its key in `images`.
    pub key: String,
    /// Its name without the registry.
    pub repository: String,
    /// Registry and path, as its tags have them.
    pub prefix: String,
    /// The component, by index, whose version its tags hold.
    pub component: usize,
    /// Tags as templates, without a suffix for the architecture.
    pub tags: Vec<String>,
    /// Whether its tags had that suffix.
    pub platform_tags: bool,
    /// How it is built; its args are those that change something.
    pub build: Build,
    /// Whether it is known to be built for arm64.
    pub is_arm: bool,
}

/// What was selected.
#[derive(Debug, Default)]
pub struct Selection {
    /// In the order of the tree.
    pub images: Vec<Image>,
    /// What is not certain: the Dockerfile or where it is built, and the reason.
    pub doubts: Vec<String>,
}

/// What can be built: a Dockerfile, and the target in it.
type Product = (String, Option<String>);

/// Stands where a build of an image per platform has the architecture.
const SUFFIX: &str = "-{arch}";

/// Selects from `found`. `components` are the names of the components, `dockerfiles` those of the tree by path;
/// `is_directory` tells whether there is a directory at a path.
pub fn select(
    found: &[Found],
    components: &[&str],
    dockerfiles: &BTreeMap<String, Dockerfile>,
    is_directory: impl Fn(&str) -> bool,
) -> Selection {
    let mut selection = Selection::default();
    let mut doubts: Vec<(Option<Product>, String)> = Vec::new();
    for Found { path, line, build, is_arm } in found {
        let place = format!("{path}:{line}");
        let image = build.clone().and_then(|build| {
            let doubt = |reason: String| Doubt::about(&build, reason);
            let Some(file) = dockerfiles.get(&build.dockerfile) else {
                return Err(doubt("there is no such Dockerfile".to_owned()));
            };
            if !is_directory(&build.context) {
                return Err(doubt(format!("there is no directory `{}`, its context", build.context)));
            }
            image(build.clone(), file, components, is_arm.contains(&true)).map_err(doubt)
        });
        match image {
            Ok(image) => match selection.images.iter().find(|other| clash(other, &image)) {
                None => selection.images.push(image),
                Some(other) if other.build == image.build => {}
                Some(other) => {
                    let reason = format!("publishes the tags of {}", other.build.dockerfile);
                    doubts.push((None, format!("{} ({place}): {reason}", image.build.dockerfile)));
                }
            },
            Err(Doubt { dockerfile: Some(dockerfile), target, reason }) => {
                let text = format!("{dockerfile} ({place}): {reason}");
                doubts.push((Some((dockerfile, target)), text));
            }
            Err(Doubt { dockerfile: None, reason, .. }) => doubts.push((None, format!("{place}: {reason}"))),
        }
    }
    let mut told: BTreeSet<Product> = BTreeSet::new();
    told.extend(selection.images.iter().map(|image| (image.build.dockerfile.clone(), image.build.target.clone())));
    for (what, doubt) in doubts {
        // one reason is enough, and none where another command makes it certain
        if what.is_none_or(|what| told.insert(what)) && !selection.doubts.contains(&doubt) {
            selection.doubts.push(doubt);
        }
    }
    let untold = dockerfiles.keys().filter(|path| !told.iter().any(|(dockerfile, _)| dockerfile == *path));
    let untold: Vec<_> = untold.map(|path| format!("{path}: no Makefile and no job of a workflow builds it")).collect();
    selection.doubts.extend(untold);
    name(&mut selection.images);
    selection
}

fn clash(one: &Image, other: &Image) -> bool {
    (&one.prefix, &one.repository) == (&other.prefix, &other.repository)
        && one.tags.iter().any(|tag| other.tags.contains(tag))
}

/// The image that `build` makes of `file`, or half a sentence why that is not certain.
fn image(mut build: Build, file: &Dockerfile, components: &[&str], is_arm: bool) -> Result<Image, String> {
    let is_stage = |name: &String| {
        file.stages.iter().any(|stage| stage.name.as_ref().is_some_and(|stage| stage.eq_ignore_ascii_case(name)))
    };
    if let Some(target) = build.target.as_ref().filter(|target| !is_stage(target)) {
        return Err(format!("it has no stage `{target}`"));
    }
    let default = |name: &str| {
        let definition = file.definitions().find(|definition| !definition.env && definition.name == name)?;
        Some(definition.value.clone().map(|span| file.text[span].trim_matches(['"', '\'']).to_owned()))
    };
    // an arg that the Dockerfile does not know, or gives the same value, changes nothing
    build.args.retain(|(name, value)| default(name).is_some_and(|default| default.as_ref() != Some(value)));
    let of_machine: Vec<String> = build.of_machine.iter().filter(|name| default(name).is_some()).cloned().collect();
    let untold =
        build.args.iter().find_map(|(name, value)| Some(format!("build arg `{name}` depends on {}", unknown(value)?)));
    let untold =
        untold.or_else(|| build.tags.iter().find_map(|tag| Some(format!("its tag depends on {}", unknown(tag)?))));
    if let Some(reason) = untold {
        return Err(reason);
    }
    let mut parts = None;
    let (mut tags, mut shares) = (Vec::new(), Vec::new());
    for reference in &build.tags {
        let parsed = Reference::parse(reference);
        let (prefix, repository) = parsed.name().rsplit_once('/').unwrap_or(("", parsed.name()));
        if parts.replace((prefix, repository)).is_some_and(|before| before != (prefix, repository)) {
            return Err("its tags have several names".to_owned());
        }
        let tag = parsed.tag().unwrap_or("latest");
        match tag.strip_suffix(SUFFIX) {
            Some(bare) => shares.push(bare.to_owned()),
            None => tags.push(tag.to_owned()),
        }
    }
    let Some((prefix, repository)) = parts else { return Err("it is built without a tag".to_owned()) };
    let holds = |component: &&str| tags.iter().chain(&shares).any(|tag| tag.contains(&format!("{{{component}}}")));
    let of: Vec<usize> = (0..components.len()).filter(|index| holds(&components[*index])).collect();
    let [component] = of[..] else {
        return Err(match of.is_empty() {
            true => format!("no version is in its tag `{}`", build.tags.join("`, `")),
            false => "its tags hold versions of several components".to_owned(),
        });
    };
    // shares of one platform stand alone, or beside the tag for all of them
    let is_regular = tags.is_empty() || shares.iter().all(|share| tags.contains(share));
    if !is_regular || prefix.contains('{') || tags.iter().chain(&shares).any(|tag| tag.contains("{arch}")) {
        return Err("its tags name the architecture in a way of their own".to_owned());
    }
    let (prefix, repository) = (prefix.to_owned(), repository.to_owned());
    let platform_tags = !shares.is_empty();
    let tags = if tags.is_empty() { shares } else { tags };
    build.of_machine = of_machine;
    let is_arm = is_arm && build.of_machine.is_empty();
    Ok(Image { key: repository.clone(), repository, prefix, component, tags, platform_tags, build, is_arm })
}

/// Gives images of one repository the names of their Dockerfiles, and every image a key of its own.
fn name(images: &mut [Image]) {
    let mut taken = BTreeSet::new();
    for index in 0..images.len() {
        let image = &images[index];
        let shared = images.iter().filter(|other| other.repository == image.repository).count() > 1;
        let file = image.build.dockerfile.rsplit('/').next().unwrap_or_default();
        let own = file.strip_suffix(".Dockerfile").filter(|_| shared).unwrap_or(&image.repository);
        let numbered = (2..).map(|number| format!("{own}-{number}"));
        let key = std::iter::once(own.to_owned()).chain(numbered).find(|key| !taken.contains(key));
        images[index].key = key.unwrap_or_default();
        taken.insert(images[index].key.clone());
    }
}

/// The references in the `FROM`s of `file` that can be told, with `args` before its own defaults.
pub fn references(file: &Dockerfile, args: &BTreeMap<String, String>) -> BTreeSet<String> {
    let scope = Scope::global(file, args);
    let words = file.stages.iter().map(|stage| scope.expand(stage.from.clone()).text);
    words.filter(|text| !text.contains(UNKNOWN)).collect()
}

/// What stands before `prefix/repository` in the references to the images; one host if they are agreed.
pub fn registries(images: &[Image], dockerfiles: &BTreeMap<String, Dockerfile>) -> BTreeSet<String> {
    let none = BTreeMap::new();
    let names: Vec<String> = dockerfiles
        .values()
        .flat_map(|file| references(file, &none))
        .map(|reference| Reference::parse(&reference).name().to_owned())
        .collect();
    let hosts = images.iter().flat_map(|image| {
        let own = format!("/{}/{}", image.prefix, image.repository).replace("//", "/");
        names.iter().filter_map(move |name| name.strip_suffix(own.as_str()).map(str::to_owned))
    });
    hosts.collect()
}

/// The components of `images`, each after those whose images its own are built on.
pub fn order(images: &[Image], dockerfiles: &BTreeMap<String, Dockerfile>) -> Vec<usize> {
    let mut left: BTreeSet<usize> = images.iter().map(|image| image.component).collect();
    let mut needs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for image in images {
        let Some(file) = dockerfiles.get(&image.build.dockerfile) else { continue };
        let references = references(file, &image.build.args.iter().cloned().collect());
        let names: Vec<&str> = references.iter().map(|reference| Reference::parse(reference).name()).collect();
        let is_base = |base: &&Image| names.iter().any(|name| name.rsplit('/').next() == Some(&base.repository));
        needs.extend(images.iter().filter(is_base).map(|base| (image.component, base.component)));
    }
    let mut ordered = Vec::new();
    while let Some(first) = left.first().copied() {
        let free = |one: &usize| !left.iter().any(|other| other != one && needs.contains(&(*one, *other)));
        // a circle is for the graph to find
        let next = left.iter().copied().find(free).unwrap_or(first);
        left.remove(&next);
        ordered.push(next);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "FROM ubuntu:22.04\nARG V=main\n";
    const APP: &str = "ARG V=latest CI=false\nFROM r.example.com/gs/dev:$V-amd64 AS app\n";

    fn found(dockerfile: &str, target: Option<&str>, args: &[(&str, &str)], tag: &str) -> Found {
        let build = Build {
            dockerfile: dockerfile.into(),
            context: String::new(),
            target: target.map(Into::into),
            args: args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            tags: vec![tag.into()],
            of_machine: Vec::new(),
        };
        Found { path: "Makefile".into(), line: 7, build: Ok(build), is_arm: BTreeSet::new() }
    }

    fn dockerfiles() -> BTreeMap<String, Dockerfile> {
        let parse = |text: &str| Dockerfile::parse(text.as_bytes()).unwrap();
        let files = [("app.Dockerfile", APP), ("dev-wheel.Dockerfile", DEV), ("dev.Dockerfile", DEV)];
        files.map(|(path, text)| (path.to_owned(), parse(text))).into()
    }

    #[test]
    fn an_image_is_of_the_component_whose_version_its_tags_hold() {
        let builds = [
            found("app.Dockerfile", Some("app"), &[("V", "v{v6d}"), ("CI", "false"), ("ODD", "1")], "gs/app:{gs}"),
            found("dev-wheel.Dockerfile", None, &[], "gs/dev:wheel-v{v6d}-{arch}"),
            found("dev.Dockerfile", None, &[], "gs/dev:v{v6d}-{arch}"),
        ];
        let selection = select(&builds, &["gs", "v6d"], &dockerfiles(), |_| true);
        let images: Vec<_> = selection.images.iter().map(|i| (i.key.as_str(), i.component, i.tags.concat())).collect();
        let expected = [("app", 0, "{gs}"), ("dev-wheel", 1, "wheel-v{v6d}"), ("dev", 1, "v{v6d}")];
        assert_eq!(images, expected.map(|(key, component, tag)| (key, component, tag.to_owned())));
        assert_eq!(selection.images[0].build.args, [("V".to_owned(), "v{v6d}".to_owned())]);
        assert!(selection.doubts.is_empty());
        assert_eq!(order(&selection.images, &dockerfiles()), [1, 0], "what is built on comes first");
        assert_eq!(registries(&selection.images, &dockerfiles()), ["r.example.com".to_owned()].into());
    }

    #[test]
    fn what_is_not_certain_is_named_with_its_reason() {
        for (build, reason) in [
            (found("app.Dockerfile", None, &[], "gs/app:latest"), "no version is in its tag `gs/app:latest`"),
            (found("app.Dockerfile", Some("x"), &[], "gs/app:{gs}"), "it has no stage `x`"),
            (found("app.Dockerfile", None, &[], "a:{gs}-{v6d}"), "its tags hold versions of several components"),
            (
                found("app.Dockerfile", None, &[], "a:{arch}-{gs}"),
                "its tags name the architecture in a way of their own",
            ),
        ] {
            let selection = select(&[build], &["gs", "v6d"], &dockerfiles(), |_| true);
            assert!(selection.images.is_empty());
            assert_eq!(selection.doubts[0], format!("app.Dockerfile (Makefile:7): {reason}"));
            assert_eq!(selection.doubts[1], "dev-wheel.Dockerfile: no Makefile and no job of a workflow builds it");
        }
    }
}
