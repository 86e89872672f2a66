//! The API server's configuration for encryption at rest, as a typed document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resource::Secret;
use serde::{Deserialize, Serialize};

use crate::PkiError;

/// How the API server encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cipher {
    /// XSalsa20 and Poly1305.
    Secretbox,
    /// AES in CBC mode.
    Aescbc,
}

/// An `EncryptionConfiguration` with one key per cipher that was ever asked for.
///
/// `identity` is always among the providers, so that what was written before encryption can still be read. Keys of an
/// earlier cipher and of resources that are no longer to be encrypted stay, behind: what was encrypted can still be read.
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

/// A map with one key, as Kubernetes' own type.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secretbox: Option<Keys>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aescbc: Option<Keys>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
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

impl Provider {
    fn of(cipher: Cipher, keys: Keys) -> Self {
        match cipher {
            Cipher::Secretbox => Self { secretbox: Some(keys), ..Self::default() },
            Cipher::Aescbc => Self { aescbc: Some(keys), ..Self::default() },
        }
    }

    fn plain() -> Self {
        Self { identity: Some(Identity {}), ..Self::default() }
    }

    fn cipher(&self) -> Option<Cipher> {
        match (&self.secretbox, &self.aescbc) {
            (Some(_), _) => Some(Cipher::Secretbox),
            (None, Some(_)) => Some(Cipher::Aescbc),
            (None, None) => None,
        }
    }
}

impl EncryptionConfiguration {
    /// Encrypts `resources` with one key.
    pub fn new(cipher: Cipher, resources: &[String], key: [u8; 32]) -> Self {
        let empty = Self {
            api_version: "apiserver.config.k8s.io/v1".to_owned(),
            kind: "EncryptionConfiguration".to_owned(),
            resources: Vec::new(),
        };
        empty.with(cipher, resources, || key)
    }

    /// Reads a configuration that [`Self::to_yaml`] wrote.
    pub fn from_yaml(text: &Secret) -> Result<Self, PkiError> {
        let read: Self = serde_yaml::from_str(text.reveal())
            .map_err(|error| PkiError::document("read encryption configuration", &error))?;
        if read.encrypting().is_empty() {
            return Err(PkiError::Encryption("holds no key"));
        }
        Ok(read)
    }

    /// Writes it.
    pub fn to_yaml(&self) -> Result<Secret, PkiError> {
        let text = resource::yaml::to_text(self)
            .map_err(|error| PkiError::document("write encryption configuration", &error))?;
        Ok(Secret::new(text))
    }

    /// The resources that are encrypted when they are written.
    pub fn encrypted(&self) -> Vec<String> {
        let encrypts = |rule: &&Rule| rule.providers.first().is_some_and(|provider| provider.cipher().is_some());
        self.resources.iter().filter(encrypts).flat_map(|rule| rule.resources.clone()).collect()
    }

    /// What encrypts when something is written, or would if there were something to encrypt.
    pub fn cipher(&self) -> Option<Cipher> {
        self.encrypting().first().and_then(Provider::cipher)
    }

    /// Other resources, perhaps with another cipher, whose key is made when it was never asked for before.
    /// What was encrypted before stays readable.
    #[must_use]
    pub fn with(&self, cipher: Cipher, resources: &[String], fresh: impl FnOnce() -> [u8; 32]) -> Self {
        let (mut first, others): (Vec<_>, Vec<_>) =
            self.encrypting().into_iter().partition(|provider| provider.cipher() == Some(cipher));
        if first.is_empty() {
            let keys = vec![Key { name: "key1".to_owned(), secret: STANDARD.encode(fresh()) }];
            first.push(Provider::of(cipher, Keys { keys }));
        }
        let encrypting: Vec<Provider> = first.into_iter().chain(others).collect();
        let mut former: Vec<String> = self.resources.iter().flat_map(|rule| rule.resources.clone()).collect();
        former.retain(|resource| !resources.contains(resource));
        let mut rules = Vec::new();
        if !resources.is_empty() {
            let providers = encrypting.iter().cloned().chain([Provider::plain()]).collect();
            rules.push(Rule { providers, resources: resources.to_vec() });
        }
        if !former.is_empty() {
            let providers = [Provider::plain()].into_iter().chain(encrypting).collect();
            rules.push(Rule { providers, resources: former });
        }
        Self { resources: rules, ..self.clone() }
    }

