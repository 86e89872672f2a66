//! Lists: owned as one, as a set, or item by item.

use serde_json::Value;

use super::{Extras, FieldSet, Projector, View};

/// Key fields that manifests leave out because the API has a default for them.
const DEFAULT_KEYS: &[(&str, &str)] = &[("protocol", "TCP")];

impl Projector<'_> {
    pub(super) fn array(&self, live: &Value, view: View<'_>) -> Option<Value> {
        let Value::Array(items) = live else { return None };
        match (view.ours, view.desired) {
            (None, None) => return None,
            (_, Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_))) => {
                return Some(live.clone());
            }
            (Some(ours), _) if ours.is_leaf() => return Some(self.whole(view, Extras::Hidden)),
            _ => {}
        }
        let sets = || [view.ours, view.others].into_iter().flatten();
        if let Some(names) = sets().find_map(FieldSet::key_names) {
            return Some(self.keyed(items, &names, view));
        }
        if sets().any(|set| !set.values.is_empty()) {
            return Some(members(items, view));
        }
        Some(self.whole(view, Extras::Shown))
    }

    /// Items that are ours or desired, in live order.
    fn keyed(&self, items: &[Value], names: &[&str], view: View<'_>) -> Value {
        let desired = matches(items, names, view.desired);
        let recorded = matches(items, names, view.recorded);
        let projected = items.iter().enumerate().filter_map(|(index, live)| {
            let item = View {
                live: Some(live),
                ours: view.ours.and_then(|set| set.item(live)),
                others: view.others.and_then(|set| set.item(live)),
                desired: desired.get(index).copied().flatten(),
                recorded: recorded.get(index).copied().flatten(),
                quantities: view.quantities,
            };
            self.value(item)
        });
        Value::Array(projected.collect())
    }
}

/// For each live item the item of `list` that has the same keys.
fn matches<'a>(items: &[Value], names: &[&str], list: Option<&'a Value>) -> Vec<Option<&'a Value>> {
    let mut found = vec![None; items.len()];
    let mut left: Vec<&Value> = list.and_then(Value::as_array).into_iter().flatten().collect();
    // Items that name all their keys first, then those that rely on defaults, then those whose default is not known.
    for with in [key as fn(&Value, &str) -> Key, key_or_default, key_or_any] {
        left.retain(|wanted| {
            let place = items.iter().zip(&found).position(|(live, taken)| {
                taken.is_none() && names.iter().all(|name| with(wanted, name).admits(live.get(*name)))
            });
            match place.and_then(|index| found.get_mut(index)) {
                Some(slot) => {
                    *slot = Some(*wanted);
                    false
                }
                None => true,
            }
        });
    }
    found
}

/// What an item says about one of its key fields.
enum Key {
    Is(Value),
    Missing,
    Any,
}

impl Key {
    fn admits(&self, live: Option<&Value>) -> bool {
        match self {
            Self::Is(value) => live == Some(value),
            Self::Missing => live.is_none(),
            Self::Any => true,
        }
    }
}

fn key(item: &Value, name: &str) -> Key {
    item.get(name).map_or(Key::Missing, |value| Key::Is(value.clone()))
}

fn key_or_default(item: &Value, name: &str) -> Key {
    let default = || DEFAULT_KEYS.iter().find(|(known, _)| *known == name);
    match item.get(name) {
        Some(value) => Key::Is(value.clone()),
        None => default().map_or(Key::Missing, |(_, value)| Key::Is(Value::from(*value))),
    }
}

fn key_or_any(item: &Value, name: &str) -> Key {
    item.get(name).map_or(Key::Any, |value| Key::Is(value.clone()))
}

/// Members of a set that are ours or desired; in the desired order when they are the same.
fn members(items: &[Value], view: View<'_>) -> Value {
    let wanted: &[Value] = view.desired.and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let owned: &[Value] = view.ours.map_or(&[], |set| &set.values);
    let present: Vec<Value> =
        items.iter().filter(|item| wanted.contains(item) || owned.contains(item)).cloned().collect();
    let same = present.len() == wanted.len() && wanted.iter().all(|item| present.contains(item));
    Value::Array(if same { wanted.to_vec() } else { present })
}
