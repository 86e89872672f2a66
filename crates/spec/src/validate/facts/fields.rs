//! Values against the structures that a component reads: unknown fields and wrong types, at any depth.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::values;
use crate::check::join;
use crate::format::amounts::parse_quantity;
use crate::suggest;

/// The structures of a component's configuration, by name.
pub(super) type Types = BTreeMap<String, BTreeMap<String, String>>;

/// Something that the component would not take.
pub(super) enum Wrong {
    /// There is no such field; components go on without it.
    Unknown { path: String, name: String, meant: Option<String> },
    /// A value of another type.
    Mistyped { path: String, wanted: String, help: Option<String> },
}

/// Everything that is wrong with the fields of `map`, a structure called `name`.
pub(super) fn check(types: &Types, name: &str, map: &Map<String, Value>, path: &str) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    structure(types, name, map, path, &mut wrong);
    wrong
}

fn structure(types: &Types, name: &str, map: &Map<String, Value>, path: &str, wrong: &mut Vec<Wrong>) {
    let Some(fields) = types.get(name) else { return };
    for (field, value) in map {
        let path = join(path, field);
        if let Some(of) = fields.get(field) {
            any(types, of, value, &path, wrong);
        } else {
            let meant = suggest::nearest(field, fields.keys().map(String::as_str)).map(str::to_owned);
            wrong.push(Wrong::Unknown { path, name: field.clone(), meant });
        }
    }
}

fn any(types: &Types, of: &str, value: &Value, path: &str, wrong: &mut Vec<Wrong>) {
    match (of, value) {
        // Nothing stands for what the component does by itself.
        (_, Value::Null) | ("any", _) => {}
        (list, Value::Array(items)) if list.starts_with("[]") => {
            for (index, item) in items.iter().enumerate() {
                any(types, &list[2..], item, &format!("{path}[{index}]"), wrong);
            }
        }
        (map, Value::Object(entries)) if map.starts_with(MAP) => {
            for (key, value) in entries {
                any(types, &map[MAP.len()..], value, &join(path, key), wrong);
            }
        }
        (name, Value::Object(map)) if types.contains_key(name) => structure(types, name, map, path, wrong),
        _ if fits(of, value) => {}
        _ => wrong.push(Wrong::Mistyped { path: path.to_owned(), wanted: one(types, of), help: help(of, value) }),
    }
}

const MAP: &str = "map[string]";

/// Whether a value that is no list or map has a type.
fn fits(of: &str, value: &Value) -> bool {
    let within = |least: i64, most: i64| whole(value).is_some_and(|number| (least..=most).contains(&number));
    match of {
        "string" | "bytes" | "time" => value.is_string(),
        "bool" => value.is_boolean(),
        "int" | "int64" => whole(value).is_some(),
        "int32" => within(i32::MIN.into(), i32::MAX.into()),
        "uint32" => within(0, u32::MAX.into()),
        "uint" | "uint64" => value.is_u64(),
        "float32" | "float64" => value.is_number(),
        "duration" => value.as_str().is_some_and(values::is_duration),
        "durationOrNumber" => value.is_number() || value.as_str().is_some_and(values::is_duration),
        "quantity" => value.is_number() || value.as_str().is_some_and(|text| parse_quantity(text).is_some()),
        "intOrString" => value.is_string() || value.is_i64(),
        // Lists, maps and structures were looked at already, so this is something else.
        _ => false,
    }
}

/// A value of a configuration, at a path of names with dots between them; null is none.
pub(in super::super) fn at<'a>(config: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let first = config.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// A whole number, also one that is written as a fraction without a part: components read `10.0` as 10.
pub(in super::super) fn whole(value: &Value) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation)] // looked at before
    let plain = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    value.as_i64().or_else(|| plain(value.as_f64()?))
}

/// A type in words.
fn one(types: &Types, of: &str) -> String {
    match of {
        "string" | "time" | "bytes" => "a text",
        "bool" => "a truth value",
        "int" | "int32" | "int64" | "uint" | "uint32" | "uint64" => "a whole number",
        "float32" | "float64" => "a number",
        "duration" | "durationOrNumber" => "a duration",
        "quantity" => "a quantity",
        "intOrString" => "a whole number or a text",
        list if list.starts_with("[]") => "a list",
        map if map.starts_with(MAP) || types.contains_key(map) => "a map",
        _ => "something else",
    }
    .to_owned()
}

/// What to write instead.
fn help(of: &str, value: &Value) -> Option<String> {
    match (of, value) {
        ("bool", Value::String(text)) => Some(values::boolean_help(text)),
        ("bool", _) => Some("write `true` or `false`".to_owned()),
        ("string" | "time" | "bytes", Value::Number(_) | Value::Bool(_)) => Some(format!("write `\"{value}\"`")),
        ("duration", Value::Number(number)) => Some(format!("write `{number}s` for seconds")),
        ("duration" | "durationOrNumber", Value::String(text)) => Some(values::duration_help(text)),
        ("quantity", _) => Some("such as `512Mi`".to_owned()),
        (list, Value::String(_) | Value::Number(_) | Value::Bool(_)) if list.starts_with("[]") => {
            Some(format!("write `[{}]`", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        }
        (number, Value::String(text)) if fits(number, &number_of(text)) => {
            Some(format!("write `{}`, without quotes", text.trim()))
        }
        ("int32" | "uint32", Value::Number(_)) => Some("it is too large, or no whole number".to_owned()),
        _ => None,
    }
}

fn number_of(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or_default()
}
