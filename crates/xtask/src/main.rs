//! Tasks of the repository: `cargo xtask test` is everything that CI runs.
#![expect(clippy::print_stdout, reason = "a tool for terminals")]

mod bench;
mod dist;
mod facts;
mod generate;
mod moto;
mod real;
mod slowest;
mod soak;
mod stages;
mod tidy;
mod times;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::stages::Stories;

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
        /// List the stages, and the end to end stories with how often they are told; run nothing
        #[arg(long)]
        list: bool,
        /// Run only these stages
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Which third of the stories that are told by turns has its turn [default: the commit's number]
        #[arg(long, value_name = "NUMBER", conflicts_with = "all")]
        seed: Option<u64>,
        /// Tell all stories
        #[arg(long)]
        all: bool,
    },
    /// Write every generated file anew
    Gen {
        /// Write only these; they take programs and sources of Kubernetes, so they are not among the others
        #[command(subcommand)]
        what: Option<Slow>,
    },
    /// What the repository must look like: lengths, first lines, links, nothing of one machine, no binaries
    Tidy,
    /// Measure what has a budget, with the released program
    Bench {
        /// List the rows and measure nothing
        #[arg(long)]
        list: bool,
        /// Measure only these rows
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// How often each is measured; the median counts
        #[arg(long, default_value_t = 5)]
        runs: usize,
        /// Put the table into docs/benchmarks.md
        #[arg(long)]
        write: bool,
    },
    /// Ask a DNS server for the API's name until it answers; `bench` runs this in machines' networks
    #[command(hide = true)]
    AskDns {
        /// Its address
        server: String,
    },
    /// The program as it is given to people: an archive, a Debian package, sums, licences, manual pages, a list of parts
    Dist {
        /// Pack the debug program, to try the packing
        #[arg(long)]
        debug: bool,
    },
    /// The long stories
    Soak {
        /// List the stories and run nothing
        #[arg(long)]
        list: bool,
        /// Run only these
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
}

/// Generated files that take long
#[derive(Subcommand)]
enum Slow {
    /// What the components of each minor take, asked of their own code
    Facts {
        /// Only these minors, such as 1.36
        #[arg(long = "minor", value_delimiter = ',')]
        minors: Vec<String>,
    },
    /// What went before the newest minor, read in the sources of older ones
    Past,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nFAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Test { list: true, .. } => {
            list(stages::STAGES.iter().map(|stage| (stage.name, stage.about)));
            println!("\nStories of e2e:");
            return stages::list_stories();
        }
        Task::Soak { list: true, .. } => list(soak::SOAKS.iter().map(|soak| (soak.name, soak.about))),
        Task::Bench { list: true, .. } => list(bench::ROWS.iter().map(|row| (row.name, row.about))),
        Task::Bench { only, runs, write, .. } => return bench::run(&bench::Options { only, runs, write }),
        Task::Test { only, all: true, .. } => return stages::run(&only, Stories::All),
        Task::Test { only, seed, .. } => {
            let turn = seed.map_or_else(stages::seed_of_commit, Ok)?;
            return stages::run(&only, Stories::Turn(turn));
        }
        Task::Soak { only, .. } => return soak::run(&only),
        Task::Gen { what: None } => return generate::run(),
        Task::Gen { what: Some(Slow::Facts { minors }) } => return facts::run(&minors),
        Task::Gen { what: Some(Slow::Past) } => return facts::run_past(),
        Task::Dist { debug } => {
            return dist::run(if debug { dist::Profile::Debug } else { dist::Profile::Release });
        }
        Task::Tidy => return tidy::run(),
        Task::AskDns { server } => return bench::ask_dns(&server),
    }
    Ok(())
}

fn list<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, about) in lines {
        println!("{name:<18} {about}");
    }
}
