//! Documents that name their format: every store reads them in the same way.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::StoreError;

/// Parses a versioned document of any format up to `format`: `T` reads all of them. One written by a newer kubewright is refused,
/// not mangled.
///
/// # Errors
/// [`StoreError::Damaged`] and [`StoreError::Newer`], naming `what`.
pub fn parse<T: DeserializeOwned>(what: &str, format: u32, bytes: &[u8]) -> Result<T, StoreError> {
    /// Everything else in a document is passed over: a state may be large.
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(default)]
        format: Value,
    }
    let damaged = |why: String| StoreError::Damaged { what: what.to_owned(), why };
    let versioned: Versioned =
        serde_json::from_slice(bytes).map_err(|error| damaged(format!("kubewright did not write it so: {error}")))?;
    match versioned.format.as_u64() {
        Some(found) if (1..=u64::from(format)).contains(&found) => {
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))
        }
        Some(found) if found > u64::from(format) => {
            Err(StoreError::Newer { what: what.to_owned(), found, known: format })
        }
        _ => Err(damaged("it names no format that this kubewright knows".to_owned())),
    }
}
