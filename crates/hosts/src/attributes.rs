//! What an agent found, in the shape of the inputs: a pure mapping.

use std::collections::{BTreeMap, BTreeSet};

use machine::{Facts, Holes, Item, ItemState, MachineConfig, Reply};
use serde_json::{Map, Value, json};

use crate::observe_query::ObserveQuery;

/// What an agent found on a machine.
#[derive(Debug)]
pub(crate) struct Found {
    /// State by item.
    pub(crate) items: BTreeMap<String, ItemState>,
    /// Which of the probed paths exist.
    pub(crate) exists: BTreeSet<String>,
    /// The facts that filled the holes.
    pub(crate) facts: Facts,
    /// Whether its member of etcd serves, where it has one.
    pub(crate) member_serves: Option<bool>,
}

impl Found {
    /// What an agent's reply to a question says; `None` for the reply to something else.
    pub(crate) fn of(reply: Reply) -> Option<Self> {
        let Reply::Observed { items, exists, facts, member_serves } = reply else { return None };
        Some(Self { items, exists: exists.into_iter().collect(), facts, member_serves })
    }
}

/// Attributes of a `machine-config`: the inputs, with everything that is not as they say replaced or removed.
///
/// What `recorded` has and the inputs no longer have stands in them too, as long as it is there. Where a text is just
/// the recorded one it stands as it was recorded, so that a preview shows texts and not digests. `Err` says why
/// something could not be looked at.
pub(crate) fn attributes(
    inputs: &Value,
    recorded: Option<&Value>,
    question: &ObserveQuery,
    found: &Found,
) -> Result<Value, String> {
    all_known(&question.config, &found.items)?;
    let mut seen = inputs.clone();
    let view = View { recorded, holes: Holes::new(&question.config.machine, &found.facts) };
    for (name, state) in &found.items {
        if let Some(item) = Item::parse(name) {
            view.apply(&mut seen, item, state);
        }
    }
    for path in question.waiting.keys() {
        waiting(&mut seen, path, found.exists.contains(path));
    }
    if let Some(recorded) = recorded {
        keep_unwanted_files(&mut seen, recorded, question.unwanted.intersection(&found.exists));
        keep_unwanted_entries(&mut seen, inputs, recorded);
    }
    Ok(seen)
}

/// Everything was asked for, so everything must have been answered.
fn all_known(config: &MachineConfig, items: &BTreeMap<String, ItemState>) -> Result<(), String> {
    let group = &config.group;
    let expected = (group.packages.iter().map(|name| Item::Package(name)))
        .chain(group.kernel_modules.iter().map(|name| Item::Module(name)))
        .chain(group.sysctls.keys().map(|name| Item::Sysctl(name)))
        .chain(group.directories.keys().map(|path| Item::Directory(path)))
        .chain(group.files.keys().chain(config.machine.files.keys()).map(|path| Item::File(path)))
        .chain(group.units.keys().map(|name| Item::Unit(name)));
    for item in expected {
        if !items.contains_key(&item.to_string()) {
            return Err(format!("its agent says nothing about {item}"));
        }
    }
    let unknown = items.iter().find_map(|(item, state)| match state {
        ItemState::Unknown { why } => Some(format!("{item} could not be looked at: {why}")),
        _ => None,
    });
    unknown.map_or(Ok(()), Err)
}

struct View<'a> {
    recorded: Option<&'a Value>,
    holes: Holes,
}

