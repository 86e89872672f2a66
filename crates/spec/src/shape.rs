//! What a document may contain, from the JSON Schema of its type: the one source for checking and for the reference.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::format::{self, Format};

/// What a value may be.
pub(crate) enum Shape {
    /// A map with known fields.
    Object(BTreeMap<String, Field>),
    /// A map with keys of the user's choice.
    Map { key: Option<&'static Format>, value: Box<Shape> },
    /// A list.
    List { item: Box<Shape>, least: u64, most: u64 },
    /// A text, of a format or free.
    Text(Option<&'static Format>),
    /// This text and no other.
    Constant(String),
    /// A whole number within bounds.
    Integer { least: i64, most: i64 },
    /// A whole number, or a text of a format.
    IntegerOr { least: i64, most: i64, format: &'static Format },
    /// True or false.
    Boolean,
    /// One of some words, each with its meaning.
    Choice(Vec<(String, String)>),
    /// Whatever the user likes.
    Any,
}

/// A field of an object.
pub(crate) struct Field {
    pub(crate) shape: Shape,
    /// What it means.
    pub(crate) description: String,
    /// It must be there.
    pub(crate) required: bool,
    /// What it is when it isn't there; `None` where that is nothing, or follows from other fields.
    pub(crate) default: Option<Value>,
    /// What its default follows from.
    pub(crate) derived: Option<String>,
    /// What changing it in a cluster that exists would take, where it can't be changed.
    pub(crate) immutable: Option<String>,
}

impl Shape {
    /// The shape that a JSON Schema without references describes.
    pub(crate) fn of(schema: &Value) -> Self {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        if let Some(choices) = choices(schema) {
            return Self::Choice(choices);
        }
        if let Some(constant) = text("const") {
            return Self::Constant(constant.to_owned());
        }
        let bounds = || {
            let bound = |key: &str, default: i64| schema.get(key).and_then(Value::as_i64).unwrap_or(default);
            (bound("minimum", i64::MIN), bound("maximum", i64::from(i32::MAX)))
        };
        if let (Some(_), Some(format)) = (schema["type"].as_array(), text("format").and_then(format::named)) {
            let (least, most) = bounds();
            return Self::IntegerOr { least, most, format };
        }
        match text("type") {
            Some("object") => Self::of_object(schema),
            Some("array") => Self::List {
                item: Box::new(schema.get("items").map_or(Self::Any, Self::of)),
                least: schema.get("minItems").and_then(Value::as_u64).unwrap_or(0),
                most: schema.get("maxItems").and_then(Value::as_u64).unwrap_or(u64::MAX),
            },
            Some("string") => Self::Text(text("format").and_then(format::named)),
            Some("integer") => {
                let (least, most) = bounds();
                Self::Integer { least, most }
            }
            Some("boolean") => Self::Boolean,
            _ => Self::Any,
        }
    }

    fn of_object(schema: &Value) -> Self {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let required = names(schema.get("required"));
            let field = |(name, schema): (&String, &Value)| {
                (name.clone(), Field::of(schema, required.contains(&name.as_str())))
            };
            return Self::Object(properties.iter().map(field).collect());
        }
        let key = schema.pointer("/propertyNames/format").and_then(Value::as_str).and_then(format::named);
        let value = schema.get("additionalProperties").filter(|value| value.is_object()).map_or(Self::Any, Self::of);
        Self::Map { key, value: Box::new(value) }
    }

    /// The fields, where they are known.
    pub(crate) fn fields(&self) -> Option<&BTreeMap<String, Field>> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// The shape of what stands in a field of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.get(name).map(|field| &field.shape),
            Self::Map { value, .. } => Some(value),
            Self::Any => Some(self),
            _ => None,
        }
    }

