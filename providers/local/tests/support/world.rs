//! What a handler needs around it: assets in a directory, keys in a map, no events.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use engine::{
    ActionContext, AssetFiles, AssetMissing, Clock, Event, EventSink, ObserveContext, Output, Outputs, Randomness,
    UnresolvedReference,
};
use jiff::Timestamp;
use plan::{ActionId, Change, Operation, Reason};
use resource::{Digest, Reference, ResourceId, Secret};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Assets that are files and directories called like them.
pub(crate) struct Images(pub(crate) PathBuf);

impl AssetFiles for Images {
    fn path(&self, asset: &str) -> Result<PathBuf, AssetMissing> {
        let path = self.0.join(asset.split('@').next().unwrap());
        if path.exists() { Ok(path) } else { Err(AssetMissing(asset.to_owned())) }
    }

    fn sha256(&self, asset: &str) -> Result<String, AssetMissing> {
        Err(AssetMissing(asset.to_owned()))
    }
}

/// Keys by `resource#output`.
#[derive(Default)]
pub(crate) struct World(pub(crate) BTreeMap<String, String>);

impl ObserveContext for World {
    fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference> {
        let text = self.0.get(&format!("{}#{}", reference.resource, reference.output));
        let text = text.ok_or_else(|| UnresolvedReference(reference.clone()))?;
        Ok(if reference.output == "private" { Output::Secret(Secret::new(text)) } else { Output::Public(json!(text)) })
    }

    fn outputs(&self, _resource: &ResourceId) -> Outputs {
        Outputs::new()
    }

    fn clock(&self) -> &dyn Clock {
        self
    }

    fn digest_key(&self, _scope: &str) -> [u8; 32] {
        [7; 32]
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct Nothing;

impl EventSink for Nothing {
    fn emit(&self, _event: Event) {}
}

impl Randomness for Nothing {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(4);
    }
}

/// What an action gets.
pub(crate) fn context(cluster: &str, change: &Change, world: &Arc<World>) -> ActionContext {
    ActionContext {
        action: change.id.clone(),
        cluster: cluster.into(),
        epoch: 1,
        token: String::new(),
        outputs: world.clone(),
        randomness: Arc::new(Nothing),
        events: Arc::new(Nothing),
        cancel: CancellationToken::new(),
        unfinished: tokio_util::task::TaskTracker::new(),
    }
}

/// A change whose inputs are the same before and after.
pub(crate) fn change(operation: Operation, id: &ResourceId, inputs: &Value, expect: Option<Digest>) -> Change {
    Change {
        id: ActionId::new(operation.verb(), id),
        resource: id.clone(),
        operation,
        reason: Reason::New,
        replaces: false,
        fields: Vec::new(),
        effects: Vec::new(),
        expect,
        before: Some(inputs.clone()),
        after: (operation != Operation::Delete).then(|| inputs.clone()),
        depends_on: BTreeSet::new(),
    }
}
