//! Ids of resources: `kind/name`, unique in a lineage.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The id of one thing that should exist, written `kind/name`; the name may itself contain `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[^/]+/.+$"))]
pub struct ResourceId(String);

/// Why a text is not a resource id.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a resource id: expected kind/name")]
pub struct InvalidId(pub String);

impl ResourceId {
    /// Makes the id `kind/name`. Both parts are the program's own words, never user text without a prior check.
    pub fn new(kind: &str, name: &str) -> Self {
        debug_assert!(!kind.is_empty() && !kind.contains('/') && !name.is_empty());
        Self(format!("{kind}/{name}"))
    }

    /// The part before the first `/`.
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(kind, _)| kind)
    }

    /// The part after the first `/`.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }

    /// The whole id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ResourceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(InvalidId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ResourceId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_contain_slashes() {
        let id: ResourceId = "object/v1/ConfigMap/kube-system/coredns".parse().unwrap();
        assert_eq!((id.kind(), id.name()), ("object", "v1/ConfigMap/kube-system/coredns"));
    }

    #[test]
    fn an_id_needs_both_parts() {
        for text in ["", "kind", "/name", "kind/"] {
            assert_eq!(text.parse::<ResourceId>(), Err(InvalidId(text.to_owned())));
        }
    }
}
