//! The port through which an action gets a short-lived bootstrap token.

use async_trait::async_trait;
use resource::Secret;

use crate::{ActionContext, ActionError};

/// A bootstrap token: `id.secret`, with `id` safe to log.
#[derive(Debug, Clone)]
pub struct BootstrapToken {
    /// Public part, 6 characters.
    pub id: String,
    /// Whole token.
    pub token: Secret,
}

/// Makes and removes bootstrap tokens in the cluster.
#[async_trait]
pub trait BootstrapTokens: Send + Sync {
    /// Makes a token that a kubelet may use to ask for a client certificate; lives at most an hour.
    ///
    /// `access` is the resolved `access` output of the cluster's resource.
    async fn mint(
        &self,
        access: &Secret,
        description: &str,
        context: &ActionContext,
    ) -> Result<BootstrapToken, ActionError>;

    /// How far the request for a certificate has come that a kubelet made with a token, as a fragment that says who goes on from
    /// there.
    async fn request_state(&self, access: &Secret, id: &str) -> Result<String, ActionError>;

    /// Removes a token; fine when it is gone already.
    async fn revoke(&self, access: &Secret, id: &str) -> Result<(), ActionError>;
}
