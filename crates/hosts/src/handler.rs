//! The handler's face: which kinds, and who does what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::{
    ActionContext, ActionError, Applied, AssetFiles, BootstrapTokens, Handler, HostConnector, HostTarget,
    ObserveContext, ObserveRequest,
};
use machine::{Facts, Gate, Reply, Request, Step};
use plan::{Change, Operation};
use resource::{KindSchema, Observation, ResourceId};

use crate::agent::{Agents, WhenMissing};
use crate::images::Images;
use crate::schema::{IMAGE, MACHINE_CONFIG, NODE_BOOTSTRAP, schemas};
use crate::{AgentBinary, AgentError, apply, bootstrap, observe};

/// How long a machine may take to be reached by a question outside a plan.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Observes and applies `machine-config`, `node-bootstrap` and `image`.
pub struct HostsHandler {
    agents: Agents,
    images: Images,
    tokens: Arc<dyn BootstrapTokens>,
    deep: bool,
    forget_etcd: BTreeSet<String>,
}

impl HostsHandler {
    /// A handler that reaches machines through `connector`, and places `agent` and files of `assets` on them.
    pub fn new(
        connector: Arc<dyn HostConnector>,
        agent: Option<AgentBinary>,
        assets: Arc<dyn AssetFiles>,
        tokens: Arc<dyn BootstrapTokens>,
    ) -> Self {
        let images = Images::new(connector.clone(), assets);
        Self { agents: Agents::new(connector, agent), images, tokens, deep: false, forget_etcd: BTreeSet::new() }
    }

    /// The same, with large files hashed again instead of trusted by inode and modification time.
    #[must_use]
    pub fn deep(mut self, deep: bool) -> Self {
        self.deep = deep;
        self
    }

    /// The same, allowed to start a new member of etcd on these machines although one lived there and its data is gone.
    #[must_use]
    pub fn forget_etcd_data(mut self, machines: BTreeSet<String>) -> Self {
        self.forget_etcd = machines;
        self
    }

    /// Waits on a machine until gates hold, in their order (an end probe such as DNS).
    ///
    /// Nothing is changed by it, so it needs no lease.
    pub async fn run_gates(&self, target: &HostTarget, gates: Vec<Gate>) -> Result<(), AgentError> {
        self.run_steps(target, gates.into_iter().map(|gate| Step::Wait { gate }).collect(), 0).await
    }

    /// Does some steps once on a machine, in their order.
    pub async fn run_steps(&self, target: &HostTarget, steps: Vec<Step>, epoch: u64) -> Result<(), AgentError> {
        match self.ask(target, &Request::Run { steps, epoch }).await? {
            Reply::Done { .. } => Ok(()),
            _ => Err(AgentError::Unexpected { machine: target.name.clone() }),
        }
    }

    /// What a machine is.
    pub async fn facts(&self, target: &HostTarget) -> Result<Facts, AgentError> {
        match self.ask(target, &Request::Facts).await? {
            Reply::Facts { facts } => Ok(facts),
            _ => Err(AgentError::Unexpected { machine: target.name.clone() }),
        }
    }

    async fn ask(&self, target: &HostTarget, request: &Request) -> Result<Reply, AgentError> {
        self.agents.ask(target, TIMEOUT, WhenMissing::Upload, request, &|_| {}).await
    }
}

#[async_trait]
impl Handler for HostsHandler {
    fn schemas(&self) -> Vec<KindSchema> {
        schemas()
    }

    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        let (images, machines) = requests.into_iter().partition(|request| request.id.kind() == IMAGE);
        let images = self.images.observe(images, context.as_ref());
        let machines = observe::observe(&self.agents, self.deep, machines, context.clone());
        let (mut observed, machines) = tokio::join!(images, machines);
        observed.extend(machines);
        observed
    }

    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        match (change.resource.kind(), change.operation) {
            (MACHINE_CONFIG, Operation::Create | Operation::Update) => {
                let forget_etcd = self.forget_etcd.contains(change.resource.name());
                apply::apply_config(&self.agents, forget_etcd, change, context).await
            }
            // Waits until it serves: what it stands on was made again.
            (MACHINE_CONFIG, Operation::Run) => apply::wait(&self.agents, change, context).await,
            (IMAGE, Operation::Create | Operation::Update | Operation::Delete) => {
                self.images.apply(change, context).await
            }
            (MACHINE_CONFIG, Operation::Delete) => apply::reset(&self.agents, change, context).await,
            (NODE_BOOTSTRAP, Operation::Create) => {
                bootstrap::bootstrap(&self.agents, &self.tokens, change, context).await
            }
            (NODE_BOOTSTRAP, Operation::Update) => bootstrap::finish(&self.agents, change, context).await,
            // Its files go with the machine's config, its Node with the node.
            (NODE_BOOTSTRAP, Operation::Delete) | (_, Operation::Adopt | Operation::Forget) => Ok(Applied::default()),
            (kind, operation) => {
                Err(ActionError::permanent(format!("{kind} has nothing that can be {}", operation.verb())))
            }
        }
    }
}
