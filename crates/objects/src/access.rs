//! How a cluster is reached and proven: the secret output `access` of a cluster.

use std::fmt;

use resource::Secret;
use serde::Deserialize;
use serde_json::json;

use crate::ApiError;

/// Where a cluster's API answers, who signed its certificates, and who we are.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Base addresses of the API servers, such as `https://10.0.0.2:6443`; at least one.
    pub servers: Vec<String>,
    /// Certificates that sign the servers' ones, PEM.
    pub authority: String,
    /// Our client certificate, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: String,
}

impl Access {
    /// Reads the text of the output.
    pub fn parse(text: &Secret) -> Result<Self, ApiError> {
        // The parser's own message could quote the text, so it is not passed on.
        let access: Self =
            serde_json::from_str(text.reveal()).map_err(|_| ApiError::Access("it is not as expected"))?;
        if access.servers.is_empty() { Err(ApiError::Access("it names no server")) } else { Ok(access) }
    }

    /// The text of the output.
    pub fn to_secret(&self) -> Secret {
        let Self { servers, authority, certificate, key } = self;
        let text = json!({"servers": servers, "authority": authority, "certificate": certificate, "key": key});
        Secret::new(text.to_string())
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("servers", &self.servers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_survives_its_text_and_hides_its_key() {
        let access = Access {
            servers: vec!["https://10.0.0.2:6443".into()],
            authority: "CA".into(),
            certificate: "CERT".into(),
            key: "hunter2".into(),
        };
        assert_eq!(Access::parse(&access.to_secret()).unwrap(), access);
        assert!(!format!("{access:?}").contains("hunter2"));
    }

    #[test]
    fn damaged_access_is_refused_without_quoting_it() {
        let error = Access::parse(&Secret::new("{\"servers\":\"hunter2\"}")).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
