//! The command line: arguments into a request, the call, the report.

mod account;
mod actions;
mod build;
mod bump;
mod check;
mod completions;
mod doctor;
mod graph;
mod init;
mod manifest;
mod merged;
mod place;
mod prepared;
mod remotes;
mod runtime;
mod status;
mod watch;
mod working;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::bump::propose::Event;
use crate::error::{Error, Result};
use crate::report;
use runtime::wait_for;

const AFTER_HELP: &str = "\
Each component of release.yaml has its own command: `gs-release bump-vineyard 0.24.2` is `gs-release bump vineyard 0.24.2`.

Exit codes: 0 done, or nothing to do; 1 check, verify or doctor found something; 2 bad usage, config or version; \
3 refused, a person must decide; 4 a remote failed; 5 a build failed; 130 and 143 a signal.";

/// The release bot of GraphScope: from a new version to one pull request, and from its merge to every image, verified.
#[derive(Debug, Parser)]
#[command(name = "gs-release", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Run as if started in this directory.
    #[arg(short = 'C', value_name = "DIR", default_value = ".", global = true)]
    directory: PathBuf,
    /// The config; a path from the repository's root, or a file outside it.
    #[arg(long, value_name = "FILE", default_value = "release.yaml", global = true)]
    config: PathBuf,
    /// How results are written; text (which is human), mermaid, dot and svg are for `graph` alone.
    #[arg(long, default_value = "human", global = true)]
    format: Format,
    /// The same as --format json.
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
    /// Use this registry instead of the one in release.yaml.
    #[arg(long, value_name = "HOST/PATH", global = true)]
    registry: Option<String>,
    /// When to use colours.
    #[arg(long, default_value = "auto", global = true)]
    color: Color,
    /// Say on stderr what is being done.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// Only results and errors.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Show what would be done, and change nothing.
    #[arg(long, global = true)]
    dry_run: bool,
}

impl Global {
    fn is_json(&self) -> bool {
        self.json || self.format == Format::Json
    }

    /// Refuses the formats that only `graph` writes.
    fn without_pictures(&self) -> Result<()> {
        if matches!(self.format, Format::Human | Format::Json) {
            return Ok(());
        }
        let name = self.format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        Err(Error::usage(format!("--format {name} is for `graph` only")).hint("write --format human or --format json"))
    }

    /// Tells a person something, unless they want it quiet.
    fn say(&self, text: &str) {
        if !self.quiet {
            report::say(text);
        }
    }

    /// Tells a person what a proposal finds out on its way.
    fn hear(&self, event: Event) {
        match event {
            Event::Note(text) => self.say(&text),
            Event::Detail(text) => self.detail(&text),
        }
    }

