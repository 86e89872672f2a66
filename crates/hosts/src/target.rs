//! Where a machine is, read from the inputs of its resources.

use std::net::{IpAddr, SocketAddr};

use engine::{HostTarget, ObserveContext};
use resource::{Reference, Secret};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::inputs::{TargetInputs, Text};

/// Why inputs give no target.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// The machine was never made.
    #[error("{} has no output `{}` yet", .0.resource, .0.output)]
    NotMade(Reference),
    /// The machine was made, but something that is needed to log in is missing.
    #[error("{} has no output `{}` yet", .0.resource, .0.output)]
    Missing(Reference),
    /// The inputs are not what they must be.
    #[error("its target cannot be read: {0}")]
    Malformed(String),
}

/// The machine that the inputs of a `machine-config` or `node-bootstrap` name.
pub fn target(inputs: &Value, outputs: &dyn ObserveContext) -> Result<HostTarget, TargetError> {
    let inputs = TargetInputs::deserialize(inputs.get("target").unwrap_or(&Value::Null))
        .map_err(|error| TargetError::Malformed(error.to_string()))?;
    let resolve = |text: &Text| text.resolve(outputs).map_err(|reference| unresolved(&inputs, reference, outputs));
    let address = resolve(&inputs.address)?;
    let address: IpAddr =
        address.parse().map_err(|_| TargetError::Malformed(format!("`{address}` is not an IP address")))?;
    Ok(HostTarget {
        name: inputs.name.clone(),
        address: SocketAddr::new(address, inputs.port),
        user: inputs.user.clone(),
        host_key: resolve(&inputs.host_key)?,
        private_key: Secret::new(resolve(&inputs.private_key)?),
    })
}

/// The same for looking at a machine: nothing where it was never made, else why it cannot be told.
pub(crate) fn target_if_made(inputs: &Value, outputs: &dyn ObserveContext) -> Result<Option<HostTarget>, String> {
    match target(inputs, outputs) {
        Ok(target) => Ok(Some(target)),
        Err(TargetError::NotMade(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Without any output, the machine itself was never made; an address that stands in the inputs is one of a machine
/// that kubewright does not make.
fn unresolved(inputs: &TargetInputs, missing: Reference, outputs: &dyn ObserveContext) -> TargetError {
    match &inputs.address {
        Text::Output(address) if outputs.outputs(&address.resource).is_empty() => TargetError::NotMade(missing),
        _ => TargetError::Missing(missing),
    }
}
