//! What a preview names: changes with their fields, and what is recorded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::world::World;

/// Fields by change, such as `update network/demo` and `subnet`.
pub(crate) type Changes = BTreeMap<String, BTreeSet<String>>;

/// What an update of a cluster would change.
pub(crate) fn update(world: &mut World, cluster: &str) -> Changes {
    let plan = plan(world, &["update", "cluster", cluster, "-o", "json"]);
    let named = |change: &Value| {
        let fields = change["fields"].as_array().expect("fields").iter().map(|field| field_name(&field["path"]));
        (text(&change["id"]), fields.collect())
    };
    plan.iter().map(named).collect()
}

/// What is recorded of a cluster, by resource: what its deletion would begin with.
pub(crate) fn recorded(world: &mut World, cluster: &str) -> BTreeMap<String, Value> {
    let plan = plan(world, &["delete", "cluster", cluster, "-o", "json"]);
    plan.into_iter().map(|change| (text(&change["resource"]), change["before"].clone())).collect()
}

fn plan(world: &mut World, arguments: &[&str]) -> Vec<Value> {
    let text = world.kubewright(arguments);
    let plan: Value = serde_json::from_str(&text).expect("a plan is JSON");
    plan["changes"].as_array().expect("changes").clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A field's path in words. Of a machine's config the part does not matter, and of a file how its content is written.
fn field_name(path: &Value) -> String {
    let path: Vec<&str> = path.as_array().expect("a path").iter().filter_map(Value::as_str).collect();
    match path.as_slice() {
        ["config", _, "files", file, "content", ..] => format!("files {file} content"),
        ["config", _, rest @ ..] => rest.join(" "),
        whole => whole.join(" "),
    }
}
