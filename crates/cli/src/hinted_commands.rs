//! Commands in hints, as they must be typed where the program was told a store.

use clap::CommandFactory as _;

use crate::arguments::CommandLine;
use crate::suggestion::quoted;

/// What every command begins with.
const PROGRAM: &str = "kubewright ";
/// Commands that look into no store, or name theirs themselves.
const STORELESS: [&str; 6] = ["assets", "completion", "manual", "preflight", "state copy", "version"];

/// The text, each command in it with the store that was given as an option: without it, the command would look elsewhere.
///
/// A command ends with its line, its backtick or bracket, or where a comma or semicolon goes on with the sentence.
pub(crate) fn with_state(text: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return text.to_owned() };
    let option = format!(" --state {}", quoted(state));
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(PROGRAM) {
        let (before, from) = rest.split_at(start);
        let (command, after) = from.split_at(end(from));
        shown.push_str(before);
        if is_command(before, command) && needs_store(command) {
            // What follows `--` is for another program.
            let own = command.find(" -- ").unwrap_or(command.len());
            shown.extend([&command[..own], &option, &command[own..]]);
        } else {
            shown.push_str(command);
        }
        rest = after;
    }
    shown + rest
}

/// Whether a text that begins with the program's name, and stands behind `before`, is a command of it.
fn is_command(before: &str, text: &str) -> bool {
    let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || "-/_.".contains(c));
    let verb = text[PROGRAM.len()..].split(' ').next().unwrap_or_default();
    is_word && CommandLine::command().find_subcommand(verb).is_some()
}

/// Whether a command looks into a store.
fn needs_store(command: &str) -> bool {
    let arguments = &command[PROGRAM.len()..];
    !STORELESS.iter().any(|command| arguments.starts_with(command)) && !arguments.contains("--state ")
}

/// Where the command ends that `text` begins with.
fn end(text: &str) -> usize {
    let mut in_quotes = false;
    let mut characters = text.char_indices().peekable();
    let mut end = text.len();
    while let Some((at, c)) = characters.next() {
        let goes_on = characters.peek().is_none_or(|(_, next)| next.is_whitespace());
        let ends = match c {
            '\'' => {
                in_quotes = !in_quotes;
                false
            }
            '\n' | '`' | ')' | '|' | ';' | '…' => true,
            ',' | '.' => goes_on,
            _ => false,
        };
        if ends && !in_quotes {
            end = at;
            break;
        }
    }
    text[..end].trim_end().len().max(PROGRAM.len())
}

#[cfg(test)]
mod told;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_suggested_with_the_store_that_was_given() {
        let state = Some("s3://b");
        for (text, shown) in [
            ("to go on: kubewright update cluster a", "to go on: kubewright update cluster a --state s3://b"),
            ("  kubewright ssh a b", "  kubewright ssh a b --state s3://b"),
            (
                "Look: `kubewright ssh a b -- crictl ps -a`, and there.",
                "Look: `kubewright ssh a b --state s3://b -- crictl ps -a`, and there.",
            ),
            (
                "kubewright delete cluster a --yes, then kubewright create cluster a",
                "kubewright delete cluster a --yes --state s3://b, then kubewright create cluster a --state s3://b",
            ),
            (
                "wait (kubewright validate cluster a), then `kubewright set cluster a 'x=(b, c)'`.",
                "wait (kubewright validate cluster a --state s3://b), then `kubewright set cluster a 'x=(b, c)' --state s3://b`.",
            ),
            (
                "kubewright graph cluster a --format dot | dot -Tsvg",
                "kubewright graph cluster a --format dot --state s3://b | dot -Tsvg",
            ),
        ] {
            assert_eq!(with_state(text, state), shown);
        }
    }

    #[test]
    fn what_is_no_command_or_needs_no_store_stays() {
        for text in [
            "use a newer kubewright",
            "a newer kubewright is needed",
            "run: kubewright get clusters --state x",
            "build it: kubewright assets pull",
            "kubewright state copy 'a' 'b' --name c --yes",
            "kubewright ",
        ] {
            assert_eq!(with_state(text, Some("/x")), text);
        }
        assert_eq!(with_state("see: kubewright get clusters", None), "see: kubewright get clusters");
    }

    #[test]
    fn a_shell_reads_the_store_as_it_was_given() {
        let state = "/srv/o'neill/my state";
        let words = crate::suggestion::words_of(&with_state("kubewright get clusters", Some(state)));
        assert_eq!(words, ["kubewright", "get", "clusters", "--state", state]);
    }
}
