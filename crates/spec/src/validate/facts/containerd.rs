//! Additions to containerd's configuration: keys that it and its plugins have, with values of their types.

use serde_json::{Map, Value};

use super::super::containerd::has_moved;
use super::super::{Finding, World};
use super::Known;
use super::fields::{self, Types, Wrong};
use crate::check::join;
use crate::suggest;

const FIELD: &str = "spec.containerd.additions";
/// The structure that is not a plugin's.
const ROOT: &str = "";
/// What the names of all plugins begin with.
const PLUGIN: &str = "io.containerd.";

pub(super) fn check(world: &World<'_>, known: &Known) -> Vec<Finding> {
    let (Some(cluster), Some(types)) = (world.cluster(), known.types("containerd")) else { return Vec::new() };
    let additions = cluster.value.spec.containerd.additions.as_deref().and_then(read);
    let wrong = additions.map(|table| all(types, table)).unwrap_or_default();
    wrong.into_iter().map(|wrong| finding(wrong).at(cluster, FIELD)).collect()
}

/// The table of a text; one that is none is complained about elsewhere.
fn read(text: &str) -> Option<Map<String, Value>> {
    match serde_json::to_value(text.parse::<toml::Table>().ok()?).ok()? {
        Value::Object(table) => Some(table),
        _ => None,
    }
}

fn all(types: &Types, mut table: Map<String, Value>) -> Vec<Wrong> {
    let plugins = table.remove("plugins");
    // Its own rule knows more about it.
    table.remove("version");
    let mut wrong = fields::check(types, ROOT, &table, "");
    let required = table.get("required_plugins").and_then(Value::as_array).into_iter().flatten();
    for (index, name) in required.enumerate().filter_map(|(index, name)| Some((index, name.as_str()?))) {
        if !types.contains_key(name) || !name.starts_with(PLUGIN) {
            let path = format!("required_plugins[{index}]");
            wrong.push(Wrong::Mistyped { path, wanted: "the name of a plugin that there is".to_owned(), help: None });
        }
    }
    for (name, settings) in plugins.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let path = join("plugins", name);
        // What is no table has a rule of its own, and so has what moved elsewhere.
        let Some(settings) = settings.as_object() else { continue };
        if !types.contains_key(name) || !name.starts_with(PLUGIN) {
            let plugins = types.keys().map(String::as_str).filter(|name| name.starts_with(PLUGIN));
            let meant = suggest::nearest(name, plugins).map(str::to_owned);
            wrong.push(Wrong::Unknown { path, name: name.clone(), meant });
        } else {
            let own = settings.iter().filter(|(setting, _)| !has_moved(name, setting));
            let own = own.map(|(setting, value)| (setting.clone(), value.clone())).collect();
            wrong.extend(fields::check(types, name, &own, &path));
        }
    }
    wrong
}

fn finding(wrong: Wrong) -> Finding {
    match wrong {
        Wrong::Unknown { path, name, meant } => {
            let what = if name.starts_with(PLUGIN) { "plugin" } else { "setting" };
            let message = format!("containerd has no {what} `{path}` and goes on without it");
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            Finding { help, ..Finding::warning("spec::unknown-containerd-setting", message) }
        }
        Wrong::Mistyped { path, wanted, help } => {
            let message = format!("containerd wants {wanted} as `{path}` and does not start with anything else");
            Finding { help, ..Finding::error("spec::containerd", message) }
        }
    }
}
