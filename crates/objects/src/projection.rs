//! A live object as far as it concerns us: our fields and the desired ones, in the words of the desired manifest.
//!
//! Server-side apply keeps, per manager, which fields it set. What stands in a live object beyond that (defaults, status,
//! fields of controllers and of people) is none of our business and is left out. What we own, and what the spec wants,
//! shows its live value, so that an object that agrees projects to exactly the desired manifest.

mod equivalence;
mod field_set;
mod list;
mod secret;

use engine::Output;
use resource::Reference;
use serde_json::{Map, Value};

use self::equivalence::{holds_quantities, same};
pub(crate) use self::field_set::FieldSet;
pub(crate) use self::secret::with_encoded_data;

/// What references stand for, and how secrets are shown.
pub(crate) struct Projector<'a> {
    /// The output that a reference stands for; `None` where it does not exist yet.
    pub(crate) resolve: &'a dyn Fn(&Reference) -> Option<Output>,
    /// A digest that may be shown instead of a secret text.
    pub(crate) mask: &'a dyn Fn(&[u8]) -> String,
}

/// One place in an object, seen from all sides.
#[derive(Clone, Copy, Default)]
struct View<'a> {
    live: Option<&'a Value>,
    ours: Option<&'a FieldSet>,
    others: Option<&'a FieldSet>,
    desired: Option<&'a Value>,
    recorded: Option<&'a Value>,
    quantities: bool,
}

impl View<'_> {
    fn field(&self, name: &str) -> Self {
        Self {
            live: self.live.and_then(|value| value.get(name)),
            ours: self.ours.and_then(|set| set.fields.get(name)),
            others: self.others.and_then(|set| set.fields.get(name)),
            desired: self.desired.and_then(|value| value.get(name)),
            recorded: self.recorded.and_then(|value| value.get(name)),
            quantities: self.quantities || holds_quantities(name),
        }
    }
}

/// What to do with fields of a value owned as one that neither the spec nor the record names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extras {
    /// The value is ours, so they are defaults.
    Hidden,
    /// The value was set by somebody else, so they are changes.
    Shown,
}

