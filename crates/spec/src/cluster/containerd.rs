//! The container runtime.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::{Certificate, FilePath, Keyed, ProxyException, Registry, Url};

/// The container runtime on every machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Containerd {
    /// Mirrors by registry, such as `docker.io`, asked in order before the registry itself. `"*"` stands for all
    /// others.
    #[serde(default)]
    #[schemars(with = "Keyed<Registry, Vec<Url>>")]
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Credentials by registry. Passwords are never written into a document.
    #[serde(default)]
    #[schemars(with = "Keyed<Registry, RegistryCredential>")]
    pub registry_credentials: BTreeMap<String, RegistryCredential>,
    /// Certificates (PEM) of authorities to trust, by registry.
    #[serde(rename = "extraCAs", default)]
    #[schemars(with = "Keyed<Registry, Certificate>")]
    pub extra_cas: BTreeMap<String, String>,
    /// The way to registries through a proxy.
    #[serde(default)]
    pub proxy: ContainerdProxy,
    /// More of containerd's configuration (TOML, version 3), laid over kubewright's by containerd itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub additions: Option<String>,
}

/// The way to registries through a proxy. Machines, pods and Services of the cluster are never asked for through it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerdProxy {
    /// Address of the proxy for `http://`. Not with a password: documents are kept as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Url")]
    pub http: Option<String>,
    /// Address of the proxy for `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Url")]
    pub https: Option<String>,
    /// Further names, domains and ranges that are asked directly.
    #[serde(default)]
    #[schemars(with = "Vec<ProxyException>")]
    pub no_proxy: Vec<String>,
}

/// How to log in at a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistryCredential {
    /// The user's name.
    pub username: String,
    /// A file on the operator's side that holds the password, readable by its owner alone. It is read when the login is
    /// made, and looked at again with every update.
    #[schemars(with = "FilePath")]
    pub password_file: String,
}
