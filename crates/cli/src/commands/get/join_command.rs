//! `get join-command`: how one more worker joins by kubeadm.

use std::sync::Arc;

use engine::{ActionContext, BootstrapTokens as _, ObserveContext as _, Output};
use model::ids;
use objects::TokenSecrets;
use plan::ActionId;
use resource::{Reference, ResourceId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::CommandError;
use crate::system::SystemRandomness;
use crate::{health, kubeconfig, open, output};

pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let open = open::cluster(app, name).await?;
    let access = health::access(&open.cluster, &open.resolved)?;
    let (host, port) = kubeconfig::endpoint(&open.known())?;
    let address = model::host_port(&host, port);
    let authority = Reference::new(ids::authority("kubernetes"), "certificate");
    let authority = match open.cluster.outputs.output(&authority) {
        Ok(Output::Public(certificate)) => certificate.as_str().unwrap_or_default().to_owned(),
        _ => return Err(CommandError::failed("the cluster has no certificate authority yet")),
    };
    let hash = pki::Certificate::from_pem(&authority)
        .map_err(|error| CommandError::from_source("the cluster's authority cannot be read", &error))?
        .public_key_hash();
    let context = ActionContext {
        action: ActionId::new("run", &ResourceId::new("bootstrap-token", name)),
        cluster: name.to_owned(),
        epoch: 0,
        token: String::new(),
        outputs: open.cluster.outputs.clone(),
        randomness: Arc::new(SystemRandomness),
        events: app.progress.clone(),
        cancel: CancellationToken::new(),
        unfinished: tokio_util::task::TaskTracker::new(),
    };
    let tokens = TokenSecrets::new(open.composition.connections.clone());
    let token = tokens.mint(&access, "made for `get join-command` of kubewright", &context).await?;
    // The one place where a token is shown: that is what was asked for. It lives for an hour.
    let command =
        format!("kubeadm join {address} --token {} --discovery-token-ca-cert-hash {hash}", token.token.reveal());
    output::print(app.format, &json!({"cluster": name, "command": command}), || command.clone() + "\n")
}
