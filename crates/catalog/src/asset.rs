//! One asset: its name, its recipe, and the reference under which everyone else knows it.

use std::fmt;
use std::str::FromStr;

use resource::Digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::recipe::Recipe;
use crate::upstream::Upstream;

/// Names one asset exactly: `name@<recipe digest, 64 hex>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetRef {
    name: String,
    recipe: String,
}

/// A text is not an asset reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an asset reference (`name@` and 64 hex characters)")]
pub struct InvalidAssetRef(pub String);

impl AssetRef {
    /// The asset's name, such as `kubelet`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The recipe digest, 64 hex characters.
    pub fn recipe(&self) -> &str {
        &self.recipe
    }
}

impl FromStr for AssetRef {
    type Err = InvalidAssetRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAssetRef(text.to_owned());
        let (name, recipe) = text.split_once('@').ok_or_else(invalid)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let named = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain);
        let digest = Digest::parse(recipe).is_some();
        if named && digest { Ok(Self { name: name.to_owned(), recipe: recipe.to_owned() }) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for AssetRef {
    type Error = InvalidAssetRef;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AssetRef> for String {
    fn from(reference: AssetRef) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for AssetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.recipe)
    }
}

/// Whether an asset is a file or a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AssetKind {
    /// One file, kept under its SHA-256.
    File,
    /// A directory; its digest is that of its manifest.
    Tree,
}

/// One asset and how it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetSpec {
    reference: AssetRef,
    recipe: Recipe,
    upstream: Option<Upstream>,
}

impl AssetSpec {
    /// An asset called `name` (lower-case letters, digits, `-`, `.`) made by `recipe`.
    pub fn new(name: impl Into<String>, recipe: Recipe) -> Self {
        let reference = AssetRef { name: name.into(), recipe: recipe.digest() };
        Self { reference, recipe, upstream: None }
    }

    /// The same, published by upstream.
    #[must_use]
    pub fn published(self, upstream: impl Into<Option<Upstream>>) -> Self {
        Self { upstream: upstream.into(), ..self }
    }

    /// Where upstream publishes it, when it does.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.upstream.as_ref()
    }

    /// The asset's name.
    pub fn name(&self) -> &str {
        &self.reference.name
    }

    /// How it is made.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Its reference.
    pub fn reference(&self) -> &AssetRef {
        &self.reference
    }

    /// Its reference as text, `name@<recipe digest>`.
    pub fn asset_ref(&self) -> String {
        self.reference.to_string()
    }

    /// Whether it is a file or a directory.
    pub fn kind(&self) -> AssetKind {
        self.recipe.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_what_it_shows() {
        let text = format!("kube-proxy.v2@{}", "0a".repeat(32));
        assert_eq!(text.parse::<AssetRef>().unwrap().to_string(), text);
    }

    #[test]
    fn what_could_leave_the_cache_directory_is_no_reference() {
        for text in ["", "kubelet", "kubelet@12", "../x@", "Kube@", "@"] {
            assert!(text.parse::<AssetRef>().is_err(), "{text}");
        }
        assert!(format!("../etc@{}", "0a".repeat(32)).parse::<AssetRef>().is_err());
        assert!(format!("kubelet@{}", "0A".repeat(32)).parse::<AssetRef>().is_err());
    }
}
