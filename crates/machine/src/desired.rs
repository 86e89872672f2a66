//! Files as they must be on one machine: both parts of a config merged, holes filled, secrets decoded.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::{Content, File, MachineConfig, Stage};
use crate::digest::{self, DigestKey};
use crate::error::ConfigError;
use crate::holes::Holes;
use crate::item::Item;
use crate::validate;

/// A file as it must be.
#[derive(Debug, Clone)]
pub struct DesiredFile {
    /// What is in it.
    pub body: Body,
    /// Permission bits.
    pub mode: u32,
    /// When it is written.
    pub stage: Stage,
    /// Written only where there is none.
    pub create_only: bool,
    /// Units to restart when its content changes.
    pub restarts: Vec<String>,
}

/// What is in a file.
#[derive(Clone)]
pub enum Body {
    /// These bytes.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether nobody may see them.
        secret: bool,
        /// `sha256:…`, or `hmac:…` of a secret.
        digest: String,
    },
    /// Put there from outside.
    Provided {
        /// The asset, for messages.
        asset: String,
    },
    /// Uploaded beside the agent.
    Uploaded {
        /// The asset, for messages.
        asset: String,
        /// Where the upload is.
        path: String,
        /// `sha256:…`.
        digest: String,
    },
}

impl Body {
    /// Its digest, where it has one that is compared.
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::Bytes { digest, .. } | Self::Uploaded { digest, .. } => Some(digest),
            Self::Provided { .. } => None,
        }
    }

    /// Whether nobody may see it.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Bytes { secret: true, .. })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes { digest, .. } => write!(f, "Bytes({digest})"),
            Self::Provided { asset } => write!(f, "Provided({asset})"),
            Self::Uploaded { asset, .. } => write!(f, "Uploaded({asset})"),
        }
    }
}

impl MachineConfig {
    /// The files of both parts by path. The same path in both is an error.
    pub fn files(&self) -> Result<BTreeMap<&str, &File>, ConfigError> {
        let mut files: BTreeMap<&str, &File> =
            self.group.files.iter().map(|(path, file)| (path.as_str(), file)).collect();
        for (path, file) in &self.machine.files {
            if files.insert(path, file).is_some() {
                return Err(ConfigError::Twice { path: path.clone() });
            }
        }
        Ok(files)
    }

    /// Every file as it must be on this machine.
    pub fn desired_files(&self, holes: &Holes, key: &DigestKey) -> Result<BTreeMap<String, DesiredFile>, ConfigError> {
        self.files()?
            .into_iter()
            .map(|(path, file)| Ok((path.to_string(), desired(&Item::File(path).to_string(), file, holes, key)?)))
            .collect()
    }
}

fn desired(place: &str, file: &File, holes: &Holes, key: &DigestKey) -> Result<DesiredFile, ConfigError> {
    let body = match &file.content {
        Content::Text(text) => {
            let bytes = holes.fill(place, text)?.into_bytes();
            let digest = digest::public(&bytes);
            Body::Bytes { bytes, secret: false, digest }
        }
        Content::Secret(text) => {
            let bytes = decode(place, text)?;
            let digest = key.secret(&bytes);
            Body::Bytes { bytes, secret: true, digest }
        }
        Content::Provided { asset } => Body::Provided { asset: asset.clone() },
        Content::Uploaded { asset, path, sha256 } => {
            Body::Uploaded { asset: asset.clone(), path: path.clone(), digest: digest::from_sha256(sha256) }
        }
    };
    Ok(DesiredFile {
        body,
        mode: validate::mode(place, &file.mode)?,
        stage: file.stage,
        create_only: file.create_only,
        restarts: file.restarts.clone(),
    })
}

/// Bytes of a secret from base64; the error says where, not what.
pub fn decode(place: &str, text: &str) -> Result<Vec<u8>, ConfigError> {
    STANDARD.decode(text).map_err(|_| ConfigError::invalid(place, "its secret is not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MachinePart;
    use crate::wire::Facts;

    fn file(content: Content) -> File {
        File { content, mode: "0600".into(), stage: Stage::Base, create_only: false, restarts: vec![] }
    }

    fn resolve(config: &MachineConfig) -> Result<BTreeMap<String, DesiredFile>, ConfigError> {
        let facts = Facts { arch: "amd64".into(), ..Facts::default() };
        config.desired_files(&Holes::new(&config.machine, &facts), &DigestKey::from_hex("00ff").unwrap())
    }

    fn config(group: Content, machine: Content, paths: [&str; 2]) -> MachineConfig {
        let mut config = MachineConfig {
            group: crate::GroupConfig::default(),
            machine: MachinePart { node_name: "a".into(), ..MachinePart::default() },
        };
        config.group.files.insert(paths[0].into(), file(group));
        config.machine.files.insert(paths[1].into(), file(machine));
        config
    }

    #[test]
    fn both_parts_are_merged_and_holes_filled_in_texts_only() {
        let secret = STANDARD.encode("{{arch}}");
        let files = resolve(&config(Content::Text("{{arch}}".into()), Content::Secret(secret), ["/a", "/b"])).unwrap();
        assert!(matches!(&files["/a"].body, Body::Bytes { bytes, secret: false, .. } if bytes == b"amd64"));
        assert!(
            matches!(&files["/b"].body, Body::Bytes { bytes, secret: true, digest } if bytes == b"{{arch}}" && digest.starts_with("hmac:"))
        );
        assert_eq!(files["/a"].mode, 0o600);
    }

    #[test]
    fn the_same_path_in_both_parts_is_an_error() {
        let text = Content::Text(String::new());
        let error = resolve(&config(text.clone(), text, ["/a", "/a"])).unwrap_err();
        assert_eq!(error, ConfigError::Twice { path: "/a".into() });
    }

    #[test]
    fn a_broken_secret_is_named_but_not_shown() {
        let error = resolve(&config(Content::Text(String::new()), Content::Secret("hunter2!".into()), ["/a", "/b"]))
            .unwrap_err();
        assert!(error.to_string().contains("file//b"));
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = config(Content::Text(String::new()), Content::Secret("aHVudGVyMg==".into()), ["/a", "/b"]);
        let files = resolve(&config).unwrap();
        assert!(!format!("{config:?}{files:?}").contains("aHVudGVyMg"));
        assert!(!format!("{files:?}").contains("104, 117"));
    }
}
