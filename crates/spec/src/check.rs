//! A tree against a shape: everything that is wrong, and a value of what is right.

use std::collections::BTreeMap;

use resource::Diagnostic;
use serde_json::{Map, Value};

use crate::shape::{Field, Shape, quoted};
use crate::source::{Source, Span};
use crate::suggest;
use crate::tree::{Entry, Kind, Node};

mod scalar;

/// Where a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its name, for list items the item.
    pub(crate) key: Span,
    /// Its value.
    pub(crate) value: Span,
    /// The value is a list or map.
    pub(crate) nested: bool,
}

impl Place {
    /// What to point at: a value that stands on its line, else the name.
    pub(crate) fn span(self) -> Span {
        if self.nested { self.key } else { self.value }
    }
}

/// What was found in a document.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// What is right of it; `None` where something that must be there isn't.
    pub(crate) value: Option<Value>,
    /// Everything that is wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Where each field is, by path.
    pub(crate) places: BTreeMap<String, Place>,
    /// Paths whose values were dropped.
    pub(crate) faults: Vec<String>,
}

/// Checks `root` against `shape`.
pub(crate) fn check(source: &Source, root: &Node, shape: &Shape) -> Checked {
    let mut checker = Checker { source, root: shape, found: Checked::default() };
    let value = checker.value(root, shape, "");
    Checked { value, ..checker.found }
}

/// The path of a field of what is at `path`, as diagnostics write it: `spec.labels["example.org/a"]`.
pub fn join(path: &str, name: &str) -> String {
    let simple = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    match (path.is_empty(), simple) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{name:?}]"),
    }
}

struct Checker<'a> {
    source: &'a Source,
    root: &'a Shape,
    found: Checked,
}

