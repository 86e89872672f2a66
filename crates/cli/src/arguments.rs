//! The command line's grammar: kops' verbs and nouns.

use clap::{Args, Parser, Subcommand};

use crate::address;
use crate::commands::{
    assets, completion, create_cluster, delete_cluster, diff_cluster, edit, export_kubeconfig, get, graph, load_image,
    manual, preflight, replace, rollback, secrets, set, ssh, start, state, stop, update_cluster, validate_cluster,
    version,
};
use crate::output::Format;

/// Creates and operates real upstream Kubernetes clusters from declarative specs.
#[derive(Debug, Parser)]
#[command(name = "kubewright", version, long_version = version::long(), propagate_version = true, max_term_width = 110)]
pub(crate) struct CommandLine {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Directory or s3://BUCKET[/PREFIX] for state [default: kubewright below XDG_STATE_HOME]
    #[arg(long, global = true, env = "KUBEWRIGHT_STATE", hide_env_values = true, value_name = "DIR|URL",
        value_parser = address::read)]
    pub(crate) state: Option<String>,
    /// How results are printed
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub(crate) output: Format,
    /// Print no progress
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Lock that assets must agree with [default: assets.lock in this directory, when there is one]
    #[arg(long, global = true, env = "KUBEWRIGHT_ASSET_LOCK", hide_env_values = true, value_name = "FILE")]
    pub(crate) asset_lock: Option<String>,
}

/// The name of a cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct Name {
    /// Name of the cluster
    #[arg(value_name = "NAME", env = "KUBEWRIGHT_CLUSTER", hide_env_values = true, value_parser = cluster_name)]
    pub(crate) name: String,
}

/// Reads a cluster's name wherever one is given: a name, never a path.
pub(crate) fn cluster_name(text: &str) -> Result<String, String> {
    spec::check_cluster_name(text).map(|()| text.to_owned())
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a cluster
    Create {
        /// What to create.
        #[command(subcommand)]
        what: Create,
    },
    /// Compare a cluster with its spec, and change it with --yes
    Update {
        /// What to update.
        #[command(subcommand)]
        what: Update,
    },
    /// Show clusters, documents, machines, runs and assets
    Get {
        /// What to show.
        #[command(subcommand)]
        what: get::Get,
    },
    /// Edit a cluster's documents in your editor
    Edit {
        /// What to edit.
        #[command(subcommand)]
        what: Edit,
    },
    /// Replace documents with those of files
    Replace(replace::Arguments),
    /// Set a field of a document
    Set {
        /// What to set a field of.
        #[command(subcommand)]
        what: Set,
    },
    /// Compare revisions of a cluster's documents
    Diff {
        /// What to compare revisions of.
        #[command(subcommand)]
        what: Diff,
    },
    /// Go back to an earlier revision of a cluster's documents
    Rollback {
        /// What to roll back.
        #[command(subcommand)]
        what: Rollback,
    },
    /// Draw what a plan would do, and what waits for what
    Graph {
        /// What to draw.
        #[command(subcommand)]
        what: Graph,
    },
    /// Delete a cluster
    Delete {
        /// What to delete.
        #[command(subcommand)]
        what: Delete,
    },
    /// Check that a cluster is healthy
    Validate {
        /// What to validate.
        #[command(subcommand)]
        what: Validate,
    },
    /// Export credentials
    Export {
        /// What to export.
        #[command(subcommand)]
        what: Export,
    },
    /// Load container images into a cluster's machines
    Load {
        /// What to load.
        #[command(subcommand)]
        what: Load,
    },
    /// Stop a cluster's machines, keeping their data
    Stop {
        /// What to stop.
        #[command(subcommand)]
        what: Stop,
    },
    /// Start a stopped cluster
    Start {
        /// What to start.
        #[command(subcommand)]
        what: Start,
    },
    /// Log in to a machine, or run a command there
    Ssh(ssh::Arguments),
    /// Binaries and images: list, pull, verify, lock, mirror
    Assets {
        /// What to do with them.
        #[command(subcommand)]
        what: assets::Assets,
    },
    /// What is recorded of a cluster
    State {
        /// What to do with it.
        #[command(subcommand)]
        what: state::State,
    },
    /// Secrets: your key, and who can read a cluster's
    Secrets {
        /// What to do with them.
        #[command(subcommand)]
        what: secrets::Secrets,
    },
    /// Check that this host can carry local machines
    Preflight(preflight::Arguments),
    /// Print a completion script for a shell
    Completion(completion::Arguments),
    /// Write manual pages of every command into a directory
    Manual(manual::Arguments),
    /// Print this program's version, the newest Kubernetes that it knows, and which kubewright wrote what is stored
    Version,
}

impl Command {
    /// Whether its result is a list of objects, which have names.
    pub(crate) fn lists_objects(&self) -> bool {
        match self {
            Self::Get { what } => what.lists_objects(),
            Self::Assets { what } => matches!(what, assets::Assets::List(_)),
            Self::State { what } => matches!(what, state::State::List(_)),
            Self::Secrets { what } => what.lists_objects(),
            _ => false,
        }
    }
}

/// What can be created.
#[derive(Debug, Subcommand)]
pub(crate) enum Create {
    /// Create a cluster; without --yes only its spec is written
    Cluster(create_cluster::Arguments),
}

/// What can be updated.
#[derive(Debug, Subcommand)]
pub(crate) enum Update {
    /// Show what would change in a cluster, and change it with --yes
    Cluster(update_cluster::Arguments),
}

/// What can be edited.
#[derive(Debug, Subcommand)]
pub(crate) enum Edit {
    /// Edit a cluster's documents
    Cluster(edit::Arguments),
}

/// What fields can be set of.
#[derive(Debug, Subcommand)]
pub(crate) enum Set {
    /// Set fields of a cluster's documents, such as spec.networking.kubeProxy.mode=iptables
    Cluster(set::Arguments),
}

/// What revisions can be compared of.
#[derive(Debug, Subcommand)]
pub(crate) enum Diff {
    /// Show what differs between two revisions of a cluster's documents
    Cluster(diff_cluster::Arguments),
}

/// What can be rolled back.
#[derive(Debug, Subcommand)]
pub(crate) enum Rollback {
    /// Make the documents of an earlier revision the wanted ones, show what that changes, and change it with --yes
    Cluster(rollback::Arguments),
}

/// What can be drawn.
#[derive(Debug, Subcommand)]
pub(crate) enum Graph {
    /// Draw the changes of a cluster's plan, on standard output
    Cluster(graph::Arguments),
}

/// What can be deleted.
#[derive(Debug, Subcommand)]
pub(crate) enum Delete {
    /// Delete a cluster with its machines and all its data
    Cluster(delete_cluster::Arguments),
}

/// What can be validated.
#[derive(Debug, Subcommand)]
pub(crate) enum Validate {
    /// Check nodes, system pods, workloads, aggregated APIs and DNS of a cluster
    Cluster(validate_cluster::Arguments),
}

/// What can be exported.
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// Merge a short-lived administrator's credentials into the kubeconfig
    Kubeconfig(export_kubeconfig::Arguments),
}

/// What can be loaded.
#[derive(Debug, Subcommand)]
pub(crate) enum Load {
    /// Load an image archive into every machine's container runtime
    Image(load_image::Arguments),
}

/// What can be stopped.
#[derive(Debug, Subcommand)]
pub(crate) enum Stop {
    /// Stop a cluster's machines
    Cluster(stop::Arguments),
}

/// What can be started.
#[derive(Debug, Subcommand)]
pub(crate) enum Start {
    /// Start a cluster's machines
    Cluster(start::Arguments),
}
