//! Values given on a command line, read by what the field wants, and written as YAML on one line.

use resource::Diagnostic;
use resource::yaml::older_truth;

use crate::shape::Shape;
use crate::source::{Source, Span};
use crate::tree::{self, Kind, Meaning, Node, Scalar};

/// The value that a text stands for where `shape` is wanted. Texts need no quotes, and lists no brackets.
pub(super) fn read(text: &str, shape: &Shape, field: &str) -> Result<Node, Box<Diagnostic>> {
    match shape {
        Shape::Text(_) | Shape::Constant(_) | Shape::Choice(_) => Ok(scalar(text, false)),
        Shape::Integer { .. } | Shape::IntegerOr { .. } | Shape::Boolean => Ok(scalar(text, true)),
        Shape::List { item, .. } if !text.trim_start().starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let items: Result<Vec<Node>, _> = items.map(|one| read(one, item, field)).collect();
            Ok(Node { span: NOWHERE, kind: Kind::List(items?) })
        }
        Shape::List { .. } | Shape::Map { .. } | Shape::Object(_) | Shape::Any => {
            let (mut trees, diagnostics) = tree::read(&Source::new("value", text));
            if let (Some(tree), true) = (trees.pop(), diagnostics.is_empty() && trees.is_empty()) {
                return Ok(tree);
            }
            let message = format!("the value is not YAML; expected {}", shape.one());
            let help = "write it on one line, such as `{cpu: 100m}` or `[a, b]`";
            Err(Box::new(Diagnostic::error("spec::assignment", message).at_field(field).help(help)))
        }
    }
}

const NOWHERE: Span = Span { start: 0, end: 0 };

fn scalar(text: &str, plain: bool) -> Node {
    Node { span: NOWHERE, kind: Kind::Scalar(Scalar { text: text.to_owned(), plain }) }
}

/// A value as YAML on one line.
pub(super) fn flow(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.plain && !matches!(scalar.meaning(), Meaning::Text(_)) => scalar.text.clone(),
        Kind::Scalar(scalar) => word(&scalar.text),
        Kind::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|entry| format!("{}: {}", word(&entry.key), flow(&entry.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A text as YAML: bare where that can't be taken for anything else, else in double quotes.
pub(super) fn word(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._/+-".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let bare = Scalar { text: text.to_owned(), plain: true };
    let is_truth = older_truth(text).is_some();
    if starts && !is_truth && text.chars().all(harmless) && matches!(bare.meaning(), Meaning::Text(_)) {
        return text.to_owned();
    }
    // JSON's strings are YAML's, and a string can always be written as one.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_only_where_they_would_be_read_as_something_else() {
        assert_eq!(word("flannel"), "flannel");
        assert_eq!(word("10.244.0.0/16"), "10.244.0.0/16");
        assert_eq!(word("1.36.3"), "1.36.3");
        for text in ["1.36", "true", "yes", "null", "", "a: b", "- a", "#a", "a,b", "ä", "a\nb"] {
            assert!(word(text).starts_with('"'), "{text}");
        }
    }

    #[test]
    fn lists_may_stand_without_brackets() {
        let shape = Shape::List { item: Box::new(Shape::Text(None)), least: 0, most: 9 };
        assert_eq!(flow(&read("a, 1.5,c", &shape, "").unwrap()), "[a, \"1.5\", c]");
        assert_eq!(flow(&read("[a]", &shape, "").unwrap()), "[a]");
        assert_eq!(flow(&read("", &shape, "").unwrap()), "[]");
    }
}
