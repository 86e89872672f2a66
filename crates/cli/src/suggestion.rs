//! Commands that are suggested to the user, rendered from what was asked for, as a shell reads them.

use std::fmt::Display;
use std::time::Duration;

/// A command of this program, as it can be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion(String);

impl Suggestion {
    /// A command without arguments, such as `update cluster`.
    pub(crate) fn new(command: &str) -> Self {
        Self(format!("kubewright {command}"))
    }

    /// The same with an argument.
    #[must_use]
    pub(crate) fn word(self, word: impl Display) -> Self {
        Self(format!("{} {}", self.0, quoted(&word.to_string())))
    }

    /// The same with an option for each of `values`.
    #[must_use]
    pub(crate) fn options<T: Display>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        values.into_iter().fold(self, |command, value| Self(format!("{} {name}", command.0)).word(value))
    }

    /// The same with an option that takes no value, where it was `given`.
    #[must_use]
    pub(crate) fn flag(self, name: &str, given: bool) -> Self {
        if given { Self(format!("{} {name}", self.0)) } else { self }
    }

    /// The text to type.
    pub(crate) fn text(self) -> String {
        self.0
    }
}

/// A word as a POSIX shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A duration as options take it.
pub(crate) fn duration(span: Duration) -> String {
    if span.subsec_nanos() == 0 { format!("{}s", span.as_secs()) } else { format!("{}ns", span.as_nanos()) }
}

/// The words that a shell makes of a command; for tests of what can be typed.
#[cfg(test)]
pub(crate) fn words_of(command: &str) -> Vec<String> {
    let script = format!("printf '%s\\0' {command}");
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_every_word_back() {
        let words = ["plain/x-1.2", "with blank", "it's", "", "a=\"b\" $HOME `x` ;|&\n*", "s3://b?region=r&x=y"];
        let command = words.iter().fold(Suggestion::new("x"), Suggestion::word);
        assert_eq!(words_of(&command.text())[2..], words);
    }

    #[test]
    fn a_duration_is_read_back_as_it_was() {
        for span in [Duration::from_secs(90), Duration::from_millis(1500)] {
            assert_eq!(crate::run_limits::duration(&duration(span)), Ok(span));
        }
    }
}
