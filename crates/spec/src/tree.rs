//! A YAML document as a tree that knows where everything stands.

use resource::Diagnostic;
use saphyr_parser::Parser;
use serde_json::{Number, Value};

use crate::source::{CharIndex, Source, Span, without_marks};

mod build;
mod syntax;

pub(crate) use build::UNREAD_TAG;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One field of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// A scalar as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    /// Its text, without quotes.
    pub(crate) text: String,
    /// Written without quotes, so that it may be something else than a text.
    pub(crate) plain: bool,
}

/// What a scalar stands for in YAML's core schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Meaning<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    /// What it stands for.
    pub(crate) fn meaning(&self) -> Meaning<'_> {
        let text = self.text.as_str();
        if !self.plain {
            return Meaning::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
            "true" | "True" | "TRUE" => Meaning::Boolean(true),
            "false" | "False" | "FALSE" => Meaning::Boolean(false),
            _ => integer(text).map(Meaning::Integer).or_else(|| float(text)).unwrap_or(Meaning::Text(text)),
        }
    }
}

fn integer(text: &str) -> Option<i64> {
    let radix = |prefix, radix| text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok());
    text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8))
}

fn float(text: &str) -> Option<Meaning<'_>> {
    let numeric =
        text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c)) && text.contains(|c: char| c.is_ascii_digit());
    let special = matches!(text, ".inf" | ".Inf" | ".INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN" | ".NAN");
    if special {
        return Some(Meaning::Float(f64::NAN));
    }
    numeric.then(|| text.parse().ok().map(Meaning::Float)).flatten()
}

