//! Whose a live object is: by our marker, by who set its fields, and by who makes such objects on their own.

use resource::ResourceId;
use serde_json::Value;

use crate::field::{LINEAGE, OWNER, list, text};
use crate::request::MANAGER;

/// Managers of fields that are parts of Kubernetes: what they alone made, such as default roles, every cluster has.
const KUBERNETES: [&str; 3] = ["kube-apiserver", "kube-controller-manager", "kubelet"];

/// Whether somebody else made this object in the place of `id`: it carries no marker of ours, and we set none of its fields; or
/// it names another cluster's state than our manifest does.
///
/// A marker that names another object was copied with the annotations that it is among.
pub(super) fn is_foreign(live: &Value, id: &ResourceId, manifest: &Value) -> bool {
    if is_of_another_state(live, manifest) {
        return true;
    }
    let managers: Vec<&str> =
        list(live, "/metadata/managedFields").iter().map(|entry| text(entry, "/manager")).collect();
    let is_kubernetes = !managers.is_empty() && managers.iter().all(|manager| KUBERNETES.contains(manager));
    text(live, OWNER) != id.as_str() && !managers.contains(&MANAGER) && !is_kubernetes
}

/// Whether an object names another cluster's state than a manifest of ours: it was copied here from there. Earlier releases
/// named none.
pub(super) fn is_of_another_state(live: &Value, manifest: &Value) -> bool {
    let (theirs, ours) = (text(live, LINEAGE), text(manifest, LINEAGE));
    !theirs.is_empty() && !ours.is_empty() && theirs != ours
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
            assert_eq!(is_foreign(&object(owner, managers), &id, &Value::Null), foreign, "{owner:?} {managers:?}");
        }
    }

    #[test]
    fn an_object_of_another_clusters_state_is_foreign_though_it_carries_a_marker() {
        let id: ResourceId = "object/v1/ConfigMap/kube-system/x".parse().unwrap();
        let of = |lineage: &str| {
            let mut live = object(Some(id.as_str()), &["kubewright"]);
            live["metadata"]["annotations"]["kubewright.io/lineage"] = json!(lineage);
            live
        };
        assert!(is_foreign(&of("1"), &id, &of("2")));
        assert!(!is_foreign(&of("1"), &id, &of("1")));
        let earlier = object(Some(id.as_str()), &["kubewright"]);
        assert!(!is_foreign(&earlier, &id, &of("1")) && !is_foreign(&of("1"), &id, &earlier));
    }
}
