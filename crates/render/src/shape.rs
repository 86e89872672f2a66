//! Small builders for what most objects share: metadata, labels, RBAC.

use std::collections::BTreeMap;

use catalog::Edition;
use k8s_openapi::api::core::v1::{
    Affinity, ConfigMapVolumeSource, EnvVar, EnvVarSource, HTTPGetAction, HostPathVolumeSource, ObjectFieldSelector,
    PodAffinityTerm, PodAntiAffinity, Probe, ResourceRequirements, ServiceAccount, Toleration, Volume, VolumeMount,
    WeightedPodAffinityTerm,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use serde_json::Value;

use crate::{Error, yaml};

/// Says whose object it is; kubeadm's tools don't mind.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kubewright");
const RBAC_GROUP: &str = "rbac.authorization.k8s.io";
/// Annotation of a pod template whose containers read a ConfigMap only when they start: new content, new pods.
const CONFIG_DIGEST: &str = "kubewright.io/config-digest";

pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// Metadata of an object in a namespace, with further labels.
pub(crate) fn namespaced(namespace: &str, name: &str, labels: &[(&str, &str)]) -> ObjectMeta {
    ObjectMeta { namespace: Some(namespace.to_owned()), ..unnamespaced(name, labels) }
}

/// Metadata of an object outside of namespaces, with further labels.
pub(crate) fn unnamespaced(name: &str, labels: &[(&str, &str)]) -> ObjectMeta {
    let mut labels = map(labels);
    labels.extend(map(&[MANAGED_BY]));
    ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() }
}

/// Metadata of a pod template: only the labels that select it, so that a relabelled owner restarts nothing.
pub(crate) fn template(labels: &[(&str, &str)], config_digest: Option<&resource::Digest>) -> ObjectMeta {
    ObjectMeta {
        labels: Some(map(labels)),
        annotations: config_digest.map(|digest| map(&[(CONFIG_DIGEST, digest.as_str())])),
        ..ObjectMeta::default()
    }
}

/// Digest of what a ConfigMap holds.
pub(crate) fn digest_of(data: &BTreeMap<String, String>) -> Result<resource::Digest, Error> {
    Ok(resource::Digest::of_json(&yaml::to_value(data, "ConfigMap data")?))
}

pub(crate) fn selector(labels: &[(&str, &str)]) -> LabelSelector {
    LabelSelector { match_labels: Some(map(labels)), ..LabelSelector::default() }
}

/// Turns a typed object into a value; the name only stands in errors.
pub(crate) fn object(name: &str, object: &impl Serialize) -> Result<Value, Error> {
    yaml::to_value(object, name)
}

pub(crate) fn service_account(namespace: &str, name: &str) -> ServiceAccount {
    ServiceAccount { metadata: namespaced(namespace, name, &[]), ..ServiceAccount::default() }
}

pub(crate) fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(strings(groups)),
        resources: Some(strings(resources)),
        verbs: strings(verbs),
        ..PolicyRule::default()
    }
}

/// Rule for one named object of the core group.
pub(crate) fn rule_for(resource: &str, name: &str, verbs: &[&str]) -> PolicyRule {
    PolicyRule { resource_names: Some(strings(&[name])), ..rule(&[""], &[resource], verbs) }
}

pub(crate) fn cluster_role(name: &str, labels: &[(&str, &str)], rules: Vec<PolicyRule>) -> ClusterRole {
    ClusterRole { metadata: unnamespaced(name, labels), rules: Some(rules), ..ClusterRole::default() }
}

pub(crate) fn role(namespace: &str, name: &str, rules: Vec<PolicyRule>) -> Role {
    Role { metadata: namespaced(namespace, name, &[]), rules: Some(rules) }
}

pub(crate) fn cluster_role_binding(name: &str, role: &str, subjects: Vec<Subject>) -> ClusterRoleBinding {
    ClusterRoleBinding {
        metadata: unnamespaced(name, &[]),
        role_ref: role_ref("ClusterRole", role),
        subjects: Some(subjects),
    }
}

