//! `cargo xtask gen`: writes every generated file anew.

use anyhow::Result;

use crate::workspace::cargo_on_all;

/// What is generated: the references of command line and spec, and the schemas.
const FILES: &str = "docs/cli-reference.md docs/spec-reference.md docs/spec.schema.json docs/plan.schema.json docs/plan-rules.schema.json";

/// The tests that hold generated files to their sources write them when asked to. Nothing is compiled for it that the other tasks
/// do not need as well.
const WRITERS: [&str; 7] =
    ["--test", "published", "--bin", "kubewright", "--", "up_to_date", "the_published_reference"];

/// Writes them, and says which.
pub(crate) fn run() -> Result<()> {
    println!("==> {FILES}");
    cargo_on_all("test", &WRITERS, &[("UPDATE", "1")])
}
