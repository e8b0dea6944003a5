//! Docker's engine, buildx, the builder and its platforms, and the room on its disk.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::{Check, Needs, Repair, State};
use crate::config::Platform;
use crate::process::{Command, Output};
use crate::registry::usual_spelling;

/// How long Docker may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// The oldest buildx that writes attestations and named contexts as they are used here.
const OLDEST_BUILDX: (u32, u32) = (0, 10);
/// Less room than this, in GiB, does not hold the images of a release and the cache of their build.
const LITTLE_ROOM: u64 = 20;

/// `docker info`, as far as anyone asks.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Engine {
    server_version: String,
    driver_status: Vec<(String, String)>,
    docker_root_dir: String,
    #[serde(rename = "OSType")]
    os: String,
    architecture: String,
    server_errors: Vec<String>,
}

impl Engine {
    /// Whether images of several platforms can be kept by the engine itself.
    fn has_image_store(&self) -> bool {
        self.driver_status.iter().any(|(_, value)| value.starts_with("io.containerd.snapshotter"))
    }

    fn platform(&self) -> Platform {
        usual_spelling(&Platform { os: self.os.clone(), arch: self.architecture.clone(), variant: None })
    }
}

/// What `docker buildx inspect` says.
#[derive(Debug, Default, PartialEq)]
struct Builder {
    name: String,
    driver: String,
    /// Nodes that are not running.
    asleep: Vec<String>,
    nodes: usize,
    platforms: Vec<Platform>,
}

/// The checks, up to the first that leaves nothing to look at.
pub(super) async fn examine(needs: &Needs<'_>) -> Vec<Check> {
    let needed = needs.builds_here;
    let info = docker(&["info", "--format", "{{json .}}"]).await;
    let (check, engine) = judge_engine(info, needed);
    let Some(engine) = engine else { return vec![check] };
    let buildx = judge_buildx(docker(&["buildx", "version"]).await, needed);
    let has_buildx = buildx.state != State::Missing;
    let mut checks = vec![check, buildx];
    if has_buildx {
        let mut inspect = vec!["buildx", "inspect"];
        inspect.extend(needs.builder);
        checks.extend(judge_builder(docker(&inspect).await, needs, &engine));
    }
    checks.push(judge_room(Path::new(&engine.docker_root_dir)));
    checks
}

async fn docker(arguments: &[&str]) -> Result<Output, String> {
    let run = Command::new("docker").args(arguments).time_limit(ANSWER_LIMIT).run().await;
    run.map_err(|error| error.message)
}

fn judge_engine(info: Result<Output, String>, needed: bool) -> (Check, Option<Engine>) {
    let output = match info {
        Ok(output) => output,
        Err(message) => {
            let remedy = "install Docker: https://docs.docker.com/engine/install/";
            return (Check::missing("docker", needed, message).remedy(remedy), None);
        }
    };
    // without an engine `docker info` still tells of the client, and exits with 1
    let engine: Engine = serde_json::from_slice(&output.stdout).unwrap_or_default();
    if engine.server_version.is_empty() {
        let why = engine.server_errors.first().cloned().unwrap_or_else(|| last_line(&output.stderr));
        let remedy = "sudo systemctl start docker, or point DOCKER_HOST at an engine";
        return (Check::missing("docker", needed, why).remedy(remedy), None);
    }
    let detail = format!("engine {}, {}", engine.server_version, engine.platform());
    (Check::ok("docker", needed, detail), Some(engine))
}

fn judge_buildx(version: Result<Output, String>, needed: bool) -> Check {
    let remedy = "install the buildx plugin: https://docs.docker.com/build/install-buildx/";
    let output = match version {
        Ok(output) if output.success() => output,
        Ok(output) => return Check::missing("buildx", needed, last_line(&output.stderr)).remedy(remedy),
        Err(message) => return Check::missing("buildx", needed, message).remedy(remedy),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.split_whitespace().nth(1).unwrap_or(text.trim());
    let mut numbers = said.trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST_BUILDX => Check::ok("buildx", needed, said),
        (Some(Ok(_)), Some(Ok(_))) => {
            let (major, minor) = OLDEST_BUILDX;
            Check::missing("buildx", needed, format!("{said} is older than {major}.{minor}")).remedy(remedy)
        }
        _ => Check::unknown("buildx", needed, format!("it says `{said}` of itself")),
    }
}

