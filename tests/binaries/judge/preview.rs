//! What the preview says of a specification, and what is rendered from it whatever the preview says.

use catalog::Release;
use resource::{Diagnostic, Severity};
use serde_json::Value;
use spec::{Effective, HostContext, Loaded, Source};

use super::case::Case;
use crate::rendered::{Rendered, example};

/// The cluster that every case changes, before it is changed.
pub(super) struct Base {
    cluster: Value,
    effective: Effective,
    groups: String,
}

/// What came of one case.
pub(super) struct Previewed {
    /// Everything that it is refused for; nothing where it is not.
    pub(super) refusals: Vec<Refusal>,
    /// What machines would be given.
    pub(super) rendered: Rendered,
}

/// One thing that a case is refused for.
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) field: String,
    pub(super) message: String,
}

impl Refusal {
    /// A diagnostic, if it is an error.
    fn of(diagnostic: Diagnostic) -> Option<Self> {
        let Diagnostic { code, severity, message, field, .. } = diagnostic;
        (severity == Severity::Error).then_some(Self { code, field, message })
    }
}

impl Base {
    /// The default cluster of a release.
    pub(super) fn of(release: &Release) -> Self {
        let text = example("local.yaml", release);
        let (cluster, groups) = text.split_once("\n---\n").expect("a cluster and its groups");
        let loaded = load(&text);
        let effective = loaded.effective.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        Self { cluster: serde_yaml::from_str(cluster).unwrap(), effective, groups: groups.to_owned() }
    }

    /// Looks at a case as `kubewright update cluster` does before there is any machine, and renders it all the same.
    pub(super) fn preview(&self, case: &Case) -> Previewed {
        let document = case.applied_to(&self.cluster);
        let loaded = load(&format!("{document}\n---\n{}", self.groups));
        let mut refusals: Vec<Refusal> = loaded.diagnostics.into_iter().filter_map(Refusal::of).collect();
        let effective = self.with(document, case);
        if let Some(previewed) = loaded.effective {
            assert_eq!(previewed.cluster, effective.cluster, "{case}: another cluster would be judged");
            let remarks = model::review(&previewed.cluster, &previewed.groups).unwrap();
            refusals.extend(remarks.into_iter().filter_map(|remark| Refusal::of(remark.diagnostic)));
        }
        Previewed { refusals, rendered: Rendered::of(case.to_string(), effective) }
    }

    /// The documents as they would be if nobody had looked at them.
    fn with(&self, document: Value, case: &Case) -> Effective {
        let mut effective = self.effective.clone();
        let derived = effective.cluster.spec.api.clone();
        effective.cluster = serde_json::from_value(document).unwrap_or_else(|error| panic!("{case}: {error}"));
        effective.cluster.spec.kubernetes_version = self.effective.cluster.spec.kubernetes_version.clone();
        effective.cluster.spec.api = derived;
        effective
    }
}

fn load(text: &str) -> Loaded {
    spec::load(&[Source::new("case.yaml", text)], &HostContext::default())
}
