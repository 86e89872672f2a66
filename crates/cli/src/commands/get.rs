//! `get`: clusters, documents, machines, history.

mod cluster;
mod clusters;
mod instance_groups;
mod join_command;
mod machines;
mod plan;
mod revisions;
mod runs;

use std::path::PathBuf;

use clap::Subcommand;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::exit::Exit;

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
    /// List the instance groups of a cluster, with every default
    #[command(name = "instancegroups", visible_aliases = ["groups", "ig"])]
    InstanceGroups(Name),
    /// List the machines of a cluster
    Machines(Name),
    /// List every revision of a cluster's documents
    Revisions(Name),
    /// List what was done to a cluster: when, by whom, how it ended; every action and its time with -o json
    Runs(Name),
    /// Show a plan that `update cluster --out` saved
    Plan {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the command with which kubeadm joins one more worker; its token lives for an hour
    JoinCommand(Name),
}

impl Get {
    /// Whether its result is a list of objects.
    pub(crate) fn lists_objects(&self) -> bool {
        match self {
            Self::Clusters | Self::InstanceGroups(_) | Self::Machines(_) | Self::Revisions(_) | Self::Runs(_) => true,
            // Its documents; with every default it is one value.
            Self::Cluster { full, .. } => !full,
            Self::Plan { .. } | Self::JoinCommand(_) => false,
        }
    }
}

pub(crate) async fn run(app: &App, what: Get) -> Outcome {
    match what {
        Get::Clusters => clusters::show(app).await?,
        Get::Cluster { name, full } => cluster::show(app, &name.name, full).await?,
        Get::InstanceGroups(name) => instance_groups::show(app, &name.name).await?,
        Get::Machines(name) => machines::show(app, &name.name).await?,
        Get::Revisions(name) => revisions::show(app, &name.name).await?,
        Get::Runs(name) => runs::show(app, &name.name).await?,
        Get::Plan { file } => plan::show(app, &file)?,
        Get::JoinCommand(name) => join_command::show(app, &name.name).await?,
    }
    Ok(Exit::Fine)
}
