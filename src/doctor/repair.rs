//! What `--fix` does: the commands of the set-up, and what takes their place where one cannot run.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process::Command;

/// Name of the builder that is created.
const BUILDER: &str = "gs-release";
/// How long a command of the set-up may take: it may pull an image.
const SET_UP_LIMIT: Duration = Duration::from_secs(300);

/// Something that can be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Emulation of the platforms that the machine is not.
    Emulators,
    /// A builder for several platforms, made the current one.
    Builder,
    /// Starts the builder of this name.
    Start(String),
}

/// Registers emulators; the first that works is enough. Images that may not be to be had come before what the
/// system's packages bring.
const EMULATORS: [&str; 3] = [
    "docker run --privileged --rm multiarch/qemu-user-static --reset -p yes",
    "docker run --privileged --rm tonistiigi/binfmt --install all",
    "update-binfmts --enable",
];

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Repair::Emulators => f.write_str(EMULATORS[0]),
            Repair::Builder => write!(f, "docker buildx create --name {BUILDER} --driver docker-container --use"),
            Repair::Start(builder) => write!(f, "docker buildx inspect {builder} --bootstrap"),
        }
    }
}

impl Repair {
    /// Does it, and returns the commands that did.
    ///
    /// # Errors
    /// Build: nothing worked, with what each command said.
    pub async fn carry_out(&self) -> Result<Vec<String>> {
        match self {
            Repair::Emulators => {
                let mut failures = Vec::new();
                for command in EMULATORS {
                    match run(command).await {
                        Ok(()) => return Ok(vec![command.to_owned()]),
                        Err(error) => failures.push(error.message),
                    }
                }
                Err(Error::build(format!("emulation cannot be set up: {}", failures.join("; ")))
                    .hint("install your system's packages: apt-get install qemu-user-static binfmt-support"))
            }
            Repair::Builder => create_builder().await,
            Repair::Start(_) => run(&self.to_string()).await.map(|()| vec![self.to_string()]),
        }
    }
}

/// Makes the builder the current one only after it has started: the one before it works at least for one platform.
async fn create_builder() -> Result<Vec<String>> {
    let create = format!("docker buildx create --name {BUILDER} --driver docker-container");
    let start = format!("docker buildx inspect {BUILDER} --bootstrap");
    let select = format!("docker buildx use {BUILDER}");
    let mut done = Vec::new();
    if run(&format!("docker buildx inspect {BUILDER}")).await.is_err() {
        run(&create).await?;
        done.push(create);
    }
    if let Err(error) = run(&start).await {
        if !done.is_empty() {
            // one that never starts is in the way of the next attempt
            let _removed = run(&format!("docker buildx rm {BUILDER}")).await;
        }
        return Err(error.hint(
            "the builder needs the image moby/buildkit; behind a mirror, create it with --driver-opt image=...",
        ));
    }
    run(&select).await?;
    done.extend([start, select]);
    Ok(done)
}

/// Runs a command whose words have no spaces.
async fn run(command: &str) -> Result<()> {
    let mut words = command.split(' ');
    let program = words.next().unwrap_or_default();
    let output = Command::new(program).args(words).time_limit(SET_UP_LIMIT).run().await;
    let output = output.map_err(|error| Error::build(error.message))?;
    match output.success() {
        true => Ok(()),
        false => {
            let said = output.stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
            Err(Error::build(format!("`{command}` failed: {said}")))
        }
    }
}
