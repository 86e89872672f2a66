//! A scalar against a shape.

use serde_json::Value;

use crate::format::Format;
use crate::shape::Shape;
use crate::suggest;
use crate::tree::{Meaning, Scalar};

/// What is wrong with a scalar.
pub(super) struct Wrong {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The value of `scalar`, when it is what `shape` wants.
pub(super) fn value(scalar: &Scalar, shape: &Shape) -> Result<Value, Wrong> {
    let meaning = scalar.meaning();
    match (shape, &meaning) {
        (Shape::Text(format), Meaning::Text(text)) => match format.map(|format| (format, (format.check)(text))) {
            Some((format, Err(unfit))) => Err(Wrong {
                code: "spec::invalid-value",
                message: format!("{} is not {}: {}", shown(format, text), format.one, unfit.why),
                help: unfit.help,
            }),
            _ => Ok(Value::from(*text)),
        },
        (Shape::Constant(wanted), Meaning::Text(text)) if text == wanted => Ok(Value::from(*text)),
        (Shape::Boolean, Meaning::Boolean(boolean)) => Ok(Value::Bool(*boolean)),
        (Shape::Integer { least, most }, Meaning::Integer(number)) => {
            if (least..=most).contains(&number) {
                return Ok(Value::from(*number));
            }
            Err(Wrong { code: "spec::out-of-range", message: bounds(*number, *least, *most), help: None })
        }
        (Shape::IntegerOr { least, most, .. }, Meaning::Integer(_)) => {
            value(scalar, &Shape::Integer { least: *least, most: *most })
        }
        (Shape::IntegerOr { format, .. }, Meaning::Text(text)) if text.parse::<i64>().is_err() => {
            value(scalar, &Shape::Text(Some(format)))
        }
        (Shape::Choice(choices), Meaning::Text(text)) => {
            if choices.iter().any(|(word, _)| word == text) {
                return Ok(Value::from(*text));
            }
            let words = || choices.iter().map(|(word, _)| word.as_str());
            let nearest = suggest::nearest(text, words()).map(|word| format!("did you mean `{word}`?"));
            let message = format!("unknown value `{text}`; expected {}", shape.one());
            Err(Wrong { code: "spec::unknown-value", message, help: nearest })
        }
        _ => Err(wrong_type(scalar, shape, &meaning)),
    }
}

/// A text for a message: neither what may be a secret in the wrong place, nor what fills the screen.
fn shown(format: &Format, text: &str) -> String {
    const HIDDEN: [&str; 3] = ["certificate", "file-path", "secret-name"];
    if HIDDEN.contains(&format.name) || text.len() > 80 || text.contains('\n') {
        return "this text".to_owned();
    }
    format!("`{text}`")
}

fn bounds(number: i64, least: i64, most: i64) -> String {
    if most == i64::from(i32::MAX) {
        return format!("{number} is too small; expected {least} or more");
    }
    format!("{number} is out of range; expected {least} to {most}")
}

fn wrong_type(scalar: &Scalar, shape: &Shape, meaning: &Meaning<'_>) -> Wrong {
    let text = scalar.text.as_str();
    let found = match meaning {
        Meaning::Null => "nothing".to_owned(),
        Meaning::Boolean(_) => format!("the boolean {text}"),
        Meaning::Integer(_) | Meaning::Float(_) => format!("the number {text}"),
        Meaning::Text(_) => "a string".to_owned(),
    };
    Wrong {
        code: "spec::wrong-type",
        message: format!("expected {}, found {found}", shape.one()),
        help: advice(text, shape, meaning),
    }
}

/// What to write instead.
fn advice(text: &str, shape: &Shape, meaning: &Meaning<'_>) -> Option<String> {
    match (shape, meaning) {
        (Shape::Integer { .. } | Shape::IntegerOr { .. }, Meaning::Text(digits)) if digits.parse::<i64>().is_ok() => {
            Some(format!("write {digits}, without quotes"))
        }
        (_, Meaning::Null) => Some("write a value, or remove the field".to_owned()),
        (Shape::Text(Some(format)) | Shape::IntegerOr { format, .. }, _) => match (format.check)(text) {
            Ok(()) => Some(in_quotes(text)),
            Err(unfit) => unfit.help,
        },
        (Shape::Text(None) | Shape::Choice(_) | Shape::Constant(_), _) => Some(in_quotes(text)),
        (Shape::Object(fields), _) if fields.len() == 1 => {
            fields.keys().next().map(|name| format!("write `{{{name}: {text}}}`"))
        }
        (Shape::Boolean, Meaning::Text(word)) => match word.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
            "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
            _ => None,
        },
        (Shape::Boolean, Meaning::Integer(0)) => Some("write `false`".to_owned()),
        (Shape::Boolean, Meaning::Integer(1)) => Some("write `true`".to_owned()),
        (Shape::List { .. }, _) => Some(format!("write `[{text}]`, or one item per line after `- `")),
        _ => None,
    }
}

fn in_quotes(text: &str) -> String {
    format!("without quotes YAML takes it for something else: write \"{text}\"")
}
