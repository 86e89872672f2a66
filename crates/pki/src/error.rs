//! Why a certificate, key or document could not be made or read.

use thiserror::Error;

/// Why a certificate, key or document could not be made or read. Never contains key material.
#[derive(Debug, Error)]
pub enum PkiError {
    /// A private key could not be generated or read.
    #[error("cannot {what} private key")]
    Key {
        /// What was tried: `generate` or `read`.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate for `{common_name}`")]
    Issue {
        /// For whom.
        common_name: String,
        /// Why it failed.
        #[source]
        source: rcgen::Error,
    },
    /// A certificate could not be read.
    #[error("cannot read certificate: {why}")]
    Certificate {
        /// What is wrong with it.
        why: String,
    },
    /// The key does not belong to the authority's certificate, or the certificate may not sign.
    #[error("`{common_name}` cannot sign: {why}")]
    NotAnAuthority {
        /// The subject of the certificate.
        common_name: String,
        /// Why not.
        why: &'static str,
    },
    /// More organizations than the encoder can write.
    #[error("a subject with {0} organizations is not supported, at most one is")]
    Organizations(usize),
    /// A point in time that a certificate cannot hold.
    #[error("{0} is outside the times that a certificate can hold")]
    Time(jiff::Timestamp),
    /// An SSH key could not be made or read.
    #[error("cannot {what} SSH key")]
    Ssh {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: ssh_key::Error,
    },
    /// A YAML document could not be read or written. The parser's message is left out: it may quote a secret.
    #[error("cannot {what}{place}")]
    Document {
        /// What was tried, on which document.
        what: &'static str,
        /// Where in the document, as ` at line 1, column 2`; empty when unknown.
        place: String,
    },
    /// An encryption configuration that must not be changed as asked.
    #[error("encryption configuration {0}")]
    Encryption(&'static str),
}

impl PkiError {
    pub(crate) fn document(what: &'static str, error: &serde_yaml::Error) -> Self {
        let place = error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column()));
        Self::Document { what, place: place.unwrap_or_default() }
    }
}
