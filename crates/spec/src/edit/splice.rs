//! The new text: a value replaced where it stands, or a field put after its neighbours.

use super::path::Segment;
use super::write::{flow, word};
use crate::source::Span;
use crate::tree::{Entry, Kind, Node};

/// `text` with the field at `segments` of `tree` set to `value`; `None` where there is no place for it.
pub(super) fn put(text: &str, tree: &Node, segments: &[Segment], value: &Node) -> Option<String> {
    let mut node = tree;
    let mut rest = segments;
    while let [segment, more @ ..] = rest {
        let next = match (segment, &node.kind) {
            (Segment::Key(key), Kind::Map(entries)) => match entries.iter().find(|entry| entry.key == *key) {
                Some(entry) if more.is_empty() || is_nothing(&entry.value) => {
                    return Some(replace(text, entry, &nested(more, value)?));
                }
                Some(entry) => &entry.value,
                None => return insert(text, node, entries, key, &nested(more, value)?),
            },
            (Segment::Index(index), Kind::List(items)) => {
                let item = items.get(*index)?;
                if more.is_empty() {
                    return Some(spliced(text, item.span.start, content_end(text, item), &flow(value)));
                }
                item
            }
            _ => return None,
        };
        (node, rest) = (next, more);
    }
    None
}

fn is_nothing(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar(scalar) if scalar.plain && matches!(scalar.text.as_str(), "" | "~" | "null"))
}

/// `value` inside of maps for all `segments`.
fn nested(segments: &[Segment], value: &Node) -> Option<Node> {
    let mut node = value.clone();
    for segment in segments.iter().rev() {
        let Segment::Key(key) = segment else { return None };
        let entry = Entry { key: key.clone(), key_span: node.span, value: node.clone() };
        node = Node { span: node.span, kind: Kind::Map(vec![entry]) };
    }
    Some(node)
}

/// The value of `entry` replaced. A value on lines of its own gives way to one on the key's line.
fn replace(text: &str, entry: &Entry, value: &Node) -> String {
    let value_end = content_end(text, &entry.value);
    let key_end = entry.key_span.end;
    let between = text.get(key_end..entry.value.span.start).unwrap_or_default();
    if is_nothing(&entry.value) && entry.value.span.start == entry.value.span.end || between.contains('\n') {
        let colon = text.get(key_end..).and_then(|rest| rest.find(':')).map_or(key_end, |at| key_end + at + 1);
        let end = value_end.max(colon);
        return spliced(text, colon, end, &format!(" {}", flow(value)));
    }
    spliced(text, entry.value.span.start, value_end, &flow(value))
}

/// A new field after the last one of a map.
fn insert(text: &str, node: &Node, entries: &[Entry], key: &str, value: &Node) -> Option<String> {
    if text.get(node.span.start..)?.starts_with('{') {
        let close = node.span.start + text.get(node.span.start..node.span.end)?.rfind('}')?;
        let separator = if entries.is_empty() { "" } else { ", " };
        let end = entries.last().map_or(close, |entry| content_end(text, &entry.value));
        return Some(spliced(text, end, end, &format!("{separator}{}: {}", word(key), flow(value))));
    }
    let (first, last) = (entries.first()?, entries.last()?);
    let line_start = text.get(..first.key_span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let indent = text.get(line_start..first.key_span.start)?.chars().count();
    let end = content_end(text, &last.value).max(last.key_span.end);
    let line = block(key, value, indent);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    Some(match text.get(end..)?.find('\n') {
        // The last field ends on its line; a block text has already taken its line's end.
        Some(at) if !text.get(..end)?.ends_with('\n') => {
            spliced(text, end + at + 1, end + at + 1, &format!("{line}{newline}"))
        }
        _ if text.get(..end)?.ends_with('\n') => spliced(text, end, end, &format!("{line}{newline}")),
        _ => format!("{text}{newline}{line}{newline}"),
    })
}

/// A field in block style: maps of one entry go down line by line.
fn block(key: &str, value: &Node, indent: usize) -> String {
    let margin = " ".repeat(indent);
    match &value.kind {
        Kind::Map(entries) if entries.len() == 1 => {
            let inner: Vec<String> = entries.iter().map(|entry| block(&entry.key, &entry.value, indent + 2)).collect();
            format!("{margin}{}:\n{}", word(key), inner.join("\n"))
        }
        _ => format!("{margin}{}: {}", word(key), flow(value)),
    }
}

/// Where the content of a node ends: a block map's own span goes on to the next token, over comments.
fn content_end(text: &str, node: &Node) -> usize {
    let is_flow = |span: Span| text.get(span.start..).is_some_and(|rest| rest.starts_with(['{', '[']));
    match &node.kind {
        Kind::Map(entries) if !is_flow(node.span) => {
            entries.last().map_or(node.span.start, |entry| content_end(text, &entry.value).max(entry.key_span.end + 1))
        }
        Kind::List(items) if !is_flow(node.span) => {
            items.last().map_or(node.span.start, |item| content_end(text, item))
        }
        _ => node.span.end,
    }
}

fn spliced(text: &str, start: usize, end: usize, new: &str) -> String {
    let (before, old) = (text.get(..start).unwrap_or_default(), text.get(start..end).unwrap_or_default());
    let after = text.get(end..).unwrap_or_default();
    // A block text owns the end of its last line; what replaces it must give it back.
    let newline = if old.ends_with('\n') && !new.ends_with('\n') { "\n" } else { "" };
    format!("{before}{new}{newline}{after}")
}
