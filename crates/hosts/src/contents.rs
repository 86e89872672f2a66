//! References in a machine config, replaced by what they refer to.

use std::collections::BTreeMap;

use engine::ObserveContext;
use resource::{Reference, reference};
use serde_json::Value;

use crate::inputs::{base64, output_text};

/// A config without references.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The config. Files whose content is not made yet are left out.
    pub(crate) config: Value,
    /// Those files by path, and what they wait for.
    pub(crate) waiting: BTreeMap<String, Reference>,
}

/// Replaces references. `Err` for one that is not in a file's content and has no output yet.
pub(crate) fn resolve(config: &Value, outputs: &dyn ObserveContext) -> Result<Resolved, Reference> {
    let mut config = config.clone();
    let mut waiting = BTreeMap::new();
    for part in ["group", "machine"] {
        let Some(Value::Object(files)) = config.get_mut(part).and_then(|part| part.get_mut("files")) else { continue };
        for (path, file) in files.iter_mut() {
            if let Err(reference) = fill(file, outputs) {
                waiting.insert(path.clone(), reference);
            }
        }
        files.retain(|path, _| !waiting.contains_key(path));
    }
    if !reference::find_references(&config).is_empty() {
        fill(&mut config, outputs)?;
    }
    Ok(Resolved { config, waiting })
}

/// Replaces every reference in `value`; a secret becomes base64.
fn fill(value: &mut Value, outputs: &dyn ObserveContext) -> Result<(), Reference> {
    if let Some(reference) = Reference::from_value(value) {
        *value = Value::String(output_text(&reference, outputs)?);
        return Ok(());
    }
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| fill(item, outputs)),
        Value::Object(fields) => fields.iter_mut().try_for_each(|(name, field)| match Reference::from_value(field) {
            Some(reference) if name == "secret" => {
                *field = Value::String(base64(&output_text(&reference, outputs)?));
                Ok(())
            }
            _ => fill(field, outputs),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use engine::{Clock, Output, Outputs, UnresolvedReference};
    use resource::{ResourceId, Secret};
    use serde_json::json;

    use super::*;

    struct Known(Option<Secret>);

    impl ObserveContext for Known {
        fn output(&self, reference: &Reference) -> Result<Output, UnresolvedReference> {
            self.0.clone().map(Output::Secret).ok_or_else(|| UnresolvedReference(reference.clone()))
        }
        fn outputs(&self, _resource: &ResourceId) -> Outputs {
            Outputs::new()
        }
        fn clock(&self) -> &dyn Clock {
            unimplemented!()
        }
        fn digest_key(&self, _scope: &str) -> [u8; 32] {
            [0; 32]
        }
    }

    fn reference() -> Reference {
        Reference::new(ResourceId::new("certificate", "w/kubelet"), "key")
    }

    fn config() -> Value {
        json!({
            "group": {"files": {"/a": {"content": {"text": reference()}}, "/b": {"content": {"text": "plain"}}}},
            "machine": {"nodeName": "w", "files": {"/c": {"content": {"secret": reference()}}}},
        })
    }

    #[test]
    fn texts_are_filled_in_as_they_are_and_secrets_in_base64() {
        let resolved = resolve(&config(), &Known(Some(Secret::new("key")))).unwrap();
        assert_eq!(resolved.config["group"]["files"]["/a"]["content"], json!({"text": "key"}));
        assert_eq!(resolved.config["machine"]["files"]["/c"]["content"], json!({"secret": "a2V5"}));
        assert!(resolved.waiting.is_empty());
    }

    #[test]
    fn files_whose_content_is_not_made_yet_are_left_out() {
        let resolved = resolve(&config(), &Known(None)).unwrap();
        assert_eq!(resolved.waiting.keys().collect::<Vec<_>>(), ["/a", "/c"]);
        assert_eq!(resolved.config["group"]["files"], json!({"/b": {"content": {"text": "plain"}}}));
    }

    #[test]
    fn a_reference_elsewhere_must_be_made() {
        let config = json!({"machine": {"nodeName": reference()}});
        assert_eq!(resolve(&config, &Known(None)).unwrap_err(), reference());
        let resolved = resolve(&config, &Known(Some(Secret::new("w")))).unwrap();
        assert_eq!(resolved.config, json!({"machine": {"nodeName": "w"}}));
    }
}
