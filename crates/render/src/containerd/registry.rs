//! Registries: mirrors in `certs.d/<registry>/hosts.toml`, and whom to trust there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CERTS_DIR;
use super::configuration::to_text;
use crate::Error;

/// Where the images of a registry come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its name in image names, such as `registry.k8s.io` or `example.org:5000`; `_default` for all others.
    pub name: String,
    /// Path of the certificate of the CA that signed the registry's own.
    pub ca_file: Option<String>,
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

/// Directory of a registry's files; `*` stands for all that have none.
pub fn registry_directory(registry: &str) -> String {
    format!("{CERTS_DIR}/{}", if registry == "*" { "_default" } else { registry })
}

/// Path of a registry's `hosts.toml`.
pub fn hosts_path(registry: &str) -> String {
    format!("{}/hosts.toml", registry_directory(registry))
}

/// The file `hosts.toml`.
pub fn hosts(input: &Registry) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Hosts<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        ca: Option<&'a str>,
    }
    let mut text = to_text(&Hosts { ca: input.ca_file.as_deref() }, "hosts.toml")?;
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

#[cfg(test)]
mod tests {
    use super::{Mirror, Registry, hosts};

    fn mirror(url: &str) -> Mirror {
        Mirror { url: url.to_owned(), override_path: false, ca_file: None, skip_verify: false }
    }

    #[test]
    fn mirrors_stay_in_the_order_in_which_they_are_to_be_asked() {
        let mirrors = vec![mirror("https://z.example"), mirror("http://a.example:5000")];
        let text = hosts(&Registry { name: "docker.io".to_owned(), ca_file: None, mirrors }).unwrap();
        assert_eq!(
            text,
            "[host.\"https://z.example\"]\ncapabilities = [\"pull\", \"resolve\"]\n\n\
             [host.\"http://a.example:5000\"]\ncapabilities = [\"pull\", \"resolve\"]\n"
        );
        toml::from_str::<toml::Table>(&text).unwrap();
    }
}
