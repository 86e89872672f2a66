//! Asks the rules about documents and plans, before anything is changed.

use std::collections::BTreeSet;

use engine::{Goal, Loaded, State};
use model::{Resolved, ids};
use plan::Plan;
use report::words;
use resource::{Diagnostic, Digest, ResourceId};
use rules::{Finding, Intent, RuleInput, Severity, UserRules};
use serde_json::Value;
use spec::{HostContext, Source};

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output::{self, Format};

/// What is judged of one cluster.
pub(crate) struct PolicyCheck {
    cluster: String,
    revision: Digest,
    previous: Vec<Value>,
    wanted: Vec<Value>,
    control_planes: BTreeSet<String>,
    protected: BTreeSet<ResourceId>,
    recorded: BTreeSet<ResourceId>,
}

impl PolicyCheck {
    /// A cluster that is to be as its documents say.
    pub(crate) fn of(resolved: &Resolved, loaded: &Loaded) -> Result<Self, CommandError> {
        let wanted = documents(resolved)
            .map_err(|error| CommandError::from_source("cannot keep the documents", &error).exit(Exit::Bug))?;
        let protected = resolved.cluster.spec.protection.resources.iter().cloned().collect();
        Ok(Self { wanted, protected, ..Self::unprotected(resolved.name(), loaded) })
    }

    /// A cluster that is to be deleted.
    pub(crate) fn of_deletion(name: &str, loaded: &Loaded) -> Self {
        Self { protected: protected(loaded), ..Self::unprotected(name, loaded) }
    }

    fn unprotected(name: &str, loaded: &Loaded) -> Self {
        Self {
            cluster: name.to_owned(),
            revision: loaded.head.revision.clone(),
            previous: loaded.goal.as_ref().map(|goal| goal.documents.clone()).unwrap_or_default(),
            wanted: Vec::new(),
            control_planes: control_planes(&loaded.state),
            protected: BTreeSet::new(),
            recorded: loaded.state.resources.keys().cloned().collect(),
        }
    }

    /// What a run is to lead to; none when it deletes.
    pub(crate) fn goal(&self) -> Option<Goal> {
        let documents = self.wanted.clone();
        (!documents.is_empty()).then(|| Goal { format: Goal::FORMAT, revision: self.revision.clone(), documents })
    }

    /// Refuses documents that no plan could carry out.
    pub(crate) fn documents(&self, app: &App) -> Result<(), CommandError> {
        show(app, &rules::check_intent(&self.intent()))
    }

    /// Refuses a plan that endangers the cluster, or that the user's own rules forbid.
    pub(crate) fn plan(
        &self,
        app: &App,
        plan: &Plan,
        max_destroy: Option<usize>,
        own: &UserRules,
    ) -> Result<(), CommandError> {
        let input = RuleInput {
            intent: self.intent(),
            plan,
            max_destroy,
            protected: &self.protected,
            recorded: &self.recorded,
        };
        let mut findings = rules::check(&input);
        findings.extend(own.check(plan).map_err(|wrong| unasked(&wrong))?);
        findings.sort_by_key(|finding| finding.severity);
        show(app, &findings)
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
    let last = loaded.goal.iter().flat_map(|goal| &goal.documents);
    let ids = last.filter_map(|document| document["spec"]["protection"]["resources"].as_array()).flatten();
    ids.filter_map(|id| id.as_str()?.parse().ok()).collect()
}

/// Rules of the user's that nobody knows the answer of.
fn unasked(wrong: &[Diagnostic]) -> CommandError {
    output::note(&report::diagnostics_text(wrong, |name| fs_err::read_to_string(name).ok()));
    CommandError::failed("your rules cannot be asked about this plan; nothing was changed").exit(Exit::InvalidSpec)
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

fn show(app: &App, findings: &[Finding]) -> Result<(), CommandError> {
    let text = app.suggestive(&report::rules_text(findings));
    match app.format {
        Format::Text => output::text(&text)?,
        // Standard output is for the plan.
        Format::Json | Format::Yaml | Format::Name => output::note(&text),
    }
    let refusing: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Refuse)
        .map(|finding| finding.rule.as_str())
        .collect();
    if refusing.is_empty() {
        return Ok(());
    }
    let message = format!("refused by {}; nothing was changed", words::count(refusing.len(), "rule"));
    Err(CommandError::failed(message).exit(Exit::Refused))
}

#[cfg(test)]
mod tests {
    use resource::Recorded;

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
}
