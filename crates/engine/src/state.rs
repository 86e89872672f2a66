//! What the state store remembers of a cluster, and how journal records change it.

use std::collections::BTreeMap;

use plan::ActionId;
use resource::{Digest, Recorded, ResourceId};
use serde::{Deserialize, Serialize};

use crate::journal::{Record, StateEffect};

/// The small mutable object of a cluster: everything else is immutable and found from here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Head {
    /// Version of this format.
    pub format: u32,
    /// Identity of the cluster's state, made once.
    pub lineage: String,
    /// Raised with every commit.
    pub serial: u64,
    /// Epoch of the lease under which it was written: a lease of a lower one writes no more. Heads of old name none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u64,
    /// The revision of the documents that is wanted.
    pub revision: Digest,
    /// The last checkpoint of the state; none before the first run.
    pub checkpoint: Option<Digest>,
    /// The run whose journal goes on from the checkpoint.
    pub run: Option<String>,
    /// What the last run that made or changed something was to lead to; none before the first.
    #[serde(rename = "goal", default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Digest>,
    /// The store that the cluster was moved to: what is here is what it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// The cluster is being removed: nothing but ending that can be done with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removing: bool,
}

impl Head {
    /// Version written into heads.
    pub const FORMAT: u32 = 1;
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(epoch: &u64) -> bool {
    *epoch == 0
}

/// All recorded resources of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// Version of this format.
    pub format: u32,
    /// The resources.
    pub resources: BTreeMap<ResourceId, Recorded>,
}

impl State {
    /// Version written into checkpoints.
    pub const FORMAT: u32 = 1;

    /// A state without resources.
    pub fn empty() -> Self {
        Self { format: Self::FORMAT, resources: BTreeMap::new() }
    }

    /// Takes a journal's records in, in their order.
    ///
    /// An action that was started and never finished leaves its resource tainted: it may or may not have taken effect,
    /// and the next plan finds out by observing.
    pub fn fold<'a>(&mut self, records: impl IntoIterator<Item = &'a Record>) {
        for record in records {
            match record {
                Record::ActionStarted { action, resource, provisional: Some(provisional) } => {
                    let known = self.resources.remove(resource);
                    self.resources.insert(resource.clone(), in_doubt(action, known, provisional));
                }
                // What was made under an earlier token may be gone from now on.
                Record::ActionStarted { action, resource, provisional: None }
                    if action.verb_and_kind().0 == "delete" =>
                {
                    if let Some(known) = self.resources.get_mut(resource) {
                        known.attempt = None;
                    }
                }
                Record::ActionSucceeded { resource, effect, .. } => match effect {
                    StateEffect::Put(recorded) => {
                        self.resources.insert(resource.clone(), (**recorded).clone());
                    }
                    StateEffect::Remove => {
                        self.resources.remove(resource);
                    }
                    StateEffect::None => {}
                },
                _ => {}
            }
        }
    }
}

/// A resource whose action was started: what is known about it stays, but it is tainted. What is made again is as it was asked
/// for, or not there.
fn in_doubt(action: &ActionId, known: Option<Recorded>, provisional: &Recorded) -> Recorded {
    let attempted = Recorded { tainted: true, ..provisional.clone() };
    match known {
        None => attempted,
        Some(known) if action.verb_and_kind().0 == "create" => {
            Recorded { outputs: known.outputs, secrets: known.secrets, ..attempted }
        }
        Some(known) => Recorded { attempt: attempted.attempt, tainted: true, ..known },
    }
}

#[cfg(test)]
mod tests {
    use resource::Attempt;
    use serde_json::json;

    use super::*;

    fn recorded(value: u32) -> Recorded {
        Recorded::of_inputs(1, json!({ "value": value }))
    }

    fn started(verb: &str, value: u32) -> Record {
        let resource: ResourceId = "x/a".parse().unwrap();
        Record::ActionStarted {
            action: ActionId::new(verb, &resource),
            resource,
            provisional: Some(Box::new(recorded(value))),
        }
    }

    fn succeeded(effect: StateEffect) -> Record {
        let resource: ResourceId = "x/a".parse().unwrap();
        Record::ActionSucceeded { action: ActionId::new("create", &resource), resource, effect, millis: 1 }
    }

    #[test]
    fn an_unfinished_action_leaves_its_resource_tainted() {
        let mut state = State::empty();
        state.fold(&[started("create", 1)]);
        let tainted = Recorded { tainted: true, ..recorded(1) };
        assert_eq!(state.resources.into_values().collect::<Vec<_>>(), [tainted]);
    }

    #[test]
    fn a_finished_action_leaves_what_it_made() {
        let mut state = State::empty();
        state.fold(&[started("create", 1), succeeded(StateEffect::Put(Box::new(recorded(1))))]);
        assert_eq!(state.resources.into_values().collect::<Vec<_>>(), [recorded(1)]);
    }

    #[test]
    fn a_finished_delete_leaves_nothing() {
        let mut state = State::empty();
        state.fold(&[started("create", 1), succeeded(StateEffect::Remove)]);
        assert!(state.resources.is_empty());
    }

    #[test]
    fn an_unfinished_update_keeps_the_old_outputs() {
        let mut state = State::empty();
        let mut old = recorded(1);
        old.outputs.insert("address".into(), json!("10.0.0.1"));
        state.fold(&[succeeded(StateEffect::Put(Box::new(old.clone()))), started("update", 2)]);
        assert_eq!(state.resources.into_values().collect::<Vec<_>>(), [Recorded { tainted: true, ..old }]);
    }

    #[test]
    fn an_unfinished_creation_of_what_is_recorded_has_the_inputs_that_were_asked_for() {
        let mut state = State::empty();
        state.fold(&[succeeded(StateEffect::Put(Box::new(recorded(1)))), started("create", 2)]);
        let attempted = Recorded { tainted: true, ..recorded(2) };
        assert_eq!(state.resources.into_values().collect::<Vec<_>>(), [attempted]);
    }

    #[test]
    fn whose_deletion_was_begun_is_not_asked_for_under_the_same_token_again() {
        let attempt = Some(Attempt { token: "t".into(), at: jiff::Timestamp::UNIX_EPOCH });
        let resource: ResourceId = "x/a".parse().unwrap();
        let delete = Record::ActionStarted {
            action: ActionId::new("delete", &resource),
            resource: resource.clone(),
            provisional: None,
        };
        let doubtful = Recorded { tainted: true, attempt, ..recorded(1) };
        let mut state = State { resources: BTreeMap::from([(resource, doubtful)]), ..State::empty() };
        state.fold(&[delete]);
        assert_eq!(state.resources.into_values().next(), Some(Recorded { tainted: true, ..recorded(1) }));
    }
}