    /// The providers that encrypt, in their order: every rule has the same ones.
    fn encrypting(&self) -> Vec<Provider> {
        let providers = self.resources.first().map(|rule| rule.providers.as_slice()).unwrap_or_default();
        providers.iter().filter(|provider| provider.cipher().is_some()).cloned().collect()
    }
}

impl std::fmt::Debug for EncryptionConfiguration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn unused() -> [u8; 32] {
        panic!("there is a key already")
    }

    #[test]
    fn another_cipher_encrypts_from_now_on_and_what_was_encrypted_stays_readable() {
        let secrets = names(&["secrets"]);
        let first = EncryptionConfiguration::new(Cipher::Secretbox, &secrets, [2; 32]);
        let second = first.with(Cipher::Aescbc, &secrets, || [3; 32]);
        let order =
            |of: &EncryptionConfiguration| of.resources[0].providers.iter().map(Provider::cipher).collect::<Vec<_>>();
        assert_eq!(order(&second), [Some(Cipher::Aescbc), Some(Cipher::Secretbox), None]);
        let back = second.with(Cipher::Secretbox, &secrets, unused);
        assert_eq!(order(&back), [Some(Cipher::Secretbox), Some(Cipher::Aescbc), None]);
        assert_eq!((first.cipher(), second.cipher()), (Some(Cipher::Secretbox), Some(Cipher::Aescbc)));
    }

    #[test]
    fn the_document_is_the_one_the_api_server_reads_with_identity_last() {
        let text = EncryptionConfiguration::new(Cipher::Secretbox, &names(&["secrets"]), [1; 32]).to_yaml().unwrap();
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
        let configuration =
            EncryptionConfiguration::new(Cipher::Secretbox, &names(&["secrets", "configmaps"]), [2; 32]);
        let read = EncryptionConfiguration::from_yaml(&configuration.to_yaml().unwrap()).unwrap();
        assert_eq!(read, configuration);
        assert_eq!(read.encrypted(), ["secrets", "configmaps"]);
    }

    #[test]
    fn other_resources_keep_the_key_and_former_ones_stay_readable() {
        let configuration =
            EncryptionConfiguration::new(Cipher::Secretbox, &names(&["secrets", "configmaps"]), [2; 32]);
        let changed = configuration.with(Cipher::Secretbox, &names(&["secrets"]), unused);
        assert_eq!(changed.encrypted(), ["secrets"]);
        assert!(changed.encrypting() == configuration.encrypting());
        let former = &changed.resources[1];
        assert_eq!(former.resources, ["configmaps"]);
        assert!(former.providers[0].identity.is_some() && former.providers[1].secretbox.is_some());
        let back = changed.with(Cipher::Secretbox, &names(&["secrets", "configmaps"]), unused);
        assert_eq!(back, configuration);
    }

    #[test]
    fn nothing_shows_the_key() {
        let configuration = EncryptionConfiguration::new(Cipher::Secretbox, &names(&["secrets"]), [3; 32]);
        assert_eq!(format!("{configuration:?}"), "[redacted]");
        let error = EncryptionConfiguration::from_yaml(&Secret::new("resources: hunter2")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn a_configuration_without_a_key_is_refused() {
        let text = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: []\n";
        let error = EncryptionConfiguration::from_yaml(&Secret::new(text)).unwrap_err();
        assert_eq!(error.to_string(), "encryption configuration holds no key");
    }
}
