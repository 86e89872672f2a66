//! Placeholders in texts of the user's that machines would try to fill in, and can't.

use machine::holes;
use resource::Severity;
use serde_json::Value;
use spec::{Cluster, InstanceGroup, field_path};

use super::{Remark, ReviewError, of_cluster, of_group, remark};
use crate::builder::encode;

/// Every text of a document may come into a file of a machine, and the agent looks at all of those.
pub(super) fn check(cluster: &Cluster, groups: &[InstanceGroup]) -> Result<Vec<Remark>, ReviewError> {
    let mut remarks = Vec::new();
    walk(&encode("the cluster", &cluster.spec)?, "spec", &of_cluster(cluster), &mut remarks);
    for group in groups {
        walk(&encode("a group", &group.spec)?, "spec", &of_group(group), &mut remarks);
    }
    Ok(remarks)
}

/// What goes to the cluster and into no file of a machine.
const OF_THE_CLUSTER: [&str; 3] = ["spec.addons.manifests", "spec.annotations", "spec.networking.kubeProxy.config"];

fn walk(value: &Value, path: &str, document: &str, remarks: &mut Vec<Remark>) {
    if OF_THE_CLUSTER.contains(&path) {
        return;
    }
    match value {
        Value::String(text) => remarks.extend(holes::unknown(text).map(|hole| unknown(hole, path, document))),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{index}]"), document, remarks);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = field_path(path, name);
                remarks.extend(holes::unknown(name).map(|hole| unknown(hole, &path, document)));
                walk(value, &path, document, remarks);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn unknown(hole: &str, path: &str, document: &str) -> Remark {
    let known: Vec<String> = holes::NAMES.iter().map(|name| format!("`{{{{{name}}}}}`")).collect();
    let message = format!("machines fill in what stands between braces, and nothing is known for {{{{{hole}}}}}");
    let help =
        format!("with a blank inside, `{{{{ {hole} }}}}`, it stays as it is; filled in are {}", known.join(", "));
    remark(document.to_owned(), Severity::Error, "spec::unknown-hole", path.to_owned(), message, help)
}
