//! Atomic changes: what a plan is made of.

use std::collections::BTreeSet;
use std::fmt;

use resource::{Digest, Effect, FieldChange, ResourceId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The id of one atomic change, unique in its plan: `verb kind/name`, such as `create machine/cp-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ActionId(String);

impl ActionId {
    /// The id of `verb` on `resource`.
    pub fn new(verb: &str, resource: &ResourceId) -> Self {
        Self(format!("{verb} {resource}"))
    }

    /// The verb, and the kind of the resource.
    pub fn verb_and_kind(&self) -> (&str, &str) {
        let (verb, resource) = self.0.split_once(' ').unwrap_or((&self.0, ""));
        (verb, resource.split_once('/').map_or(resource, |(kind, _)| kind))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an atomic change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Makes a resource that is not there.
    Create,
    /// Changes a resource in place.
    Update,
    /// Removes a resource. A replace is a delete and a create with reason `Replace`.
    Delete,
    /// Records a resource that is already as desired.
    Adopt,
    /// Removes a resource from the record only.
    Forget,
    /// Does something once that leaves no resource behind, such as draining a node.
    Run,
}

impl Operation {
    /// The verb in action ids and plan texts.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Forget => "forget",
            Self::Run => "run",
        }
    }
}

/// Why a change is in the plan: a closed list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "because", rename_all = "camelCase")]
pub enum Reason {
    /// The spec asks for it and it was never made.
    New,
    /// The spec changed.
    SpecChanged,
    /// It was changed or removed by somebody else.
    Drifted,
    /// We switched it off because somebody asked for that.
    Stopped {
        /// Who asked.
        by: String,
        /// When, RFC 3339.
        at: String,
    },
    /// Its last action failed or was interrupted.
    Interrupted,
    /// A field changed that cannot be changed in place.
    CannotUpdate {
        /// The field.
        field: String,
    },
    /// Something it refers to changes in the same plan.
    DependencyChanged {
        /// What changes.
        on: ResourceId,
    },
    /// The spec no longer asks for it.
    NoLongerWanted,
    /// It goes away with its parent.
    ContainedIn {
        /// The parent.
        parent: ResourceId,
    },
    /// It is already gone.
    Gone,
    /// Somebody asked for just this.
    Asked,
    /// It is there as desired but was not recorded.
    FoundUnrecorded,
    /// Somebody asked for what is recorded to have this id.
    MovedFrom {
        /// The id that it had.
        from: ResourceId,
    },
    /// The record has another id now.
    MovedTo {
        /// That id.
        to: ResourceId,
    },
    /// A step of another change.
    StepOf {
        /// That change.
        change: ActionId,
    },
    /// What it stands on is made or booted again; whoever needs its place in the budget goes on when it is ready.
    ServesAgain {
        /// The change that takes it away.
        after: ActionId,
    },
}

/// One atomic change. A handler gets it as it stands here; the executor invents none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Its id.
    pub id: ActionId,
    /// The resource it acts on.
    pub resource: ResourceId,
    /// What it does.
    pub operation: Operation,
    /// Why.
    pub reason: Reason,
    /// Part of a replace: this delete makes room for a create, or this create follows a delete.
    #[serde(default)]
    pub replaces: bool,
    /// Which fields differ, for updates and replaces.
    #[serde(default)]
    pub fields: Vec<FieldChange>,
    /// What it disturbs.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// Digest of what was observed; the handler refuses when it finds something else.
    pub expect: Option<Digest>,
    /// Recorded inputs, for updates and deletes.
    pub before: Option<Value>,
    /// Desired inputs, for everything but deletes; references unresolved.
    pub after: Option<Value>,
    /// Changes that must have succeeded before.
    pub depends_on: BTreeSet<ActionId>,
}

impl Change {
    /// A change that says no more than what it does and why.
    pub fn new(resource: &ResourceId, operation: Operation, reason: Reason) -> Self {
        Self {
            id: ActionId::new(operation.verb(), resource),
            resource: resource.clone(),
            operation,
            reason,
            replaces: false,
            fields: Vec::new(),
            effects: Vec::new(),
            expect: None,
            before: None,
            after: None,
            depends_on: BTreeSet::new(),
        }
    }
}
