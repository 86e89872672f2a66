//! Makes a machine as its `machine-config` says, or undoes what was made.

use std::time::Duration;

use engine::{ActionContext, ActionError, Applied, ErrorClass, HostTarget, ObserveContext};
use machine::{MachineConfig, Reply, Request, Step};
use plan::{Change, Operation, Reason};
use serde_json::Value;

use crate::AgentError;
use crate::agent::{Agents, WhenMissing};
use crate::attributes::{Found, attributes};
use crate::observe_query::{ObserveQuery, config_inputs, config_of};
use crate::schema::{MACHINE_CONFIG, schemas};
use crate::stale::moved;
use crate::target::target;

/// How long a machine may take to be reached: it may be booting.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);
/// A member of etcd lives where this is.
const ETCD_MANIFEST: &str = "/etc/kubernetes/manifests/etcd.yaml";

/// Creates or updates a `machine-config`.
///
/// With `forget_etcd`, a member of etcd that lived on the machine counts as never born.
pub(crate) async fn apply_config(
    agents: &Agents,
    forget_etcd: bool,
    change: &Change,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let inputs = after(change)?;
    let outputs = context.outputs.as_ref();
    let target = target_of(inputs, outputs)?;
    let (config, waiting) = config_of(inputs, outputs).map_err(ActionError::permanent)?;
    if let Some((path, reference)) = waiting.first_key_value() {
        let message = format!("{path} needs `{}` of {}, which is not made yet", reference.output, reference.resource);
        return Err(ActionError::permanent(message));
    }
    if change.expect.is_some() {
        refuse_if_moved(agents, change, inputs, &target, context).await?;
    }
    if forget_etcd {
        let request = Request::Run { steps: vec![Step::ForgetEtcdData], epoch: context.epoch };
        done(agents, &target, &request, context).await?;
    }
    let request = Request::Apply {
        etcd_recorded: !forget_etcd && etcd_recorded(change, &config),
        config: Box::new(config),
        digest_key: hex::encode(outputs.digest_key(&target.name)),
        epoch: context.epoch,
        lineage: config_inputs(inputs).map_err(ActionError::permanent)?.lineage,
    };
    done(agents, &target, &request, context).await
}

/// Waits until what a `machine-config` starts serves.
pub(crate) async fn wait(agents: &Agents, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
    let (inputs, outputs) = (after(change)?, context.outputs.as_ref());
    let (config, _) = config_of(inputs, outputs).map_err(ActionError::permanent)?;
    let steps = config.group.gates.into_iter().map(|gate| Step::Wait { gate }).collect();
    let target = target_of(inputs, outputs)?;
    done(agents, &target, &Request::Run { steps, epoch: context.epoch }, context).await
}

/// Undoes what the agent made on a machine.
pub(crate) async fn reset(agents: &Agents, change: &Change, context: &ActionContext) -> Result<Applied, ActionError> {
    let inputs = before(change)?;
    let target = target_of(inputs, context.outputs.as_ref())?;
    let applied = done(agents, &target, &Request::Reset { epoch: context.epoch }, context).await?;
    // A program without a ledger does no harm, so nothing fails for it.
    let _ = agents.remove(&target, TIMEOUT).await;
    Ok(applied)
}

/// Asks an agent for something that it does or fails to do.
pub(crate) async fn done(
    agents: &Agents,
    target: &HostTarget,
    request: &Request,
    context: &ActionContext,
) -> Result<Applied, ActionError> {
    let note = |fragment| context.progress(fragment);
    let asked = agents.ask(target, TIMEOUT, WhenMissing::Upload, request, &note);
    // Dropping the question ends the agent.
    unless_cancelled(context, async {
        match asked.await? {
            Reply::Done { .. } => Ok(Applied::default()),
            _ => Err(AgentError::Unexpected { machine: target.name.clone() }.into()),
        }
    })
    .await
}

/// Does some work, unless the run is stopped first: then the work is dropped.
pub(crate) async fn unless_cancelled<T>(
    context: &ActionContext,
    work: impl Future<Output = Result<T, ActionError>>,
) -> Result<T, ActionError> {
    tokio::select! {
        () = context.cancel.cancelled() => Err(ActionError::permanent("stopped before it was done")),
        done = work => done,
    }
}

/// The inputs that a change begins with.
pub(crate) fn before(change: &Change) -> Result<&Value, ActionError> {
    change.before.as_ref().ok_or_else(|| ActionError::permanent("nothing is known of what was made"))
}

