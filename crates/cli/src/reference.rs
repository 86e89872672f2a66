//! The command line's reference, `docs/cli-reference.md`, kept true by a test.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use crate::arguments::CommandLine;

/// Help of every command, one section each.
fn reference() -> String {
    let mut text =
        String::from("# Command line\n\nWritten by `cargo xtask gen`; a test fails when it is not current.\n");
    let mut program = CommandLine::command().term_width(100);
    program.build();
    section(&mut text, &mut program, "kubewright");
    text
}

fn section(text: &mut String, command: &mut Command, path: &str) {
    if command.get_name() == "help" {
        return;
    }
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## {path}\n\n```\n{}\n```\n", help.join("\n").trim_end());
    for inner in command.get_subcommands_mut() {
        let path = format!("{path} {}", inner.get_name());
        section(text, inner, &path);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "tests may read the environment")]
fn the_published_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli-reference.md");
    let current = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == current, "docs/cli-reference.md is not current: cargo xtask gen");
}
