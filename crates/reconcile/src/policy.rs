//! What the rules say about a cluster's documents and about a plan for it.

use std::collections::BTreeSet;

use engine::{AppliedSpec, Loaded, State};
use model::{Resolved, ids};
use plan::Plan;
use resource::{Diagnostic, Digest, ResourceId};
use rules::{Finding, Intent, RuleInput, UserRules};
use serde_json::Value;
use spec::{HostContext, Source};

/// What rules are asked about one cluster.
pub struct Policy {
    cluster: String,
    revision: Digest,
    previous: Vec<Value>,
    wanted: Vec<Value>,
    control_planes: BTreeSet<String>,
    protected: BTreeSet<ResourceId>,
    recorded: BTreeSet<ResourceId>,
}

impl Policy {
    /// A cluster that is to be as its documents say.
    ///
    /// # Errors
    /// When a document is no JSON, which is a bug.
    pub fn of(resolved: &Resolved, loaded: &Loaded) -> Result<Self, serde_json::Error> {
        let protected = resolved.cluster.spec.protection.resources.iter().cloned().collect();
        Ok(Self { wanted: documents(resolved)?, protected, ..Self::unprotected(resolved.name(), loaded) })
    }

    /// A cluster that is to be deleted.
    pub fn of_deletion(name: &str, loaded: &Loaded) -> Self {
        Self { protected: protected(loaded), ..Self::unprotected(name, loaded) }
    }

    fn unprotected(name: &str, loaded: &Loaded) -> Self {
        Self {
            cluster: name.to_owned(),
            revision: loaded.head.revision.clone(),
            previous: loaded.applied.as_ref().map(|applied| applied.documents.clone()).unwrap_or_default(),
            wanted: Vec::new(),
            control_planes: control_planes(&loaded.state),
            protected: BTreeSet::new(),
            recorded: loaded.state.resources.keys().cloned().collect(),
        }
    }

    /// What a run is to lead to; none when it deletes.
    pub fn applied_spec(&self) -> Option<AppliedSpec> {
        let documents = self.wanted.clone();
        (!documents.is_empty()).then(|| AppliedSpec {
            format: AppliedSpec::FORMAT,
            revision: self.revision.clone(),
            documents,
        })
    }

    /// What there is to say about the documents, whatever the plan.
    pub fn documents(&self) -> Vec<Finding> {
        rules::check_intent(&self.intent())
    }

    /// What there is to say about a plan, the worst first.
    ///
    /// # Errors
    /// The user's `own` rules that nobody knows the answer of.
    pub fn plan(
        &self,
        plan: &Plan,
        max_destroy: Option<usize>,
        own: &UserRules,
    ) -> Result<Vec<Finding>, Vec<Diagnostic>> {
        let input = RuleInput {
            intent: self.intent(),
            plan,
            max_destroy,
            protected: &self.protected,
            recorded: &self.recorded,
        };
        let mut findings = rules::check(&input);
        findings.extend(own.check(plan)?);
        findings.sort_by_key(|finding| finding.severity);
        Ok(findings)
    }

    fn intent(&self) -> Intent<'_> {
        Intent {
            cluster: &self.cluster,
            previous: &self.previous,
            wanted: &self.wanted,
            control_planes: &self.control_planes,
        }
    }
}

/// What the stored documents protect. Those that cannot be read any more are judged as the last run left them.
fn protected(loaded: &Loaded) -> BTreeSet<ResourceId> {
    let texts = &loaded.revision.documents;
    let sources: Vec<Source> = texts.iter().map(|text| Source::new(&text.name, &text.text)).collect();
    if let Some(effective) = spec::load(&sources, &HostContext::default()).effective {
        return effective.cluster.spec.protection.resources.into_iter().collect();
    }
    let last = loaded.applied.iter().flat_map(|applied| &applied.documents);
    let ids = last.filter_map(|document| document["spec"]["protection"]["resources"].as_array()).flatten();
    ids.filter_map(|id| id.as_str()?.parse().ok()).collect()
}

/// Control planes that were configured, which is when etcd begins to hold data.
fn control_planes(state: &State) -> BTreeSet<String> {
    let certificates = state.resources.keys().filter(|id| id.kind() == "certificate");
    certificates
        .filter_map(|id| id.name().strip_suffix("/etcd-server"))
        .filter(|name| state.resources.contains_key(&ids::machine_config(name)))
        .map(str::to_owned)
        .collect()
}

/// The documents with every default, and with what was chosen for the user when machines got what they stand on.
fn documents(resolved: &Resolved) -> Result<Vec<Value>, serde_json::Error> {
    let mut cluster = serde_json::to_value(&resolved.cluster)?;
    for (pointer, value) in &resolved.chosen {
        choose(&mut cluster, pointer, value);
    }
    let groups = resolved.groups.iter().map(serde_json::to_value);
    std::iter::once(Ok(cluster)).chain(groups).collect()
}

/// Sets what a pointer leads to, in objects that are made where they are not.
fn choose(document: &mut Value, pointer: &str, value: &Value) {
    let place = pointer.split('/').skip(1).fold(document, |within, name| &mut within[name]);
    *place = value.clone();
}

#[cfg(test)]
mod tests {
    use resource::Recorded;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_control_plane_counts_from_the_moment_it_is_configured() {
        let recorded = Recorded { tainted: true, ..Recorded::of_inputs(1, Value::Null) };
        let mut state = State::empty();
        for id in [
            ids::certificate("cp-1", "etcd-server"),
            ids::machine_config("cp-1"),
            ids::certificate("cp-2", "etcd-server"),
            ids::machine_config("w-1"),
        ] {
            state.resources.insert(id, recorded.clone());
        }
        assert_eq!(control_planes(&state), BTreeSet::from(["cp-1".to_owned()]));
    }

    #[test]
    fn what_was_chosen_stands_where_documents_leave_it_open() {
        let mut document = json!({"spec": {"a": 1}});
        choose(&mut document, "/spec/network/subnet", &json!("10.88.0.0/24"));
        assert_eq!(document, json!({"spec": {"a": 1, "network": {"subnet": "10.88.0.0/24"}}}));
    }
}
