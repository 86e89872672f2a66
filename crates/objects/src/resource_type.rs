//! Where the objects of a kind live in the API: a table for built-in kinds, discovery for all others.

use serde_json::Value;

use crate::ApiError;
use crate::connection::Connection;
use crate::request::Request;

/// One kind as one group and version serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceType {
    /// Kind, such as `ConfigMap`.
    pub(crate) kind: String,
    /// Name in paths, such as `configmaps`.
    pub(crate) plural: String,
    /// Whether its objects live in namespaces.
    pub(crate) namespaced: bool,
}

impl ResourceType {
    fn new(kind: &str, plural: &str, namespaced: bool) -> Self {
        Self { kind: kind.to_owned(), plural: plural.to_owned(), namespaced }
    }
}

/// Group, kind, plural and scope of the kinds that every cluster serves.
const BUILT_IN: &[(&str, &str, &str, bool)] = &[
    ("", "ConfigMap", "configmaps", true),
    ("", "Endpoints", "endpoints", true),
    ("", "LimitRange", "limitranges", true),
    ("", "Namespace", "namespaces", false),
    ("", "Node", "nodes", false),
    ("", "PersistentVolume", "persistentvolumes", false),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims", true),
    ("", "Pod", "pods", true),
    ("", "ResourceQuota", "resourcequotas", true),
    ("", "Secret", "secrets", true),
    ("", "Service", "services", true),
    ("", "ServiceAccount", "serviceaccounts", true),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false),
    ("apiregistration.k8s.io", "APIService", "apiservices", false),
    ("apps", "DaemonSet", "daemonsets", true),
    ("apps", "Deployment", "deployments", true),
    ("apps", "ReplicaSet", "replicasets", true),
    ("apps", "StatefulSet", "statefulsets", true),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    ("batch", "CronJob", "cronjobs", true),
    ("batch", "Job", "jobs", true),
    ("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", false),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices", true),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", false),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations", false),
    ("networking.k8s.io", "Ingress", "ingresses", true),
    ("networking.k8s.io", "IngressClass", "ingressclasses", false),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", true),
    ("node.k8s.io", "RuntimeClass", "runtimeclasses", false),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", true),
    ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", false),
    ("rbac.authorization.k8s.io", "Role", "roles", true),
    ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", true),
    ("scheduling.k8s.io", "PriorityClass", "priorityclasses", false),
    ("storage.k8s.io", "CSIDriver", "csidrivers", false),
    ("storage.k8s.io", "StorageClass", "storageclasses", false),
];

fn built_in(api_version: &str, kind: &str) -> Option<ResourceType> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let (_, kind, plural, namespaced) = BUILT_IN.iter().find(|entry| (entry.0, entry.1) == (group, kind))?;
    Some(ResourceType::new(kind, plural, *namespaced))
}

/// `/api/v1` or `/apis/<group>/<version>`.
fn root(api_version: &str) -> String {
    let prefix = if api_version.contains('/') { "/apis" } else { "/api" };
    format!("{prefix}/{api_version}")
}

/// The types in an `APIResourceList`, without subresources.
fn parse_discovery(list: &Value) -> Vec<ResourceType> {
    let resources = list.get("resources").and_then(Value::as_array).into_iter().flatten();
    resources
        .filter_map(|resource| {
            let plural = resource.get("name")?.as_str()?;
            let kind = resource.get("kind")?.as_str()?;
            let namespaced = resource.get("namespaced")?.as_bool()?;
            (!plural.contains('/')).then(|| ResourceType::new(kind, plural, namespaced))
        })
        .collect()
}

/// The path of the collection that holds the objects of a kind, in `namespace` where the kind has namespaces.
///
/// Fails with [`ApiError::UnknownKind`] when the server positively does not serve the kind.
pub(crate) async fn collection(
    connection: &Connection,
    api_version: &str,
    kind: &str,
    namespace: &str,
) -> Result<String, ApiError> {
    let found = match built_in(api_version, kind) {
        Some(found) => found,
        None => discover(connection, api_version, kind).await?,
    };
    let root = root(api_version);
    let plural = found.plural;
    if found.namespaced {
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        Ok(format!("{root}/namespaces/{namespace}/{plural}"))
    } else {
        Ok(format!("{root}/{plural}"))
    }
}

async fn discover(connection: &Connection, api_version: &str, kind: &str) -> Result<ResourceType, ApiError> {
    let mut types = connection.types.lock().await;
    let known = types.get(api_version).and_then(|types| types.iter().find(|found| found.kind == kind));
    if let Some(found) = known {
        return Ok(found.clone());
    }
    // What is not known is asked for again: a definition may have been made since.
    let list = connection.find(&Request::get(&root(api_version))).await?.unwrap_or_default();
    let found = parse_discovery(&list);
    let wanted = found.iter().find(|found| found.kind == kind).cloned();
    types.insert(api_version.to_owned(), found);
    wanted.ok_or_else(|| ApiError::UnknownKind { api_version: api_version.to_owned(), kind: kind.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn built_in_kinds_need_no_discovery_in_any_version() {
        assert_eq!(built_in("v1", "ConfigMap").unwrap().plural, "configmaps");
        assert!(!built_in("apiregistration.k8s.io/v1", "APIService").unwrap().namespaced);
        assert_eq!(built_in("example.com/v1", "ConfigMap"), None);
    }

    #[test]
    fn discovery_leaves_subresources_out() {
        let list = json!({"resources": [
            {"name": "widgets", "kind": "Widget", "namespaced": true},
            {"name": "widgets/status", "kind": "Widget", "namespaced": true},
        ]});
        assert_eq!(parse_discovery(&list), vec![ResourceType::new("Widget", "widgets", true)]);
        assert_eq!((root("v1"), root("a.b/v1")), ("/api/v1".into(), "/apis/a.b/v1".into()));
    }
}