    /// Tells a person something that they asked to hear with `-v`.
    fn detail(&self, text: &str) {
        if self.verbose {
            report::say(text);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Human,
    Json,
    Text,
    Mermaid,
    Dot,
    Svg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rewrite a component's version everywhere, commit, push, open the pull request.
    ///
    /// The commit is made on the base branch's tree, as branch gs-release/<component>; the checkout is not touched. Without a
    /// token nothing is pushed, as with --local. Run again, it brings the same branch and pull request up to date.
    ///
    /// `gs-release bump-vineyard 0.24.2` is the same as `gs-release bump vineyard 0.24.2`.
    Bump(bump::Args),
    /// Look upstream, and bump what the update policy allows: the scheduled job.
    ///
    /// For every component: the releases upstream, the policy of release.yaml, one decision and its reason. What is to be
    /// bumped goes the way of `bump`. A component that fails stops no other.
    Watch(watch::Args),
    /// Show what `build` would do, and why.
    Plan(build::PlanArgs),
    /// Make the registry match release.yaml: phase by phase, only what is missing or stale.
    ///
    /// What is built is a commit, never the working files. Killed at any moment, it is simply run again.
    Build(build::Args),
    /// Check that every tag is published, with every platform, made from these inputs.
    Verify(prepared::Look),
    /// Show components, pull requests, runs and images on one screen.
    Status(prepared::Look),
    /// Say what is wrong with the tree: drifted sites, stale rules, faults of the image graph and of workflows.
    ///
    /// Checks the files of the checkout that git tracks, as they are now, so that it serves before a commit and in CI.
    /// Exits with 1 if it finds an error or a warning; notes do not count. What is right as it is can be accepted under
    /// `check: ignore:` in release.yaml, by its code and with a reason.
    Check(check::Args),
    /// Show which image is built on which, and in which order.
    ///
    /// The edges are read from the Dockerfiles. --format svg gives a picture with tags as release.yaml writes them,
    /// --format mermaid and dot are for Markdown and Graphviz.
    Graph(graph::Args),
    /// Write release.yaml for this repository: find where the versions of its components are written.
    ///
    /// Looks at every file of the base branch. What is certain becomes a rule, what is doubtful a comment.
    Init(init::Args),
    /// Say what this machine and its logins lack, and how to mend it; exit code 1 if something needed is missing.
    Doctor(doctor::Args),
    /// Write multi-platform tags from per-platform images, without Docker.
    Manifest(manifest::Args),
    /// Print the JSON Schema of release.yaml, or of a command's document.
    Schema {
        /// Of what: release, bump, build, plan, status, verify, check, graph, manifest, doctor, watch, init or error.
        #[arg(default_value = "release")]
        document: String,
    },
    /// Print completions for a shell, with a `bump-NAME` for each component of release.yaml.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of everything or of one command.
    Man {
        /// The command.
        command: Option<String>,
    },
}

/// Parses `arguments` (the program's name first), runs the command, reports, and gives the exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = spell_out(arguments);
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && asks_for_json(&arguments) => {
            let failure = misuse(&error.to_string());
            report::error_json(&failure);
            return ExitCode::from(failure.kind.exit_code());
        }
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // a closed pipe is no reason to fail
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let choice = match cli.global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    let json = cli.global.is_json();
    let code = match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            if json {
                report::error_json(&error);
            } else {
                report::error(&error);
            }
            ExitCode::from(error.kind.exit_code())
        }
    };
    match report::delivered() {
        Ok(()) => code,
        Err(error) => {
            report::error(&error);
            ExitCode::from(error.kind.exit_code())
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode> {
    let global = &cli.global;
    if !matches!(cli.command, Command::Graph(_)) {
        global.without_pictures()?;
    }
    match cli.command {
        Command::Bump(args) => wait_for(bump::run(global, args))?,
        Command::Watch(args) => return wait_for(watch::run(global, args)),
        Command::Build(args) => return build::run(global, args),
        Command::Verify(look) => return wait_for(build::verify(global, look)),
        Command::Status(look) => return wait_for(status::run(global, look)),
        Command::Plan(args) => wait_for(build::plan(global, args))?,
        Command::Check(args) => return check::run(global, &args),
        Command::Doctor(args) => return wait_for(doctor::run(global, args)),
        Command::Schema { document } => report::json(&document.parse::<report::Document>()?.schema()),
        Command::Manifest(args) => wait_for(manifest::run(global, args))?,
        Command::Graph(args) => graph::run(global, args)?,
        Command::Init(args) => init::run(global, args)?,
        Command::Completions { shell } => report::result(completions::script(global, shell).trim_end()),
        Command::Man { command } => report::result(manual(command.as_deref())?.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The manual page of everything, or of `command`.
fn manual(command: Option<&str>) -> Result<String> {
    let mut all = Cli::command();
    // gives each command the name of its page, and the options that all have
    all.build();
    let about = match command {
        None => &all,
        Some(name) => all.find_subcommand(name).ok_or_else(|| {
            Error::usage(format!("there is no command `{name}`")).hint("`gs-release --help` lists them")
        })?,
    };
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(about.clone()).render(&mut page);
    rendered.map_err(|error| Error::usage(format!("cannot write the page: {error}")))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// The failure that `text` tells, clap's message about wrong arguments: what is wrong on one line, its tips as hints, the
/// usage left out.
fn misuse(text: &str) -> Error {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let (tips, message): (Vec<&str>, Vec<&str>) = told.partition(|line| line.starts_with("tip: "));
    let failure = Error::usage(message.join(" ").trim_start_matches("error: "));
    let failure = tips.iter().fold(failure, |failure, tip| failure.hint(tip.trim_start_matches("tip: ")));
    failure.hint("`gs-release --help` lists the commands and their options")
}

/// Whether arguments that cannot be parsed ask for JSON all the same.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let is = |argument: &OsString, text: &str| argument.to_str() == Some(text);
    let spaced = arguments.windows(2).any(|pair| is(&pair[0], "--format") && is(&pair[1], "json"));
    spaced || arguments.iter().any(|argument| is(argument, "--json") || is(argument, "--format=json"))
}

/// Turns the command `bump-NAME` into `bump NAME`, so that every component of a config has its own command.
fn spell_out(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    // those before the command whose value is an argument of its own
    let takes_value = |option: &str| match option.starts_with("--") {
        true => ["--config", "--format", "--registry", "--color"].contains(&option),
        // `-C` may end a cluster: `-vC dir`
        false => option.find('C') == Some(option.len() - 1),
    };
    let mut arguments = arguments.peekable();
    // the program's name
    let mut spelled: Vec<OsString> = arguments.next().into_iter().collect();
    while let Some(option) = arguments.next_if(|argument| argument.to_str().is_some_and(|text| text.starts_with('-'))) {
        let value = option.to_str().is_some_and(takes_value).then(|| arguments.next()).flatten();
        spelled.push(option);
        spelled.extend(value);
    }
    if let Some(command) = arguments.next() {
        match command.to_str().and_then(|text| text.strip_prefix("bump-")).filter(|name| !name.is_empty()) {
            Some(component) => spelled.extend(["bump".into(), component.into()]),
            None => spelled.push(command),
        }
    }
    spelled.extend(arguments);
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_page_of_the_manual_that_the_first_one_names_is_there() {
        let first = manual(None).unwrap();
        let named: Vec<&str> =
            first.split("gs\\-release\\-").skip(1).filter_map(|rest| rest.split('(').next()).collect();
        assert!(named.contains(&"bump"), "{first}");
        for name in named {
            let page = manual(Some(name)).unwrap();
            assert!(page.contains(&format!(".TH gs-release-{name} ")), "{page}");
        }
        assert_eq!(manual(Some("bmup")).unwrap_err().hints.len(), 1);
    }

    #[test]
    fn a_command_shows_its_own_options_before_those_of_all() {
        let mut all = Cli::command();
        all.build();
        let help = all.find_subcommand_mut("bump").unwrap().render_long_help().to_string();
        let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("`{text}` is missing from {help}"));
        assert!(at("--force") < at("Global options:") && at("Global options:") < at("--registry"), "{help}");
    }

    #[test]
    fn every_component_has_its_own_command() {
        let spelled = |words: &[&str]| spell_out(words.iter().map(OsString::from));
        assert_eq!(spelled(&["x", "bump-vineyard", "0.24.2"]), ["x", "bump", "vineyard", "0.24.2"]);
        assert_eq!(spelled(&["x", "bump", "bump-er", "1.0.0"]), ["x", "bump", "bump-er", "1.0.0"]);
        assert_eq!(
            spelled(&["x", "--json", "--config", "bump-b.yaml", "-C", "bump-d", "bump-a", "1.0.0"]),
            ["x", "--json", "--config", "bump-b.yaml", "-C", "bump-d", "bump", "a", "1.0.0"]
        );
        assert_eq!(spelled(&["x", "build", "--rebuild", "bump-a"]), ["x", "build", "--rebuild", "bump-a"]);
        assert_eq!(spelled(&["x", "-vC", ".", "bump-a", "1.0.0"]), ["x", "-vC", ".", "bump", "a", "1.0.0"]);
        assert_eq!(spelled(&["x", "-C.", "bump-a", "1.0.0"]), ["x", "-C.", "bump", "a", "1.0.0"]);
    }
}