fn judge_builder(inspect: Result<Output, String>, needs: &Needs<'_>, engine: &Engine) -> Vec<Check> {
    let needed = needs.builds_here;
    let output = match inspect {
        Ok(output) if output.success() => output,
        Ok(output) => {
            let check = Check::missing("builder", needed, last_line(&output.stderr));
            return vec![match needs.builder {
                None => check.repair(Repair::Builder),
                Some(name) => check.remedy(format!("docker buildx create --name {name} --driver docker-container")),
            }];
        }
        Err(message) => return vec![Check::unknown("builder", needed, message)],
    };
    let builder = Builder::parse(&String::from_utf8_lossy(&output.stdout));
    let detail = format!("{} (driver {})", builder.name, builder.driver);
    if !builder.asleep.is_empty() {
        let asleep = builder.asleep.join(", ");
        let check = Check::unknown("builder", needed, format!("{detail} is not running: {asleep}"));
        return vec![check.repair(Repair::Start(builder.name))];
    }
    let one_platform_only = builder.driver == "docker" && !engine.has_image_store();
    if one_platform_only && needs.platforms.len() > 1 {
        let why = format!("{detail} builds for one platform only: its engine has no containerd image store");
        return vec![Check::missing("builder", needed, why).repair(Repair::Builder)];
    }
    vec![Check::ok("builder", needed, detail), judge_platforms(&builder, needs, engine)]
}

fn judge_platforms(builder: &Builder, needs: &Needs<'_>, engine: &Engine) -> Check {
    let wanted: Vec<Platform> = needs.platforms.iter().map(usual_spelling).collect();
    let missing: Vec<String> =
        wanted.iter().filter(|platform| !builder.platforms.contains(platform)).map(ToString::to_string).collect();
    if !missing.is_empty() {
        let why = format!("{} does not build for {}", builder.name, missing.join(", "));
        return Check::missing("platforms", needs.builds_here, why).repair(Repair::Emulators);
    }
    let names = wanted.iter().map(|platform| match builder.nodes == 1 && *platform != engine.platform() {
        true => format!("{platform} (emulated)"),
        false => platform.to_string(),
    });
    let names: Vec<String> = names.collect();
    let detail = if names.is_empty() { "none is asked for".to_owned() } else { names.join(", ") };
    Check::ok("platforms", needs.builds_here, detail)
}

impl Builder {
    /// Reads the text of `docker buildx inspect`: a head, then one block of `Name: value` lines a node.
    fn parse(text: &str) -> Self {
        let mut builder = Builder::default();
        let (head, nodes) = text.split_once("\nNodes:").unwrap_or((text, ""));
        let field = |line: &str, name: &str| line.strip_prefix(name).map(|value| value.trim().to_owned());
        for line in head.lines() {
            builder.name = field(line, "Name:").unwrap_or(builder.name);
            builder.driver = field(line, "Driver:").unwrap_or(builder.driver);
        }
        let mut node = String::new();
        for line in nodes.lines() {
            if let Some(name) = field(line, "Name:") {
                builder.nodes += 1;
                node = name;
            }
            if field(line, "Status:").is_some_and(|status| status != "running") {
                builder.asleep.push(node.clone());
            }
            let platforms = field(line, "Platforms:").unwrap_or_default();
            // a star marks what was given to the node by hand
            let platforms = platforms.split(',').filter_map(|name| name.trim().trim_end_matches('*').parse().ok());
            builder.platforms.extend(platforms.map(|platform| usual_spelling(&platform)));
        }
        builder
    }
}

#[cfg(unix)]
fn judge_room(directory: &Path) -> Check {
    let Ok(found) = rustix::fs::statvfs(directory) else {
        return Check::unknown("disk space", false, "the engine's files are not on this machine");
    };
    judge_free((found.f_bavail * found.f_frsize) >> 30, directory)
}

#[cfg(not(unix))]
fn judge_room(_directory: &Path) -> Check {
    Check::unknown("disk space", false, "this system does not tell")
}

/// Little room may be enough: it never counts as needed.
fn judge_free(free: u64, directory: &Path) -> Check {
    let detail = format!("{free} GiB free in {}", directory.display());
    match free >= LITTLE_ROOM {
        true => Check::ok("disk space", false, detail),
        false => Check::missing("disk space", false, detail).remedy("docker buildx prune, then docker image prune"),
    }
}