impl View<'_> {
    fn apply(&self, seen: &mut Value, item: Item<'_>, state: &ItemState) {
        let fields = match state {
            ItemState::Same | ItemState::Unknown { .. } => return,
            ItemState::Missing => None,
            ItemState::Differs { fields } => Some(fields),
        };
        match item {
            Item::Package(name) => replace_element(seen, "packages", name, fields),
            Item::Module(name) => replace_element(seen, "kernelModules", name, fields),
            Item::Sysctl(name) => replace_entry(seen, &["group", "sysctls"], name, fields, |value, fields| {
                *value = json!(value_text(value.as_str().unwrap_or_default(), fields));
            }),
            Item::Swap => set(seen, "group", "swapOff", json!(false)),
            Item::Hostname => {
                let wanted = text_at(seen, &["config", "machine", "nodeName"]);
                let found = fields.map_or_else(String::new, |fields| value_text(&wanted, fields));
                set(seen, "machine", "nodeName", json!(found));
            }
            Item::Directory(path) => replace_entry(seen, &["group", "directories"], path, fields, set_fields),
            Item::File(path) => {
                let recorded = self.recorded.and_then(|recorded| file(recorded, path));
                let place = Item::File(path).to_string();
                for part in ["group", "machine"] {
                    replace_entry(seen, &[part, "files"], path, fields, |entry, fields| {
                        self.set_file(entry, fields, recorded, &place);
                    });
                }
            }
            Item::Unit(name) => replace_entry(seen, &["group", "units"], name, fields, set_unit),
        }
    }

    fn set_file(&self, entry: &mut Value, fields: &BTreeMap<String, String>, recorded: Option<&Value>, place: &str) {
        for (field, found) in fields {
            match (field.as_str(), entry.get_mut("content")) {
                ("text", _) => {}
                ("content", Some(content)) => {
                    *content = recorded
                        .and_then(|recorded| recorded.get("content"))
                        .filter(|recorded| self.is_content(recorded, found, place))
                        .cloned()
                        .or_else(|| {
                            fields.get("text").map(|text| json!({"text": self.with_holes(content, text, place)}))
                        })
                        .unwrap_or_else(|| content_as_found(content, found));
                }
                _ => set_field(entry, field, json!(found)),
            }
        }
    }

    /// A text as it was found, but with the wanted line wherever the two are the same once its holes are filled: what
    /// is shown as a difference is one.
    fn with_holes(&self, wanted: &Value, found: &str, place: &str) -> String {
        let wanted = wanted.get("text").and_then(Value::as_str).unwrap_or_default();
        let filled = |line: &str| self.holes.fill(place, line).ok();
        let open: BTreeMap<String, &str> = (wanted.split_inclusive('\n').filter(|line| line.contains("{{")))
            .filter_map(|line| Some((filled(line)?, line)))
            .collect();
        found.split_inclusive('\n').map(|line| open.get(line).copied().unwrap_or(line)).collect()
    }

    /// Whether a recorded text is what was found.
    fn is_content(&self, recorded: &Value, found: &str, place: &str) -> bool {
        let text = recorded.get("text").and_then(Value::as_str);
        let filled = text.and_then(|text| self.holes.fill(place, text).ok());
        filled.is_some_and(|filled| machine::digest::public(filled.as_bytes()) == found)
    }
}

/// A content of the same kind as the wanted one, but with what was found.
fn content_as_found(wanted: &Value, found: &str) -> Value {
    let kind = wanted.as_object().and_then(|content| content.keys().next()).map_or("text", String::as_str);
    match (kind, wanted.get(kind)) {
        ("uploaded", Some(Value::Object(uploaded))) => {
            let mut uploaded = uploaded.clone();
            uploaded.insert("sha256".to_owned(), json!(found.trim_start_matches("sha256:")));
            json!({ "uploaded": uploaded })
        }
        ("provided", Some(Value::Object(_))) => json!({"provided": {"asset": found}}),
        _ => json!({ kind: found }),
    }
}

/// A file whose content is not made yet was not compared: what is there is another one for sure.
fn waiting(seen: &mut Value, path: &str, exists: bool) {
    for part in ["group", "machine"] {
        let Some(files) = entries(seen, &[part, "files"]) else { continue };
        if !exists {
            files.remove(path);
        } else if let Some(file) = files.get_mut(path)
            && file.get("createOnly") != Some(&json!(true))
        {
            let is_secret = file["content"].get("secret").is_some();
            let content = content_as_found(&file["content"], if is_secret { "hmac:unknown" } else { "sha256:unknown" });
            set_field(file, "content", content);
        }
    }
}

