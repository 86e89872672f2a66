//! Bytes as they arrive, cut into lines.

use std::collections::VecDeque;

/// Lines of standard error that are kept.
pub(crate) const TAIL_LINES: usize = 20;
/// Bytes of one such line that are kept.
const TAIL_LINE_BYTES: usize = 4096;

/// Cuts a stream of bytes into lines; what is not UTF-8 is replaced.
#[derive(Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes and gives the lines they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut complete = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                complete.extend(self.finish());
            }
        }
        complete
    }

    /// The line at the end that has no line break.
    pub(crate) fn finish(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.partial);
        if line.is_empty() {
            return None;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

/// The last lines of a stream.
#[derive(Default)]
pub(crate) struct Tail {
    lines: Lines,
    kept: VecDeque<String>,
}

impl Tail {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for line in self.lines.push(bytes) {
            self.keep(line);
        }
        // A stream without line breaks must not fill the memory.
        let surplus = self.lines.partial.len().saturating_sub(TAIL_LINE_BYTES);
        self.lines.partial.drain(..surplus);
    }

    /// The last lines, at most 20.
    pub(crate) fn finish(mut self) -> Vec<String> {
        if let Some(line) = self.lines.finish() {
            self.keep(line);
        }
        self.kept.into()
    }

    fn keep(&mut self, line: String) {
        if self.kept.len() == TAIL_LINES {
            self.kept.pop_front();
        }
        let shortened: String = line.chars().take(TAIL_LINE_BYTES).collect();
        self.kept.push_back(shortened);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_across_pieces() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\ntw"), ["one"]);
        assert_eq!(lines.push(b"o\r\n\nthree"), ["two", ""]);
        assert_eq!(lines.finish().as_deref(), Some("three"));
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn a_character_cut_in_two_is_whole_again() {
        let mut lines = Lines::default();
        let [first, second] = [&"é\n".as_bytes()[..1], &"é\n".as_bytes()[1..]];
        assert!(lines.push(first).is_empty());
        assert_eq!(lines.push(second), ["é"]);
    }

    #[test]
    fn a_tail_keeps_the_last_twenty_lines() {
        let mut tail = Tail::default();
        for number in 0..50 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        tail.push(b"unfinished");
        let kept = tail.finish();
        assert_eq!((kept.len(), kept[0].as_str(), kept[19].as_str()), (20, "line 31", "unfinished"));
    }

    #[test]
    fn a_tail_without_line_breaks_stays_small() {
        let mut tail = Tail::default();
        for _ in 0..100 {
            tail.push(&[b'x'; 1000]);
        }
        assert_eq!(tail.finish(), ["x".repeat(TAIL_LINE_BYTES)]);
    }
}
