//! `state adopt`.

use std::collections::BTreeMap;

use engine::Loaded;
use plan::Plan;
use reconcile::Observations;
use resource::{Desired, Digest, Observation, ResourceId};

use super::record::{Edit, Selection, carry_out};
use crate::app::App;
use crate::error::{self, CommandError, Outcome};
use crate::exit::Exit;
use crate::{open, operation, resolving};

pub(super) async fn run(app: &App, selection: Selection) -> Outcome {
    adopt(app, selection.edit("adopt", "Record all of this?")?).await
}

async fn adopt(app: &App, edit: Edit) -> Outcome {
    let lease = edit.lock(app).await?;
    let open = open::cluster(app, &edit.name).await?;
    let desired = resolving::build(app, &open.resolved)?;
    let observed = operation::observe(app, &open.cluster, &desired).await?;
    let found = found(&observed, &open.cluster.loaded, &edit)?;
    let base = open.cluster.base(Digest::of_bytes(b""));
    let plan = Plan::adopting(base, found.values()).with_rules(edit.rules.digest());
    if carry_out(app, &open, &plan, &found, &edit, lease).await? {
        return Box::pin(adopt(app, Edit { yes: true, ..edit })).await;
    }
    Ok(Exit::Fine)
}

/// What is wanted, as it was seen.
fn found(observed: &Observations, loaded: &Loaded, edit: &Edit) -> Result<BTreeMap<ResourceId, Desired>, CommandError> {
    let there: BTreeMap<&ResourceId, &serde_json::Value> = observed
        .iter()
        .filter_map(|(id, observation)| match observation {
            Observation::Orphan { attributes } | Observation::Foreign { attributes } => Some((id, attributes)),
            _ => None,
        })
        .collect();
    let not_found = |id: &ResourceId| {
        let message = format!(
            "{id} is neither something that carries our marker and is not recorded, nor somebody else's in the place of what is wanted"
        );
        let known = there.keys().map(|id| id.as_str());
        error::not_among(message, id.as_str(), known, format!("see what is: kubewright update cluster {}", edit.name))
    };
    let adopted = edit.wanted.iter().map(|id| {
        let attributes = there.get(id).ok_or_else(|| not_found(id))?;
        Ok((id.clone(), as_found(id, attributes, loaded)))
    });
    adopted.collect()
}

/// It disappears with what others of its kind disappear with.
fn as_found(id: &ResourceId, attributes: &serde_json::Value, loaded: &Loaded) -> Desired {
    let alike = loaded.state.resources.iter().find(|(other, _)| other.kind() == id.kind());
    let contained_in = alike.and_then(|(_, recorded)| recorded.contained_in.clone());
    Desired { contained_in, ..Desired::new(id.clone(), attributes.clone()) }
}
