//! What a drain is told of the group that its node is in: what may be lost, and how long it may take.

use serde_json::{Value, json};
use spec::{Drain, InstanceGroup};

use crate::nodes::GROUP_LABEL;

/// The inputs of the drain of a node with these recorded inputs.
///
/// Of a group that the documents no longer have, what they said at the last run holds.
pub fn drain_inputs(name: &str, node: &Value, groups: &[InstanceGroup], earlier: &[Value]) -> Value {
    let group = node["labels"][GROUP_LABEL].as_str().unwrap_or_default();
    let wanted = groups.iter().find(|found| found.metadata.name == group).map(|found| found.spec.drain.clone());
    let drain = wanted.or_else(|| at_the_last_run(group, earlier)).unwrap_or_default();
    json!({
        "access": node["access"],
        "node": name,
        "group": group,
        "deleteEmptyDirData": drain.delete_empty_dir_data,
        "force": drain.force,
        "timeoutSeconds": drain.timeout_seconds,
    })
}

fn at_the_last_run(group: &str, earlier: &[Value]) -> Option<Drain> {
    let of_group = |document: &&Value| document["kind"] == "InstanceGroup" && document["metadata"]["name"] == group;
    // Documents that an older kubewright kept have no such field.
    serde_json::from_value(earlier.iter().find(of_group)?["spec"]["drain"].clone()).ok()
}

#[cfg(test)]
mod tests {
    use spec::{HostContext, Source};

    use super::*;

    fn groups(drain: &str) -> Vec<InstanceGroup> {
        let version = "apiVersion: kubewright.io/v1alpha1";
        let text = format!(
            "{version}\nkind: Cluster\nmetadata: {{name: demo}}\nspec: {{kubernetesVersion: \"1.36\"}}\n---\n\
             {version}\nkind: InstanceGroup\nmetadata: {{name: cp, cluster: demo}}\nspec: {{role: ControlPlane}}\n---\n\
             {version}\nkind: InstanceGroup\nmetadata: {{name: w, cluster: demo}}\nspec: {{role: Worker{drain}}}\n"
        );
        let loaded = spec::load(&[Source::new("demo.yaml", &text)], &HostContext::default());
        loaded.effective.expect("these documents are fine").groups
    }

    fn node() -> Value {
        json!({"access": "ACCESS", "labels": {GROUP_LABEL: "w"}})
    }

    #[test]
    fn the_group_of_the_documents_says_what_may_be_lost() {
        let inputs = drain_inputs("w-1", &node(), &groups(", drain: {force: true, timeoutSeconds: 60}"), &[]);
        let consents = (&inputs["force"], &inputs["deleteEmptyDirData"], &inputs["timeoutSeconds"]);
        assert_eq!(consents, (&json!(true), &json!(false), &json!(60)));
        assert_eq!(
            (&inputs["access"], &inputs["node"], &inputs["group"]),
            (&json!("ACCESS"), &json!("w-1"), &json!("w"))
        );
    }

    #[test]
    fn by_default_nothing_may_be_lost() {
        for groups in [groups(""), Vec::new()] {
            let inputs = drain_inputs("w-1", &node(), &groups, &[]);
            let consents = (&inputs["force"], &inputs["deleteEmptyDirData"], &inputs["timeoutSeconds"]);
            assert_eq!(consents, (&json!(false), &json!(false), &json!(300)));
        }
    }

    #[test]
    fn of_a_group_that_is_gone_the_documents_of_the_last_run_speak() {
        let earlier = json!({"kind": "InstanceGroup", "metadata": {"name": "w"}, "spec": {"drain": {"force": true}}});
        assert_eq!(drain_inputs("w-1", &node(), &[], std::slice::from_ref(&earlier))["force"], true);
        assert_eq!(drain_inputs("w-1", &node(), &groups(""), &[earlier])["force"], false, "the group is there");
        let of_an_older_release = json!({"kind": "InstanceGroup", "metadata": {"name": "w"}, "spec": {"count": 2}});
        assert_eq!(drain_inputs("w-1", &node(), &[], &[of_an_older_release])["timeoutSeconds"], 300);
    }
}
