//! The handlers of a program, found by kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use plan::Expander;
use resource::{Digest, KindSchema, Observation, ResourceId};

use crate::texts;
use crate::{Handler, ObserveContext, ObserveRequest, State, StoreError};

/// All handlers, by the kinds they handle.
#[derive(Clone, Default)]
pub struct Handlers {
    all: Vec<Arc<dyn Handler>>,
    by_kind: BTreeMap<String, usize>,
    schemas: BTreeMap<String, KindSchema>,
    expanders: BTreeMap<String, Expander>,
}

impl Handlers {
    /// The same with one more handler.
    #[must_use]
    pub fn with(mut self, handler: Arc<dyn Handler>) -> Self {
        let index = self.all.len();
        for schema in handler.schemas() {
            self.by_kind.insert(schema.kind.to_owned(), index);
            self.schemas.insert(schema.kind.to_owned(), schema);
        }
        self.expanders.extend(handler.expanders().into_iter().map(|(kind, expander)| (kind.to_owned(), expander)));
        self.all.push(handler);
        self
    }

    /// The handler of a kind.
    pub fn of(&self, kind: &str) -> Option<&Arc<dyn Handler>> {
        self.by_kind.get(kind).and_then(|index| self.all.get(*index))
    }

    /// Schemas by kind.
    pub fn schemas(&self) -> &BTreeMap<String, KindSchema> {
        &self.schemas
    }

    /// Digest of what is known of kinds: another version of one may read recorded inputs in another way.
    pub fn schemas_digest(&self) -> Digest {
        let versions: BTreeMap<&str, u32> =
            self.schemas.iter().map(|(kind, schema)| (kind.as_str(), schema.version)).collect();
        Digest::of_json(&serde_json::json!(versions))
    }

    /// A state as these handlers record it: what an earlier version of a kind recorded is upgraded. Kinds that nobody knows stay.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a newer kubewright recorded a resource.
    pub fn upgraded(&self, mut state: State) -> Result<State, StoreError> {
        for (id, recorded) in &mut state.resources {
            let Some(schema) = self.schemas.get(id.kind()) else { continue };
            let (found, known) = (recorded.schema_version, schema.version);
            if found > known {
                return Err(StoreError::Newer { what: format!("the record of {id}"), found: found.into(), known });
            }
            if found < known {
                recorded.inputs = (schema.upgrade)(found, std::mem::take(&mut recorded.inputs));
                recorded.schema_version = known;
            }
        }
        Ok(state)
    }

    /// Expanders by kind.
    pub fn expanders(&self) -> &BTreeMap<String, Expander> {
        &self.expanders
    }

    /// Observes everything at once: one batch per handler, all handlers side by side. What an attempt that was cut off may have
    /// made, and what would not show yet, is unknown where it is not seen.
    pub async fn observe(
        &self,
        requests: Vec<ObserveRequest>,
        context: Arc<dyn ObserveContext>,
    ) -> BTreeMap<ResourceId, Observation> {
        let maybe_made = self.maybe_made(&requests, context.clock().now());
        let mut batches: BTreeMap<usize, Vec<ObserveRequest>> = BTreeMap::new();
        let mut observed = BTreeMap::new();
        for request in requests {
            let Some(index) = self.by_kind.get(request.id.kind()) else {
                observed.insert(request.id, Observation::unknown("this version knows no such kind"));
                continue;
            };
            let id = request.id.clone();
            match texts::request(request, context.as_ref()) {
                Ok(request) => batches.entry(*index).or_default().push(request),
                Err(answer) => {
                    observed.insert(id, answer);
                }
            }
        }
        let running = batches.into_iter().filter_map(|(index, batch)| {
            let handler = self.all.get(index)?;
            Some(handler.observe(batch, context.clone()))
        });
        observed.extend(join_all(running).await.into_iter().flatten());
        for (id, why) in maybe_made {
            if let Some(seen) = observed.get_mut(&id).filter(|seen| **seen == Observation::Absent) {
                *seen = Observation::unknown(why);
            }
        }
        observed
    }

    /// What may have been made so shortly ago that it need not show yet, and what there is to say about it.
    fn maybe_made(&self, requests: &[ObserveRequest], now: Timestamp) -> BTreeMap<ResourceId, String> {
        let why = |request: &ObserveRequest| {
            let window = self.schemas.get(request.id.kind())?.visible_within;
            let attempt = request.recorded.as_ref().filter(|recorded| recorded.tainted)?.attempt.as_ref()?;
            // Whoever's clock went backwards waits for the whole time.
            let ago = now.duration_since(attempt.at).max(SignedDuration::ZERO).unsigned_abs();
            let left = window.checked_sub(ago).filter(|left| !left.is_zero())?;
            Some(format!(
                "an action that began {} s ago and was not seen to end may have made it, which shows within {} s; run again then",
                ago.as_secs(),
                left.as_millis().div_ceil(1000)
            ))
        };
        requests.iter().filter_map(|request| Some((request.id.clone(), why(request)?))).collect()
    }
}
