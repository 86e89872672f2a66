//! Bootstrap tokens as Secrets in kube-system.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::{ActionContext, ActionError, BootstrapToken, BootstrapTokens, Randomness};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use resource::Secret;
use serde_json::{Value, json};

use crate::connection::{Connection, Server};
use crate::csr;
use crate::field::flag;
use crate::request::Request;
use crate::wait::Wait;
use crate::{Access, ApiError, Connections};

const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";

/// The group that kubeadm's RBAC lets join.
const GROUP: &str = "system:bootstrappers:kubeadm:default-node-token";

/// How long a token lives if nobody removes it.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// How long the controller manager may take to lead.
const SIGNER: Duration = Duration::from_secs(5);

/// The controller manager's lease (`--leader-elect-resource-name`'s default).
const SIGNERS_LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager";

/// How long the API servers may take to accept a new token.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Makes bootstrap tokens by writing the Secrets that the API server's token authenticator reads.
pub struct TokenSecrets {
    connections: Arc<Connections>,
}

impl TokenSecrets {
    /// Tokens made through `connections`.
    pub fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }
}

#[async_trait]
impl BootstrapTokens for TokenSecrets {
    /// Returns when every API server that answers lets the token ask for certificates: a kubelet that is refused once
    /// waits for seconds before it asks again.
    async fn mint(
        &self,
        access: &Secret,
        description: &str,
        context: &ActionContext,
    ) -> Result<BootstrapToken, ActionError> {
        let what = "cannot make a bootstrap token";
        let failed = |error: ApiError| error.while_doing(what);
        let connection = self.connections.open(access).map_err(failed)?;
        let (id, secret) = (random(&*context.randomness, 6), random(&*context.randomness, 16));
        let manifest = manifest(&id, &secret, description, context.outputs.clock().now());
        match connection.send(&Request::post(SECRETS, manifest)).await {
            // The request was sent twice because the first answer was lost: nobody else has this random name.
            Err(ApiError::Refused { code: 409, .. }) => {}
            other => drop(other.map_err(failed)?),
        }
        let token = Secret::new(format!("{id}.{secret}"));
        if let Err(error) = wait_until_accepted(&self.connections, access, &token, context).await {
            // What is left behind if this fails too ends by itself within the hour.
            let _ = self.revoke(access, &id).await;
            return Err(error);
        }
        wait_for_signer(&connection, context).await;
        Ok(BootstrapToken { id, token })
    }

    async fn request_state(&self, access: &Secret, id: &str) -> Result<String, ActionError> {
        let failed = |error: ApiError| error.while_doing("cannot look at the requests for certificates");
        let connection = self.connections.open(access).map_err(failed)?;
        let selector = [("fieldSelector", "spec.signerName=kubernetes.io/kube-apiserver-client-kubelet")];
        let requests = connection.list(csr::PATH, &selector).await.map_err(failed)?;
        Ok(csr::of_token(&requests, id))
    }

    async fn revoke(&self, access: &Secret, id: &str) -> Result<(), ActionError> {
        let failed = |error: ApiError| error.while_doing(&format!("cannot remove bootstrap token {id}"));
        let connection = self.connections.open(access).map_err(failed)?;
        let path = format!("{SECRETS}/bootstrap-token-{id}");
        connection.find(&Request::delete(&path, None)).await.map(drop).map_err(failed)
    }
}

/// Lower-case letters and digits, each as likely as any other.
fn random(randomness: &dyn Randomness, length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0_u8; 32];
        randomness.fill(&mut bytes);
        // 252 is the largest multiple of 36 in a byte: what lies above would favour the first letters.
        let usable = bytes.iter().filter(|byte| **byte < 252);
        let letters = usable.filter_map(|byte| ALPHABET.get(usize::from(byte % 36)));
        text.extend(letters.take(length - text.len()).map(|letter| char::from(*letter)));
    }
    text
}

fn manifest(id: &str, secret: &str, description: &str, now: Timestamp) -> Value {
    let expiration = now.checked_add(LIFE).unwrap_or(now);
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": format!("bootstrap-token-{id}"), "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "token-id": id,
            "token-secret": secret,
            "description": description,
            "expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": GROUP,
        },
    })
}

