//! `completion`: a script that completes the command line in a shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::CommandLine;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::output;

/// Arguments of `completion`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "kubewright", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}
