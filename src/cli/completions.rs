//! Completions for shells: the command line as it describes itself, and the commands of the components.

use clap::CommandFactory;

use super::place::Place;
use super::{Cli, Global};
use crate::error::Result;
use crate::git::Repository;

/// The completions of `shell`, with a `bump-NAME` for each component of the config, if one is found.
pub fn script(global: &Global, shell: clap_complete::Shell) -> String {
    let mut command = with_components(Cli::command(), &components(global).unwrap_or_default());
    // clap_complete panics where it cannot write
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "gs-release", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn components(global: &Global) -> Result<Vec<String>> {
    let config = Place::read(global, &Repository::open(&global.directory)?, None)?.config;
    Ok(config.components.into_iter().map(|component| component.name).collect())
}

/// `command` with the commands that [`super::spell_out`] understands.
fn with_components(command: clap::Command, components: &[String]) -> clap::Command {
    let Some(bump) = command.find_subcommand("bump").cloned() else { return command };
    let own = components.iter().map(|name| {
        let arguments = bump.get_arguments().filter(|argument| argument.get_id() != "component").cloned();
        clap::Command::new(format!("bump-{name}")).about(format!("The same as `bump {name}`")).args(arguments)
    });
    command.subcommands(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_know_the_command_of_each_component() {
        let mut command = with_components(Cli::command(), &["vineyard".to_owned()]);
        command.build();
        let own = command.find_subcommand("bump-vineyard").unwrap();
        let names: Vec<&str> = own.get_arguments().map(|argument| argument.get_id().as_str()).collect();
        assert!(names.contains(&"version") && names.contains(&"local") && !names.contains(&"component"), "{names:?}");
        command.debug_assert();
    }
}
