//! The only place that starts a process.
//!
//! A [`Command`] runs to its end with a time limit and captured output. The child leads a process group of its own,
//! and the whole group is killed when the limit passes or the future is dropped, so that nothing is left behind by a
//! cancelled build. Nothing here goes through a shell, and nothing here knows what the programs are. None of them
//! inherits our credentials: a program that needs a secret is given it on standard input.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::error::{Error, Result};

/// How much of the end of standard error is kept, in bytes; a build writes more than anyone reads.
const STDERR_KEPT: usize = 256 * 1024;

/// The variables that hold credentials for GitHub. An environment is readable in /proc and is passed on to every
/// grandchild, so that a build's plugin or a credential helper would have them, too.
const WITHHELD: [&str; 3] = ["GITHUB_TOKEN", "GH_TOKEN", "GS_RELEASE_APP_PRIVATE_KEY"];

/// A program and how to run it.
#[derive(Debug, Clone)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    stdin: Vec<u8>,
    limit: Option<Duration>,
}

/// What a process left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// The end of its standard error, as text.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

impl Command {
    /// `program`, found on `PATH` unless it has a `/`, with an empty standard input and no time limit.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Command {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            stdin: Vec::new(),
            limit: None,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable on top of the inherited environment, which has none of our credentials.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs it in `dir`.
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// What it reads on standard input: the place for secrets, which have none among the arguments.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How long it may take before it is killed.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Runs it to its end; any exit code is an [`Output`].
    ///
    /// # Errors
    /// A program that cannot be started, or that outlasts its limit. The kind is `Usage`: a caller for whom it means
    /// something else says so.
    pub async fn run(self) -> Result<Output> {
        self.run_with(|_| ()).await
    }

    /// As [`Command::run`], and calls `on_line` for each line of standard error as it comes, without its line ending.
    pub async fn run_with(self, on_line: impl FnMut(&str) + Send) -> Result<Output> {
        let name = self.program.to_string_lossy().into_owned();
        let limit = self.limit;
        let running = self.start_and_wait(on_line);
        match limit {
            None => running.await,
            Some(limit) => tokio::time::timeout(limit, running).await.unwrap_or_else(|_| {
                Err(Error::usage(format!("`{name}` was stopped: it took longer than {}", seconds(limit))))
            }),
        }
    }

    fn prepared(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.program);
        for name in WITHHELD {
            command.env_remove(name);
        }
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        command.process_group(0);
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
    }

    async fn start_and_wait(self, on_line: impl FnMut(&str) + Send) -> Result<Output> {
        let name = self.program.to_string_lossy().into_owned();
        let failed = |what: &str, error: std::io::Error| Error::usage(format!("`{name}` {what}: {error}"));

        let mut child = self.prepared().spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if self.dir.as_ref().is_none_or(|dir| dir.is_dir()) => {
                Error::usage(format!("`{name}` cannot be started: there is no such program"))
                    .hint(format!("install `{name}`, or add its directory to PATH"))
            }
            _ => failed("cannot be started", error),
        })?;
        let mut group = Group::of(&child);

        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let Some(mut pipe) = stdin {
                // a program that exits without reading its input is judged by its exit code, not by this
                let _closed_early = pipe.write_all(&self.stdin).await;
            }
            Ok(())
        };
        let capture = async {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = stdout {
                pipe.read_to_end(&mut bytes).await?;
            }
            Ok(bytes)
        };
        let follow = async {
            match stderr {
                Some(pipe) => follow_lines(pipe, on_line).await,
                None => Ok(String::new()),
            }
        };
        let ((), stdout, stderr, status) =
            tokio::try_join!(feed, capture, follow, child.wait()).map_err(|error| failed("failed", error))?;
        group.has_ended();
        Ok(Output { code: status.code(), stdout, stderr })
    }
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// Reads lines until the end, gives each to `on_line`, and returns the last [`STDERR_KEPT`] bytes or so.
async fn follow_lines(pipe: impl AsyncRead + Unpin, mut on_line: impl FnMut(&str)) -> std::io::Result<String> {
    let mut reader = BufReader::new(pipe);
    let (mut kept, mut line) = (String::new(), Vec::new());
    loop {
        line.clear();
        // a "line" without an end must not fill the memory
        if (&mut reader).take(STDERR_KEPT as u64).read_until(b'\n', &mut line).await? == 0 {
            return Ok(kept);
        }
        let text = String::from_utf8_lossy(&line);
        on_line(text.trim_end_matches(['\n', '\r']));
        kept.push_str(&text);
        if kept.len() > 2 * STDERR_KEPT {
            let cut = (kept.len() - STDERR_KEPT..).find(|at| kept.is_char_boundary(*at)).unwrap_or(0);
            kept.drain(..cut);
        }
    }
}

