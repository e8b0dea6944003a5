//! The program: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    gs_release::cli::run(std::env::args_os())
}
