//! The handler of all generated kinds: what is recorded is what there is, and `apply` makes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use engine::{ActionContext, ActionError, Applied, Handler, ObserveContext, ObserveRequest, Outputs};
use plan::{Change, Operation, Reason};
use resource::{KindSchema, Observation, ResourceId};

use crate::kinds::{self, Generated, Making, observed};

/// Makes keys, certificates and documents that contain them.
///
/// - **Observing** is pure: a credential is there when its outputs are recorded. It is compared with the inputs by content
///   (see [`pki::compare()`]), so a certificate whose life ends soon shows a field `renew` that the plan names.
/// - **Applying** keeps what is still good: an update whose recorded outputs already satisfy the inputs gives them back
///   unchanged. A certificate is reissued with a new key, as `kubeadm certs renew` does; authorities, service account keys,
///   SSH keys and encryption keys are never made again while they exist, because everything made with them would be lost.
/// - **Deleting** leaves nothing to do: the record goes, and with it the only reference to the secrets.
#[derive(Debug, Default, Clone, Copy)]
pub struct Credentials;

#[async_trait]
impl Handler for Credentials {
    fn schemas(&self) -> Vec<KindSchema> {
        kinds::ALL.iter().map(|kind| (kind.schema)()).collect()
    }

    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        let observe = |request: ObserveRequest| {
            let observation = observe(&request, context.as_ref());
            (request.id, observation)
        };
        requests.into_iter().map(observe).collect()
    }

    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        let kind = kind_of(&change.resource)
            .ok_or_else(|| ActionError::permanent(format!("{} is not a generated credential", change.resource)))?;
        if let Reason::MovedFrom { from } = &change.reason {
            return keep(from, context);
        }
        match change.operation {
            Operation::Create | Operation::Update | Operation::Adopt => make(kind, change, context),
            Operation::Delete | Operation::Forget => Ok(Applied::default()),
            Operation::Run => Err(ActionError::permanent(format!("{} is nothing that can be run", change.resource))),
        }
    }
}

fn kind_of(resource: &ResourceId) -> Option<&'static Generated> {
    kinds::ALL.iter().find(|kind| kind.name == resource.kind())
}

fn observe(request: &ObserveRequest, context: &dyn ObserveContext) -> Observation {
    let Some(kind) = kind_of(&request.id) else { return Observation::unknown("it is not a generated credential") };
    let Some(recorded) = &request.recorded else { return Observation::Absent };
    if recorded.outputs.is_empty() && recorded.secrets.is_empty() {
        // Its creation was interrupted before anything was kept, so nothing can have used it.
        return Observation::Absent;
    }
    let Some(wanted) = &request.desired else { return Observation::present(recorded.inputs.clone()) };
    let outputs = context.outputs(&request.id);
    match recorded.secrets.keys().find(|name| !outputs.contains_key(*name)) {
        Some(lost) if kind.irreplaceable => Observation::unknown(format!("its secret `{lost}` is not in the vault")),
        _ => observed((kind.observe)(wanted, &outputs, context)),
    }
}

/// What was recorded of `from`, as it is: nothing is made anew because it has another id.
fn keep(from: &ResourceId, context: &ActionContext) -> Result<Applied, ActionError> {
    let outputs = context.outputs.outputs(from);
    if outputs.is_empty() { Err(kinds::lost(from, "content")) } else { Ok(Applied { outputs }) }
}

fn make(kind: &Generated, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
    let Some(wanted) = &change.after else {
        return Err(ActionError::permanent(format!("the plan does not say what {} should be", change.resource)));
    };
    // A replacement must not inherit what it replaces.
    let existing = if change.replaces { Outputs::new() } else { context.outputs.outputs(&change.resource) };
    if change.operation == Operation::Update && existing.is_empty() && kind.irreplaceable {
        return Err(kinds::lost(&change.resource, "secret"));
    }
    let making = Making { resource: &change.resource, inputs: wanted, existing: &existing, context };
    Ok(Applied { outputs: (kind.make)(&making)? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::World;

    #[test]
    fn every_generated_kind_has_a_schema_whose_updates_reach_what_refers_to_it() {
        let schemas = Credentials.schemas();
        let kinds: Vec<&str> = schemas.iter().map(|schema| schema.kind).collect();
        let expected =
            ["authority", "key-pair", "certificate", "kubeconfig", "cluster-info", "encryption-config", "ssh-key"];
        assert_eq!(kinds, expected);
        assert!(schemas.iter().all(|schema| schema.update_changes_outputs && schema.kept_in_record));
    }

    #[tokio::test]
    async fn a_wish_that_cannot_be_read_is_unknown_and_not_a_change() {
        let world = World::new();
        world.create("ssh-key/operator", &json!({"comment": "x"})).await.unwrap();
        let why = world.unknown("ssh-key/operator", &json!({"comment": 1})).await;
        assert!(why.starts_with("cannot read what is wished for"), "{why}");
    }

    #[tokio::test]
    async fn a_creation_that_was_interrupted_before_anything_was_kept_is_absent() {
        let world = World::new();
        world.record_interrupted("authority/etcd", &json!({"commonName": "etcd-ca", "validityDays": 3650}));
        let wanted = json!({"commonName": "etcd-ca", "validityDays": 3650});
        assert_eq!(world.observe("authority/etcd", &wanted).await, None);
    }
}
