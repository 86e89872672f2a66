//! `secrets recipients`: whose keys a cluster's secrets are encrypted for.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use credentials::{Vault, VaultError};
use engine::StoreError;
use report::Table;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{self, CommandError, Outcome};
use crate::exit::Exit;
use crate::{operation, output};

/// What to do with the list of recipients.
#[derive(Debug, Subcommand)]
pub(crate) enum Recipients {
    /// List the public keys that a cluster's secrets are encrypted for
    List(Name),
    /// Encrypt a cluster's secrets for more operators, too
    Add(Keys),
    /// Encrypt a cluster's secrets anew, for all but some operators
    Remove(Keys),
}

/// Operators' public keys.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(flatten)]
    name: Name,
    /// Their public keys; each stands in its operator's key file
    #[arg(value_name = "age1…", required = true)]
    keys: Vec<String>,
}

pub(super) async fn run(app: &App, what: Recipients) -> Outcome {
    match what {
        Recipients::List(name) => list(app, &name.name).await?,
        Recipients::Add(Keys { name, keys }) => {
            change(app, &name.name, |operators| {
                operators.extend(keys);
                Ok(())
            })
            .await?;
        }
        Recipients::Remove(Keys { name, keys }) => {
            change(app, &name.name, |operators| keys.iter().try_for_each(|key| remove(&name.name, operators, key)))
                .await?;
            app.say(
                "Whoever was taken out may have copies of what they could read: replace the secrets too, if that matters.",
            );
        }
    }
    Ok(Exit::Fine)
}

fn remove(name: &str, operators: &mut BTreeSet<String>, key: &str) -> Result<(), CommandError> {
    if operators.remove(key) {
        return Ok(());
    }
    let known = operators.iter().map(String::as_str);
    let all = format!("see: kubewright secrets recipients list {name}");
    Err(error::not_among(format!("the secrets are not encrypted for {key}"), key, known, all))
}

async fn list(app: &App, name: &str) -> Result<(), CommandError> {
    operation::load(app, name).await?;
    show(app, operation::open_vault(app, name).await?.as_ref())
}

fn show(app: &App, vault: &Vault) -> Result<(), CommandError> {
    let (operators, own) = (vault.operators(), vault.own_public_key());
    let shown: Vec<_> = operators.iter().map(|key| json!({"publicKey": key, "you": *key == own})).collect();
    let names = operators.iter().map(|key| format!("recipient/{key}"));
    output::list(app.format, &shown, names, || {
        let mut table = Table::new(&["public key", "you"]);
        for key in &operators {
            table.row([key.clone(), if *key == own { "*" } else { "" }.to_owned()]);
        }
        table.text()
    })
}

/// Changes the list under the cluster's lock, and shows it as it is then.
async fn change(
    app: &App,
    name: &str,
    change: impl FnOnce(&mut BTreeSet<String>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let lease = operation::lock(app, name, "secrets recipients").await?;
    operation::load(app, name).await?;
    let vault = operation::open_vault(app, name).await?;
    let mut operators = vault.operators();
    change(&mut operators)?;
    vault.set_operators(&*lease, operators).await.map_err(|error| {
        if let VaultError::Store(error @ StoreError::LeaseLost) = error {
            return error.into();
        }
        let exit = if error.is_refusal() { Exit::Usage } else { Exit::Failed };
        CommandError::from_source("the list of recipients stays as it is", &error).exit(exit)
    })?;
    show(app, &vault)
}
