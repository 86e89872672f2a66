//! A handler that does everything twice: what a real one does for a lost reply.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use engine::{ActionContext, ActionError, Applied, Handler, ObserveContext, ObserveRequest};
use plan::{Change, Expander};
use resource::{KindSchema, Observation, ResourceId};

/// Applies every change twice, and gives what came of the second time.
pub struct Repeating(pub Arc<dyn Handler>);

#[async_trait]
impl Handler for Repeating {
    fn schemas(&self) -> Vec<KindSchema> {
        self.0.schemas()
    }

    fn expanders(&self) -> Vec<(&'static str, Expander)> {
        self.0.expanders()
    }

    async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        self.0.observe(requests, context).await
    }

    async fn apply(&self, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
        self.0.apply(change, context).await?;
        self.0.apply(change, context).await
    }
}
