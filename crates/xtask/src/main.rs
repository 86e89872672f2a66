//! Tasks of the repository: `cargo xtask test` is everything that CI runs.
#![expect(clippy::print_stdout, reason = "a tool for terminals")]

mod stages;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the repository
#[derive(Parser)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that CI runs: formatting, lints, tests, end to end on real machines
    Test {
        /// List the stages and run nothing
        #[arg(long)]
        list: bool,
        /// Run only these stages
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
}

fn main() -> ExitCode {
    let Task::Test { list, only } = CommandLine::parse().task;
    if list {
        for stage in stages::STAGES {
            println!("{:<10} {}", stage.name, stage.about);
        }
        return ExitCode::SUCCESS;
    }
    match stages::run(&only) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nFAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}
