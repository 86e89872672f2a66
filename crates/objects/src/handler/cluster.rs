//! The cluster itself: made when every API server is ready, known by the UID of kube-system.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::{ActionContext, ActionError, Applied, ErrorClass, ObserveContext, ObserveRequest, Output, Outputs};
use futures::future::{join_all, select_ok, try_join_all};
use plan::{Change, Operation};
use resource::{Behaviour, KindSchema, Observation, ResourceId};
use serde_json::Value;

use super::site::resolve;
use crate::connection::{Connection, Server};
use crate::wait::Wait;
use crate::{Access, ApiError, Connections};

/// How long all API servers may take to become ready.
const TIMEOUT: Duration = Duration::from_mins(5);
const EVERY: Duration = Duration::from_millis(100);

pub(super) fn schema() -> KindSchema {
    KindSchema {
        // A renewed certificate of ours gives another access.
        update_changes_outputs: true,
        ..KindSchema::plain("cluster").rule("machines", Behaviour::Computed)
    }
}

pub(super) async fn observe(
    connections: &Connections,
    requests: Vec<ObserveRequest>,
    context: &dyn ObserveContext,
) -> BTreeMap<ResourceId, Observation> {
    join_all(requests.into_iter().map(|request| async move {
        let observation = observe_one(connections, &request, context).await;
        (request.id, observation)
    }))
    .await
    .into_iter()
    .collect()
}

async fn observe_one(connections: &Connections, request: &ObserveRequest, context: &dyn ObserveContext) -> Observation {
    // What was never recorded was never ready: making it does no more than waiting for it.
    let Some(recorded) = &request.recorded else { return Observation::Absent };
    if request.desired.is_none() {
        // Letting go of a cluster needs no answer from it: what it runs on is deleted by itself, dead or alive.
        return Observation::present(recorded.inputs.clone());
    }
    let outputs = context.outputs(&request.id);
    if outputs.is_empty() {
        // It was waited for, in vain or by a process that died: it was never ready either.
        return Observation::Absent;
    }
    let (Some(Output::Secret(access)), Some(uid)) = (outputs.get("access"), uid(&outputs)) else {
        return Observation::unknown("its access is not recorded");
    };
    let found = match connections.open(access) {
        Ok(connection) => connection.check_identity(Some(uid)).await,
        Err(error) => Err(error),
    };
    match found {
        // Which servers are known is our record; that they serve this cluster was just seen.
        Ok(()) => Observation::present(recorded.inputs.clone()),
        Err(error) => Observation::unknown(error.to_string()),
    }
}

fn uid(outputs: &Outputs) -> Option<&str> {
    outputs.get("kubeSystemUid").and_then(Output::text)
}

pub(super) async fn apply(
    connections: &Connections,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    // It goes away with its machines.
    let Some(inputs) = &change.after else { return Ok(Applied::default()) };
    let what = format!("cannot use {}", change.resource);
    let inputs = resolve(inputs, &*context.outputs).map_err(|error| ActionError::from_source(&what, &error))?;
    let access: Access = serde_json::from_value(inputs.clone())
        .map_err(|_| ActionError::permanent(format!("{what}: its inputs are not as expected")))?;
    let text = access.to_secret();
    let connection = connections.open(&text).map_err(|error| error.while_doing(&what))?;
    let machines = machine_names(&inputs, &connection);
    let waits = connection.servers.iter().zip(&machines).map(|(server, machine)| wait_for(server, machine, context));
    if change.operation == Operation::Update {
        // One of them may be out of reach for good; one that answers, as a new one does, must become ready.
        select_ok(waits.map(Box::pin)).await?;
        let others = connection.servers.iter().zip(&machines);
        try_join_all(others.map(|(server, machine)| wait_if_it_answers(server, machine, context))).await?;
    } else {
        try_join_all(waits).await?;
    }
    let found = identity(&connection, context).await?;
    if change.operation == Operation::Update {
        let outputs = context.outputs.outputs(&change.resource);
        connection.check_identity(uid(&outputs)).await.map_err(|error| error.while_doing(&what))?;
    }
    let outputs = BTreeMap::from([
        ("access".to_owned(), Output::Secret(text)),
        ("kubeSystemUid".to_owned(), Output::Public(Value::String(found))),
    ]);
    Ok(Applied { outputs })
}

/// What to call each server's machine: the optional input `machines`, in the order of the servers, else its address.
fn machine_names(inputs: &Value, connection: &Connection) -> Vec<String> {
    let named = |index: usize| inputs.get("machines")?.get(index)?.as_str().map(str::to_owned);
    let name = |(index, server): (usize, &Server)| named(index).unwrap_or_else(|| host(&server.address));
    connection.servers.iter().enumerate().map(name).collect()
}

fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.rsplit_once(':').map_or(rest, |(host, _)| host).to_owned()
}

async fn wait_if_it_answers(server: &Server, machine: &str, context: &ActionContext) -> Result<(), ActionError> {
    match server.probe().await {
        Err(error @ ApiError::Transport { .. }) if error.class() != ErrorClass::Permanent => Ok(()),
        _ => wait_for(server, machine, context).await,
    }
}

async fn wait_for(server: &Server, machine: &str, context: &ActionContext) -> Result<(), ActionError> {
    let mut wait = Wait::new(context, TIMEOUT, EVERY);
    loop {
        let error = match server.probe().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let hint = format!(
            "Look at its containers: `kubewright ssh {cluster} {machine} -- crictl ps -a`, and at `journalctl -u kubelet` there; logs are in /var/log/pods.",
            cluster = context.cluster
        );
        if error.class() == ErrorClass::Permanent && matches!(error, ApiError::Transport { .. }) {
            return Err(error.while_doing(&format!("cannot use the API server of {machine}")).hint(hint));
        }
        wait.say(format!("{machine}: {}", unreadiness(&error)));
        if !wait.pause().await? {
            let message = format!(
                "the API server of {machine} is not ready after {} min: {}",
                TIMEOUT.as_secs() / 60,
                unreadiness(&error)
            );
            return Err(ActionError::permanent(message).hint(hint));
        }
    }
}

/// What keeps a server from being ready, in a few words.
fn unreadiness(error: &ApiError) -> String {
    match error {
        ApiError::Transport { why, .. } if why.contains("refused") => "API server not started yet".to_owned(),
        ApiError::Transport { why, .. } => format!("no answer ({why})"),
        ApiError::Refused { message, .. } if message.contains("[-]") => {
            let failed = message.lines().filter_map(|line| line.strip_prefix("[-]")?.split_whitespace().next());
            format!("{} not ready", failed.collect::<Vec<_>>().join(", "))
        }
        ApiError::Refused { code, .. } => format!("not ready (HTTP status {code})"),
        other => other.to_string(),
    }
}

/// The UID of kube-system, which a new API server makes a moment after it is ready.
async fn identity(connection: &Connection, context: &ActionContext) -> Result<String, ActionError> {
    let mut wait = Wait::new(context, Duration::from_mins(1), EVERY);
    loop {
        match connection.identity().await {
            Ok(uid) => return Ok(uid),
            Err(error) => {
                wait.say("waiting for namespace kube-system".to_owned());
                if !wait.pause().await? {
                    return Err(error.while_doing("cannot read namespace kube-system"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