/// The inputs that a change leads to.
pub(crate) fn after(change: &Change) -> Result<&Value, ActionError> {
    change.after.as_ref().ok_or_else(|| ActionError::permanent("the plan does not say what it should be"))
}

/// The machine that inputs name; everything it needs was made before this action.
pub(crate) fn target_of(inputs: &Value, outputs: &dyn ObserveContext) -> Result<HostTarget, ActionError> {
    target(inputs, outputs).map_err(|error| ActionError::permanent(error.to_string()))
}

/// Looks once more, and refuses to overwrite what the plan did not show.
async fn refuse_if_moved(
    agents: &Agents,
    change: &Change,
    inputs: &Value,
    target: &HostTarget,
    context: &ActionContext,
) -> Result<(), ActionError> {
    let outputs = context.outputs.as_ref();
    let question = ObserveQuery::about(inputs, change.before.as_ref(), outputs).map_err(ActionError::permanent)?;
    let request = question.request(&outputs.digest_key(&target.name), false);
    let answer = agents.ask(target, TIMEOUT, WhenMissing::Upload, &request, &|_| {}).await?;
    let found = Found::of(answer).ok_or_else(|| AgentError::Unexpected { machine: target.name.clone() })?;
    let seen = attributes(inputs, change.before.as_ref(), &question, &found).map_err(ActionError::permanent)?;
    let Some(schema) = schemas().into_iter().find(|schema| schema.kind == MACHINE_CONFIG) else { return Ok(()) };
    match moved(change, &plan::field_changes(&schema, &seen, inputs)) {
        None => Ok(()),
        Some(field) => {
            let place = field.path.get(3).map_or("something", String::as_str);
            Err(ActionError {
                class: ErrorClass::Stale,
                ..ActionError::permanent(format!("{place} on {} was changed since the plan was made", target.name))
            }
            .hint("Run the command again: it plans on what is there now."))
        }
    }
}

/// Whether the records say that a member of etcd lived on this machine before.
///
/// A first attempt that failed proves nothing, and a machine that is made anew on purpose joins as a new member.
fn etcd_recorded(change: &Change, config: &MachineConfig) -> bool {
    let files = [&config.group.files, &config.machine.files];
    if !files.iter().any(|files| files.contains_key(ETCD_MANIFEST)) {
        return false;
    }
    let had_etcd = change.before.as_ref().is_some_and(|before| {
        ["group", "machine"].iter().any(|part| before["config"][part]["files"].get(ETCD_MANIFEST).is_some())
    });
    match change.operation {
        Operation::Update => had_etcd && change.reason != Reason::Interrupted,
        // The machine is there, but everything that was made on it is gone.
        Operation::Create => had_etcd && change.reason == Reason::Drifted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use machine::{Content, File, GroupConfig, MachinePart, Stage};
    use plan::ActionId;
    use serde_json::json;

    use super::*;

    fn recorded(operation: Operation, reason: Reason, had_etcd: bool) -> bool {
        let manifest = File {
            content: Content::Text(String::new()),
            mode: "0600".into(),
            stage: Stage::Manifest,
            create_only: false,
            restarts: vec![],
        };
        let mut config = MachineConfig { group: GroupConfig::default(), machine: MachinePart::default() };
        config.machine.files.insert(ETCD_MANIFEST.into(), manifest);
        let before = json!({"config": {"machine": {"files": {ETCD_MANIFEST: {}}}}});
        let resource = resource::ResourceId::new("machine-config", "cp-1");
        let change = Change {
            id: ActionId::new("update", &resource),
            resource,
            operation,
            reason,
            replaces: false,
            fields: Vec::new(),
            effects: Vec::new(),
            expect: None,
            before: had_etcd.then_some(before),
            after: None,
            depends_on: BTreeSet::new(),
        };
        etcd_recorded(&change, &config)
    }

    #[test]
    fn etcd_is_born_once() {
        let machine = Reason::DependencyChanged { on: resource::ResourceId::new("machine", "cp-1") };
        assert!(!recorded(Operation::Create, Reason::New, false));
        assert!(!recorded(Operation::Update, Reason::Interrupted, true));
        assert!(!recorded(Operation::Create, machine, true));
        assert!(recorded(Operation::Update, Reason::SpecChanged, true));
        assert!(recorded(Operation::Create, Reason::Drifted, true));
    }
}
