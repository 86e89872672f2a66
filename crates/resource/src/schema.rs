//! What the engine must know about a kind: how each field is compared and what changing it means.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ResourceId;

/// The schema of one kind of resource.
#[derive(Clone)]
pub struct KindSchema {
    /// The kind, as it stands in resource ids.
    pub kind: &'static str,
    /// Raised when the meaning of recorded inputs changes.
    pub version: u32,
    /// Inputs that an earlier version recorded, as this one records them.
    pub upgrade: fn(from: u32, inputs: Value) -> Value,
    /// Rules for fields that are not simply compared and updated in place. The first match holds.
    pub fields: Vec<FieldRule>,
    /// What changing these fields disturbs.
    pub effects: fn(&[FieldChange], before: &Value, after: &Value) -> Vec<Effect>,
    /// Whether deleting it has effects that deleting its parent does not take care of.
    pub outlives_parent: bool,
    /// Whether updating it in place gives other outputs (a certificate issued again), so that what refers to it changes too.
    pub update_changes_outputs: bool,
    /// Whether its things are kept in the record and nowhere else, so that a record may have another id.
    pub kept_in_record: bool,
    /// The thing that an id names: where two ids give the same text, a record of one is of what the other one asks for.
    pub identity: fn(&ResourceId) -> String,
    /// Whether what has these inputs is a member of the cluster's quorum. Observed, it says in the output [`MEMBER_SERVES`]
    /// whether it serves; run, it waits until it does.
    pub is_member: fn(inputs: &Value) -> bool,
    /// The field that says whether it is switched on, for what has power.
    pub power: Option<&'static str>,
    /// How long it may still be seen as absent, where whoever is asked answers from the past, counted from the beginning of the
    /// attempt to make it. Within that time nobody knows whether an attempt that was cut off has made it.
    pub visible_within: Duration,
}

/// The field of recorded inputs that says by whom and when something with power was switched off.
pub const STOPPED: &str = "stopped";

/// The output of a member of the cluster's quorum that says whether it serves, true or false.
pub const MEMBER_SERVES: &str = "memberServes";

impl KindSchema {
    /// A kind whose fields are all compared literally and updated in place, without side effects.
    pub fn plain(kind: &'static str) -> Self {
        Self {
            kind,
            version: 1,
            upgrade: |_, inputs| inputs,
            fields: Vec::new(),
            effects: |_, _, _| Vec::new(),
            outlives_parent: false,
            update_changes_outputs: false,
            kept_in_record: false,
            identity: ResourceId::to_string,
            is_member: |_| false,
            power: None,
            visible_within: Duration::ZERO,
        }
    }

    /// The same with a rule for the fields that `pattern` names.
    #[must_use]
    pub fn rule(mut self, pattern: &'static str, behaviour: Behaviour) -> Self {
        self.fields.push(FieldRule { pattern, behaviour });
        self
    }

    /// The same for what has power, which `field` says to be on or off.
    #[must_use]
    pub fn power(mut self, field: &'static str) -> Self {
        self.power = Some(field);
        self.rule(STOPPED, Behaviour::Computed)
    }

    /// The same with a function that names what a change disturbs.
    #[must_use]
    pub fn effects(mut self, effects: fn(&[FieldChange], &Value, &Value) -> Vec<Effect>) -> Self {
        self.effects = effects;
        self
    }

    /// How the field at `path` behaves, when a rule says so.
    pub fn behaviour(&self, path: &[String]) -> Option<Behaviour> {
        self.fields.iter().find(|rule| rule.matches(path)).map(|rule| rule.behaviour)
    }
}

/// A rule for some fields of a kind.
#[derive(Clone)]
pub struct FieldRule {
    /// Path segments joined by `.`; `*` stands for one segment. A rule holds for everything below its path too.
    pub pattern: &'static str,
    /// What holds for them.
    pub behaviour: Behaviour,
}

impl FieldRule {
    fn matches(&self, path: &[String]) -> bool {
        let wanted: Vec<&str> = self.pattern.split('.').collect();
        path.len() >= wanted.len() && wanted.iter().zip(path).all(|(want, have)| *want == "*" || want == have)
    }
}

/// How a field is compared and changed.
#[derive(Clone, Copy)]
pub enum Behaviour {
    /// A change means a new resource.
    Replace,
    /// Never shown; compared by keyed digest.
    Secret,
    /// Written by the handler; never compared.
    Computed,
    /// A list whose order means nothing.
    Unordered,
    /// Used once, at creation; never compared.
    CreateOnly,
    /// Equal when the function says so (quantities, durations, address ranges).
    Equivalent(fn(&Value, &Value) -> bool),
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Path segments from the root of the inputs. Segments may contain dots (file names do).
    pub path: Vec<String>,
    /// The value before; `None` where there was none.
    pub before: Option<Value>,
    /// The value after; `None` where the field goes away.
    pub after: Option<Value>,
    /// The values must not be shown.
    #[serde(default)]
    pub secret: bool,
    /// The new value is known only after another action has run.
    #[serde(default)]
    pub known_after_apply: bool,
    /// Who changed it since it was recorded; unknown where nothing is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<ChangedBy>,
}

impl FieldChange {
    /// The same change the other way round.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { before: self.after.clone(), after: self.before.clone(), ..self.clone() }
    }
}

/// Who changed a field since it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangedBy {
    /// The spec asks for something else.
    Spec,
    /// What is there was changed, and not by kubewright.
    Outside,
    /// Both.
    Both,
}

/// How a drain loses something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Loss {
    /// A pod that nothing recreates.
    Pod {
        /// Why not, as a fragment.
        why: String,
    },
    /// Data in a pod's emptyDir volumes.
    EmptyDirData {
        /// The volumes' names in the pod.
        volumes: Vec<String>,
    },
    /// A persistent volume that lies on the machine alone.
    LocalVolume {
        /// The claim that it is bound to, `namespace/name`.
        claim: String,
    },
}

impl Loss {
    /// The field of an instance group's `drain` that consents to it.
    pub fn consent(&self) -> &'static str {
        match self {
            Self::Pod { .. } | Self::LocalVolume { .. } => "force",
            Self::EmptyDirData { .. } => "deleteEmptyDirData",
        }
    }
}

/// What a change disturbs, beyond the resource itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "effect", rename_all = "camelCase")]
pub enum Effect {
    /// Restarts a unit or a static pod on a machine.
    Restarts {
        /// The unit's or the pod's name.
        unit: String,
        /// The machine's name.
        machine: String,
    },
    /// Reboots a machine.
    Reboots {
        /// The machine's name.
        machine: String,
    },
    /// Evicts the pods of a node.
    Drains {
        /// The node's name.
        node: String,
    },
    /// A drain takes something with it that nothing brings back on another node.
    Loses {
        /// The node's name.
        node: String,
        /// What, as kind and name: `pod default/web`, `volume pvc-1`.
        what: String,
        /// How it is lost.
        loss: Loss,
    },
    /// Pods may have another amount of a node's resource than before.
    Resizes {
        /// The node's name.
        node: String,
        /// The resource, as Nodes name it: `cpu`, `memory`, `ephemeral-storage`, `pods`.
        resource: String,
        /// How much is allocatable now.
        from: String,
        /// How much will be.
        to: String,
    },
    /// A node has no room any more for a pod, which its kubelet rejects when it starts anew.
    TurnsAway {
        /// The node's name.
        node: String,
        /// The pod, `namespace/name`.
        pod: String,
    },
    /// Data is lost for good.
    LosesData {
        /// Which data, as a fragment.
        what: String,
    },
}
