//! Power of a cluster's machines: what stopping and starting would change, and nothing else.

use std::collections::BTreeMap;

use engine::{Loaded, ObserveRequest};
use plan::power::{Led, Power, concerned};
use reconcile::{Observations, OpenCluster};
use resource::{Digest, Observation, ResourceId, STOPPED};
use serde_json::Value;

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;

/// What power is changed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Off.
    Off,
    /// On.
    On,
}

/// Plans a change of power from what is recorded and what is there. The documents play no part.
pub(crate) async fn plan(app: &App, cluster: &OpenCluster, to: To) -> Result<Led, CommandError> {
    let observed = observe(cluster).await;
    let (recorded, handlers) = (&cluster.loaded.state.resources, &cluster.handlers);
    let power = Power {
        base: cluster.base(Digest::of_bytes(b"")),
        recorded,
        observed: &observed,
        schemas: handlers.schemas(),
        expanders: handlers.expanders(),
    };
    match to {
        To::Off => Ok(power.stopping(&app.environment.who)),
        To::On => power.starting().map_err(|cycle| CommandError::from_source("cannot plan", &cycle).exit(Exit::Bug)),
    }
}

/// Whether somebody asked for a cluster's machines to be off.
pub(crate) fn is_stopped(loaded: &Loaded) -> bool {
    loaded.state.resources.values().any(|recorded| recorded.inputs.get(STOPPED).is_some())
}

/// What to do about a cluster that does not answer because it was stopped.
pub(crate) fn start_hint(loaded: &Loaded, name: &str) -> Option<String> {
    is_stopped(loaded).then(|| format!("it was stopped; start it with: kubewright start cluster {name}"))
}

/// Looks at what has power and what that stands on, as it was recorded.
async fn observe(cluster: &OpenCluster) -> Observations {
    let concerned = concerned(&cluster.loaded.state.resources, cluster.handlers.schemas());
    let requests = concerned.into_iter().map(|(id, recorded)| ObserveRequest {
        id,
        desired: Some(recorded.inputs.clone()),
        recorded: Some(recorded),
    });
    cluster.handlers.observe(requests.collect(), cluster.outputs.clone()).await
}

/// Whether something that has power is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is.
    On,
    /// It is not.
    Off,
    /// Nobody can tell.
    Unknown,
}

/// Whether each thing that has power is on, of those that were made and are there.
pub(crate) async fn states(cluster: &OpenCluster) -> BTreeMap<ResourceId, State> {
    let observed = observe(cluster).await;
    let schemas = cluster.handlers.schemas();
    let state = |(id, seen): (ResourceId, Observation)| {
        let field = schemas.get(id.kind())?.power?;
        match seen {
            Observation::Present { attributes, .. } if attributes.get(field) == Some(&Value::Bool(true)) => {
                Some((id, State::On))
            }
            Observation::Present { .. } => Some((id, State::Off)),
            Observation::Unknown { .. } => Some((id, State::Unknown)),
            Observation::Absent | Observation::Orphan { .. } | Observation::Foreign { .. } => None,
        }
    };
    observed.into_iter().filter_map(state).collect()
}
