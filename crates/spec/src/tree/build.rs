//! From the parser's events to trees, without recursion and within bounds.

use std::collections::BTreeMap;

use resource::Diagnostic;
use saphyr_parser::{Event, ScalarStyle, Tag};

use super::{Entry, Kind, Node, Scalar};
use crate::source::{CharIndex, Source, Span};

/// More than any spec needs; keeps recursion over trees shallow.
const MAX_DEPTH: usize = 64;
/// More than any spec needs; aliases can't explode.
const MAX_NODES: usize = 500_000;

/// Tags that say no more than the value does.
const CORE: [&str; 7] = ["bool", "float", "int", "map", "null", "seq", "str"];
/// What is said of tags such as `!!binary`.
pub(crate) const UNREAD_TAG: &str = "spec::unread-tag";

/// A list or map that is still open.
struct Frame {
    start: usize,
    anchor: usize,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<Node>, skip: bool },
}

/// Takes events, gives documents.
pub(super) struct Builder<'a> {
    source: &'a Source,
    index: &'a CharIndex,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    pub(super) documents: Vec<Node>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Source, index: &'a CharIndex) -> Self {
        Self {
            source,
            index,
            frames: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            documents: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Takes one event; false when reading must stop.
    pub(super) fn take(&mut self, event: Event<'_>, span: saphyr_parser::Span) -> bool {
        let span = self.span(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !self.forces_text(tag.as_deref(), span);
                self.finish(Node { span, kind: Kind::Scalar(Scalar { text: text.into_owned(), plain }) }, anchor, 1)
            }
            Event::SequenceStart(anchor, tag) => self.open(Open::List(Vec::new()), anchor, tag.as_deref(), span),
            Event::MappingStart(anchor, tag) => {
                self.open(Open::Map { entries: Vec::new(), key: None, skip: false }, anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, size)) => self.finish(Node { span, ..node }, 0, size),
                None => true,
            },
            Event::DocumentStart(_) => {
                self.anchors.clear();
                true
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let byte = |marker: saphyr_parser::Marker| self.index.byte(&self.source.text, marker.index());
        Span { start: byte(span.start), end: byte(span.end) }
    }

    fn open(&mut self, open: Open, anchor: usize, tag: Option<&Tag>, span: Span) -> bool {
        self.forces_text(tag, span);
        self.frames.push(Frame { start: span.start, anchor, open });
        if self.frames.len() <= MAX_DEPTH {
            return true;
        }
        self.say("spec::too-deep", format!("more than {MAX_DEPTH} levels of nesting"), span);
        false
    }

    fn close(&mut self, span: Span) -> bool {
        let Some(frame) = self.frames.pop() else { return true };
        let kind = match frame.open {
            Open::List(items) => Kind::List(items),
            Open::Map { entries, .. } => Kind::Map(entries),
        };
        let node = Node { span: Span { start: frame.start, end: span.end.max(frame.start) }, kind };
        // What is inside was counted when it came; only an anchored node must know its whole size again.
        let size = if frame.anchor == 0 { 1 } else { count(&node) };
        self.finish(node, frame.anchor, size)
    }

    /// A node is complete: gives it to what it stands in.
    fn finish(&mut self, node: Node, anchor: usize, size: usize) -> bool {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            self.say("spec::too-large", format!("more than {MAX_NODES} values, aliases followed"), node.span);
            return false;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.documents.push(node);
            return true;
        };
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map { entries, key, skip } => match key.take() {
                None => {
                    let problem = key_problem(self.source, &node, entries);
                    *skip = problem.is_some();
                    self.diagnostics.extend(problem);
                    *key = Some(node);
                }
                Some(key) => {
                    if let (false, Kind::Scalar(scalar)) = (*skip, key.kind) {
                        entries.push(Entry { key: scalar.text, key_span: key.span, value: node });
                    }
                }
            },
        }
        true
    }

    /// `!!str` makes a text of anything; other tags change nothing here, so they are refused.
    fn forces_text(&mut self, tag: Option<&Tag>, span: Span) -> bool {
        let Some(tag) = tag else { return false };
        if tag.is_yaml_core_schema() {
            if !CORE.contains(&tag.suffix.as_str()) {
                let message = format!("`!!{}` is not read: the value stands as it is written", tag.suffix);
                let diagnostic = Diagnostic::error(UNREAD_TAG, message).at(self.source.label(span, "here"));
                self.diagnostics.push(diagnostic.help("write the value as text, without the tag"));
            }
            return tag.suffix == "str";
        }
        self.say("spec::tag", "tags have no meaning here".to_owned(), span);
        false
    }

    fn say(&mut self, code: &str, message: String, span: Span) {
        self.diagnostics.push(Diagnostic::error(code, message).at(self.source.label(span, "here")));
    }
}

/// What is wrong with a key.
fn key_problem(source: &Source, node: &Node, entries: &[Entry]) -> Option<Diagnostic> {
    let Kind::Scalar(key) = &node.kind else {
        let message = "a list or map stands where the name of a field should be";
        let help = "in `{{ … }}` left over from a template, the values were never filled in";
        return Some(Diagnostic::error("spec::wrong-key", message).at(source.label(node.span, "here")).help(help));
    };
    if key.plain && key.text == "<<" {
        let message = "merge keys (`<<`) are not part of YAML 1.2";
        return Some(
            Diagnostic::error("spec::merge-key", message)
                .at(source.label(node.span, "here"))
                .help("write the fields out"),
        );
    }
    let first = entries.iter().find(|entry| entry.key == key.text)?;
    Some(
        Diagnostic::error("spec::duplicate-key", format!("`{}` is there twice", key.text))
            .at(source.label(node.span, "here again"))
            .at(source.label(first.key_span, "first here"))
            .help("remove one of them"),
    )
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(count).sum(),
        Kind::Map(entries) => entries.iter().map(|entry| count(&entry.value)).sum(),
    }
}
