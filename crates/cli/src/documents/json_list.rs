//! Lists of documents, as `-o json` prints them.

use serde_json::Value;

/// A JSON list of documents as the stream that it stands for, each value as it was written and in its own line; `None` for any
/// other text.
pub(super) fn as_stream(text: &str) -> Option<String> {
    let list = text.trim_start_matches('\u{feff}').trim_start();
    if !list.starts_with('[') {
        return None;
    }
    let documents: Vec<Value> = serde_json::from_str(list).ok()?;
    let is_document = |value: &Value| value.get("apiVersion").is_some() && value.get("kind").is_some();
    documents.iter().all(is_document).then(|| stream(text))
}

/// Puts `---` before each value of a list whose JSON is known to be sound.
fn stream(text: &str) -> String {
    let (mut stream, mut depth, mut in_text) = (String::new(), 0, false);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let is_outer = !in_text && (depth == 0 || depth == 1);
        match c {
            '[' | ']' if is_outer => {
                depth += if c == '[' { 1 } else { -1 };
                continue;
            }
            ',' | '\u{feff}' if is_outer => continue,
            '{' if is_outer => {
                // A stream's mark begins a line; blanks before the value make room for it.
                stream.truncate(stream.trim_end_matches([' ', '\t']).len());
                if !stream.is_empty() && !stream.ends_with('\n') {
                    stream.push('\n');
                }
                stream.push_str("--- ");
            }
            _ => {}
        }
        stream.push(c);
        match c {
            '\\' if in_text => stream.extend(characters.next()),
            '"' => in_text = !in_text,
            '{' | '[' if !in_text => depth += 1,
            '}' | ']' if !in_text => depth -= 1,
            _ => {}
        }
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"apiVersion": "v1", "kind": "A", "x": ["],[", {"y": "\"}{"}]}"#;

    #[test]
    fn each_value_is_a_document_and_keeps_its_line() {
        let text = format!("\u{feff}\n[\n  {ONE},\n  {}\n]\n", ONE.replace(", ", ",\n"));
        let stream = as_stream(&text).unwrap();
        assert_eq!(stream.lines().count(), text.lines().count());
        let lines: Vec<&str> = stream.lines().collect();
        assert_eq!((lines[2], lines[3]), (format!("--- {ONE}").as_str(), "--- {\"apiVersion\": \"v1\","));
    }

    #[test]
    fn values_in_one_line_become_documents_too() {
        let one: Value = serde_json::from_str(ONE).unwrap();
        let stream = as_stream(&format!("[{ONE},{ONE}]")).unwrap();
        assert_eq!(super::super::values(&stream).unwrap(), [one.clone(), one]);
        assert_eq!(as_stream("[]"), Some(String::new()));
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for text in ["[1, 2]", "[{\"apiVersion\": \"v1\"}]", "[{", "kind: Cluster", "- kind: Cluster", "{}", ""] {
            assert_eq!(as_stream(text), None, "{text}");
        }
    }
}
