//! Resolve, and resolved spec → desired resources: pure builders, one concern per file.

mod bootstrap;
mod builder;
mod cluster;
mod drains;
pub mod facts;
pub mod ids;
mod images;
mod in_cluster;
pub mod infrastructure;
mod machine_config;
mod manifests;
mod nodes;
mod pki;
mod place;
pub mod resolved;
mod review;
mod room;
mod stand_in;

use std::collections::BTreeMap;

use resource::{Desired, ResourceId};
use thiserror::Error;

pub use drains::drain_inputs;
pub use facts::{Facts, ProviderFacts};
pub use infrastructure::{Access, Address, Capacity, CgroupDriver, ElasticGroup, Infrastructure, Machine, Platform};
pub use machine_config::{PROGRAMS, group_config, programs, target as target_inputs};
pub use place::place;
pub use render::host_port;
pub use resolved::{ResolveError, Resolved, resolve};
pub use review::{Remark, ReviewError, review};
pub use room::room_inputs;

use builder::Builder;

/// Why a resolved spec could not be turned into resources: a bug or a template override that does not fit.
#[derive(Debug, Error)]
pub enum ModelError {
    /// A document could not be rendered.
    #[error("cannot render {what}")]
    Render {
        /// Which document.
        what: String,
        /// Why.
        #[source]
        source: render::Error,
    },
    /// An asset that the cluster needs is in no recipe.
    #[error("there is no asset called {0}")]
    NoAsset(String),
    /// What is kept with the revision could not be read.
    #[error("{0}")]
    Facts(String),
    /// Two things are wanted under one id.
    #[error("{0} is wanted twice")]
    Twice(ResourceId),
    /// A value could not be written as JSON.
    #[error("cannot encode {what}")]
    Encode {
        /// Which value.
        what: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A kubeconfig could not be written.
    #[error("cannot write {what}")]
    Kubeconfig {
        /// Which.
        what: String,
        /// Why.
        #[source]
        source: ::pki::PkiError,
    },
}

/// Everything that `resolved` asks for, `machines` and what they stand on among it, as its provider makes them. Equal inputs give
/// equal resources.
///
/// # Errors
/// When an own template does not fit; anything else is a bug.
pub fn build(resolved: &Resolved, machines: Vec<Desired>) -> Result<BTreeMap<ResourceId, Desired>, ModelError> {
    let mut builder = Builder::new(&resolved.stand_ins);
    for resource in machines {
        builder.add(resource);
    }
    pki::build(resolved, &mut builder)?;
    machine_config::build(resolved, &mut builder)?;
    cluster::build(resolved, &mut builder);
    bootstrap::build(resolved, &mut builder)?;
    in_cluster::build(resolved, &mut builder)?;
    manifests::build(resolved, &mut builder);
    nodes::build(resolved, &mut builder);
    builder.finish()
}
