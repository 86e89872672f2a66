//! Clients over TLS with a client certificate, or with a bearer token.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::config::AuthInfo;
use kube::{Client, Config};
use resource::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize as _;
use serde_json::json;

use crate::{Access, ApiError, Dial};

/// Makes real clients.
pub(crate) struct TlsDial;

impl Dial for TlsDial {
    fn client(&self, access: &Access, server: &str) -> Result<Client, ApiError> {
        connect(
            access,
            server,
            &json!({
                "client-certificate-data": BASE64.encode(&access.certificate),
                "client-key-data": BASE64.encode(&access.key),
            }),
        )
    }

    fn token_client(&self, access: &Access, server: &str, token: &Secret) -> Result<Client, ApiError> {
        connect(access, server, &json!({"token": token.reveal()}))
    }
}

fn connect(access: &Access, server: &str, auth: &serde_json::Value) -> Result<Client, ApiError> {
    // Fails when a provider is there already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let address = server.parse().map_err(|_| ApiError::Access("a server's address is no URL"))?;
    let authority: Result<Vec<Vec<u8>>, _> = CertificateDer::pem_slice_iter(access.authority.as_bytes())
        .map(|certificate| certificate.map(|der| der.as_ref().to_vec()))
        .collect();
    let authority = authority.map_err(|_| ApiError::Access("the authority is not PEM"))?;
    if authority.is_empty() {
        return Err(ApiError::Access("there is no authority"));
    }
    let mut config = Config::new(address);
    config.root_cert = Some(authority);
    // Whatever the environment says about proxies: a cluster's machines are reached as SSH reaches them.
    config.proxy_url = None;
    config.connect_timeout = Some(Duration::from_secs(3));
    // The runner decides what is tried again.
    config.default_retry = false;
    config.auth_info =
        AuthInfo::deserialize(auth).map_err(|_| ApiError::Access("the client certificate cannot be used"))?;
    Client::try_from(config).map_err(|_| ApiError::Access("the client certificate or its key cannot be used"))
}
