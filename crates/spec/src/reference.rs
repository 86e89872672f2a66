//! The reference of all fields as Markdown, from the same shapes that documents are checked against.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::API_VERSION;
use crate::schema::{self, Kind};
use crate::shape::{Field, Shape};

/// Field, type, default and meaning of everything a document may contain.
pub fn reference() -> String {
    let mut text = format!(
        "# Spec reference\n\n\
         Every field of the documents of `apiVersion: {API_VERSION}`. This file is generated from the types in `crates/spec`; \
         the same in machine-readable form is [spec.schema.json](spec.schema.json).\n\n\
         Fields marked **fixed** can't be changed in a cluster that exists. A default of — means that the field stays unset.\n"
    );
    for kind in Kind::ALL {
        let _ = write!(text, "\n## {}\n", kind.kind());
        if let Some(fields) = schema::shape(kind).fields() {
            section(&mut text, "", "", fields);
        }
    }
    text
}

/// A table of `fields`, and after it the sections inside of them.
fn section(text: &mut String, path: &str, description: &str, fields: &BTreeMap<String, Field>) {
    if !path.is_empty() {
        let _ = write!(text, "\n### {path}\n\n{description}\n");
    }
    text.push_str("\n| field | type | default | meaning |\n|---|---|---|---|\n");
    for (name, field) in fields {
        let _ = writeln!(text, "| `{name}` | {} | {} | {} |", kind(&field.shape), default(field), meaning(field));
    }
    for (name, field) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Some((suffix, fields)) = inner(&field.shape) {
            section(text, &format!("{path}{suffix}"), &field.description, fields);
        }
    }
}

/// The fields inside of a field, and what leads to them.
fn inner(shape: &Shape) -> Option<(&'static str, &BTreeMap<String, Field>)> {
    match shape {
        Shape::Object(fields) => Some(("", fields)),
        Shape::List { item, .. } => item.fields().map(|fields| ("[]", fields)),
        Shape::Map { value, .. } => value.fields().map(|fields| (".*", fields)),
        _ => None,
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Object(_) => "map, below".to_owned(),
        Shape::List { item, .. } if item.fields().is_some() => "list of maps, below".to_owned(),
        Shape::List { item, .. } => format!("list of {}", item.many()),
        Shape::Map { value, .. } if value.fields().is_some() => "map of maps, below".to_owned(),
        Shape::Map { key, value } => {
            let keys = key.map_or("names", |format| format.many);
            match **value {
                Shape::Any => "map".to_owned(),
                _ => format!("map of {keys} to {}", value.many()),
            }
        }
        Shape::Text(Some(format)) => bare(format.one).to_owned(),
        Shape::Text(None) | Shape::Constant(_) => "string".to_owned(),
        Shape::Integer { least, most } if *most == i64::from(i32::MAX) => format!("whole number from {least}"),
        Shape::Integer { least, most } => format!("whole number, {least} to {most}"),
        Shape::IntegerOr { least, most, format } => {
            format!("{} or {}", kind(&Shape::Integer { least: *least, most: *most }), bare(format.one))
        }
        Shape::Boolean => "boolean".to_owned(),
        Shape::Choice(_) => "one of the words at the right".to_owned(),
        Shape::Any => "anything".to_owned(),
    }
}

fn bare(noun: &str) -> &str {
    ["an ", "a ", "the "].iter().find_map(|article| noun.strip_prefix(article)).unwrap_or(noun)
}

fn default(field: &Field) -> String {
    if field.required {
        return "required".to_owned();
    }
    if let Some(derived) = &field.derived {
        return derived.clone();
    }
    match &field.default {
        Some(Value::Object(fields)) if !fields.is_empty() => "below".to_owned(),
        Some(Value::String(word)) => format!("`{word}`"),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            format!("`[{}]`", items.join(", "))
        }
        Some(value) => format!("`{value}`"),
        None if inner(&field.shape).is_some() => "below".to_owned(),
        None => "—".to_owned(),
    }
}

fn meaning(field: &Field) -> String {
    let mut text = field.description.clone();
    if let Shape::Choice(choices) = &field.shape {
        for (word, meaning) in choices {
            let _ = write!(text, "<br>`{word}`: {meaning}");
        }
    }
    if field.immutable.is_some() {
        text.push_str(" **Fixed.**");
    }
    text.replace('|', "\\|").replace('\n', " ")
}