fn last_line(text: &str) -> String {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i32, stdout: &str, stderr: &str) -> Result<Output, String> {
        Ok(Output { code: Some(code), stdout: stdout.into(), stderr: stderr.into() })
    }

    fn engine(store: bool) -> Engine {
        let status = if store { r#"[["driver-type","io.containerd.snapshotter.v1"]]"# } else { "[]" };
        let text =
            format!(r#"{{"ServerVersion":"26.1.5","OSType":"linux","Architecture":"x86_64","DriverStatus":{status}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn needs(platforms: &[Platform]) -> Needs<'_> {
        Needs { builds_here: true, builder: None, platforms, repositories: &[], home: None }
    }

    fn both() -> [Platform; 2] {
        ["linux/amd64", "linux/arm64"].map(|name| name.parse().unwrap())
    }

    const DEFAULT: &str = "Name:          default\nDriver:        docker\nLast Activity: 2026-11-25\n\nNodes:\n\
        Name:             default\nEndpoint:         default\nStatus:           running\n\
        Platforms:        linux/amd64, linux/amd64/v2, linux/arm64\nLabels:\n a: b\n";

    #[test]
    fn an_engine_that_is_not_there_is_told_from_one_that_does_not_answer() {
        let (check, engine) = judge_engine(Err("`docker` cannot be started".into()), true);
        assert!(engine.is_none() && check.is_blocking() && check.remedy.unwrap().contains("install Docker"));
        let silent = r#"{"ServerErrors": ["Cannot connect to the Docker daemon"]}"#;
        let (check, engine) = judge_engine(said(1, silent, ""), true);
        assert!(engine.is_none());
        assert_eq!(check.detail, "Cannot connect to the Docker daemon");
        assert!(check.remedy.unwrap().contains("systemctl start docker"));
    }

    #[test]
    fn an_old_buildx_is_missing_and_an_odd_one_unknown() {
        for (text, state) in [
            ("github.com/docker/buildx v0.13.1 788433953af10f2a", State::Ok),
            ("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3", State::Ok),
            ("github.com/docker/buildx v0.9.0 1", State::Missing),
            ("github.com/docker/buildx unknown 1", State::Unknown),
        ] {
            assert_eq!(judge_buildx(said(0, text, ""), true).state, state, "{text}");
        }
        let absent = judge_buildx(said(1, "", "docker: 'buildx' is not a docker command.\n"), true);
        assert!(absent.is_blocking() && absent.detail.contains("not a docker command"));
    }

    #[test]
    fn a_builder_is_read() {
        let text = "Name:   farm\nDriver: kubernetes\n\nNodes:\nName: a\nStatus: running\nPlatforms: linux/amd64*\n\n\
            Name: b\nStatus: inactive\nPlatforms: linux/arm64, linux/arm/v7\n";
        let platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7"].map(|name| name.parse().unwrap());
        let expected = Builder {
            name: "farm".into(),
            driver: "kubernetes".into(),
            asleep: vec!["b".into()],
            nodes: 2,
            platforms: platforms.into(),
        };
        assert_eq!(Builder::parse(text), expected);
    }

    #[test]
    fn a_builder_for_every_platform_is_fine_and_says_what_is_emulated() {
        let platforms = both();
        let checks = judge_builder(said(0, DEFAULT, ""), &needs(&platforms), &engine(true));
        assert!(checks.iter().all(|check| check.state == State::Ok), "{checks:?}");
        assert_eq!(checks[1].detail, "linux/amd64, linux/arm64 (emulated)");
    }

    #[test]
    fn what_a_builder_lacks_has_its_repair() {
        let platforms = both();
        let needs = needs(&platforms);
        let only_amd = DEFAULT.replace(", linux/arm64", "");
        let checks = judge_builder(said(0, &only_amd, ""), &needs, &engine(true));
        assert_eq!(checks[1].repair, Some(Repair::Emulators));
        assert!(checks[1].detail.contains("does not build for linux/arm64"));
        let no_store = judge_builder(said(0, DEFAULT, ""), &needs, &engine(false));
        assert_eq!(no_store[0].repair, Some(Repair::Builder));
        let asleep = judge_builder(said(0, &DEFAULT.replace("running", "inactive"), ""), &needs, &engine(true));
        assert_eq!(asleep[0].repair, Some(Repair::Start("default".into())));
        let gone = judge_builder(said(1, "", "ERROR: no builder \"x\" found\n"), &needs, &engine(true));
        assert_eq!(gone[0].repair, Some(Repair::Builder));
    }

    #[test]
    fn little_room_is_told_with_what_frees_some() {
        assert_eq!(judge_free(500, Path::new("/")).state, State::Ok);
        let little = judge_free(3, Path::new("/var/lib/docker"));
        assert_eq!((little.state, little.is_blocking()), (State::Missing, false));
        assert_eq!(little.detail, "3 GiB free in /var/lib/docker");
    }
}