pub(crate) fn role_binding(namespace: &str, name: &str, role: &str, subjects: Vec<Subject>) -> RoleBinding {
    RoleBinding {
        metadata: namespaced(namespace, name, &[]),
        role_ref: role_ref("Role", role),
        subjects: Some(subjects),
    }
}

pub(crate) fn group(name: &str) -> Subject {
    Subject {
        api_group: Some(RBAC_GROUP.to_owned()),
        kind: "Group".to_owned(),
        name: name.to_owned(),
        ..Subject::default()
    }
}

pub(crate) fn user(name: &str) -> Subject {
    Subject { kind: "User".to_owned(), ..group(name) }
}

pub(crate) fn account(namespace: &str, name: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        ..Subject::default()
    }
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef { api_group: RBAC_GROUP.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
}

/// What a container that died without a message is remembered by: the end of its log, so that the API can say why.
pub(crate) fn last_words(edition: Edition) -> Option<String> {
    (edition >= Edition::V2).then(|| "FallbackToLogsOnError".to_owned())
}

/// Of the pods with these labels, no more than one is evicted at a time. Never `minAvailable`: it would keep a machine with
/// the only pod from being drained.
pub(crate) fn disruption_budget(
    edition: Edition,
    namespace: &str,
    name: &str,
    labels: &[(&str, &str)],
) -> Option<PodDisruptionBudget> {
    (edition >= Edition::V2).then(|| PodDisruptionBudget {
        metadata: namespaced(namespace, name, labels),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(selector(labels)),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    })
}

/// The pods prefer different nodes.
pub(crate) fn apart((key, value): (&str, &str)) -> Affinity {
    let requirement =
        LabelSelectorRequirement { key: key.to_owned(), operator: "In".to_owned(), values: Some(strings(&[value])) };
    let term = PodAffinityTerm {
        label_selector: Some(LabelSelector { match_expressions: Some(vec![requirement]), ..LabelSelector::default() }),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    };
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![WeightedPodAffinityTerm {
                pod_affinity_term: term,
                weight: 100,
            }]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

pub(crate) fn env(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), ..EnvVar::default() }
}

pub(crate) fn env_from_field(name: &str, field: &str) -> EnvVar {
    let field = ObjectFieldSelector { field_path: field.to_owned(), ..ObjectFieldSelector::default() };
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
        ..EnvVar::default()
    }
}

pub(crate) fn mount(name: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

pub(crate) fn host_path(name: &str, path: &str, type_: Option<&str>) -> Volume {
    Volume {
        name: name.to_owned(),
        host_path: Some(HostPathVolumeSource { path: path.to_owned(), type_: type_.map(str::to_owned) }),
        ..Volume::default()
    }
}

pub(crate) fn config_map_volume(name: &str, config_map: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        config_map: Some(ConfigMapVolumeSource { name: config_map.to_owned(), ..ConfigMapVolumeSource::default() }),
        ..Volume::default()
    }
}

pub(crate) fn requests(amounts: &[(&str, &str)]) -> ResourceRequirements {
    ResourceRequirements { requests: Some(quantities(amounts)), ..ResourceRequirements::default() }
}

/// Requests that the first edition did without.
pub(crate) fn requests_since_v2(edition: Edition, amounts: &[(&str, &str)]) -> Option<ResourceRequirements> {
    (edition >= Edition::V2).then(|| requests(amounts))
}

pub(crate) fn quantities(amounts: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    amounts.iter().map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned()))).collect()
}

/// A probe by HTTP on a named port; times are the caller's.
pub(crate) fn http_probe(path: &str, port: &str, scheme: &str) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(port.to_owned()),
            scheme: Some(scheme.to_owned()),
            ..HTTPGetAction::default()
        }),
        ..Probe::default()
    }
}

/// Every taint, whether it keeps pods away or evicts them.
pub(crate) fn tolerate_all() -> Toleration {
    Toleration { operator: Some("Exists".to_owned()), ..Toleration::default() }
}

pub(crate) fn tolerate(key: &str, effect: Option<&str>) -> Toleration {
    Toleration { key: Some(key.to_owned()), effect: effect.map(str::to_owned), ..Toleration::default() }
}

pub(crate) fn linux_only() -> BTreeMap<String, String> {
    map(&[("kubernetes.io/os", "linux")])
}