impl Projector<'_> {
    /// Projects a live object, which must carry its `apiVersion` and `kind`.
    ///
    /// `recorded` is the manifest that was applied last.
    pub(crate) fn project(&self, live: &Value, desired: Option<&Value>, recorded: Option<&Value>) -> Value {
        let (mut ours, others) = FieldSet::of_object(live);
        let secret = secret::Content::take(live, &mut ours, desired);
        let stripped = desired.map(|desired| without(desired, secret.is_some(), &["data", "stringData"]));
        let view = View {
            live: Some(live),
            // A manager that owns nothing has an empty set, which is not the leaf that stands for a whole value.
            ours: Some(&ours).filter(|set| !set.is_leaf()),
            others: Some(&others).filter(|set| !set.is_leaf()),
            desired: stripped.as_ref(),
            recorded,
            quantities: false,
        };
        let mut projected = match self.object(live, view) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        for name in ["apiVersion", "kind"] {
            if let Some(value) = live.get(name) {
                projected.insert(name.to_owned(), value.clone());
            }
        }
        // Status is the controllers'; a manifest that carries one is not taken at its word.
        projected.remove("status");
        if let Some(status) = desired.and_then(|desired| desired.get("status")) {
            projected.insert("status".to_owned(), status.clone());
        }
        if let Some(content) = secret {
            content.project(self, &mut projected);
        }
        Value::Object(projected)
    }

    fn value(&self, view: View<'_>) -> Option<Value> {
        if let Some(reference) = view.desired.and_then(Reference::from_value) {
            return view.live.map(|live| self.referred(live, &reference));
        }
        // A null asks for nothing.
        if view.desired.is_some_and(Value::is_null) && view.ours.is_none() {
            return Some(Value::Null);
        }
        match view.live {
            None | Some(Value::Null) => missing(view),
            Some(live @ Value::Object(_)) => self.object(live, view),
            Some(live @ Value::Array(_)) => self.array(live, view),
            Some(live) => match view.desired {
                Some(desired) if same(desired, live, view.quantities) => Some(desired.clone()),
                Some(_) => Some(live.clone()),
                None => view.ours.map(|_| self.unwanted(live, view.recorded)),
            },
        }
    }

    fn object(&self, live: &Value, view: View<'_>) -> Option<Value> {
        match view.ours {
            Some(ours) if ours.is_leaf() => return Some(self.whole(view, Extras::Hidden)),
            None if view.desired.is_none() => return None,
            None if view.others.is_some_and(FieldSet::is_leaf) => return Some(self.whole(view, Extras::Shown)),
            _ => {}
        }
        let wanted = match view.desired {
            Some(Value::Object(fields)) => Some(fields),
            None | Some(Value::Null) => None,
            Some(_) => return Some(live.clone()),
        };
        let mut projected = Map::new();
        let owned = view.ours.into_iter().flat_map(|set| set.fields.keys());
        for name in owned.chain(wanted.into_iter().flat_map(Map::keys)) {
            if !projected.contains_key(name)
                && let Some(value) = self.value(view.field(name))
            {
                projected.insert(name.clone(), value);
            }
        }
        (wanted.is_some() || !projected.is_empty()).then_some(Value::Object(projected))
    }

    /// A value that is owned as one: every field of it counts, save defaults that the server put into ours.
    fn whole(&self, view: View<'_>, extras: Extras) -> Value {
        let Some(live) = view.live else { return Value::Null };
        if let Some(reference) = view.desired.and_then(Reference::from_value) {
            return self.referred(live, &reference);
        }
        match live {
            Value::Object(fields) => {
                let named = view.desired.is_some() || view.recorded.is_some();
                let all = extras == Extras::Shown || !named;
                let mut projected = Map::new();
                for name in fields.keys().filter(|name| all || is_named(view, name)) {
                    projected.insert(name.clone(), self.whole(view.field(name), extras));
                }
                let wanted = view.desired.and_then(Value::as_object).into_iter().flatten();
                // The server drops empty values when it stores an object.
                for (name, value) in wanted.filter(|(name, value)| !fields.contains_key(*name) && is_empty(value)) {
                    projected.insert(name.clone(), value.clone());
                }
                Value::Object(projected)
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(index, live)| {
                    let at = |value: Option<&Value>| value.and_then(|value| value.get(index)).cloned();
                    let (desired, recorded) = (at(view.desired), at(view.recorded));
                    let item =
                        View { live: Some(live), desired: desired.as_ref(), recorded: recorded.as_ref(), ..view };
                    self.whole(item, extras)
                });
                Value::Array(items.collect())
            }
            _ => match view.desired {
                Some(desired) if same(desired, live, view.quantities) => desired.clone(),
                Some(_) => live.clone(),
                None => self.unwanted(live, view.recorded),
            },
        }
    }

    /// The reference itself when the live value is what it stands for, else the live value, masked where it is secret.
    fn referred(&self, live: &Value, reference: &Reference) -> Value {
        let output = (self.resolve)(reference);
        let agrees = match &output {
            Some(Output::Public(value)) => value == live,
            Some(Output::Secret(secret)) => live.as_str() == Some(secret.reveal()),
            None => false,
        };
        match output {
            _ if agrees => reference.to_value(),
            Some(Output::Public(_)) => live.clone(),
            _ => Value::String((self.mask)(live.as_str().unwrap_or_default().as_bytes())),
        }
    }

    /// A live value that is ours and no longer wanted; masked when it came from a reference, which may be a secret's.
    fn unwanted(&self, live: &Value, recorded: Option<&Value>) -> Value {
        match recorded.and_then(Reference::from_value) {
            Some(_) => Value::String((self.mask)(live.as_str().unwrap_or_default().as_bytes())),
            None => live.clone(),
        }
    }
}

/// What a field that is not there projects to: the desired value when the server drops that on its way in.
fn missing(view: View<'_>) -> Option<Value> {
    let desired = view.desired?;
    let dropped = match desired {
        Value::Null => true,
        Value::Object(fields) if !fields.is_empty() => {
            Reference::from_value(desired).is_none() && fields.keys().all(|name| missing(view.field(name)).is_some())
        }
        // Only while it counts as ours: otherwise somebody has removed it.
        empty => is_empty(empty) && view.ours.is_some(),
    };
    dropped.then(|| desired.clone())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

fn is_named(view: View<'_>, name: &str) -> bool {
    [view.desired, view.recorded].into_iter().flatten().any(|value| value.get(name).is_some())
}

fn without(value: &Value, applies: bool, names: &[&str]) -> Value {
    let mut value = value.clone();
    if let (true, Value::Object(fields)) = (applies, &mut value) {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
    value
}

#[cfg(test)]
mod tests;
