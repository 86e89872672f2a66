//! Files of a config: texts, and secrets that stand as references until they are sent.

use machine::config::{Content, File, Stage};
use resource::Reference;
use serde_json::{Value, json};

/// A text file.
pub(super) fn text(text: String, mode: &str) -> File {
    File {
        content: Content::Text(text),
        mode: mode.to_owned(),
        stage: Stage::Base,
        create_only: false,
        restarts: Vec::new(),
    }
}

/// A text file whose change restarts a unit.
pub(super) fn restarting(content: String, unit: &str) -> File {
    File { restarts: vec![unit.to_owned()], ..text(content, "0644") }
}

/// A static pod's manifest.
pub(super) fn manifest(content: String) -> File {
    File { stage: Stage::Manifest, ..text(content, "0600") }
}

/// A program that the provider puts there.
pub(super) fn provided(asset: String) -> File {
    File { content: Content::Provided { asset }, ..text(String::new(), "0755") }
}

/// A file with another resource's output.
pub(super) fn referring(reference: &Reference, mode: &str) -> Value {
    json!({"content": {"secret": reference}, "mode": mode, "stage": "base", "createOnly": false, "restarts": []})
}

/// The same, of which static pods only know what was in it when they started.
pub(super) fn referring_for(pods: &[&str], reference: &Reference, mode: &str) -> Value {
    let mut file = referring(reference, mode);
    file["restarts"] = json!(pods);
    file
}

/// The same, written only where there is none.
pub(super) fn referring_once(reference: &Reference, mode: &str) -> Value {
    let mut file = referring(reference, mode);
    file["createOnly"] = true.into();
    file
}
