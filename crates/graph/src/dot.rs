//! A picture of a graph: boxes with a text and a colour, arrows between them; and the same in Graphviz' dot language.

use std::fmt::Write as _;

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What stands in it.
    pub label: String,
    /// What it is filled with, `#rrggbb`.
    pub colour: &'static str,
}

/// Boxes and arrows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// Arrows, by the places of their boxes: from what comes first to what depends on it.
    pub edges: Vec<(usize, usize)>,
}

impl Picture {
    /// The picture in dot. Boxes are named by number, so that no text can be mistaken for syntax.
    pub fn dot(&self) -> String {
        let mut text =
            String::from("digraph {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n");
        for (number, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(text, "  n{number} [label={}, fillcolor={}];", quoted(&node.label), quoted(node.colour));
        }
        for (from, to) in &self.edges {
            let _ = writeln!(text, "  n{from} -> n{to};");
        }
        text.push_str("}\n");
        text
    }
}

/// A text as dot's labels have it: a backslash would begin an escape.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_and_arrows_are_written() {
        let node = |label: &str| Node { label: label.to_owned(), colour: "#ffffff" };
        let picture = Picture { nodes: vec![node("create a/b"), node("delete c/d")], edges: vec![(0, 1)] };
        let dot = picture.dot();
        assert!(dot.contains("  n0 [label=\"create a/b\", fillcolor=\"#ffffff\"];\n"), "{dot}");
        assert!(dot.ends_with("  n0 -> n1;\n}\n"), "{dot}");
    }

    #[test]
    fn no_label_ends_its_quotes_or_begins_an_escape() {
        assert_eq!(quoted(r#"a"b\"#), r#""a\"b\\""#);
        assert_eq!(quoted("é → ü\nx\ty"), "\"é → ü\\nx y\"");
        assert_eq!(quoted("\"];evil[label=\""), "\"\\\"];evil[label=\\\"\"");
    }
}
