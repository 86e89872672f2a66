//! `secrets`: who can read a cluster's secrets.

mod recipients;

use clap::Subcommand;
use credentials::Vault;
use serde_json::json;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::output;

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// Print your own public key, for an operator who adds you; a key file is made where you have none
    Key,
    /// Operators whose keys the secrets are encrypted for
    Recipients {
        /// What to do with them.
        #[command(subcommand)]
        what: recipients::Recipients,
    },
}

impl Secrets {
    /// Whether its result is a list of objects.
    pub(crate) fn lists_objects(&self) -> bool {
        matches!(self, Self::Recipients { what: recipients::Recipients::List(_) })
    }
}

pub(crate) async fn run(app: &App, what: Secrets) -> Outcome {
    match what {
        Secrets::Key => key(app),
        Secrets::Recipients { what } => recipients::run(app, what).await,
    }
}

fn key(app: &App) -> Outcome {
    let file = &app.environment.operator_key;
    let key = Vault::public_key(file).map_err(|error| CommandError::from_source("", &error))?;
    let shown = json!({"publicKey": key, "file": file});
    output::print(app.format, &shown, || format!("{key}\n"))?;
    Ok(Exit::Fine)
}
