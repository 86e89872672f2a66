//! The plan: an immutable list of changes on a base, with a report of what is not done.

use std::collections::BTreeSet;

use resource::{Digest, FieldChange, ResourceId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Change;

/// What a plan was made from. It is applied on nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Base {
    /// The cluster's name.
    pub cluster: String,
    /// Identity of the cluster's state, made once.
    pub lineage: String,
    /// Serial of the state.
    pub serial: u64,
    /// Digest of the revision: the documents, own templates, and what was allocated for machines.
    pub revision: Digest,
    /// Digest of the assets: every recipe, and the lock.
    pub lock: Digest,
    /// Digest of the schemas of all kinds.
    pub schemas: Digest,
    /// Digest of the user's rules; none without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Digest>,
    /// The resources that the plan is limited to; all of them when there are none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub targets: BTreeSet<ResourceId>,
    /// Version of kubewright.
    pub kubewright: String,
    /// Planning time, RFC 3339.
    pub time: String,
}

impl Base {
    /// The base of a plan that was made from nothing, for tests.
    pub fn of_nothing(cluster: &str) -> Self {
        let nothing = Digest::of_bytes(b"");
        Self {
            cluster: cluster.to_owned(),
            lineage: "lineage".to_owned(),
            serial: 1,
            revision: nothing.clone(),
            lock: nothing.clone(),
            schemas: nothing,
            rules: None,
            targets: BTreeSet::new(),
            kubewright: "0".to_owned(),
            time: "2026-01-01T00:00:00Z".to_owned(),
        }
    }
}

/// One thing the plan does not do, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportLine {
    /// Which resource.
    pub resource: ResourceId,
    /// Why nothing is done.
    pub reason: ReportReason,
}

/// Why nothing is done about a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "because", rename_all = "camelCase")]
pub enum ReportReason {
    /// It could not be observed.
    Unknown {
        /// Why not.
        why: String,
    },
    /// It depends on something that could not be observed.
    WaitsFor {
        /// On what.
        on: ResourceId,
    },
    /// It takes a member of the quorum away, or waits for that, and while another one is away the rest would be none.
    QuorumAtRisk {
        /// The other one.
        away: ResourceId,
    },
    /// It is shared: checked, never changed.
    Shared {
        /// How it differs, if it does.
        differs: Vec<FieldChange>,
    },
    /// It is ignored: neither looked at nor changed.
    Ignored,
    /// It carries our marker but is not recorded.
    Orphan,
    /// It is not ours.
    Foreign,
    /// It is wanted, but somebody else's stands in its place.
    Taken,
    /// The plan is limited to other resources.
    NotTargeted,
}

impl ReportReason {
    /// Whether it could not be looked at.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// Whether it, or what it depends on, could not be looked at.
    pub fn is_unobserved(&self) -> bool {
        self.is_unknown() || matches!(self, Self::WaitsFor { .. })
    }

    /// The member of the quorum for whose sake it is left out: that one is away, or could not be looked at.
    pub fn held_by(&self) -> Option<&ResourceId> {
        match self {
            Self::QuorumAtRisk { away } => Some(away),
            _ => None,
        }
    }

    /// Whether another look, after the changes of the plan, may find more to do about it.
    pub fn calls_for_another_look(&self) -> bool {
        self.is_unobserved() || self.held_by().is_some()
    }
}

/// A resource that somebody changed behind our back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftLine {
    /// Which resource.
    pub resource: ResourceId,
    /// It is gone altogether.
    pub gone: bool,
    /// Wanted → observed, per field: as somebody changed it.
    pub fields: Vec<FieldChange>,
}

/// An immutable list of atomic changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Version of this format.
    pub format: u32,
    /// What it was made from.
    pub base: Base,
    /// The changes, in a dependency order.
    pub changes: Vec<Change>,
    /// What is not done, and why.
    pub report: Vec<ReportLine>,
    /// What others changed.
    pub drift: Vec<DriftLine>,
}

impl Plan {
    /// Version written into plan files.
    pub const FORMAT: u32 = 1;

    /// A plan that does nothing.
    pub fn empty(base: Base) -> Self {
        Self { format: Self::FORMAT, base, changes: Vec::new(), report: Vec::new(), drift: Vec::new() }
    }

    /// The same, judged by the user's rules of this digest.
    #[must_use]
    pub fn with_rules(mut self, rules: Option<Digest>) -> Self {
        self.base.rules = rules;
        self
    }

    /// What another look, after the changes, may find more to do about.
    pub fn to_look_at_again(&self) -> impl Iterator<Item = &ReportLine> {
        self.report.iter().filter(|line| line.reason.calls_for_another_look())
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
