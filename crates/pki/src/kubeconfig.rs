//! Kubeconfigs as typed documents: made, read, merged.

mod document;
mod sharing;

use resource::Secret;
use serde::{Deserialize, Serialize};

use crate::PkiError;
use document::{Cluster, Context, NamedCluster, NamedContext, NamedUser, Others, User, null_is_default};

pub use self::sharing::{Foreign, IsOurs, Names, Own};

/// A kubeconfig. Fields that others wrote into it survive reading and writing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Kubeconfig {
    #[serde(rename = "apiVersion", default = "v1")]
    api_version: String,
    #[serde(default, deserialize_with = "null_is_default")]
    clusters: Vec<NamedCluster>,
    #[serde(default, deserialize_with = "null_is_default")]
    contexts: Vec<NamedContext>,
    #[serde(default, deserialize_with = "null_is_default")]
    current_context: String,
    #[serde(default = "config")]
    kind: String,
    #[serde(default, deserialize_with = "null_is_default")]
    users: Vec<NamedUser>,
    #[serde(flatten)]
    others: Others,
}

/// The cluster's authority, as a kubeconfig names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Its certificate as PEM, embedded.
    Embedded(String),
    /// A file on the machine that reads the kubeconfig.
    File(String),
}

/// How a kubeconfig's user proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A client certificate and its key as PEM, embedded.
    Embedded {
        /// The certificate.
        certificate: String,
        /// The key.
        key: Secret,
    },
    /// Files on the machine that reads the kubeconfig.
    Files {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
    /// A bearer token, such as a bootstrap token.
    Token(Secret),
    /// A file with a bearer token, such as a service account's.
    TokenFile(String),
}

/// What a kubeconfig with one context says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The cluster's name; kubeadm writes `kubernetes`.
    pub cluster: String,
    /// The user's name.
    pub user: String,
    /// URL of the API server.
    pub server: String,
    /// The cluster's authority.
    pub trust: Trust,
    /// How the user proves who it is.
    pub credential: Credential,
}

impl Kubeconfig {
    /// A kubeconfig with nothing in it yet.
    pub fn empty() -> Self {
        Self {
            api_version: v1(),
            clusters: Vec::new(),
            contexts: Vec::new(),
            current_context: String::new(),
            kind: config(),
            users: Vec::new(),
            others: Others::new(),
        }
    }

    /// What anyone may know of a cluster: an unnamed cluster and nobody who uses it, as in kubeadm's `cluster-info`.
    pub fn discovery(server: &str, authority: &str) -> Self {
        let cluster = Cluster::trusting(server, &Trust::Embedded(authority.to_owned()));
        Self { clusters: vec![NamedCluster { cluster, name: String::new(), others: Others::new() }], ..Self::empty() }
    }

    /// A kubeconfig with one cluster, one user, and the context `user@cluster` in use.
    pub fn new(entry: &Entry) -> Self {
        let context = format!("{}@{}", entry.user, entry.cluster);
        Self::named(entry, &context)
    }

    /// The same with a context name of the caller's choice.
    pub fn named(entry: &Entry, context: &str) -> Self {
        Self {
            api_version: v1(),
            clusters: vec![NamedCluster {
                cluster: Cluster::of(entry),
                name: entry.cluster.clone(),
                others: Others::new(),
            }],
            contexts: vec![NamedContext {
                context: Context::of(entry),
                name: context.to_owned(),
                others: Others::new(),
            }],
            current_context: context.to_owned(),
            kind: config(),
            users: vec![NamedUser {
                name: entry.user.clone(),
                user: User::of(&entry.credential),
                others: Others::new(),
            }],
            others: Others::new(),
        }
    }

    /// Reads a kubeconfig; an empty text is an empty one.
    pub fn from_yaml(text: &str) -> Result<Self, PkiError> {
        let text = if text.trim().is_empty() { "{}" } else { text };
        serde_yaml::from_str(text).map_err(|error| PkiError::document("read kubeconfig", &error))
    }

    /// Writes it.
    pub fn to_yaml(&self) -> Result<Secret, PkiError> {
        let text = resource::yaml::to_text(self).map_err(|error| PkiError::document("write kubeconfig", &error))?;
        Ok(Secret::new(text))
    }

    /// What the current context says; `None` when it names something that is not there or cannot be shown.
    pub fn current(&self) -> Option<Entry> {
        let context = &self.contexts.iter().find(|context| context.name == self.current_context)?.context;
        let cluster = self.clusters.iter().find(|cluster| cluster.name == context.cluster)?;
        let user = self.users.iter().find(|user| user.name == context.user)?;
        Some(Entry {
            cluster: cluster.name.clone(),
            user: user.name.clone(),
            server: cluster.cluster.server.clone(),
            trust: cluster.cluster.trust()?,
            credential: user.user.credential()?,
        })
    }
}

fn v1() -> String {
    "v1".to_owned()
}

fn config() -> String {
    "Config".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            cluster: "kubernetes".into(),
            user: "kubernetes-admin".into(),
            server: "https://10.77.0.51:6443".into(),
            trust: Trust::Embedded("CA".into()),
            credential: Credential::Embedded { certificate: "CERT".into(), key: Secret::new("KEY") },
        }
    }

    const ADMIN: &str = "\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://10.77.0.51:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
users:
- name: kubernetes-admin
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
";

    #[test]
    fn a_kubeconfig_is_written_as_kubeadm_writes_it() {
        assert_eq!(Kubeconfig::new(&entry()).to_yaml().unwrap().reveal(), ADMIN);
    }

    #[test]
    fn what_was_written_is_read_back() {
        let read = Kubeconfig::from_yaml(ADMIN).unwrap();
        assert_eq!(read, Kubeconfig::new(&entry()));
        assert_eq!(read.current(), Some(entry()));
    }

    #[test]
    fn files_and_tokens_are_possible_too() {
        for (trust, credential) in [
            (
                Trust::File("/etc/kubernetes/pki/ca.crt".into()),
                Credential::Files { certificate: "/a.pem".into(), key: "/a.pem".into() },
            ),
            (Trust::Embedded("CA".into()), Credential::Token(Secret::new("abcdef.0123456789abcdef"))),
            (Trust::Embedded("CA".into()), Credential::TokenFile("/var/run/secrets/token".into())),
        ] {
            let entry = Entry { trust, credential, ..entry() };
            let text = Kubeconfig::new(&entry).to_yaml().unwrap();
            assert_eq!(Kubeconfig::from_yaml(text.reveal()).unwrap().current(), Some(entry));
        }
    }

    #[test]
    fn neither_errors_nor_debug_output_show_credentials() {
        let error = Kubeconfig::from_yaml("users: hunter2").unwrap_err();
        let shown = format!("{error} {error:?} {:?}", Kubeconfig::new(&entry()));
        assert!(!shown.contains("hunter2") && !shown.contains("S0VZ"), "{shown}");
        assert!(error.to_string().starts_with("cannot read kubeconfig at line 1"), "{error}");
    }
}
