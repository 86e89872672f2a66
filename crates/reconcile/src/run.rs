//! Carries a plan out under a lease, and folds its journal into the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::runner::{self, Ports, Summary};
use engine::{AppliedSpec, EventSink, Lease, Limits, Randomness, SecretDigests, State, StoreError};
use plan::Plan;
use resource::{Desired, ResourceId};
use tokio_util::sync::CancellationToken;

use crate::OpenCluster;

/// Who carries a plan out, where it is shown, and how it is stopped.
pub struct RunContext {
    /// The run's id, which names its journal.
    pub run: String,
    /// The right to change the cluster.
    pub lease: Arc<dyn Lease>,
    /// How much runs at once, and for how long.
    pub limits: Limits,
    /// Who asked for the run, `user@host`.
    pub who: String,
    /// What was typed to ask for it.
    pub command: String,
    /// The source of keys and tokens.
    pub randomness: Arc<dyn Randomness>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
    /// Cancelled by the first Ctrl-C: running actions finish, no new ones start.
    pub drain: CancellationToken,
    /// Cancelled by the second Ctrl-C: running actions are dropped.
    pub abort: CancellationToken,
}

impl OpenCluster {
    /// Carries a plan out, folds its journal into the state, and leaves only those secrets that the state refers to.
    ///
    /// # Errors
    /// When the store or the lease fails; actions that failed are in the summary.
    pub async fn run(
        &self,
        plan: &Plan,
        desired: &BTreeMap<ResourceId, Desired>,
        context: RunContext,
    ) -> Result<Summary, StoreError> {
        let (run, lease) = (context.run, context.lease);
        let (journal, ..) = self.store.begin_run(&*lease, &self.loaded, &run, self.applied_by(plan)).await?;
        let ports = Ports {
            handlers: self.handlers.clone(),
            outputs: self.outputs.clone(),
            vault: self.vault.clone(),
            journal,
            lease: lease.clone(),
            who: context.who,
            command: context.command,
            randomness: context.randomness,
            clock: self.clock.clone(),
            events: context.events,
            drain: context.drain,
            abort: context.abort,
        };
        let summary = runner::run(plan, desired, &self.loaded.state.resources, &run, context.limits, &ports).await?;
        let state = self.store.end_run(&*lease, &run).await?;
        self.vault.compact(&*lease, &secrets_in_use(&state)).await?;
        Ok(summary)
    }

    /// What a run of `plan` leads to. One that is limited to targets leads nowhere else than the last one.
    fn applied_by(&self, plan: &Plan) -> Option<&AppliedSpec> {
        let whole = plan.base.targets.is_empty() || self.loaded.applied.is_none();
        self.applied.as_ref().filter(|_| whole)
    }
}

/// The secrets that a state refers to.
fn secrets_in_use(state: &State) -> SecretDigests {
    let with_secrets = state.resources.iter().filter(|(_, recorded)| !recorded.secrets.is_empty());
    with_secrets.map(|(id, recorded)| (id.clone(), recorded.secrets.clone())).collect()
}
