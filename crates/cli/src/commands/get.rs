//! `get`: clusters, documents, machines.

use clap::Subcommand;
use report::Table;
use serde_json::json;
use spec::Role;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::output::{self, Format};
use crate::{documents, open, operation};

/// What to show.
#[derive(Debug, Subcommand)]
pub(crate) enum Get {
    /// List the clusters in the store
    Clusters,
    /// Show the documents of a cluster
    Cluster {
        /// Which cluster.
        #[command(flatten)]
        name: Name,
        /// With every default filled in, and where each value comes from
        #[arg(long)]
        full: bool,
    },
    /// List the machines of a cluster
    Machines(Name),
}

pub(crate) async fn run(app: &App, what: Get) -> Outcome {
    match what {
        Get::Clusters => clusters(app).await?,
        Get::Cluster { name, full } => cluster(app, &name.name, full).await?,
        Get::Machines(name) => machines(app, &name.name).await?,
    }
    Ok(Exit::Fine)
}

type Done = Result<(), crate::error::CommandError>;

async fn clusters(app: &App) -> Done {
    let mut rows = Vec::new();
    for name in app.store.clusters().await? {
        let Some(loaded) = app.cluster(&name).load().await? else { continue };
        let state = match (&loaded.head.run, loaded.state.resources.is_empty()) {
            (Some(_), _) => "interrupted",
            (None, true) => "not made yet",
            (None, false) => "made",
        };
        rows.push((name, state, loaded.state.resources.len(), loaded.head.revision.short().to_owned()));
    }
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, state, resources, revision)| {
            json!({"name": name, "state": state, "resources": resources, "revision": revision})
        })
        .collect();
    output::print(app.format, &shown, || {
        if rows.is_empty() {
            return format!("There are no clusters in {}.\n", app.store.describe());
        }
        let mut table = Table::new(&["name", "state", "resources", "revision"]);
        for (name, state, resources, revision) in &rows {
            table.row([name.clone(), (*state).to_owned(), resources.to_string(), revision.clone()]);
        }
        table.text()
    })
}

async fn cluster(app: &App, name: &str, full: bool) -> Done {
    let loaded = operation::load(app, name).await?;
    if full {
        let effective = documents::effective(&loaded.revision.documents)?;
        let format = if app.format == Format::Text { Format::Yaml } else { app.format };
        return output::print(format, &effective, String::new);
    }
    match app.format {
        Format::Json => output::print(Format::Json, &loaded.revision.documents, String::new)?,
        _ => loaded.revision.documents.iter().for_each(|text| output::text(&text.text)),
    }
    Ok(())
}

async fn machines(app: &App, name: &str) -> Done {
    let open = open::cluster(app, name).await?;
    let state = &open.operation.loaded.state.resources;
    let rows: Vec<_> = open
        .resolved
        .machines
        .iter()
        .map(|machine| {
            let role = match machine.role {
                Role::ControlPlane => "control-plane",
                Role::Worker => "worker",
            };
            let made = match state.get(&model::ids::machine(name, &machine.name)) {
                Some(recorded) if recorded.tainted => "interrupted",
                Some(_) => "made",
                None => "not made yet",
            };
            (machine.name.clone(), role, machine.address.to_string(), made)
        })
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|(name, role, address, made)| json!({"name": name, "role": role, "address": address, "state": made}))
        .collect();
    output::print(app.format, &shown, || {
        let mut table = Table::new(&["name", "role", "address", "state"]);
        for (name, role, address, made) in &rows {
            table.row([name.clone(), (*role).to_owned(), address.clone(), (*made).to_owned()]);
        }
        table.text()
    })
}
