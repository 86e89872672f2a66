//! What head, lease and seal look like in the bucket. Every format is versioned; one of a newer kubewright is refused.

use engine::{LockInfo, StoreError, document};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Host;

/// Version written into everything here.
pub(crate) const FORMAT: u32 = 1;

/// How the object begins that ends a journal.
const SEAL: &str = "{\"seal\":";

/// The head with what makes its bytes change: the epoch of the lease it was written under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HeadFile {
    pub(crate) format: u32,
    pub(crate) epoch: u64,
    /// Random: no two writes are equal, so whoever reads it back knows whose write it is.
    pub(crate) write: String,
    pub(crate) head: String,
}

/// Who may change a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LeaseFile {
    pub(crate) format: u32,
    pub(crate) epoch: u64,
    pub(crate) holder: LockInfo,
    pub(crate) ttl_seconds: u64,
    /// Raised whenever the holder says that it lives.
    pub(crate) beat: u64,
    /// The holder is done. A lease is never deleted, so that epochs only rise.
    pub(crate) released: bool,
    pub(crate) host: Host,
}

/// What stands where a journal's next segment would have been.
#[derive(Debug, Serialize, Deserialize)]
struct SealFile {
    seal: Seal,
}

/// Who sealed a journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seal {
    format: u32,
    epoch: u64,
    holder: String,
}

/// A seal's bytes.
pub(crate) fn seal(epoch: u64, holder: &str) -> Result<Vec<u8>, StoreError> {
    encode(&SealFile { seal: Seal { format: FORMAT, epoch, holder: holder.to_owned() } })
}

/// Whether a segment is a seal; records of the engine never begin so.
pub(crate) fn is_seal(segment: &[u8]) -> bool {
    segment.starts_with(SEAL.as_bytes())
}

/// Writes a document.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value)
        .map_err(|error| StoreError::Unusable { what: "encode an object".to_owned(), source: error.into() })
}

/// Reads a document; `what` names it for the user.
pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    document::parse(what, FORMAT, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_a_newer_kubewright_is_refused() {
        let newer = decode::<HeadFile>("s3://b/head.json", b"{\"format\":2,\"epoch\":{}}").unwrap_err();
        assert!(matches!(newer, StoreError::Newer { found: 2, known: 1, .. }), "{newer}");
        let foreign = decode::<HeadFile>("s3://b/head.json", b"hello").unwrap_err();
        assert!(foreign.to_string().starts_with("s3://b/head.json is damaged"), "{foreign}");
    }

    #[test]
    fn the_first_format_is_still_read() {
        let head: HeadFile = decode("head", br#"{"format":1,"epoch":3,"write":"w","head":"{\"serial\":1}"}"#).unwrap();
        assert_eq!((head.epoch, head.head.as_str()), (3, "{\"serial\":1}"));
        let lease: LeaseFile = decode(
            "lease",
            br#"{"format":1,"epoch":3,"holder":{"id":"i","who":"me@here","process":1,"operation":"update cluster",
                "since":"2026-01-01T00:00:00Z"},"ttlSeconds":30,"beat":7,"released":false,
                "host":{"bootId":"b","pidNamespace":"pid:[1]","process":1,"processStart":12}}"#,
        )
        .unwrap();
        assert_eq!((lease.epoch, lease.beat, lease.host.process_start), (3, 7, 12));
    }

    #[test]
    fn a_seal_is_told_from_records() {
        assert!(is_seal(&seal(3, "me").unwrap()));
        assert!(!is_seal(b"{\"record\":\"runStarted\"}\n"));
    }
}
