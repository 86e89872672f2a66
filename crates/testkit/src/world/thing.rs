//! One thing, and what it gives.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use engine::{Output, Outputs};
use plan::ActionId;
use resource::{Digest, ResourceId, Secret};
use serde_json::{Value, json};

use crate::{FakeKind, Source};

/// One thing.
#[derive(Clone)]
pub(super) struct Thing {
    /// Everything it was made with, references resolved, secrets as digests.
    pub(super) attributes: Arc<Value>,
    /// How often it had come to be when it was made.
    pub(super) birth: usize,
    /// How often it was changed since.
    pub(super) generation: usize,
    /// When it was last changed, in the world's own count.
    pub(super) revision: u64,
    /// The attempt that made it.
    pub(super) token: String,
    /// The action that changed it last, unless somebody else did.
    pub(super) changed_by: Option<ActionId>,
}

/// The address of something that has come to be so often.
fn address(id: &ResourceId, birth: usize) -> Ipv4Addr {
    let digest = Digest::of_bytes(format!("{id} {birth}").as_bytes());
    let number = u32::from_str_radix(&digest.short()[..6], 16).unwrap_or_default();
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + number)
}

impl Thing {
    /// Its outputs: they follow from what was done to it, so that two histories can be compared.
    pub(super) fn outputs(&self, id: &ResourceId, kind: &FakeKind) -> Outputs {
        let mut outputs = BTreeMap::new();
        for output in &kind.outputs {
            let value = match output.source {
                Source::Identity => json!(format!("{id} born {}", self.birth)),
                Source::Generation => json!(format!("{id} born {} changed {}", self.birth, self.generation)),
                Source::Content => json!(format!("{id} of {}", Digest::of_json(&self.attributes).short())),
                Source::Input(field) => self.attributes[field].clone(),
                Source::Address => {
                    outputs.insert(output.name.to_owned(), Output::Public(json!(address(id, self.birth))));
                    continue;
                }
            };
            let value = match value {
                Value::String(text) if output.secret => {
                    Output::Secret(Secret::new(format!("{} of {text}", output.name)))
                }
                Value::String(text) => Output::Public(json!(format!("{} of {text}", output.name))),
                other => Output::Public(other),
            };
            outputs.insert(output.name.to_owned(), value);
        }
        outputs
    }
}
