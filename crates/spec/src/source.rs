//! Texts that documents are read from, and places in them.

use resource::{Diagnostic, Label};

/// A text with the name that the user knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name of the file as the user gave it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Source {
    /// A source from a text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// A source from bytes; an error where they are not UTF-8.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Box<Diagnostic>> {
        let name = name.into();
        if let Some(encoding) = foreign_encoding(&bytes) {
            let label =
                Self { name, text: String::new() }.label(Span { start: 0, end: 0 }, "from the first character on");
            return Err(Box::new(
                Diagnostic::error("spec::not-utf8", format!("the file is in {encoding}, and documents are in UTF-8"))
                    .at(label)
                    .help(format!("save it as UTF-8, or convert it: iconv -f {encoding} -t UTF-8 FILE > NEW")),
            ));
        }
        String::from_utf8(bytes).map(|text| Self { name: name.clone(), text }).map_err(|error| {
            let (valid, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
            let text = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default()).into_owned();
            let before = Self { name, text };
            let label = before.label(Span { start: valid, end: valid }, "not UTF-8 from here");
            Box::new(
                Diagnostic::error("spec::not-utf8", "the file is not a text in UTF-8")
                    .at(label)
                    .help("save it as UTF-8; it may be a binary file, or one in an older encoding"),
            )
        })
    }

    /// The place of `span`, with a remark. A span over several lines is cut after the first.
    pub(crate) fn label(&self, span: Span, text: impl Into<String>) -> Label {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end.max(span.start));
        let before = self.text.get(..start).unwrap_or_default();
        let inside = self.text.get(start..end).unwrap_or_default();
        let inside = inside.split('\n').next().unwrap_or_default().trim_end();
        Label {
            file: self.name.clone(),
            offset: start,
            length: inside.len(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            text: text.into(),
        }
    }

    /// `offset` moved back to the start of a character, at most to the end of the text.
    fn boundary(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        (0..=offset).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// The encoding of a text with two or four bytes a character. Without a byte order mark it shows in the zeros: a YAML
/// document begins with a character of ASCII.
fn foreign_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [1..=0x7f, 0, 0, 0, ..] => Some("UTF-32LE"),
        [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, 1..=0x7f, ..] => Some("UTF-32BE"),
        [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => Some("UTF-16BE"),
        _ => None,
    }
}

/// A range of bytes of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: usize,
    /// Byte after the last.
    pub(crate) end: usize,
}

/// Where each character of a text is, for parsers that count in characters and are not shown its byte order marks.
pub(crate) struct CharIndex {
    /// Byte offset of every 64th character.
    steps: Vec<usize>,
    length: usize,
}

const STEP: usize = 64;
/// Editors of some systems begin a file with it, and joined files have it before each document.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl CharIndex {
    /// The index of `text`.
    pub(crate) fn new(text: &str) -> Self {
        Self { steps: read(text).step_by(STEP).map(|(at, _)| at).collect(), length: text.len() }
    }

    /// The byte offset of a character of `text`; its end where there are fewer.
    pub(crate) fn byte(&self, text: &str, character: usize) -> usize {
        let Some(step) = self.steps.get(character / STEP) else { return self.length };
        let rest = text.get(*step..).unwrap_or_default();
        // What stands first here is none of the marks: it was counted.
        read(rest).nth(character % STEP).map_or(self.length, |(at, _)| step + at)
    }
}

/// The text without byte order marks at the beginning of lines: YAML allows one before every document.
pub(crate) fn without_marks(text: &str) -> String {
    read(text).map(|(_, character)| character).collect()
}

/// The characters that parsers get to see, with their byte offsets.
fn read(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut begins_line = true;
    text.char_indices().filter(move |(_, character)| {
        let is_mark = begins_line && *character == BYTE_ORDER_MARK;
        begins_line = is_mark || *character == '\n';
        !is_mark
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_counts_lines_and_columns_in_characters_and_offsets_in_bytes() {
        let source = Source::new("a.yaml", "ä: 1\nöö: zwei\n");
        let label = source.label(Span { start: 12, end: 16 }, "here");
        assert_eq!((label.line, label.column, label.offset, label.length), (2, 5, 12, 4));
        assert_eq!(&source.text[label.offset..label.offset + label.length], "zwei");
    }

    #[test]
    fn a_label_ends_with_its_line_and_never_leaves_the_text() {
        let source = Source::new("a.yaml", "a:\n  b: 1\n");
        assert_eq!(source.label(Span { start: 0, end: 9 }, "").length, 2);
        assert_eq!(source.label(Span { start: 50, end: 60 }, "").offset, source.text.len());
        assert_eq!(source.label(Span { start: 3, end: 1 }, "").length, 0);
    }

    #[test]
    fn characters_are_found_in_long_texts() {
        let text = "äb".repeat(200);
        let index = CharIndex::new(&text);
        for (number, (at, _)) in text.char_indices().enumerate() {
            assert_eq!(index.byte(&text, number), at);
        }
        assert_eq!(index.byte(&text, 400), text.len());
        assert_eq!(index.byte(&text, 9000), text.len());
    }

    #[test]
    fn marks_at_the_beginning_of_lines_are_not_counted_wherever_an_index_begins() {
        let text = "\u{feff}a\u{feff}b\n\u{feff}c\n".repeat(100);
        let shown = without_marks(&text);
        assert_eq!(shown, "a\u{feff}b\nc\n".repeat(100));
        let index = CharIndex::new(&text);
        for (number, character) in shown.chars().enumerate() {
            assert!(text[index.byte(&text, number)..].starts_with(character), "{number}");
        }
    }

    #[test]
    fn texts_with_two_or_four_bytes_a_character_are_refused_with_their_encoding() {
        let text = "apiVersion: x\n";
        let two = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        let four = |to: fn(u32) -> [u8; 4]| text.chars().map(u32::from).flat_map(to).collect::<Vec<u8>>();
        for (bytes, mark, encoding) in [
            (two(u16::to_le_bytes), &[0xff_u8, 0xfe][..], "UTF-16LE"),
            (two(u16::to_be_bytes), &[0xfe, 0xff], "UTF-16BE"),
            (four(u32::to_le_bytes), &[0xff, 0xfe, 0, 0], "UTF-32LE"),
            (four(u32::to_be_bytes), &[0, 0, 0xfe, 0xff], "UTF-32BE"),
        ] {
            for bytes in [bytes.clone(), [mark, &bytes].concat()] {
                let error = Source::from_bytes("x", bytes).unwrap_err();
                assert_eq!(error.message, format!("the file is in {encoding}, and documents are in UTF-8"));
            }
        }
        assert_eq!(Source::from_bytes("x", text.as_bytes().to_vec()).unwrap().text, text);
        assert!(Source::from_bytes("x", Vec::new()).is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_a_place() {
        let error = Source::from_bytes("x", b"a: 1\nb: \xff".to_vec()).unwrap_err();
        assert_eq!((error.code.as_str(), error.labels[0].line, error.labels[0].column), ("spec::not-utf8", 2, 4));
    }
}
