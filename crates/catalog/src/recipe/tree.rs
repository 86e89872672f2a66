//! The recipe of a directory put together from other assets.

use serde::Serialize;

use crate::asset::AssetRef;

/// A directory of files that are assets themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeRecipe {
    /// The files.
    pub entries: Vec<TreeEntry>,
}

/// One file of a [`TreeRecipe`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeEntry {
    /// Its path in the directory.
    pub path: String,
    /// Where its content comes from.
    pub asset: AssetRef,
}