async fn wait_until_accepted(
    connections: &Connections,
    access: &Secret,
    token: &Secret,
    context: &ActionContext,
) -> Result<(), ActionError> {
    let failed = |error: ApiError| error.while_doing("cannot use a bootstrap token");
    let access = Access::parse(access).map_err(failed)?;
    let servers: Result<Vec<_>, _> =
        access.servers.iter().map(|address| Server::with_token(&access, address, token, connections)).collect();
    let servers = servers.map_err(failed)?;
    let mut wait = Wait::new(context, TIMEOUT, Duration::from_millis(50));
    loop {
        let answers = join_all(servers.iter().map(may_ask)).await;
        let accepted = answers.iter().filter(|answer| **answer == Ok(true)).count();
        let silent = answers.iter().filter(|answer| matches!(answer, Err(ApiError::Transport { .. }))).count();
        if accepted > 0 && accepted + silent == servers.len() {
            return Ok(());
        }
        wait.say(format!("{accepted} of {} API servers accept the bootstrap token", servers.len()));
        if !wait.pause().await? {
            let message = format!("the API servers do not let a bootstrap token ask for certificates: {}", wait.said());
            return Err(ActionError::permanent(message).hint(format!(
                "Check that group {GROUP} is bound to ClusterRole system:node-bootstrapper, and that `--enable-bootstrap-token-auth` is set."
            )));
        }
    }
}

/// Waits until the controller manager leads, which signs what kubelets ask for: until its certificate comes, a kubelet tries to
/// register its Node in vain, and waits longer each time. Where it does not come (others may sign), the kubelet waits itself.
async fn wait_for_signer(connection: &Connection, context: &ActionContext) {
    let mut wait = Wait::new(context, SIGNER, Duration::from_millis(50));
    loop {
        let lease = connection.find(&Request::get(SIGNERS_LEASE)).await;
        let holder = |lease: &Value| lease.pointer("/spec/holderIdentity").and_then(Value::as_str).map(str::to_owned);
        let leads = lease.map(|lease| lease.as_ref().and_then(holder).is_some_and(|holder| !holder.is_empty()));
        // Whoever is told to stop is told so by the next thing that it waits for.
        if leads.unwrap_or(true) || !wait.pause().await.unwrap_or(false) {
            return;
        }
        wait.say("waiting for the controller manager to lead".to_owned());
    }
}

/// Whether the token may ask for certificates, by the server's own word.
async fn may_ask(server: &Server) -> Result<bool, ApiError> {
    let question = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"group": "certificates.k8s.io", "resource": "certificatesigningrequests", "verb": "create"}},
    });
    let request = Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", question);
    match server.send(&request.within(Duration::from_secs(3))).await {
        Ok(answer) => Ok(flag(&answer, "/status/allowed")),
        Err(ApiError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use plan::ActionId;

    use super::*;
    use crate::world::{World, id};

    struct Counting(std::sync::atomic::AtomicU8);

    impl Randomness for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(7, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn tokens_have_the_form_that_kubernetes_wants() {
        let randomness = Counting(std::sync::atomic::AtomicU8::new(0));
        let (id, secret) = (random(&randomness, 6), random(&randomness, 16));
        assert_eq!((id.len(), secret.len()), (6, 16));
        assert!(format!("{id}{secret}").bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    }

    #[test]
    fn a_token_expires_within_the_hour() {
        let now: Timestamp = "2026-11-20T10:00:00.5Z".parse().unwrap();
        let manifest = manifest("abcdef", "0123456789abcdef", "for w-1", now);
        assert_eq!(manifest["stringData"]["expiration"], "2026-11-20T11:00:00Z");
        assert_eq!(manifest["metadata"]["name"], "bootstrap-token-abcdef");
        assert_eq!(manifest["type"], "bootstrap.kubernetes.io/token");
    }

    #[tokio::test]
    async fn a_token_is_made_accepted_and_removed() {
        let world = World::new();
        let tokens = TokenSecrets::new(world.connections.clone());
        let context = world.context(&ActionId::new("create", &id("node-bootstrap/w-1")));
        let token = tokens.mint(&World::access(), "w-1", &context).await.unwrap();
        let path = format!("{SECRETS}/bootstrap-token-{}", token.id);
        assert_eq!(world.fake.state().objects[&path]["stringData"]["token-id"], json!(token.id));
        assert!(token.token.reveal().starts_with(&format!("{}.", token.id)));
        for _ in 0..2 {
            tokens.revoke(&World::access(), &token.id).await.unwrap();
            assert!(!world.fake.state().objects.contains_key(&path));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_may_not_ask_is_taken_back() {
        let world = World::new();
        world.fake.state().token_allowed = false;
        let tokens = TokenSecrets::new(world.connections.clone());
        let context = world.context(&ActionId::new("create", &id("node-bootstrap/w-1")));
        let error = tokens.mint(&World::access(), "w-1", &context).await.unwrap_err();
        assert!(error.hint.unwrap().contains("node-bootstrapper"));
        assert_eq!(world.fake.state().objects.len(), 1);
    }
}
