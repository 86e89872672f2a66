//! Registries: mirrors in `certs.d/<registry>/hosts.toml`, credentials in a drop-in of their own because they are secret.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::CERTS_DIR;
use super::configuration::to_text;
use crate::Error;

/// Where the images of a registry come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its name in image names, such as `registry.k8s.io` or `example.org:5000`; `_default` for all others.
    pub name: String,
    /// URL of the registry itself, asked last; `None`: mirrors only where there are some.
    pub server: Option<String>,
    /// Asked first, in this order.
    pub mirrors: Vec<Mirror>,
}

/// A mirror of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// URL, `http://` for plain ones.
    pub url: String,
    /// The URL's path is the API's root.
    pub override_path: bool,
    /// Path of its CA's certificate.
    pub ca_file: Option<String>,
    /// Don't check its certificate.
    pub skip_verify: bool,
}

/// What opens a registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Host of the registry, with its port if it has one.
    pub host: String,
    /// User.
    pub username: String,
    /// Password or token.
    pub password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("host", &self.host).field("username", &self.username).finish_non_exhaustive()
    }
}

/// Path of a registry's `hosts.toml`.
pub fn hosts_path(registry: &str) -> String {
    format!("{CERTS_DIR}/{registry}/hosts.toml")
}

/// The file `hosts.toml`.
pub fn hosts(input: &Registry) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Hosts<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<&'a str>,
    }
    let mut text = to_text(&Hosts { server: input.server.as_deref() }, "hosts.toml")?;
    // Mirrors are asked in the order of the text, which a map would lose.
    for mirror in &input.mirrors {
        let host = Host {
            capabilities: ["pull", "resolve"],
            ca: mirror.ca_file.as_deref(),
            skip_verify: mirror.skip_verify,
            override_path: mirror.override_path,
        };
        let table = HostTable { host: BTreeMap::from([(mirror.url.as_str(), host)]) };
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(&to_text(&table, "hosts.toml")?);
    }
    Ok(text)
}

/// The drop-in with credentials; a secret.
pub fn credentials(input: &[Credential]) -> Result<String, Error> {
    let auth = |credential: &Credential| Auth {
        auth: UserPassword { username: credential.username.clone(), password: credential.password.clone() },
    };
    let configs = input.iter().map(|credential| (credential.host.clone(), auth(credential))).collect();
    let document = CredentialsDocument {
        version: 3,
        plugins: CredentialsPlugins { images: CredentialsImages { registry: Configs { configs } } },
    };
    to_text(&document, "registry credentials")
}

#[derive(Serialize)]
struct HostTable<'a> {
    host: BTreeMap<&'a str, Host<'a>>,
}

#[derive(Serialize)]
struct Host<'a> {
    capabilities: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skip_verify: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    override_path: bool,
}

#[derive(Serialize)]
struct CredentialsDocument {
    version: u8,
    plugins: CredentialsPlugins,
}

#[derive(Serialize)]
struct CredentialsPlugins {
    #[serde(rename = "io.containerd.cri.v1.images")]
    images: CredentialsImages,
}

#[derive(Serialize)]
struct CredentialsImages {
    registry: Configs,
}

#[derive(Serialize)]
struct Configs {
    configs: BTreeMap<String, Auth>,
}

#[derive(Serialize)]
struct Auth {
    auth: UserPassword,
}

#[derive(Serialize)]
struct UserPassword {
    username: String,
    password: String,
}

#[cfg(test)]
mod tests {
    use super::{Credential, Mirror, Registry, credentials, hosts};

    fn mirror(url: &str) -> Mirror {
        Mirror { url: url.to_owned(), override_path: false, ca_file: None, skip_verify: false }
    }

    #[test]
    fn mirrors_stay_in_the_order_in_which_they_are_to_be_asked() {
        let mirrors = vec![mirror("https://z.example"), mirror("http://a.example:5000")];
        let text = hosts(&Registry { name: "docker.io".to_owned(), server: None, mirrors }).unwrap();
        assert_eq!(
            text,
            "[host.\"https://z.example\"]\ncapabilities = [\"pull\", \"resolve\"]\n\n\
             [host.\"http://a.example:5000\"]\ncapabilities = [\"pull\", \"resolve\"]\n"
        );
        toml::from_str::<toml::Table>(&text).unwrap();
    }

    #[test]
    fn a_password_is_in_the_drop_in_but_not_in_debug() {
        let credential =
            Credential { host: "r.example:5000".to_owned(), username: "u".to_owned(), password: "p\"w".to_owned() };
        assert!(!format!("{credential:?}").contains("p\"w"));
        let text = credentials(&[credential]).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let configs = &table["plugins"]["io.containerd.cri.v1.images"]["registry"]["configs"];
        assert_eq!(configs["r.example:5000"]["auth"]["password"].as_str(), Some("p\"w"));
    }
}
