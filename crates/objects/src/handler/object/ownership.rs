//! Whose a live object is: by our marker, by who set its fields, and by who makes such objects on their own.

use resource::ResourceId;
use serde_json::Value;

use crate::field::{OWNER, list, text};
use crate::request::MANAGER;

/// Managers of fields that are parts of Kubernetes: what they alone made, such as default roles, every cluster has.
const KUBERNETES: [&str; 3] = ["kube-apiserver", "kube-controller-manager", "kubelet"];

/// Whether somebody else made this object in the place of `id`: it carries no marker of ours, and we set none of its fields.
///
/// A marker that names another object was copied with the annotations that it is among.
pub(super) fn is_foreign(live: &Value, id: &ResourceId) -> bool {
    let managers: Vec<&str> =
        list(live, "/metadata/managedFields").iter().map(|entry| text(entry, "/manager")).collect();
    let is_kubernetes = !managers.is_empty() && managers.iter().all(|manager| KUBERNETES.contains(manager));
    text(live, OWNER) != id.as_str() && !managers.contains(&MANAGER) && !is_kubernetes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(owner: Option<&str>, managers: &[&str]) -> Value {
        let entries: Vec<Value> = managers.iter().map(|manager| json!({"manager": manager})).collect();
        let mut object = json!({"metadata": {"name": "x", "managedFields": entries}});
        if let Some(owner) = owner {
            object["metadata"]["annotations"] = json!({"kubewright.io/owner": owner});
        }
        object
    }

    #[test]
    fn a_marker_our_manager_or_kubernetes_itself_speak_for_an_object() {
        let id: ResourceId = "object/v1/ConfigMap/kube-system/x".parse().unwrap();
        for (owner, managers, foreign) in [
            (Some(id.as_str()), &["kubectl"][..], false),
            (None, &["kubewright", "kubectl"], false),
            (None, &["kube-apiserver"], false),
            (None, &["kubectl-client-side-apply", "kube-controller-manager"], true),
            (None, &["helm"], true),
            (None, &[], true),
            (Some("object/v1/ConfigMap/kube-system/y"), &["helm"], true),
        ] {
            assert_eq!(is_foreign(&object(owner, managers), &id), foreign, "{owner:?} {managers:?}");
        }
    }
}
