//! YAML that Kubernetes reads as it was meant: its YAML is that of version 1.1.

use serde::Serialize;
use serde_yaml::Value;

/// Stands for a quote that the writer would not set.
const QUOTE: char = '\u{e000}';

/// Writes a document, fields in their order; texts that YAML 1.1 reads as something else are quoted.
///
/// # Errors
/// When the value cannot be written as YAML, such as a map whose keys are lists.
pub fn to_text<T: Serialize + ?Sized>(document: &T) -> Result<String, serde_yaml::Error> {
    let document = with_quotes(serde_yaml::to_value(document)?);
    Ok(serde_yaml::to_string(&document)?.replace(QUOTE, "\""))
}

/// The truth value that a plain word stands for in YAML 1.1 and not in 1.2; nothing for every other text.
///
/// As `go.yaml.in/yaml/v2` has it, through which all components and kubectl read.
pub fn older_truth(word: &str) -> Option<bool> {
    match word {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn with_quotes(value: Value) -> Value {
    match value {
        Value::String(text) if is_misread(&text) => Value::String(format!("{QUOTE}{text}{QUOTE}")),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(with_quotes).collect()),
        Value::Mapping(entries) => {
            Value::Mapping(entries.into_iter().map(|(key, value)| (with_quotes(key), with_quotes(value))).collect())
        }
        other => other,
    }
}

/// Whether YAML 1.1 reads a plain text as something else than YAML 1.2, for which the writer sets quotes itself.
fn is_misread(text: &str) -> bool {
    older_truth(text).is_some() || is_number_with_underscores(text) || is_base_sixty(text) || is_date(text)
}

/// Underscores in numbers are left out.
fn is_number_with_underscores(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let bare = lower.trim_start_matches(['-', '+']);
    if !bare.contains('_') || !bare.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let digits = bare.replace('_', "");
    let prefixed = ["0x", "0b", "0o"].iter().any(|prefix| digits.starts_with(prefix));
    digits.parse::<f64>().is_ok() || (prefixed && digits.chars().skip(2).all(|c| c.is_ascii_hexdigit()))
}

/// `1:30` is 90.
fn is_base_sixty(text: &str) -> bool {
    let mut places = text.trim_start_matches(['-', '+']).split(':');
    let is_number = |place: &str| !place.is_empty() && place.chars().all(|c| c.is_ascii_digit() || c == '_');
    let first = places.next().is_some_and(is_number);
    let rest: Vec<&str> = places.collect();
    first && !rest.is_empty() && rest.iter().all(|place| is_number(place.split('.').next().unwrap_or_default()))
}

/// `2026-11-28`, with or without a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let is_number =
        |part: &str, most: usize| !part.is_empty() && part.len() <= most && part.chars().all(|c| c.is_ascii_digit());
    let year = parts.next().is_some_and(|year| year.len() == 4 && is_number(year, 4));
    let month = parts.next().is_some_and(|month| is_number(month, 2));
    let day = parts.next().map(|rest| rest.split(['T', 't', ' ']).next().unwrap_or_default());
    year && month && day.is_some_and(|day| is_number(day, 2))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_kubernetes_would_read_as_something_else_is_quoted() {
        for text in ["yes", "No", "ON", "off", "y", "N", "1_000", "-0x_1f", "0b1_1", "1_0.5", "1:30", "2026-11-28"] {
            assert_eq!(to_text(&json!({"k": [text]})).unwrap(), format!("k:\n- \"{text}\"\n"));
            assert_eq!(to_text(&json!({text: "v"})).unwrap(), format!("\"{text}\": v\n"));
        }
        for text in ["true", "null", "0644", "1e3", "0x1f", "~"] {
            assert_eq!(to_text(&json!({"k": text})).unwrap(), format!("k: '{text}'\n"));
        }
        for text in ["yess", "a_b", "0xyz_1", "_1", "on-line", "v1.36:1", "a:1", "2026-11-build"] {
            assert_eq!(to_text(&json!({"k": text})).unwrap(), format!("k: {text}\n"));
        }
    }

    #[test]
    fn any_text_survives() {
        for text in ["", "a: b", "# x", "'\"\\", "ünïcödé\u{1F980}", "line\nline\n", "\ttab", "yes\n", "\"on\""] {
            let written = to_text(&json!({"k": text})).unwrap();
            let back: serde_json::Value = serde_yaml::from_str(&written).unwrap();
            assert_eq!(back["k"], text, "{written}");
        }
    }
}
