//! `kubewright`: parses the command line, runs one command, prints its error, and exits.

mod address;
mod app;
mod arguments;
mod asset_lock;
mod bucket;
mod commands;
mod compose;
mod confirm;
mod documents;
mod editor;
mod environment;
mod error;
mod exit;
mod facts;
mod health;
mod hinted_commands;
mod host_context;
mod kubeconfig;
mod kubectl;
mod neighbours;
mod obstacles;
mod open;
mod operation;
mod output;
mod passwords;
mod policy_check;
mod power;
mod prepare;
mod programs;
mod providers;
mod proxies;
mod reach;
#[cfg(test)]
mod reference;
mod resolving;
mod revise;
mod rule_files;
mod run_limits;
mod run_log;
mod signals;
mod sources;
mod suggestion;
mod summary;
mod system;
mod templates;
mod update;
mod user_file;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::app::App;
use crate::arguments::{
    Command, CommandLine, Create, Delete, Diff, Edit, Export, Graph, Load, Rollback, Set, Start, Stop, Update, Validate,
};
use crate::commands::{
    assets, completion, create_cluster, delete_cluster, diff_cluster, edit, export_kubeconfig, get, graph, load_image,
    manual, preflight, replace, rollback, secrets, set, ssh, start, state, stop, update_cluster, validate_cluster,
    version,
};
use crate::environment::Environment;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;

#[tokio::main]
async fn main() -> ExitCode {
    let command = environment::without_empty_variables(CommandLine::command());
    let parsed = command.try_get_matches().and_then(|matches| CommandLine::from_arg_matches(&matches));
    let command_line = match parsed {
        Ok(command_line) => command_line,
        Err(error) => return answered(error),
    };
    let environment = Environment::read();
    let state = environment.given_state(&command_line.global);
    match Box::pin(run(environment, command_line)).await {
        Ok(exit) => exit.into(),
        Err(error) => {
            show(&error, state.as_deref());
            error.exit.into()
        }
    }
}

/// A command line that asks for help or the version, or cannot be understood.
fn answered(error: clap::Error) -> ExitCode {
    if error.use_stderr() {
        error.format(&mut CommandLine::command()).exit()
    }
    match output::text(&error.render().ansi().to_string()) {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            show(&error, None);
            error.exit.into()
        }
    }
}

async fn run(environment: Environment, command_line: CommandLine) -> Outcome {
    // These need nothing of this host.
    match &command_line.command {
        Command::Completion(arguments) => return completion::run(arguments),
        Command::Manual(arguments) => return manual::run(arguments),
        _ => {}
    }
    // Before anything is done, and not when it is to be told.
    if command_line.global.output == output::Format::Name && !command_line.command.lists_objects() {
        return Err(output::no_names());
    }
    let app = App::new(environment, &command_line.global)?;
    match command_line.command {
        Command::Create { what: Create::Cluster(arguments) } => create_cluster::run(&app, arguments).await,
        Command::Update { what: Update::Cluster(arguments) } => update_cluster::run(&app, arguments).await,
        Command::Get { what } => get::run(&app, what).await,
        Command::Edit { what: Edit::Cluster(arguments) } => edit::run(&app, arguments).await,
        Command::Replace(arguments) => replace::run(&app, arguments).await,
        Command::Set { what: Set::Cluster(arguments) } => set::run(&app, arguments).await,
        Command::Delete { what: Delete::Cluster(arguments) } => delete_cluster::run(&app, arguments).await,
        Command::Graph { what: Graph::Cluster(arguments) } => graph::run(&app, arguments).await,
        Command::Diff { what: Diff::Cluster(arguments) } => diff_cluster::run(&app, arguments).await,
        Command::Rollback { what: Rollback::Cluster(arguments) } => rollback::run(&app, arguments).await,
        Command::Validate { what: Validate::Cluster(arguments) } => validate_cluster::run(&app, arguments).await,
        Command::Export { what: Export::Kubeconfig(arguments) } => export_kubeconfig::run(&app, arguments).await,
        Command::Load { what: Load::Image(arguments) } => load_image::run(&app, arguments).await,
        Command::Stop { what: Stop::Cluster(arguments) } => stop::run(&app, arguments).await,
        Command::Start { what: Start::Cluster(arguments) } => start::run(&app, arguments).await,
        Command::Ssh(arguments) => ssh::run(&app, arguments).await,
        Command::Preflight(arguments) => preflight::run(&app, arguments).await,
        Command::Assets { what } => assets::run(&app, what).await,
        Command::Secrets { what } => secrets::run(&app, what).await,
        Command::State { what } => state::run(&app, what).await,
        Command::Completion(arguments) => completion::run(&arguments),
        Command::Manual(arguments) => manual::run(&arguments),
        Command::Version => version::run(&app).await,
    }
}

/// What failed, why, the last output, and what to do next: in the store that was given as an option.
fn show(error: &CommandError, state: Option<&str>) {
    use report::style::{DELETE, DIM, paint};
    output::note(&format!("{} {}\n", paint(DELETE, "error:"), error.message));
    for line in &error.output {
        output::note(&format!("  {}\n", paint(DIM, hinted_commands::with_state(line, state))));
    }
    for hint in &error.hints {
        output::note(&format!("hint: {}\n", hinted_commands::with_state(hint, state)));
    }
    if error.exit == Exit::Bug {
        output::note("hint: this is a bug of kubewright; please report it with the command and the above\n");
    }
}
