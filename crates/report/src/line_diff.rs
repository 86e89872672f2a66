//! Differences between texts, line by line.

use similar::TextDiff;

/// How many unchanged lines are shown around a change.
const AROUND: usize = 3;

/// What turns `before` into `after`, as a unified diff of the file `name`; `None` when they are equal.
pub fn line_diff(name: &str, before: &str, after: &str) -> Option<String> {
    if before == after {
        return None;
    }
    let diff = TextDiff::from_lines(before, after);
    Some(diff.unified_diff().context_radius(AROUND).header(name, name).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_with_the_lines_around_it() {
        let before = "a\nb\nc\nd\ne\nf\n";
        assert_eq!(line_diff("x", before, before), None);
        let diff = line_diff("x", before, "a\nb\nc\nd\nE\nf\n").unwrap();
        assert_eq!(diff, "--- x\n+++ x\n@@ -2,5 +2,5 @@\n b\n c\n d\n-e\n+E\n f\n");
    }
}
