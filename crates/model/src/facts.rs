//! What a revision keeps beside its documents: what was found out and allocated before resolving.

use std::collections::BTreeMap;

use catalog::Edition;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is kept with a revision, so that the same documents always ask for the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// What the cluster's provider found out and allocated.
    pub provider: ProviderFacts,
    /// Digests of the sources of this project's own programs, by asset name.
    pub programs: BTreeMap<String, String>,
    /// The way of making a cluster that holds for it: that of its creation, until its owner asks for another one.
    #[serde(default)]
    pub edition: Edition,
    /// Texts of the user's own templates by their SHA-256, so that nothing depends on a file that may change or go.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
}

/// What a provider keeps of a cluster: opaque to everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderFacts {
    /// The provider, as documents name it.
    pub name: String,
    /// Version of the value's format. 0: what was kept before formats had versions.
    pub format: u32,
    /// The facts, in the provider's words.
    pub value: Value,
}

impl ProviderFacts {
    /// The provider's part of what a revision keeps, whatever else that is: see [`Facts::read`].
    ///
    /// # Errors
    /// When there is no such part.
    pub fn read(kept: &Value, provider: &str) -> Result<Self, serde_json::Error> {
        match kept.get("provider") {
            Some(facts) => serde_json::from_value(facts.clone()),
            None => Facts::read(kept, provider).map(|facts| facts.provider),
        }
    }
}

impl Facts {
    /// What a revision keeps. Revisions before providers had formats kept everything side by side: what is nobody else's then
    /// belongs to `provider`.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn read(kept: &Value, provider: &str) -> Result<Self, serde_json::Error> {
        match kept {
            Value::Object(fields) if !fields.contains_key("provider") => {
                let common = |name: &str| ["programs", "edition", "templates"].contains(&name);
                let (mut common, own): (serde_json::Map<_, _>, serde_json::Map<_, _>) =
                    fields.clone().into_iter().partition(|(name, _)| common(name));
                let facts = ProviderFacts { name: provider.to_owned(), format: 0, value: Value::Object(own) };
                common.insert("provider".to_owned(), serde_json::to_value(facts)?);
                serde_json::from_value(Value::Object(common))
            }
            other => serde_json::from_value(other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_earlier_release_kept_side_by_side_is_read() {
        let own = json!({"local": {"bridge": "b"}, "cgroupV1": false, "resolvers": []});
        let mut kept = own.clone();
        kept["programs"] = json!({"pause": "1"});
        let facts = Facts::read(&kept, "some").unwrap();
        assert_eq!(facts.provider, ProviderFacts { name: "some".into(), format: 0, value: own });
        assert_eq!((facts.edition, facts.programs["pause"].as_str()), (Edition::V1, "1"));
        assert_eq!(
            Facts::read(&serde_json::to_value(&facts).unwrap(), "other").unwrap(),
            facts,
            "it is read as it is written"
        );
    }

    #[test]
    fn a_providers_part_is_read_beside_what_is_not_known() {
        let part = ProviderFacts { name: "some".into(), format: 1, value: json!({"subnet": "s"}) };
        let kept = json!({"provider": part, "edition": "v99", "further": true});
        assert!(Facts::read(&kept, "some").is_err());
        assert_eq!(ProviderFacts::read(&kept, "some").unwrap(), part);
        assert!(ProviderFacts::read(&json!({"provider": 1}), "some").is_err());
    }

    #[test]
    fn what_is_no_such_record_is_an_error() {
        for wrong in [json!(null), json!({"provider": {}}), json!({"programs": 1})] {
            assert!(Facts::read(&wrong, "some").is_err(), "{wrong}");
        }
    }
}