impl Node {
    /// The entry of a map with this key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|entry| entry.key == key)
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Nothing is written there.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.plain && matches!(scalar.text.as_str(), "" | "~" | "null"))
    }

    /// The same as JSON; numbers that JSON does not have become null.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => Value::Null,
                Meaning::Boolean(boolean) => Value::Bool(boolean),
                Meaning::Integer(number) => Value::from(number),
                Meaning::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
                Meaning::Text(text) => Value::from(text),
            },
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.to_value()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// The documents of `source`, and everything that is wrong with it as YAML. What stands before a syntax error is kept.
pub(crate) fn read(source: &Source) -> (Vec<Node>, Vec<Diagnostic>) {
    let index = CharIndex::new(&source.text);
    let mut builder = build::Builder::new(source, &index);
    for event in Parser::new_from_str(&without_marks(&source.text)) {
        let carry_on = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                builder.diagnostics.push(syntax::diagnostic(source, &index, &error));
                false
            }
        };
        if !carry_on {
            break;
        }
    }
    (builder.documents, builder.diagnostics)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<Node>, Vec<Diagnostic>) {
        read(&Source::new("a.yaml", text))
    }

    #[test]
    fn values_keep_their_meaning() {
        let (documents, diagnostics) =
            read_text("a: 1\nb: 1.30\nc: \"1.30\"\nd: yes\ne: true\nf:\ng: [x, {y: z}]\nh: 0x10\ni: 010\n");
        assert_eq!(diagnostics, []);
        assert_eq!(
            documents[0].to_value(),
            serde_json::json!({"a": 1, "b": 1.3, "c": "1.30", "d": "yes", "e": true, "f": null, "g": ["x", {"y": "z"}], "h": 16, "i": 10})
        );
    }

    #[test]
    fn every_place_is_that_of_its_text_in_any_script_and_line_ending() {
        for text in [
            "größe: ok\nliste:\n  - äöü\n  - zwei # ß\nletzter: 日本\n",
            "größe: ok\r\nliste:\r\n  - äöü\r\nletzter: 日本\r\n",
            "\u{feff}a: ö\nb: x\n",
            "\u{feff}# ö\r\n\u{feff}a: ö\r\nb: x\r\n",
        ] {
            let (documents, diagnostics) = read_text(text);
            assert_eq!(diagnostics, []);
            check_places(text, &documents[0]);
        }
    }

    fn check_places(text: &str, node: &Node) {
        match &node.kind {
            Kind::Scalar(scalar) => assert_eq!(&text[node.span.start..node.span.end], scalar.text),
            Kind::List(items) => items.iter().for_each(|item| check_places(text, item)),
            Kind::Map(entries) => {
                for entry in entries {
                    assert_eq!(&text[entry.key_span.start..entry.key_span.end], entry.key);
                    check_places(text, &entry.value);
                }
            }
        }
    }

    #[test]
    fn a_byte_order_mark_before_each_document_of_a_joined_file_is_read() {
        let one = "\u{feff}# größe\nkind: a\nspec:\n  x: ü\n";
        let text = format!("{one}---\n{one}---\n\u{feff}\u{feff}kind: b\n...\n\u{feff}---\nkind: c\n");
        let (documents, diagnostics) = read_text(&text);
        assert_eq!(diagnostics, []);
        assert_eq!(documents.len(), 4);
        for document in &documents {
            check_places(&text, document);
        }
    }

    #[test]
    fn all_duplicate_keys_are_reported_with_both_places() {
        let (documents, diagnostics) = read_text("a: 1\nb: {c: 1, c: 2}\na: 3\n");
        assert_eq!(documents[0].to_value(), serde_json::json!({"a": 1, "b": {"c": 1}}));
        let places: Vec<_> =
            diagnostics.iter().map(|d| (d.code.as_str(), d.labels[0].line, d.labels[1].line)).collect();
        assert_eq!(places, [("spec::duplicate-key", 2, 2), ("spec::duplicate-key", 3, 1)]);
    }

    #[test]
    fn aliases_stand_for_what_they_name_and_cannot_explode() {
        let (documents, _) = read_text("a: &x [1, 2]\nb: *x\n");
        assert_eq!(documents[0].to_value(), serde_json::json!({"a": [1, 2], "b": [1, 2]}));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            bomb +=
                &["a", &level.to_string(), ": &a", &level.to_string(), " [", &[before.as_str(); 9].join(", "), "]\n"]
                    .concat();
        }
        assert_eq!(read_text(&bomb).1[0].code, "spec::too-large");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = "[".repeat(10_000);
        assert!(!read_text(&deep).1.is_empty());
        let deep = (0..200).flat_map(|level| [" ".repeat(level), "a:\n".to_owned()]).collect::<String>();
        assert_eq!(read_text(&deep).1[0].code, "spec::too-deep");
    }

    #[test]
    fn merge_keys_tags_and_keys_that_are_no_texts_are_refused() {
        let (_, diagnostics) = read_text("a: &x {b: 1}\nc:\n  <<: *x\nd: !mine 1\n[1]: 2\n");
        let codes: Vec<_> = diagnostics.iter().map(|d| (d.code.as_str(), d.labels[0].line)).collect();
        assert_eq!(codes, [("spec::merge-key", 3), ("spec::tag", 4), ("spec::wrong-key", 5)]);
    }

    #[test]
    fn tags_that_would_change_a_value_are_refused_and_plain_ones_are_not() {
        let (_, diagnostics) = read_text("a: !!binary aGk=\nb: !!str 1\nc: !!map {}\nd: !!timestamp 2026-01-01\n");
        let codes: Vec<_> = diagnostics.iter().map(|d| (d.code.as_str(), d.labels[0].line)).collect();
        assert_eq!(codes, [(UNREAD_TAG, 1), (UNREAD_TAG, 4)]);
    }

    #[test]
    fn a_syntax_error_has_a_place_and_keeps_what_stands_before_it() {
        let (documents, diagnostics) = read_text("a: 1\n---\nb: [1, 2\nc: 3\n");
        assert_eq!(documents.len(), 1);
        assert_eq!(diagnostics[0].code, "spec::syntax");
        assert!(diagnostics[0].labels[0].line >= 3);
    }

    #[test]
    fn a_tab_in_the_indentation_is_named() {
        let (_, diagnostics) = read_text("a:\n\tb: 1\n");
        assert!(diagnostics[0].help.as_deref().is_some_and(|help| help.contains("tab")), "{diagnostics:?}");
    }
}
