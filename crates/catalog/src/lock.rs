//! The lock: which content every asset's recipe had when it was first made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Version of the lock's format.
pub const FORMAT: u32 = 1;

/// The pinned list of assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lock {
    /// Version of the format.
    pub format: u32,
    /// By the asset's name.
    pub entries: BTreeMap<String, LockEntry>,
}

/// One pinned asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockEntry {
    /// Digest of its recipe, hex.
    pub recipe: String,
    /// SHA-256 of its content, hex; for a directory, of its manifest.
    pub sha256: String,
    /// Its size in bytes; for a directory, of all its files.
    pub size: u64,
}

/// A lock cannot be read.
#[derive(Debug, Error)]
pub enum LockError {
    /// It is not a lock.
    #[error("the lock cannot be read")]
    Syntax(#[from] serde_json::Error),
    /// It was written by a newer kubewright.
    #[error("the lock has format {0}, but this kubewright knows only format {FORMAT}")]
    Format(u32),
}

impl Default for Lock {
    fn default() -> Self {
        Self { format: FORMAT, entries: BTreeMap::new() }
    }
}

impl Lock {
    /// Reads a lock.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        #[derive(Deserialize)]
        struct Probe {
            format: u32,
        }
        let probe: Probe = serde_json::from_str(text)?;
        if probe.format == FORMAT { Ok(serde_json::from_str(text)?) } else { Err(LockError::Format(probe.format)) }
    }

    /// The lock as text: equal locks give equal bytes, one line per value, a final newline.
    pub fn to_text(&self) -> Result<String, LockError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The pinned content of an asset, when the lock has the same recipe for it.
    pub fn pinned(&self, name: &str, recipe: &str) -> Option<&LockEntry> {
        self.entries.get(name).filter(|entry| entry.recipe == recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let entry = LockEntry { recipe: "aa".into(), sha256: "bb".into(), size: 7 };
        Lock { entries: BTreeMap::from([("kubelet".to_owned(), entry)]), ..Lock::default() }
    }

    #[test]
    fn a_lock_reads_back_what_it_wrote() {
        assert_eq!(Lock::parse(&lock().to_text().unwrap()).unwrap(), lock());
    }

    #[test]
    fn a_newer_format_is_refused_by_number_even_with_unknown_fields() {
        let error = Lock::parse(r#"{"format": 9, "assets": []}"#).unwrap_err();
        assert!(matches!(error, LockError::Format(9)));
    }

    #[test]
    fn another_recipe_is_not_pinned() {
        assert!(lock().pinned("kubelet", "aa").is_some());
        assert!(lock().pinned("kubelet", "cc").is_none());
    }
}
