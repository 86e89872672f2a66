//! Outputs of all recorded resources, growing while a run makes more.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use resource::{Recorded, Reference, ResourceId};
use serde_json::Value;

use crate::handler::{ObserveContext, Output, Outputs, UnresolvedReference};
use crate::vault::{SecretVault, Secrets};
use crate::{Clock, State, StoreError};

/// The outputs of a cluster's resources, public and secret.
pub struct KnownOutputs {
    outputs: RwLock<BTreeMap<ResourceId, Outputs>>,
    clock: Arc<dyn Clock>,
    vault: Arc<dyn SecretVault>,
}

impl KnownOutputs {
    /// Loads the outputs that the state records, secrets from the vault in one go.
    pub async fn load(
        state: &State,
        clock: Arc<dyn Clock>,
        vault: Arc<dyn SecretVault>,
    ) -> Result<Arc<Self>, StoreError> {
        let wanted = state
            .resources
            .iter()
            .filter(|(_, recorded)| !recorded.secrets.is_empty())
            .map(|(id, recorded)| (id.clone(), recorded.secrets.clone()))
            .collect();
        let mut secrets = vault.get(&wanted).await?;
        let outputs = state
            .resources
            .iter()
            .map(|(id, recorded)| (id.clone(), merge(recorded, secrets.remove(id).unwrap_or_default())))
            .collect();
        Ok(Arc::new(Self { outputs: RwLock::new(outputs), clock, vault }))
    }

    /// Replaces what is known of one resource.
    pub fn set(&self, resource: &ResourceId, outputs: Outputs) {
        self.outputs.write().unwrap_or_else(PoisonError::into_inner).insert(resource.clone(), outputs);
    }

    /// Takes in a public output that was seen to be another one than is recorded.
    pub fn correct(&self, resource: &ResourceId, name: &str, value: Value) {
        let mut outputs = self.outputs.write().unwrap_or_else(PoisonError::into_inner);
        outputs.entry(resource.clone()).or_default().insert(name.to_owned(), Output::Public(value));
    }

    /// Forgets one resource.
    pub fn remove(&self, resource: &ResourceId) {
        self.outputs.write().unwrap_or_else(PoisonError::into_inner).remove(resource);
    }
}

fn merge(recorded: &Recorded, secrets: Secrets) -> Outputs {
    let public = recorded.outputs.iter().map(|(name, value)| (name.clone(), Output::Public(value.clone())));
    public.chain(secrets.into_iter().map(|(name, secret)| (name, Output::Secret(secret)))).collect()
}

impl ObserveContext for KnownOutputs {
    fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference> {
        self.outputs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&reference.resource)
            .and_then(|outputs| outputs.get(&reference.output).cloned())
            .ok_or_else(|| UnresolvedReference(reference.clone()))
    }

    fn outputs(&self, resource: &ResourceId) -> Outputs {
        self.outputs.read().unwrap_or_else(PoisonError::into_inner).get(resource).cloned().unwrap_or_default()
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn digest_key(&self, scope: &str) -> [u8; 32] {
        self.vault.digest_key(scope)
    }
}