    /// What it is, with an article: `a list of CIDRs`.
    pub(crate) fn one(&self) -> String {
        match self {
            Self::Object(fields) => format!("a map with {}", quoted(fields.keys().map(String::as_str), 4)),
            Self::Map { value, .. } if matches!(**value, Self::Any) => "a map".to_owned(),
            Self::Map { value, .. } => format!("a map of {}", value.many()),
            Self::List { item, .. } => format!("a list of {}", item.many()),
            Self::Text(Some(format)) => format.one.to_owned(),
            Self::Text(None) => "a string".to_owned(),
            Self::Constant(text) => format!("`{text}`"),
            Self::Integer { .. } => "a whole number".to_owned(),
            Self::IntegerOr { format, .. } => format!("a whole number or {}", format.one),
            Self::Boolean => "true or false".to_owned(),
            Self::Choice(choices) => format!("one of {}", quoted(choices.iter().map(|(word, _)| word.as_str()), 8)),
            Self::Any => "a value".to_owned(),
        }
    }

    /// Many of them: `CIDRs`.
    pub(crate) fn many(&self) -> String {
        match self {
            Self::Object(fields) => format!("maps with {}", quoted(fields.keys().map(String::as_str), 4)),
            Self::Map { .. } => "maps".to_owned(),
            Self::List { item, .. } => format!("lists of {}", item.many()),
            Self::Text(Some(format)) => format.many.to_owned(),
            Self::Text(None) | Self::Constant(_) => "strings".to_owned(),
            Self::Integer { .. } => "whole numbers".to_owned(),
            Self::IntegerOr { format, .. } => format!("whole numbers or {}", format.many),
            Self::Boolean => "true or false".to_owned(),
            Self::Choice(choices) => quoted(choices.iter().map(|(word, _)| word.as_str()), 8),
            Self::Any => "values".to_owned(),
        }
    }
}

impl Field {
    fn of(schema: &Value, required: bool) -> Self {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            shape: Shape::of(schema),
            description: text("description").unwrap_or_default().replace('\n', " "),
            required,
            default: schema.get("default").cloned(),
            derived: text("x-derived"),
            immutable: text("x-immutable"),
        }
    }
}

/// The words of an enumeration: documented ones stand in `oneOf`, others in `enum`.
fn choices(schema: &Value) -> Option<Vec<(String, String)>> {
    let word = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(documented) = schema.get("oneOf").and_then(Value::as_array) {
        return Some(documented.iter().map(|one| (word(one.get("const")), word(one.get("description")))).collect());
    }
    let plain = schema.get("enum")?.as_array()?;
    Some(plain.iter().map(|one| (word(Some(one)), String::new())).collect())
}

fn names(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Words in backticks, the first few of them.
pub(crate) fn quoted<'a>(words: impl Iterator<Item = &'a str>, most: usize) -> String {
    let mut words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    if words.len() > most {
        words.truncate(most);
        words.push("…".to_owned());
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{self, Kind};

    fn every_field(shape: &Shape, path: &str, see: &mut dyn FnMut(&str, &Field)) {
        for (name, field) in shape.fields().into_iter().flatten() {
            let path = format!("{path}.{name}");
            see(&path, field);
            every_field(&field.shape, &path, see);
        }
    }

    #[test]
    fn every_field_of_every_document_is_described_and_has_a_known_type() {
        for document in Kind::ALL {
            every_field(schema::shape(document), "", &mut |path, field| {
                assert!(!field.description.is_empty(), "{path}");
                assert!(!matches!(field.shape, Shape::Any), "{path} may be anything");
            });
        }
    }

    #[test]
    fn shapes_say_what_they_are() {
        let shape = schema::shape(Kind::Cluster);
        let networking = shape.child("spec").and_then(|spec| spec.child("networking")).unwrap();
        assert_eq!(networking.child("podCIDRs").unwrap().one(), "a list of CIDRs");
        assert_eq!(networking.child("cni").unwrap().one(), "one of `flannel`, `none`");
        assert_eq!(networking.child("nodeCIDRMaskSize").unwrap().one(), "a whole number");
    }
}