impl Checker<'_> {
    /// The value of `node`, when it is what `shape` wants.
    fn value(&mut self, node: &Node, shape: &Shape, path: &str) -> Option<Value> {
        match (shape, &node.kind) {
            (Shape::Object(fields), Kind::Map(entries)) => self.object(node, entries, fields, path),
            (Shape::Map { key, value }, Kind::Map(entries)) => {
                let mut map = Map::new();
                for entry in entries {
                    let unfit = key.and_then(|format| (format.check)(&entry.key).err().map(|unfit| (format, unfit)));
                    if let Some((format, unfit)) = unfit {
                        let message = format!("`{}` is not {}: {}", entry.key, format.one, unfit.why);
                        self.fault("spec::invalid-value", message, &join(path, &entry.key), entry.key_span, unfit.help);
                        continue;
                    }
                    if let Some(value) = self.field(entry, value, path) {
                        map.insert(entry.key.clone(), value);
                    }
                }
                Some(Value::Object(map))
            }
            (Shape::List { item, least, most }, Kind::List(items)) => {
                self.list(node, items, item, *least..=*most, path)
            }
            (Shape::Any, _) => {
                self.places_below(node, path);
                Some(node.to_value())
            }
            (_, Kind::Scalar(scalar)) => match scalar::value(scalar, shape) {
                Ok(value) => Some(value),
                Err(wrong) => {
                    self.fault(wrong.code, wrong.message, path, node.span, wrong.help);
                    None
                }
            },
            _ => {
                let found = if matches!(node.kind, Kind::List(_)) { "a list" } else { "a map" };
                self.fault(
                    "spec::wrong-type",
                    format!("expected {}, found {found}", shape.one()),
                    path,
                    node.span,
                    None,
                );
                None
            }
        }
    }

    fn object(
        &mut self,
        node: &Node,
        entries: &[Entry],
        fields: &BTreeMap<String, Field>,
        path: &str,
    ) -> Option<Value> {
        let mut object = Map::new();
        for entry in entries {
            match fields.get(&entry.key) {
                None => self.unknown_field(entry, fields, path),
                Some(field) => {
                    if let Some(value) = self.field(entry, &field.shape, path) {
                        object.insert(entry.key.clone(), value);
                    }
                }
            }
        }
        let mut complete = true;
        for (name, field) in fields.iter().filter(|(_, field)| field.required) {
            complete &= object.contains_key(name);
            if !entries.iter().any(|entry| entry.key == *name) {
                let place = self.found.places.get(path).map_or(node.span, |place| place.span());
                let message = format!("`{name}` is missing: {}", field.shape.one());
                let help = lower(&field.description);
                self.fault("spec::missing-field", message, &join(path, name), place, Some(help));
            }
        }
        complete.then_some(Value::Object(object))
    }

    fn list(
        &mut self,
        node: &Node,
        items: &[Node],
        shape: &Shape,
        allowed: std::ops::RangeInclusive<u64>,
        path: &str,
    ) -> Option<Value> {
        let mut list = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.place(&path, item.span, item);
            list.extend(self.value(item, shape, &path));
        }
        if !allowed.contains(&(items.len() as u64)) {
            let wanted = if allowed.contains(&u64::MAX) {
                format!("at least {}", allowed.start())
            } else {
                format!("{} to {}", allowed.start(), allowed.end())
            };
            let place = self.found.places.get(path).map_or(node.span, |place| place.span());
            let message = format!("expected {wanted} {}, found {}", shape.many(), items.len());
            self.fault("spec::wrong-length", message, path, place, None);
            return None;
        }
        Some(Value::Array(list))
    }

    fn field(&mut self, entry: &Entry, shape: &Shape, path: &str) -> Option<Value> {
        let path = join(path, &entry.key);
        self.place(&path, entry.key_span, &entry.value);
        self.value(&entry.value, shape, &path)
    }

    fn unknown_field(&mut self, entry: &Entry, fields: &BTreeMap<String, Field>, path: &str) {
        let names = || fields.keys().map(String::as_str);
        let help = if let Some(name) = suggest::nearest(&entry.key, names()) {
            format!("did you mean `{name}`?")
        } else if let Some(home) = home_of(self.root, &entry.key, "") {
            format!("it belongs to `{home}`")
        } else {
            format!("known here: {}", quoted(names(), 40))
        };
        let message = format!("unknown field `{}`", entry.key);
        self.fault("spec::unknown-field", message, &join(path, &entry.key), entry.key_span, Some(help));
    }

    fn places_below(&mut self, node: &Node, path: &str) {
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.place(&path, item.span, item);
                    self.places_below(item, &path);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    let path = join(path, &entry.key);
                    self.place(&path, entry.key_span, &entry.value);
                    self.places_below(&entry.value, &path);
                }
            }
        }
    }

    fn place(&mut self, path: &str, key: Span, value: &Node) {
        let nested = !matches!(value.kind, Kind::Scalar(_));
        self.found.places.insert(path.to_owned(), Place { key, value: value.span, nested });
    }

    fn fault(&mut self, code: &str, message: String, path: &str, span: Span, help: Option<String>) {
        self.found.faults.push(path.to_owned());
        let diagnostic = Diagnostic::error(code, message).at_field(path).at(self.source.label(span, "here"));
        self.found.diagnostics.push(Diagnostic { help, ..diagnostic });
    }
}

/// The only section of the document that has a field of this name.
fn home_of(shape: &Shape, name: &str, path: &str) -> Option<String> {
    fn search(shape: &Shape, name: &str, path: &str, homes: &mut Vec<String>) {
        for (key, field) in shape.fields().into_iter().flatten() {
            if key == name {
                homes.push(path.to_owned());
            }
            search(&field.shape, name, &join(path, key), homes);
        }
    }
    let mut homes = Vec::new();
    search(shape, name, path, &mut homes);
    (homes.len() == 1).then(|| homes.swap_remove(0)).filter(|home| !home.is_empty())
}

/// A sentence as a fragment: lower case where it starts, and no full stop at its end.
fn lower(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut characters = sentence.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(sentence.chars().skip(1)).collect()
        }
        _ => sentence.to_owned(),
    }
}
