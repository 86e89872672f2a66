//! Brings a kubelet to its first client certificate, with a token that lives only as long as that takes.

use std::sync::Arc;

use engine::{
    ActionContext, ActionError, Applied, BootstrapToken, BootstrapTokens, ErrorClass, HostTarget, ObserveContext,
};
use machine::{Gate, Request, Step};
use pki::kubeconfig::{Credential, Entry, Kubeconfig, Trust};
use plan::Change;
use resource::{Reference, Secret};
use serde::Deserialize;
use serde_json::Value;

use crate::agent::Agents;
use crate::apply::{after, done, target_of};
use crate::inputs::{BootstrapInputs, base64};
use crate::observe_query::KUBELET_CERTIFICATE;

const BOOTSTRAP_CONF: &str = "/etc/kubernetes/bootstrap-kubelet.conf";
const KUBELET_CONF: &str = "/etc/kubernetes/kubelet.conf";
const KUBELET: &str = "kubelet.service";
/// The user's name in kubeadm's bootstrap-kubelet.conf.
const USER: &str = "tls-bootstrap-token-user";
/// Seconds a kubelet may take to get its certificate: kubeadm's `timeouts.tlsBootstrap`.
const CERTIFICATE_SECONDS: u64 = 300;

/// What a bootstrap needs, without references.
struct Inputs {
    target: HostTarget,
    access: Secret,
    node: String,
    cluster_name: String,
    server: String,
    authority: String,
    kubelet_conf: String,
}

/// Creates a `node-bootstrap`.
pub(crate) async fn bootstrap(
    agents: &Agents,
    tokens: &Arc<dyn BootstrapTokens>,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let typed = typed(after(change)?, context.outputs.as_ref())?;
    context.progress("making a bootstrap token");
    let description = format!("kubewright: {} of cluster {}", typed.node, context.cluster);
    let token = tokens.mint(&typed.access, &description, context).await?;
    let revocation = Revocation::new(tokens, &typed.access, &token);
    let mut joined = join(agents, &typed, &token, context).await;
    if let Err(error) = &mut joined
        && error.class == ErrorClass::Permanent
        && !context.cancel.is_cancelled()
    {
        if error.message.contains(KUBELET_CERTIFICATE)
            && let Ok(state) = tokens.request_state(&typed.access, &token.id).await
        {
            error.message = format!("{}: {state}", error.message);
        }
        // Best effort, where the machine can be reached: the token in it is worth nothing from now on.
        let steps = vec![Step::Remove { path: BOOTSTRAP_CONF.to_owned() }];
        let _ = done(agents, &typed.target, &run(steps, context), context).await;
    }
    let revoked = revocation.now().await;
    let applied = joined?;
    revoked?;
    Ok(applied)
}

/// Takes a token back, also when the action is dropped in the middle.
struct Revocation {
    due: Option<(Arc<dyn BootstrapTokens>, Secret, String)>,
}

impl Revocation {
    fn new(tokens: &Arc<dyn BootstrapTokens>, access: &Secret, token: &BootstrapToken) -> Self {
        Self { due: Some((Arc::clone(tokens), access.clone(), token.id.clone())) }
    }

    async fn now(mut self) -> Result<(), ActionError> {
        let Some((tokens, access, id)) = &self.due else { return Ok(()) };
        let revoked = tokens.revoke(access, id).await;
        self.due = None;
        revoked
    }
}

impl Drop for Revocation {
    fn drop(&mut self) {
        if let (Some((tokens, access, id)), Ok(runtime)) = (self.due.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { tokens.revoke(&access, &id).await });
        }
    }
}

/// Does again what comes after the certificate; an earlier attempt may have been cut short there.
pub(crate) async fn finish(agents: &Agents, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
    let typed = typed(after(change)?, context.outputs.as_ref())?;
    done(agents, &typed.target, &run(last_steps(&typed.kubelet_conf), context), context).await
}

async fn join(
    agents: &Agents,
    typed: &Inputs,
    token: &BootstrapToken,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let steps = steps(typed, token)?;
    context.progress("waiting for the kubelet's certificate");
    done(agents, &typed.target, &run(steps, context), context).await
}

fn run(steps: Vec<Step>, context: &ActionContext) -> Request {
    Request::Run { steps, epoch: context.epoch }
}

fn steps(typed: &Inputs, token: &BootstrapToken) -> Result<Vec<Step>, ActionError> {
    let entry = Entry {
        cluster: typed.cluster_name.clone(),
        user: USER.to_owned(),
        server: typed.server.clone(),
        trust: Trust::Embedded(typed.authority.clone()),
        credential: Credential::Token(token.token.clone()),
    };
    let conf = Kubeconfig::new(&entry)
        .to_yaml()
        .map_err(|error| ActionError::from_source("cannot write bootstrap-kubelet.conf", &error))?;
    let certificate = Gate::File { path: KUBELET_CERTIFICATE.to_owned(), timeout_seconds: CERTIFICATE_SECONDS };
    let mut steps = vec![
        write(BOOTSTRAP_CONF, conf.reveal()),
        Step::Start { unit: KUBELET.to_owned() },
        Step::Wait { gate: certificate },
    ];
    steps.extend(last_steps(&typed.kubelet_conf));
    Ok(steps)
}

/// The kubelet wrote a kubelet.conf of its own; the one of the machine config says the same in our words.
fn last_steps(kubelet_conf: &str) -> Vec<Step> {
    vec![write(KUBELET_CONF, kubelet_conf), Step::Remove { path: BOOTSTRAP_CONF.to_owned() }]
}

fn write(path: &str, content: &str) -> Step {
    Step::WriteSecret { path: path.to_owned(), content: base64(content), mode: "0600".to_owned() }
}

fn typed(inputs: &Value, outputs: &dyn ObserveContext) -> Result<Inputs, ActionError> {
    let target = target_of(inputs, outputs)?;
    let inputs = BootstrapInputs::deserialize(inputs)
        .map_err(|error| ActionError::permanent(format!("its inputs cannot be read: {error}")))?;
    Ok(Inputs {
        target,
        access: Secret::new(inputs.access.resolve(outputs).map_err(not_made)?),
        authority: inputs.authority.resolve(outputs).map_err(not_made)?,
        kubelet_conf: inputs.kubelet_conf.resolve(outputs).map_err(not_made)?,
        node: inputs.node,
        cluster_name: inputs.cluster_name,
        server: inputs.server,
    })
}

fn not_made(reference: Reference) -> ActionError {
    ActionError::permanent(format!("{} has no output `{}` yet", reference.resource, reference.output))
}
