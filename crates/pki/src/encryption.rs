//! The API server's configuration for encryption at rest, as a typed document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resource::Secret;
use serde::{Deserialize, Serialize};

use crate::PkiError;

/// An `EncryptionConfiguration` that encrypts with secretbox (XSalsa20 and Poly1305).
///
/// `identity` is always among the providers, so that what was written before encryption can still be read. A resource that
/// is no longer to be encrypted keeps its keys behind `identity`: what was encrypted can still be read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionConfiguration {
    api_version: String,
    kind: String,
    resources: Vec<Rule>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    providers: Vec<Provider>,
    resources: Vec<String>,
}

/// Each provider is a map with one key, as in Kubernetes' own type.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secretbox: Option<Secretbox>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secretbox {
    keys: Vec<Key>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    name: String,
    secret: String,
}

impl EncryptionConfiguration {
    /// Encrypts `resources` with one key.
    pub fn secretbox(resources: &[String], key: [u8; 32]) -> Self {
        let keys = vec![Key { name: "key1".to_owned(), secret: STANDARD.encode(key) }];
        let secretbox = Provider { secretbox: Some(Secretbox { keys }), identity: None };
        Self {
            api_version: "apiserver.config.k8s.io/v1".to_owned(),
            kind: "EncryptionConfiguration".to_owned(),
            resources: vec![Rule { providers: vec![secretbox, plain()], resources: resources.to_vec() }],
        }
    }

    /// Reads a configuration that [`Self::to_yaml`] wrote.
    pub fn from_yaml(text: &Secret) -> Result<Self, PkiError> {
        let read: Self = serde_yaml::from_str(text.reveal())
            .map_err(|error| PkiError::document("read encryption configuration", &error))?;
        if read.keys().is_none() {
            return Err(PkiError::Encryption("holds no secretbox key"));
        }
        Ok(read)
    }

    /// Writes it.
    pub fn to_yaml(&self) -> Result<Secret, PkiError> {
        let text = serde_yaml::to_string(self)
            .map_err(|error| PkiError::document("write encryption configuration", &error))?;
        Ok(Secret::new(text))
    }

    /// The resources that are encrypted when they are written.
    pub fn encrypted(&self) -> Vec<String> {
        let encrypting = |rule: &&Rule| rule.providers.first().is_some_and(|provider| provider.secretbox.is_some());
        self.resources.iter().filter(encrypting).flat_map(|rule| rule.resources.clone()).collect()
    }

    /// The same keys for other resources. What is no longer listed stays readable.
    pub fn for_resources(&self, resources: &[String]) -> Result<Self, PkiError> {
        let secretbox = self.keys().cloned().ok_or(PkiError::Encryption("holds no secretbox key"))?;
        let secretbox = Provider { secretbox: Some(secretbox), identity: None };
        let mut former: Vec<String> = self.resources.iter().flat_map(|rule| rule.resources.clone()).collect();
        former.retain(|resource| !resources.contains(resource));
        let mut rules = Vec::new();
        if !resources.is_empty() {
            rules.push(Rule { providers: vec![secretbox.clone(), plain()], resources: resources.to_vec() });
        }
        if !former.is_empty() {
            rules.push(Rule { providers: vec![plain(), secretbox], resources: former });
        }
        Ok(Self { resources: rules, ..self.clone() })
    }

    fn keys(&self) -> Option<&Secretbox> {
        self.resources.iter().flat_map(|rule| &rule.providers).find_map(|provider| provider.secretbox.as_ref())
    }
}

impl std::fmt::Debug for EncryptionConfiguration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

fn plain() -> Provider {
    Provider { secretbox: None, identity: Some(Identity {}) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_document_is_the_one_the_api_server_reads_with_identity_last() {
        let text = EncryptionConfiguration::secretbox(&names(&["secrets"]), [1; 32]).to_yaml().unwrap();
        let expected = "\
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- providers:
  - secretbox:
      keys:
      - name: key1
        secret: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
  - identity: {}
  resources:
  - secrets
";
        assert_eq!(text.reveal(), expected);
    }

    #[test]
    fn what_was_written_is_read_back() {
        let configuration = EncryptionConfiguration::secretbox(&names(&["secrets", "configmaps"]), [2; 32]);
        let read = EncryptionConfiguration::from_yaml(&configuration.to_yaml().unwrap()).unwrap();
        assert_eq!(read, configuration);
        assert_eq!(read.encrypted(), ["secrets", "configmaps"]);
    }

    #[test]
    fn other_resources_keep_the_key_and_former_ones_stay_readable() {
        let configuration = EncryptionConfiguration::secretbox(&names(&["secrets", "configmaps"]), [2; 32]);
        let changed = configuration.for_resources(&names(&["secrets"])).unwrap();
        assert_eq!(changed.encrypted(), ["secrets"]);
        assert!(changed.keys() == configuration.keys());
        let former = &changed.resources[1];
        assert_eq!(former.resources, ["configmaps"]);
        assert!(former.providers[0].identity.is_some() && former.providers[1].secretbox.is_some());
        let back = changed.for_resources(&names(&["secrets", "configmaps"])).unwrap();
        assert_eq!(back, configuration);
    }

    #[test]
    fn nothing_shows_the_key() {
        let configuration = EncryptionConfiguration::secretbox(&names(&["secrets"]), [3; 32]);
        assert_eq!(format!("{configuration:?}"), "[redacted]");
        let error = EncryptionConfiguration::from_yaml(&Secret::new("resources: hunter2")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn a_configuration_without_a_key_is_refused() {
        let text = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: []\n";
        let error = EncryptionConfiguration::from_yaml(&Secret::new(text)).unwrap_err();
        assert_eq!(error.to_string(), "encryption configuration holds no secretbox key");
    }
}
