//! The content of Secrets: written as text or base64, stored as base64, never shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use engine::Output;
use resource::Reference;
use serde_json::{Map, Value};

use super::{FieldSet, Projector};

/// The manifest as it is applied: a Secret's `stringData` as `data`, so that ownership is kept for what is stored.
pub(crate) fn with_encoded_data(mut manifest: Value) -> Value {
    if manifest.get("kind").and_then(Value::as_str) != Some("Secret") {
        return manifest;
    }
    let Value::Object(fields) = &mut manifest else { return manifest };
    if let Some(Value::Object(texts)) = fields.remove("stringData") {
        let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(data) = data {
            for (name, text) in texts {
                data.insert(name, Value::String(BASE64.encode(text.as_str().unwrap_or_default())));
            }
        }
    }
    manifest
}

/// The content of one Secret, apart from the rest of the object.
pub(super) struct Content<'a> {
    live: Map<String, Value>,
    owned: Vec<String>,
    data: Option<&'a Value>,
    texts: Option<&'a Value>,
}

impl<'a> Content<'a> {
    /// Takes the content's ownership out of `ours`; `None` where the object is no Secret.
    pub(super) fn take(live: &Value, ours: &mut FieldSet, desired: Option<&'a Value>) -> Option<Self> {
        if live.get("kind").and_then(Value::as_str) != Some("Secret") {
            return None;
        }
        let taken = [ours.fields.remove("data"), ours.fields.remove("stringData")];
        Some(Self {
            live: live.get("data").and_then(Value::as_object).cloned().unwrap_or_default(),
            owned: taken.into_iter().flatten().flat_map(|set| set.fields.into_keys()).collect(),
            data: desired.and_then(|desired| desired.get("data")),
            texts: desired.and_then(|desired| desired.get("stringData")),
        })
    }

    pub(super) fn project(self, projector: &Projector<'_>, object: &mut Map<String, Value>) {
        let wanted = |list: Option<&'a Value>| list.and_then(Value::as_object).into_iter().flatten();
        let mut data = Map::new();
        let mut texts = Map::new();
        for (name, value) in wanted(self.texts) {
            if let Some(live) = self.bytes(name) {
                texts.insert(name.clone(), shown(projector, &live, value, text_bytes(projector, value)));
            }
        }
        for (name, value) in wanted(self.data).filter(|(name, _)| !texts.contains_key(*name)) {
            if let Some(live) = self.bytes(name) {
                let bytes = text_bytes(projector, value).and_then(|text| decode(&text));
                data.insert(name.clone(), shown(projector, &live, value, bytes));
            }
        }
        for name in self.owned.iter().filter(|name| !texts.contains_key(*name)) {
            if let (false, Some(live)) = (data.contains_key(name), self.bytes(name)) {
                data.insert(name.clone(), Value::String((projector.mask)(&live)));
            }
        }
        if self.data.is_some() || !data.is_empty() {
            object.insert("data".to_owned(), Value::Object(data));
        }
        if self.texts.is_some() {
            object.insert("stringData".to_owned(), Value::Object(texts));
        }
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        decode(self.live.get(name)?.as_str()?.as_bytes())
    }
}

fn shown(projector: &Projector<'_>, live: &[u8], desired: &Value, wanted: Option<Vec<u8>>) -> Value {
    if wanted.as_deref() == Some(live) { desired.clone() } else { Value::String((projector.mask)(live)) }
}

/// The text that a value or reference stands for.
fn text_bytes(projector: &Projector<'_>, value: &Value) -> Option<Vec<u8>> {
    if let Some(reference) = Reference::from_value(value) {
        let output: Output = (projector.resolve)(&reference)?;
        return output.text().map(|text| text.as_bytes().to_vec());
    }
    value.as_str().map(|text| text.as_bytes().to_vec())
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(text).ok()
}
