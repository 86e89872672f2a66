//! Observes machines: all at once, one connection and one program each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{HostTarget, ObserveContext, ObserveRequest};
use futures::StreamExt as _;
use resource::{MEMBER_SERVES, Observation, ResourceId};
use serde_json::Value;

use crate::AgentError;
use crate::agent::{Agents, WhenMissing};
use crate::attributes::{Found, attributes};
use crate::observe_query::{KUBELET_CERTIFICATE, LEDGER, ObserveQuery};
use crate::schema::{MACHINE_CONFIG, NODE_BOOTSTRAP};
use crate::target::target_if_made;

/// How long a machine may take to be reached. Short: it is there, or it is unknown.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);
/// How long an agent may take to look at everything.
const LOOKING: Duration = Duration::from_mins(1);
/// Machines asked at once: far above what one network needs, below what one process may open.
pub(crate) const AT_ONCE: usize = 256;

/// Everything that is asked about one machine.
#[derive(Default)]
struct Machine {
    config: Option<ObserveRequest>,
    bootstrap: Option<ObserveRequest>,
}

impl Machine {
    fn requests(&self) -> impl Iterator<Item = &ObserveRequest> {
        self.config.iter().chain(&self.bootstrap)
    }

    fn all(&self, observation: &Observation) -> Vec<(ResourceId, Observation)> {
        self.requests().map(|request| (request.id.clone(), observation.clone())).collect()
    }
}

/// Looks for `machine-config`s and `node-bootstrap`s.
pub(crate) async fn observe(
    agents: &Agents,
    deep: bool,
    requests: Vec<ObserveRequest>,
    context: Arc<dyn ObserveContext>,
) -> BTreeMap<ResourceId, Observation> {
    let context = context.as_ref();
    futures::stream::iter(by_machine(requests).into_values())
        .map(|machine| async move { observe_machine(agents, deep, &machine, context).await })
        .buffer_unordered(AT_ONCE)
        .flat_map(futures::stream::iter)
        .collect()
        .await
}

fn by_machine(requests: Vec<ObserveRequest>) -> BTreeMap<String, Machine> {
    let mut machines: BTreeMap<String, Machine> = BTreeMap::new();
    for request in requests {
        let machine = machines.entry(request.id.name().to_owned()).or_default();
        match request.id.kind() {
            MACHINE_CONFIG => machine.config = Some(request),
            _ => machine.bootstrap = Some(request),
        }
    }
    machines
}

async fn observe_machine(
    agents: &Agents,
    deep: bool,
    machine: &Machine,
    context: &dyn ObserveContext,
) -> Vec<(ResourceId, Observation)> {
    let Some(inputs) = machine.requests().find_map(ObserveRequest::inputs) else {
        return machine.all(&Observation::Absent);
    };
    let target = match target_if_made(inputs, context) {
        Ok(Some(target)) => target,
        Ok(None) => return machine.all(&Observation::Absent),
        Err(why) => return machine.all(&Observation::unknown(why)),
    };
    let question = match question(machine, &target, context) {
        Ok(question) => question,
        Err(why) => return machine.all(&Observation::unknown(why)),
    };
    match ask(agents, deep, machine, &target, &question, context).await {
        Ok(found) => answers(machine, &question, &found),
        // No agent of ours was ever needed there.
        Err(AgentError::NotThere { .. }) => machine.all(&Observation::Absent),
        Err(error) => machine.all(&Observation::unknown(error.to_string())),
    }
}

fn question(machine: &Machine, target: &HostTarget, context: &dyn ObserveContext) -> Result<ObserveQuery, String> {
    match &machine.config {
        Some(request) => match request.inputs() {
            Some(inputs) => ObserveQuery::about(inputs, recorded(request), context),
            None => Ok(ObserveQuery::about_paths(&target.name)),
        },
        None => Ok(ObserveQuery::about_paths(&target.name)),
    }
}

fn recorded(request: &ObserveRequest) -> Option<&Value> {
    request.recorded.as_ref().map(|recorded| &recorded.inputs)
}

async fn ask(
    agents: &Agents,
    deep: bool,
    machine: &Machine,
    target: &HostTarget,
    question: &ObserveQuery,
    context: &dyn ObserveContext,
) -> Result<Found, AgentError> {
    // A machine on which nothing was made is left as it is, even by a preview.
    let known = machine.requests().any(|request| request.recorded.is_some());
    let missing = if known { WhenMissing::Upload } else { WhenMissing::Report };
    let request = question.request(&context.digest_key(&target.name), deep);
    let asked = tokio::time::timeout(LOOKING, agents.ask(target, TIMEOUT, missing, &request, &|_| {}));
    match asked.await {
        Ok(Ok(reply)) => Found::of(reply).ok_or_else(|| AgentError::Unexpected { machine: target.name.clone() }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(AgentError::Lost { machine: target.name.clone() }),
    }
}

fn answers(machine: &Machine, question: &ObserveQuery, found: &Found) -> Vec<(ResourceId, Observation)> {
    machine
        .requests()
        .map(|request| {
            let inputs = request.inputs().unwrap_or(&Value::Null);
            let observation = match request.id.kind() {
                MACHINE_CONFIG if !found.exists.contains(LEDGER) => Observation::Absent,
                MACHINE_CONFIG => attributes(inputs, recorded(request), question, found)
                    .map_or_else(Observation::unknown, |seen| with_member(seen, found.member_serves)),
                NODE_BOOTSTRAP if found.exists.contains(KUBELET_CERTIFICATE) => Observation::present(inputs.clone()),
                _ => Observation::Absent,
            };
            (request.id.clone(), observation)
        })
        .collect()
}

fn with_member(attributes: Value, serves: Option<bool>) -> Observation {
    let seen = Observation::present(attributes);
    match serves {
        Some(serves) => seen.with_output(MEMBER_SERVES, serves.into()),
        None => seen,
    }
}