/// A process group that is killed when this is dropped, unless its leader was seen to end.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Group { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    /// The leader has been waited for: its number may belong to someone else from now on.
    #[cfg(unix)]
    fn has_ended(&mut self) {
        self.leader = None;
    }

    #[cfg(not(unix))]
    fn of(_child: &tokio::process::Child) -> Self {
        Group {}
    }

    #[cfg(not(unix))]
    fn has_ended(&mut self) {}
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // it may have ended by itself in the meantime
            let _gone = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        Command::new("sh").args(["-c", script])
    }

    #[tokio::test]
    async fn output_exit_code_and_lines_are_captured() {
        let mut lines = Vec::new();
        let output = sh("cat; echo one >&2; printf 'two' >&2; echo $WHO; pwd; exit 3")
            .stdin("in\n")
            .env("WHO", "me")
            .current_dir("/")
            .run_with(|line| lines.push(line.to_owned()))
            .await
            .unwrap();
        assert_eq!(output.stdout, b"in\nme\n/\n");
        assert_eq!((output.code, output.success()), (Some(3), false));
        assert_eq!(output.stderr, "one\ntwo");
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn no_program_inherits_our_credentials() {
        let command = sh("env").env("GH_TOKEN", "of the program's own").prepared();
        let set: std::collections::BTreeMap<_, _> = command.as_std().get_envs().collect();
        assert_eq!(set[OsStr::new("GITHUB_TOKEN")], None);
        assert_eq!(set[OsStr::new("GS_RELEASE_APP_PRIVATE_KEY")], None);
        assert_eq!(set[OsStr::new("GH_TOKEN")], Some(OsStr::new("of the program's own")));
    }

    #[tokio::test]
    async fn a_program_that_does_not_exist_is_named_with_what_to_do() {
        let error = Command::new("gs-release-no-such-program").run().await.unwrap_err();
        assert!(error.message.contains("`gs-release-no-such-program` cannot be started"), "{error}");
        assert!(error.hints[0].contains("PATH"), "{:?}", error.hints);
    }

    #[tokio::test]
    async fn a_program_that_reads_no_input_is_judged_by_its_exit_code() {
        assert!(sh("exec true").stdin(vec![b'x'; 1 << 20]).run().await.unwrap().success());
    }

    #[tokio::test]
    async fn the_end_of_a_long_standard_error_is_kept() {
        let output = sh("yes 0123456789 | head -c 2000000 >&2; echo last >&2").run().await.unwrap();
        assert!(output.stderr.len() <= 2 * STDERR_KEPT && output.stderr.ends_with("last\n"));
    }

    /// Waits until no process of the group is left; the pid is what the script wrote.
    async fn group_is_gone(pid_file: &std::path::Path) -> bool {
        let pid: i32 = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
        for _ in 0..500 {
            let alive = std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
            if !alive {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    #[tokio::test]
    async fn a_program_that_outlasts_its_limit_is_an_error() {
        let error = sh("exec sleep 600").time_limit(Duration::from_millis(20)).run().await.unwrap_err();
        assert!(error.message.contains("`sh` was stopped: it took longer than 0.02 s"), "{error}");
    }

    #[tokio::test]
    async fn the_whole_group_is_killed_when_nobody_waits_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let grandchild = dir.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; echo ready >&2; wait", grandchild.display());
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let mut ready = Some(ready);
        let running = tokio::spawn(sh(&script).run_with(move |_| {
            if let Some(ready) = ready.take() {
                ready.send(()).unwrap();
            }
        }));
        is_ready.await.unwrap();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert!(group_is_gone(&grandchild).await);
    }
}
