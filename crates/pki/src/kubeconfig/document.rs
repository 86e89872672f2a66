//! Clusters, contexts and users as they stand in a kubeconfig.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resource::Secret;
use serde::{Deserialize, Deserializer, Serialize};
use serde_yaml::Value;

use super::{Credential, Entry, Trust};

/// Fields that kubewright does not know, kept as they are.
pub(super) type Others = BTreeMap<String, Value>;

/// Reads `null`, which kubectl writes for an empty list, as nothing.
pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NamedCluster {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) cluster: Cluster,
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) others: Others,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NamedContext {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) context: Context,
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) others: Others,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NamedUser {
    pub(super) name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) user: User,
    #[serde(flatten)]
    pub(super) others: Others,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Cluster {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate_authority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate_authority_data: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) server: String,
    #[serde(flatten)]
    pub(super) others: Others,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Context {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) cluster: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) user: String,
    #[serde(flatten)]
    pub(super) others: Others,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_certificate_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_key_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(rename = "tokenFile", skip_serializing_if = "Option::is_none")]
    pub(super) token_file: Option<String>,
    #[serde(flatten)]
    pub(super) others: Others,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Cluster {
    pub(super) fn of(entry: &Entry) -> Self {
        Self::trusting(&entry.server, &entry.trust)
    }

    /// The cluster at `server`.
    pub(super) fn trusting(server: &str, trust: &Trust) -> Self {
        let mut cluster = Self { server: server.to_owned(), ..Self::default() };
        match trust {
            Trust::Embedded(pem) => cluster.certificate_authority_data = Some(STANDARD.encode(pem)),
            Trust::File(path) => cluster.certificate_authority = Some(path.clone()),
        }
        cluster
    }

    pub(super) fn trust(&self) -> Option<Trust> {
        match (&self.certificate_authority_data, &self.certificate_authority) {
            (Some(data), _) => Some(Trust::Embedded(decode(data)?)),
            (None, Some(path)) => Some(Trust::File(path.clone())),
            (None, None) => None,
        }
    }
}

impl Context {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { cluster: entry.cluster.clone(), user: entry.user.clone(), others: Others::new() }
    }
}

impl User {
    pub(super) fn of(credential: &Credential) -> Self {
        let mut user = Self::default();
        match credential {
            Credential::Embedded { certificate, key } => {
                user.client_certificate_data = Some(STANDARD.encode(certificate));
                user.client_key_data = Some(STANDARD.encode(key.reveal()));
            }
            Credential::Files { certificate, key } => {
                user.client_certificate = Some(certificate.clone());
                user.client_key = Some(key.clone());
            }
            Credential::Token(token) => user.token = Some(token.reveal().to_owned()),
            Credential::TokenFile(path) => user.token_file = Some(path.clone()),
        }
        user
    }

    pub(super) fn credential(&self) -> Option<Credential> {
        if let (Some(certificate), Some(key)) = (&self.client_certificate_data, &self.client_key_data) {
            return Some(Credential::Embedded { certificate: decode(certificate)?, key: Secret::new(decode(key)?) });
        }
        if let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) {
            return Some(Credential::Files { certificate: certificate.clone(), key: key.clone() });
        }
        if let Some(token) = &self.token {
            return Some(Credential::Token(Secret::new(token)));
        }
        self.token_file.clone().map(Credential::TokenFile)
    }
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()
}
