//! What an update of a machine's config says about the room for pods on its Node.

use render::kubelet::CONFIG_PATH;
use serde_json::{Map, Value, json};

use crate::ids::{self, output};

/// The fields of kubelet's configuration that decide how much of a Node pods may have.
const DECISIVE: [&str; 4] = ["evictionHard", "kubeReserved", "maxPods", "systemReserved"];

/// What must be known to look at a Node whose machine's config goes from one to another; nothing where there is as much room for
/// pods as before.
pub fn room_inputs(cluster: &str, node: &str, before: &Value, after: &Value) -> Option<Value> {
    let (before, after) = (decisive(before)?, decisive(after)?);
    let access = output(ids::cluster(cluster), "access");
    (before != after).then(|| json!({"access": access, "node": node, "before": before, "after": after}))
}

/// The decisive fields in a machine's config.
fn decisive(config: &Value) -> Option<Value> {
    let file = &config["config"]["group"]["files"][CONFIG_PATH];
    let configuration = render::kubelet::read(file["content"]["text"].as_str()?)?;
    let fields = DECISIVE.iter().filter_map(|name| Some(((*name).to_owned(), configuration.get(name)?.clone())));
    Some(Value::Object(fields.collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Value {
        json!({"config": {"group": {"files": {CONFIG_PATH: {"content": {"text": text}}}}}})
    }

    #[test]
    fn only_what_decides_how_much_pods_may_have_is_looked_into() {
        let (plain, reserving) = (config("clusterDomain: a"), config("kubeReserved: {cpu: 100m}\nclusterDomain: b"));
        let inputs = room_inputs("demo", "w-1", &plain, &reserving).unwrap();
        assert_eq!((&inputs["before"], &inputs["after"]), (&json!({}), &json!({"kubeReserved": {"cpu": "100m"}})));
        assert_eq!(
            (inputs["node"].as_str(), inputs["access"].to_string().contains("cluster/demo")),
            (Some("w-1"), true)
        );
        assert_eq!(room_inputs("demo", "w-1", &plain, &config("clusterDomain: b")), None);
        assert_eq!(room_inputs("demo", "w-1", &json!({}), &reserving), None, "what was never made has no pods");
    }
}
