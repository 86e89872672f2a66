//! One cluster, opened with the handlers that work on it: what is recorded, observed and planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::{
    AppliedSpec, Clock, ClusterStore, Handlers, KnownOutputs, Loaded, ObserveRequest, SecretVault, StoreError,
};
use plan::{Base, Plan, PlanError};
use resource::reference::find_references;
use resource::{Desired, Digest, KindSchema, MEMBER_SERVES, Observation, Recorded, ResourceId};
use serde_json::Value;

use crate::{PlanInput, VERSION, make_plan};

/// What was found of each resource.
pub type Observations = BTreeMap<ResourceId, Observation>;

/// One cluster, opened for comparing it with what is wanted and for changing it.
pub struct OpenCluster {
    /// The cluster in its store.
    pub store: ClusterStore,
    /// What is stored of it.
    pub loaded: Loaded,
    /// Outputs of its resources; they grow while a plan is carried out.
    pub outputs: Arc<KnownOutputs>,
    /// Who does the work.
    pub handlers: Handlers,
    pub(crate) vault: Arc<dyn SecretVault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) applied: Option<AppliedSpec>,
}

impl OpenCluster {
    /// Opens what is `loaded` from `store`, with its secrets in `vault` and the handlers that work on it. What earlier versions of
    /// kinds recorded is upgraded.
    ///
    /// # Errors
    /// When a newer kubewright recorded something, or the secrets that the state refers to cannot be read.
    pub async fn new(
        store: ClusterStore,
        loaded: Loaded,
        vault: Arc<dyn SecretVault>,
        handlers: Handlers,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let loaded = Loaded { state: handlers.upgraded(loaded.state)?, ..loaded };
        let outputs = KnownOutputs::load(&loaded.state, clock.clone(), vault.clone()).await?;
        Ok(Self { store, loaded, outputs, handlers, vault, clock, applied: None })
    }

    /// The same for runs that apply a spec.
    #[must_use]
    pub fn applying(self, applied: Option<AppliedSpec>) -> Self {
        Self { applied, ..self }
    }

    /// Observes everything that is desired or recorded. Where something has other outputs than recorded, such as an address, what
    /// refers to them is observed once more with these.
    pub async fn observe(&self, desired: &BTreeMap<ResourceId, Desired>) -> Observations {
        let mut observed = self.handlers.observe(requests(desired, &self.loaded), self.outputs.clone()).await;
        let moved = self.correct_outputs(&observed);
        if !moved.is_empty() {
            let refers = |inputs: &Value| find_references(inputs).iter().any(|found| moved.contains(&found.resource));
            let requests = requests(desired, &self.loaded).into_iter();
            let again = requests.filter(|request| request.inputs().is_some_and(refers)).collect();
            observed.extend(self.handlers.observe(again, self.outputs.clone()).await);
        }
        observed
    }

    /// Takes in outputs that were seen to be others than recorded. Gives whose they are.
    fn correct_outputs(&self, observed: &Observations) -> BTreeSet<ResourceId> {
        let mut moved = BTreeSet::new();
        for (id, recorded) in &self.loaded.state.resources {
            let Some(Observation::Present { outputs, .. }) = observed.get(id) else { continue };
            for (name, _, value) in recorded.other_outputs(outputs) {
                self.outputs.correct(id, name, value.clone());
                moved.insert(id.clone());
            }
        }
        moved
    }

    /// Observes what is there with these inputs, of things that nothing is recorded of.
    pub async fn observe_inputs(&self, inputs: &BTreeMap<ResourceId, Value>) -> Observations {
        let request = |(id, inputs): (&ResourceId, &Value)| ObserveRequest {
            id: id.clone(),
            desired: Some(inputs.clone()),
            recorded: None,
        };
        self.handlers.observe(inputs.iter().map(request).collect(), self.outputs.clone()).await
    }

    /// Takes what is recorded for what is there; nobody is asked.
    pub fn recorded_as_observed(&self, desired: &BTreeMap<ResourceId, Desired>) -> Observations {
        let requests = requests(desired, &self.loaded).into_iter();
        let schemas = self.handlers.schemas();
        requests
            .map(|request| {
                let seen = as_observed(request.recorded, schemas.get(request.id.kind()));
                (request.id, seen)
            })
            .collect()
    }

    /// What a plan is bound to, now. `lock` is the digest of what machines will be given.
    pub fn base(&self, lock: Digest) -> Base {
        let head = &self.loaded.head;
        Base {
            cluster: self.store.name().to_owned(),
            lineage: head.lineage.clone(),
            serial: head.serial,
            revision: head.revision.clone(),
            lock,
            schemas: self.handlers.schemas_digest(),
            rules: None,
            targets: BTreeSet::new(),
            kubewright: VERSION.to_owned(),
            time: self.clock.now().to_string(),
        }
    }

    /// Plans from what was `observed`, for `targets` only where there are any.
    ///
    /// # Errors
    /// When changes are no plan, which is a bug.
    pub fn plan(
        &self,
        desired: &BTreeMap<ResourceId, Desired>,
        lock: Digest,
        observed: &Observations,
        targets: &BTreeSet<ResourceId>,
    ) -> Result<Plan, PlanError> {
        make_plan(PlanInput {
            base: self.base(lock),
            desired,
            recorded: &self.loaded.state.resources,
            observed,
            targets,
            handlers: &self.handlers,
        })
    }
}

/// What is recorded, as if it had been observed. What an interrupted run left in doubt stays unknown.
fn as_observed(recorded: Option<Recorded>, schema: Option<&KindSchema>) -> Observation {
    match recorded.map(Recorded::as_made) {
        None => Observation::Absent,
        Some(recorded) if recorded.tainted => Observation::unknown("its last run was interrupted"),
        Some(recorded) if schema.is_some_and(|schema| (schema.is_member)(&recorded.inputs)) => {
            Observation::present(recorded.inputs).with_output(MEMBER_SERVES, true.into())
        }
        Some(recorded) => Observation::present(recorded.inputs),
    }
}

fn requests(desired: &BTreeMap<ResourceId, Desired>, loaded: &Loaded) -> Vec<ObserveRequest> {
    let recorded = &loaded.state.resources;
    let gone = recorded.keys().filter(|id| !desired.contains_key(*id));
    desired
        .keys()
        .chain(gone)
        .map(|id| ObserveRequest {
            id: id.clone(),
            desired: desired.get(id).map(|wanted| wanted.inputs.clone()),
            recorded: recorded.get(id).cloned(),
        })
        .collect()
}
