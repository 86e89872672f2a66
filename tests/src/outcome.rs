//! How a story went, and how its process says so to whoever started it.

/// What a process ends with when its story was not told, as for automake's tests.
pub const SKIPPED: u8 = 77;

/// How a story went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All went well.
    Passed,
    /// Something did not.
    Failed,
    /// It could not be told here, and this is why.
    Skipped(String),
}

impl Outcome {
    /// What a process that ended with `code`, or was killed, says of its story; `why` is what it wrote down.
    pub fn of(code: Option<i32>, why: &str) -> Self {
        match code {
            Some(0) => Self::Passed,
            Some(code) if code == i32::from(SKIPPED) => Self::Skipped(why.trim().to_owned()),
            _ => Self::Failed,
        }
    }

    /// How its line in a table ends.
    pub fn remark(&self) -> String {
        match self {
            Self::Passed => String::new(),
            Self::Failed => "  FAILED".to_owned(),
            Self::Skipped(why) => format!("  SKIPPED: {}", first_line(why)),
        }
    }
}

/// The last line of a run: how many went how, and which were not told, and why.
pub fn summary<'a>(told: impl IntoIterator<Item = (&'a str, &'a Outcome)>) -> String {
    let (mut passed, mut failed, mut skipped) = (0, 0, Vec::new());
    for (name, outcome) in told {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Failed => failed += 1,
            Outcome::Skipped(why) => skipped.push(format!("{name} ({})", first_line(why))),
        }
    }
    let counts = format!("{passed} passed, {failed} failed");
    if skipped.is_empty() { counts } else { format!("{counts}, {} skipped: {}", skipped.len(), skipped.join(", ")) }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_that_was_not_told_has_not_passed() {
        assert_eq!(Outcome::of(Some(0), ""), Outcome::Passed);
        assert_eq!(Outcome::of(Some(77), "no kernel\nline 2\n"), Outcome::Skipped("no kernel\nline 2".to_owned()));
        for code in [Some(1), Some(101), None] {
            assert_eq!(Outcome::of(code, "no kernel"), Outcome::Failed);
        }
    }

    #[test]
    fn the_last_line_names_what_was_skipped_and_why() {
        let skipped = Outcome::of(Some(77), "no kernel\nline 2");
        let told = [("one", &Outcome::Passed), ("two", &skipped), ("three", &Outcome::Failed)];
        assert_eq!(summary(told), "1 passed, 1 failed, 1 skipped: two (no kernel)");
        assert_eq!(summary([("one", &Outcome::Passed)]), "1 passed, 0 failed");
        assert_eq!(skipped.remark(), "  SKIPPED: no kernel");
        assert_eq!(Outcome::of(Some(77), "").remark(), "  SKIPPED: it does not say why");
    }
}
