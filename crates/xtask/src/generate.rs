//! `cargo xtask gen`: writes every generated file anew.

use anyhow::Result;

use crate::workspace::cargo_with;

/// The tests that hold generated files to their sources write them when asked to.
const WRITERS: &[(&str, &[&str])] = &[
    (
        "docs/spec-reference.md, docs/spec.schema.json, docs/plan-rules.schema.json",
        &["-p", "spec", "--test", "published", "up_to_date"],
    ),
    ("docs/plan.schema.json", &["-p", "plan", "--test", "published"]),
    ("docs/cli-reference.md", &["-p", "cli", "the_published_reference"]),
];

/// Writes them, and says which.
pub(crate) fn run() -> Result<()> {
    for (files, arguments) in WRITERS {
        println!("==> {files}");
        cargo_with(&[&["test", "--quiet"], *arguments].concat(), &[("UPDATE", "1")])?;
    }
    Ok(())
}
