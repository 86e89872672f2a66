//! Texts that other resources' outputs stand in, such as the URL of a machine whose address is known once it is made.

use serde_json::{Value, json};

use crate::Reference;

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
    /// `text` in which some of its substrings stand for outputs; `None` where none of them is in it.
    pub fn parse<'a>(text: &str, stand_ins: impl IntoIterator<Item = (&'a str, &'a Reference)>) -> Option<Self> {
        let whole = vec![Part::Literal(text.to_owned())];
        let parts = stand_ins.into_iter().fold(whole, |parts, (stand_in, output)| {
            parts.into_iter().flat_map(|part| part.split(stand_in, output)).collect()
        });
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

    fn with_outputs(self) -> Option<Self> {
        self.0.iter().any(|part| matches!(part, Part::Output(_))).then_some(self)
    }
}

impl Part {
    /// The same with an output wherever `stand_in` is.
    fn split(self, stand_in: &str, output: &Reference) -> Vec<Self> {
        let Self::Literal(text) = self else { return vec![self] };
        let mut parts = Vec::new();
        for (index, between) in text.split(stand_in).enumerate() {
            if index > 0 {
                parts.push(Self::Output(output.clone()));
            }
            if !between.is_empty() {
                parts.push(Self::Literal(between.to_owned()));
            }
        }
        parts
    }
}

/// Whether a text with outputs is anywhere in `value`.
pub fn has_texts(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_texts),
        Value::Object(fields) => Text::from_value(value).is_some() || fields.values().any(has_texts),
        _ => false,
    }
}

/// The outputs that stand in the texts of `value`.
pub fn find_in_texts(value: &Value) -> Vec<Reference> {
    if let Some(text) = Text::from_value(value) {
        let output = |part| match part {
            Part::Literal(_) => None,
            Part::Output(output) => Some(output),
        };
        return text.0.into_iter().filter_map(output).collect();
    }
    match value {
        Value::Array(items) => items.iter().flat_map(find_in_texts).collect(),
        Value::Object(fields) => fields.values().flat_map(find_in_texts).collect(),
        _ => Vec::new(),
    }
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
        let (a, b) = (address("a"), address("b"));
        Text::parse(text, [("240.1.1.1", &a), ("240.1.1.2", &b)])
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
        assert_eq!(parsed("https://10.0.0.1"), None);
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
