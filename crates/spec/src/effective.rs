//! Documents with every default filled in, and where each value came from.

use std::collections::BTreeMap;

use resource::{Diagnostic, Label};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::join;
use crate::documents::{Document, Documents};
use crate::schema::Kind;
use crate::{Cluster, InstanceGroup, LoadBalancer, Role, Taint, TaintEffect};

/// Documents with every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Effective {
    /// The cluster.
    pub cluster: Cluster,
    /// Its groups, by name.
    pub groups: Vec<InstanceGroup>,
    /// Where each value came from, by document and path: `Cluster/demo:spec.networking.cni`.
    pub provenance: BTreeMap<String, Provenance>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provenance {
    /// Written by the user, here.
    SetByUser(Label),
    /// Nobody said anything.
    Default,
    /// Follows from something else, named as a fragment.
    Derived(String),
}

impl Effective {
    /// Where a field of a document came from: that of the field itself, or of the nearest one around it.
    pub fn provenance_of(&self, document: &str, field: &str) -> Option<&Provenance> {
        let mut field = field;
        loop {
            if let Some(found) = self.provenance.get(&format!("{document}:{field}")) {
                return Some(found);
            }
            field = field.get(..field.rfind(['.', '['])?)?;
        }
    }
}

/// A typed document and which one it is.
#[derive(Debug, Clone)]
pub(crate) struct Draft<T> {
    /// Index in [`Documents::documents`].
    pub(crate) document: usize,
    /// With defaults.
    pub(crate) value: T,
}

/// All typed documents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drafts {
    /// The first cluster.
    pub(crate) cluster: Option<Draft<Cluster>>,
    /// The groups, by name.
    pub(crate) groups: Vec<Draft<InstanceGroup>>,
    /// What derived values follow from, by document and path.
    derived: BTreeMap<(usize, &'static str), String>,
}

/// Fills in defaults. Documents that lack what they must have are left out.
pub(crate) fn fill(documents: &Documents) -> (Drafts, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut drafts = Drafts {
        cluster: read(documents, Kind::Cluster, &mut diagnostics).into_iter().next(),
        groups: read(documents, Kind::InstanceGroup, &mut diagnostics),
        derived: BTreeMap::new(),
    };
    drafts.groups.sort_by(|a: &Draft<InstanceGroup>, b| a.value.metadata.name.cmp(&b.value.metadata.name));
    drafts.derive(documents);
    (drafts, diagnostics)
}

/// The typed documents of one kind. Shapes and types come from one source, so what was checked can be read;
/// where it can't, that is reported and not hidden.
fn read<T: DeserializeOwned>(documents: &Documents, kind: Kind, diagnostics: &mut Vec<Diagnostic>) -> Vec<Draft<T>> {
    let mut drafts = Vec::new();
    for (index, document) in documents.documents.iter().enumerate().filter(|(_, document)| document.kind == kind) {
        match document.read() {
            Some(Ok(value)) => drafts.push(Draft { document: index, value }),
            Some(Err(error)) => {
                let diagnostic =
                    Diagnostic::error("spec::unreadable", format!("{} can't be read: {error}", document.id()));
                diagnostics.push(Diagnostic {
                    labels: documents.label(document, "", "here").into_iter().collect(),
                    ..diagnostic
                });
            }
            None => {}
        }
    }
    drafts
}

impl Drafts {
    /// Fills in what follows from other fields.
    fn derive(&mut self, documents: &Documents) {
        let is_set =
            |index: usize, field: &str| documents.documents.get(index).is_some_and(|document| document.has(field));
        let machines = |role: Role| -> u32 {
            self.groups.iter().filter(|group| group.value.spec.role == role).map(|group| group.value.spec.count).sum()
        };
        let (control_planes, workers) = (machines(Role::ControlPlane), machines(Role::Worker));
        if let Some(Draft { document, value }) = &mut self.cluster {
            let spec = &mut value.spec;
            if let Ok(release) = catalog::find(&spec.kubernetes_version)
                && release.kubernetes != spec.kubernetes_version
            {
                let why = format!("the newest supported patch of {}", spec.kubernetes_version);
                release.kubernetes.clone_into(&mut spec.kubernetes_version);
                self.derived.insert((*document, "spec.kubernetesVersion"), why);
            }
            if !is_set(*document, "spec.api.loadBalancer") {
                let (balancer, why) = match (&spec.api.endpoint, control_planes) {
                    (Some(_), _) => (LoadBalancer::External, "spec.api.endpoint is set".to_owned()),
                    (None, 0 | 1) => (LoadBalancer::None, "there is one control-plane machine".to_owned()),
                    (None, several) => (LoadBalancer::NodeLocal, format!("there are {several} control-plane machines")),
                };
                spec.api.load_balancer = balancer;
                self.derived.insert((*document, "spec.api.loadBalancer"), why);
            }
        }
        for Draft { document, value } in &mut self.groups {
            if !is_set(*document, "spec.taints") {
                if value.spec.role == Role::ControlPlane && workers > 0 {
                    value.spec.taints = vec![control_plane_taint()];
                }
                let why = if workers > 0 { "the cluster has workers" } else { "the cluster has no workers" };
                self.derived.insert((*document, "spec.taints"), why.to_owned());
            }
        }
    }

