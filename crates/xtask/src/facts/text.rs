//! Facts as text: a line for each flag, gate or structure, so that changes can be read.

use serde_json::Value;

/// How deep maps are spread over lines: file, components, component, flags.
const DEPTH: usize = 4;

/// The value with one entry a line down to a depth.
pub(super) fn lines(value: &Value) -> String {
    let mut text = String::new();
    put(value, 0, &mut text);
    text.push('\n');
    text
}

fn put(value: &Value, depth: usize, text: &mut String) {
    let Some(map) = value.as_object().filter(|map| depth < DEPTH && !map.is_empty()) else {
        text.push_str(&value.to_string());
        return;
    };
    let indent = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&" ".repeat(depth));
    };
    text.push('{');
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        indent(text, depth + 1);
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push_str(": ");
        put(value, depth + 1, text);
    }
    indent(text, depth);
    text.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_flag_has_a_line_and_the_text_is_the_same_value() {
        let value = json!({"a": {"b": {"flags": {"x": {"type": "bool"}, "y": {"type": "int"}}}}});
        let text = lines(&value);
        assert!(text.contains("\n    \"x\": {\"type\":\"bool\"},\n    \"y\": {\"type\":\"int\"}\n"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
