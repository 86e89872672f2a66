//! Texts that other resources' outputs stand in, such as the URL of a machine whose address is known once it is made.

use serde_json::{Value, json};

use crate::Reference;
use crate::reference::{take, walk};

const MARKER: &str = "$text";

/// A text with outputs in it; stands in JSON as `{"$text": ["https://", {"$ref": "kind/name#output"}, ":6443"]}`.
///
/// Whoever makes plans and carries them out replaces it by the text itself: handlers never meet one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Vec<Part>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Output(Reference),
}

impl Text {
    /// `text` in which some substrings stand for outputs: all that begin with `beginning`, are `length` bytes long and are `known`.
    /// `None` where there is none.
    pub fn parse(
        text: &str,
        beginning: &str,
        length: usize,
        known: impl Fn(&str) -> Option<Reference>,
    ) -> Option<Self> {
        let (mut parts, mut literal, mut from) = (Vec::new(), 0, 0);
        while let Some(at) = text[from..].find(beginning).map(|at| from + at) {
            from = at + beginning.len();
            if let Some(output) = text.get(at..at + length).and_then(&known) {
                parts.extend((literal < at).then(|| Part::Literal(text[literal..at].to_owned())));
                parts.push(Part::Output(output));
                (from, literal) = (at + length, at + length);
            }
        }
        parts.extend((literal < text.len()).then(|| Part::Literal(text[literal..].to_owned())));
        Self(parts).with_outputs()
    }

    /// The marker object.
    pub fn to_value(&self) -> Value {
        let part = |part: &Part| match part {
            Part::Literal(text) => json!(text),
            Part::Output(output) => output.to_value(),
        };
        json!({MARKER: self.0.iter().map(part).collect::<Vec<_>>()})
    }

    /// Reads a marker object; `None` where `value` is something else.
    pub fn from_value(value: &Value) -> Option<Self> {
        let object = value.as_object().filter(|object| object.len() == 1)?;
        let part = |part: &Value| match part {
            Value::String(text) => Some(Part::Literal(text.clone())),
            other => Reference::from_value(other).map(Part::Output),
        };
        let parts: Option<Vec<Part>> = object.get(MARKER)?.as_array()?.iter().map(part).collect();
        Self(parts?).with_outputs()
    }

    /// The text where all its outputs are known; otherwise the first that is not.
    ///
    /// # Errors
    /// The first output that is not known.
    pub fn filled(&self, known: impl Fn(&Reference) -> Option<String>) -> Result<String, Reference> {
        let part = |part: &Part| match part {
            Part::Literal(text) => Ok(text.clone()),
            Part::Output(output) => known(output).ok_or_else(|| output.clone()),
        };
        self.0.iter().map(part).collect()
    }

    fn outputs(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Output(output) => Some(output),
        })
    }

    fn with_outputs(self) -> Option<Self> {
        let has_outputs = self.outputs().next().is_some();
        has_outputs.then_some(self)
    }
}

/// An output as a part of a text.
pub fn of_output(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a text with outputs is anywhere in `value`.
pub fn has_texts(value: &Value) -> bool {
    let mut found = false;
    walk(value, &mut |value| {
        found = found || Text::from_value(value).is_some();
        found
    });
    found
}

/// The outputs that stand in the texts of `value`.
pub fn find_in_texts(value: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    walk(value, &mut |value| {
        let text = Text::from_value(value);
        found.extend(text.iter().flat_map(Text::outputs).cloned());
        text.is_some()
    });
    found
}

/// The outputs that `value` refers to besides those in texts.
pub fn find_beside_texts(value: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    walk(value, &mut |value| take(value, &mut found) || Text::from_value(value).is_some());
    found
}

/// Replaces the texts in `value` whose outputs are all known. Gives the first output that is not known, where there is one.
pub fn fill_texts(value: &mut Value, known: &impl Fn(&Reference) -> Option<String>) -> Option<Reference> {
    if let Some(text) = Text::from_value(value) {
        return match text.filled(known) {
            Ok(text) => {
                *value = Value::String(text);
                None
            }
            Err(missing) => Some(missing),
        };
    }
    let within: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    within.into_iter().fold(None, |missing, value| fill_texts(value, known).or(missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceId;
    use crate::reference::find_references;

    fn address(machine: &str) -> Reference {
        Reference::new(ResourceId::new("instance", machine), "address")
    }

    fn parsed(text: &str) -> Option<Text> {
        let known = |found: &str| match found {
            "240.1.1.1" => Some(address("a")),
            "240.1.1.2" => Some(address("b")),
            _ => None,
        };
        Text::parse(text, "240.", 9, known)
    }

    fn known(reference: &Reference) -> Option<String> {
        (reference.resource.name() == "a").then(|| "10.0.0.7".to_owned())
    }

    #[test]
    fn outputs_are_found_in_a_text_and_it_survives_json() {
        let text = parsed("https://240.1.1.1:1,240.1.1.2 240.1.1.1").unwrap();
        let value = text.to_value();
        assert_eq!(find_references(&value), [address("a"), address("b"), address("a")]);
        assert_eq!(Text::from_value(&value), Some(text));
        for plain in ["https://10.0.0.1", "240.", "240.1.1.3", "240.240.1.1", "ä240.1.1.ä"] {
            assert_eq!(parsed(plain), None, "{plain}");
        }
        assert_eq!(parsed("ä240.240.1.1.1ä").unwrap().filled(known).unwrap(), "ä240.10.0.0.7ä");
    }

    #[test]
    fn a_text_is_filled_where_all_its_outputs_are_known() {
        let text = |text: &str| parsed(text).unwrap().to_value();
        let mut value = json!({"a": text("https://240.1.1.1:6443"), "b": [text("240.1.1.1,240.1.1.2"), "240.1.1.1"]});
        let unknown = value["b"][0].clone();
        assert_eq!(fill_texts(&mut value, &known), Some(address("b")));
        assert_eq!(value, json!({"a": "https://10.0.0.7:6443", "b": [unknown, "240.1.1.1"]}));
        assert!(has_texts(&value));
        assert_eq!(find_in_texts(&value), [address("a"), address("b")]);
        assert_eq!(find_beside_texts(&json!({"in": value, "beside": address("c")})), [address("c")]);
        assert_eq!(fill_texts(&mut value, &|_| Some("x".to_owned())), None);
        assert!(!has_texts(&value));
    }

    #[test]
    fn a_text_without_outputs_is_somebody_elses_object() {
        for other in [json!({"$text": ["a"]}), json!({"$text": []}), json!({"$text": [1]}), json!({"$text": "a"})] {
            assert_eq!(Text::from_value(&other), None, "{other}");
        }
    }
}
