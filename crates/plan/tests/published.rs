//! The published schema of plans is that of the types.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that writes the file when it is asked to")]

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plan.schema.json");

#[test]
fn the_published_schema_is_up_to_date() {
    let text = format!("{}\n", serde_json::to_string_pretty(&plan::json_schema()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PUBLISHED, &text).unwrap();
    }
    let published = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    assert!(published == text, "docs/plan.schema.json is not up to date: cargo xtask gen");
}
