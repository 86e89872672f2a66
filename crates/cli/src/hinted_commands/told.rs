//! Tests: every command that a text of the sources or a document tells to type is one that this program takes.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::{PROGRAM, end, is_command};
use crate::arguments::CommandLine;
use crate::suggestion::words_of;

/// What may stand for something that is filled in: a name, a number, a setting, a resource.
const FILLED_IN: [&str; 4] = ["x", "1", "spec.x=1", "x/y"];

#[test]
fn every_command_that_a_text_tells_to_type_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    for (directory, extension) in [("crates", "rs"), ("providers", "rs"), ("docs", "md")] {
        files(&root.join(directory), extension, &mut texts);
    }
    texts.push(root.join("README.md"));
    let (mut count, mut wrong) = (0, Vec::new());
    for path in texts.iter().filter(|path| is_told_by(path)) {
        let text = std::fs::read_to_string(path).unwrap();
        for command in commands(&plain(path, &text)) {
            count += 1;
            if !is_taken(&command) {
                wrong.push(format!("{}: {command}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 100, "only {count} commands were found");
}

fn files(directory: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files(&entry, extension, found);
        } else if entry.extension().is_some_and(|other| other == extension) {
            found.push(entry);
        }
    }
}

/// Tests type wrong commands on purpose, and the reference is made of the parser itself.
fn is_told_by(path: &Path) -> bool {
    let text = path.to_string_lossy();
    !text.contains("/tests/") && !["/tests.rs", "/told.rs", "/cli-reference.md"].iter().any(|end| text.ends_with(end))
}

/// A text as it is read by people: of sources, without what tests do, and with strings that go on in the next line joined.
fn plain(path: &Path, text: &str) -> String {
    if path.extension().is_none_or(|extension| extension != "rs") {
        return text.to_owned();
    }
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut plain = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//!")) {
        match line.strip_suffix('\\') {
            Some(goes_on) => plain.push_str(goes_on.trim_start()),
            None => plain.extend([line.trim_start(), "\n"]),
        }
    }
    plain
}

/// Commands in a text that begin with a verb of this program.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices(PROGRAM) {
        let from = &text[start..];
        let from = &from[..from.find(['"', '#', '>']).unwrap_or(from.len())];
        let command = &from[..end(from).min(from.len())];
        if is_command(&text[..start], command) {
            found.push(command.to_owned());
        }
    }
    found
}

/// Whether the command is taken with some word for each `{…}` and each `NAME` in capitals.
fn is_taken(command: &str) -> bool {
    match hole(command) {
        None => CommandLine::command().try_get_matches_from(words_of(command)).is_ok(),
        Some((before, after)) => FILLED_IN.iter().any(|word| is_taken(&format!("{before}{word}{after}"))),
    }
}

/// What stands before and after the first thing that is to be filled in.
fn hole(command: &str) -> Option<(&str, &str)> {
    if let Some((before, rest)) = command.split_once('{') {
        return Some((before, rest.split_once('}').map_or("", |(_, after)| after)));
    }
    let is_name = |text: &&str| text.len() > 1 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let name = command.split([' ', '/', '=']).find(is_name)?;
    command.split_once(name)
}