fn keep_unwanted_files<'a>(seen: &mut Value, recorded: &Value, paths: impl Iterator<Item = &'a String>) {
    for path in paths {
        for part in ["group", "machine"] {
            let Some(file) = recorded["config"][part]["files"].get(path) else { continue };
            set_entry(seen, part, "files", path, file.clone());
        }
    }
}

/// What is no longer wanted is not asked for, so it counts as being as it was recorded.
fn keep_unwanted_entries(seen: &mut Value, inputs: &Value, recorded: &Value) {
    for section in ["sysctls", "directories", "units"] {
        let Some(known) = recorded["config"]["group"][section].as_object() else { continue };
        let wanted = &inputs["config"]["group"][section];
        for (name, entry) in known.iter().filter(|(name, _)| wanted.get(name).is_none()) {
            set_entry(seen, "group", section, name, entry.clone());
        }
    }
}

/// `value` now and `boot` for the next boot, as one text. What is not among the fields is as wanted.
fn value_text(wanted: &str, fields: &BTreeMap<String, String>) -> String {
    let now = fields.get("value").map_or(wanted, String::as_str);
    match fields.get("boot") {
        Some(boot) if boot != now => format!("{now} (next boot: {boot})"),
        _ => now.to_owned(),
    }
}

fn set_unit(unit: &mut Value, fields: &BTreeMap<String, String>) {
    for (field, found) in fields {
        // Enabled is what it was wanted to be before, in the words of the config.
        let value = if (field.as_str(), found.as_str()) == ("enabled", "enabled") { json!(true) } else { json!(found) };
        // What runs or not stands against the field that says when it must run.
        set_field(unit, if field == "running" { "start" } else { field }, value);
    }
}

fn set_fields(entry: &mut Value, fields: &BTreeMap<String, String>) {
    for (field, found) in fields {
        set_field(entry, field, json!(found));
    }
}

fn set_field(entry: &mut Value, field: &str, found: Value) {
    if let Value::Object(entry) = entry {
        entry.insert(field.to_owned(), found);
    }
}

/// Changes an entry of a map as found; removes it where nothing was found.
fn replace_entry(
    seen: &mut Value,
    path: &[&str],
    name: &str,
    fields: Option<&BTreeMap<String, String>>,
    change: impl FnOnce(&mut Value, &BTreeMap<String, String>),
) {
    let Some(entries) = entries(seen, path) else { return };
    match (fields, entries.get_mut(name)) {
        (Some(fields), Some(entry)) => change(entry, fields),
        _ => {
            entries.remove(name);
        }
    }
}

/// The same in a list of names.
fn replace_element(seen: &mut Value, section: &str, name: &str, fields: Option<&BTreeMap<String, String>>) {
    let Some(elements) = seen["config"]["group"][section].as_array_mut() else { return };
    match fields {
        None => elements.retain(|element| element != name),
        Some(fields) => {
            let found: Vec<String> = fields.iter().map(|(field, found)| format!("{field}: {found}")).collect();
            for element in elements.iter_mut().filter(|element| *element == name) {
                *element = json!(format!("{name} ({})", found.join(", ")));
            }
        }
    }
}

fn entries<'a>(seen: &'a mut Value, path: &[&str]) -> Option<&'a mut Map<String, Value>> {
    path.iter().try_fold(seen.get_mut("config")?, |value, name| value.get_mut(*name))?.as_object_mut()
}

fn set(seen: &mut Value, part: &str, field: &str, found: Value) {
    if let Some(part) = entries(seen, &[part]) {
        part.insert(field.to_owned(), found);
    }
}

fn set_entry(seen: &mut Value, part: &str, section: &str, name: &str, entry: Value) {
    let Some(part) = entries(seen, &[part]) else { return };
    if let Value::Object(section) = part.entry(section).or_insert_with(|| json!({})) {
        section.insert(name.to_owned(), entry);
    }
}

fn file<'a>(inputs: &'a Value, path: &str) -> Option<&'a Value> {
    ["group", "machine"].into_iter().find_map(|part| inputs["config"][part]["files"].get(path))
}

fn text_at(value: &Value, path: &[&str]) -> String {
    path.iter().try_fold(value, |value, name| value.get(*name)).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
