//! Opens a made cluster for asking it something.

use crate::app::App;
use crate::compose::{AgentOptions, Composition, compose};
use crate::error::CommandError;
use crate::operation;
use crate::{prepare, reach, resolving};

use model::Resolved;
use reconcile::OpenCluster;

/// A cluster that is there.
pub(crate) struct Open {
    /// Its stored side.
    pub(crate) cluster: OpenCluster,
    /// What its documents say.
    pub(crate) resolved: Resolved,
    /// Who can be asked.
    pub(crate) composition: Composition,
}

impl Open {
    /// What its documents say, with the addresses that machines got when they were made. What is wanted is not made from it.
    pub(crate) fn known(&self) -> Resolved {
        reach::known(&self.cluster, &self.resolved)
    }
}

/// Opens a cluster without changing anything.
pub(crate) async fn cluster(app: &App, name: &str) -> Result<Open, CommandError> {
    let loaded = operation::load(app, name).await?;
    let resolved = resolving::stored(app, name, &loaded)?;
    let composition = compose(app, prepare::agent(app, &resolved), &AgentOptions::default());
    let cluster = operation::open(app, loaded, name, composition.handlers.clone()).await?;
    Ok(Open { cluster, resolved, composition })
}