    /// The documents with the provenance of every field; `None` without a cluster.
    pub(crate) fn finish(self, documents: &Documents) -> Option<Effective> {
        let cluster = self.cluster?;
        let mut provenance = BTreeMap::new();
        let mut trace = |index: usize, value: serde_json::Result<Value>| {
            if let (Some(document), Ok(value)) = (documents.documents.get(index), value) {
                let why = |path: &str| {
                    let derived = self.derived.iter().find(|((of, field), _)| *of == index && *field == path);
                    derived.map(|(_, why)| why.clone())
                };
                trace(documents, document, &value, "", &why, &mut provenance);
            }
        };
        trace(cluster.document, serde_json::to_value(&cluster.value));
        for group in &self.groups {
            trace(group.document, serde_json::to_value(&group.value));
        }
        let groups = self.groups.into_iter().map(|group| group.value).collect();
        Some(Effective { cluster: cluster.value, groups, provenance })
    }
}

/// kubeadm's taint of control planes.
fn control_plane_taint() -> Taint {
    let key = "node-role.kubernetes.io/control-plane".to_owned();
    Taint { key, value: String::new(), effect: TaintEffect::NoSchedule }
}

/// Notes where `value` and everything in it came from. Lists are one value.
fn trace(
    documents: &Documents,
    document: &Document,
    value: &Value,
    path: &str,
    derived: &dyn Fn(&str) -> Option<String>,
    provenance: &mut BTreeMap<String, Provenance>,
) {
    if let Value::Object(fields) = value
        && !fields.is_empty()
    {
        for (name, value) in fields {
            trace(documents, document, value, &join(path, name), derived, provenance);
        }
        return;
    }
    let from = match derived(path) {
        Some(why) => Provenance::Derived(why),
        None if document.has(path) => match documents.label(document, path, "") {
            Some(label) => Provenance::SetByUser(label),
            None => Provenance::Default,
        },
        None => Provenance::Default,
    };
    provenance.insert(format!("{}:{path}", document.id()), from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, parse};

    fn effective(spec: &str, groups: &[(&str, &str)]) -> Effective {
        let head = "apiVersion: kubewright.io/v1alpha1\nkind: Cluster\nmetadata: {name: demo}\n";
        let mut text = format!("{head}spec:\n  kubernetesVersion: \"1.36\"\n{spec}");
        for (name, spec) in groups {
            let metadata = format!("{{name: {name}, cluster: demo}}");
            text += "---\napiVersion: kubewright.io/v1alpha1\nkind: InstanceGroup\n";
            text += &["metadata: ", &metadata, "\nspec: ", spec, "\n"].concat();
        }
        let documents = parse(&[Source::new("a.yaml", text)]);
        assert_eq!(documents.diagnostics, []);
        fill(&documents).0.finish(&documents).unwrap()
    }

    const CONTROL_PLANES: (&str, &str) = ("cp", "{role: ControlPlane, count: 3}");
    const WORKERS: (&str, &str) = ("a-workers", "{role: Worker}");

    #[test]
    fn a_minor_version_becomes_its_newest_patch_and_says_so() {
        let effective = effective("", &[]);
        assert_eq!(effective.cluster.spec.kubernetes_version, "1.36.3");
        let from = effective.provenance_of("Cluster/demo", "spec.kubernetesVersion").unwrap();
        assert_eq!(*from, Provenance::Derived("the newest supported patch of 1.36".to_owned()));
    }

    #[test]
    fn defaults_are_filled_in_and_told_from_what_the_user_wrote() {
        let effective = effective("  networking:\n    cni: none\n", &[CONTROL_PLANES]);
        let networking = &effective.cluster.spec.networking;
        assert_eq!(networking.pod_cidrs[0].to_string(), "10.244.0.0/16");
        let from = |field| effective.provenance_of("Cluster/demo", field).cloned().unwrap();
        assert_eq!(from("spec.networking.podCIDRs"), Provenance::Default);
        assert_eq!(from("spec.networking.podCIDRs[0]"), Provenance::Default);
        match from("spec.networking.cni") {
            Provenance::SetByUser(label) => assert_eq!((label.line, label.column), (7, 10)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_load_balancer_follows_from_endpoint_and_control_planes() {
        let balancer = |spec, groups: &[_]| effective(spec, groups).cluster.spec.api.load_balancer;
        assert_eq!(balancer("", &[CONTROL_PLANES]), LoadBalancer::NodeLocal);
        assert_eq!(balancer("", &[("cp", "{role: ControlPlane}")]), LoadBalancer::None);
        assert_eq!(balancer("  api: {endpoint: lb.example.org}\n", &[CONTROL_PLANES]), LoadBalancer::External);
        assert_eq!(balancer("  api: {loadBalancer: none}\n", &[CONTROL_PLANES]), LoadBalancer::None);
    }

    #[test]
    fn an_addon_that_runs_by_default_is_switched_off_by_saying_so_only() {
        let runs = |spec: &str| effective(spec, &[]).cluster.spec.addons.local_path.enabled;
        assert!(
            ["", "  addons: {}\n", "  addons: {localPath: {}}\n", "  addons: {metricsServer: {}}\n"].map(runs)
                == [true; 4]
        );
        assert!(!runs("  addons: {localPath: {enabled: false}}\n"));
        assert!(!effective("  addons: {metricsServer: {}}\n", &[]).cluster.spec.addons.metrics_server.enabled);
    }

    #[test]
    fn control_planes_are_tainted_only_when_there_are_workers() {
        let taints = |groups: &[_]| {
            let groups = effective("", groups).groups;
            groups.into_iter().map(|group| (group.metadata.name, group.spec.taints.len())).collect::<Vec<_>>()
        };
        assert_eq!(taints(&[CONTROL_PLANES, WORKERS]), [("a-workers".to_owned(), 0), ("cp".to_owned(), 1)]);
        assert_eq!(taints(&[CONTROL_PLANES]), [("cp".to_owned(), 0)]);
        assert_eq!(taints(&[("cp", "{role: ControlPlane, taints: []}"), WORKERS])[1], ("cp".to_owned(), 0));
    }
}
