//! The generated kinds, one file each, and what they share.

mod authority;
mod certificate;
mod cluster_info;
mod encryption_config;
mod key_pair;
mod kubeconfig;
mod ssh_key;

use engine::{ActionContext, ActionError, ObserveContext, Output, Outputs};
use resource::{KindSchema, Observation, Reference, ResourceId, Secret};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// One generated kind.
pub(crate) struct Generated {
    /// Its name in resource ids.
    pub(crate) name: &'static str,
    /// Other things stop working for good when it is made again, so that never happens by itself.
    pub(crate) irreplaceable: bool,
    /// Its schema.
    pub(crate) schema: fn() -> KindSchema,
    /// What recorded outputs look like in the shape of the inputs.
    pub(crate) observe: fn(&Value, &Outputs, &dyn ObserveContext) -> Result<Observation, ActionError>,
    /// Makes outputs that satisfy the inputs, keeping what exists where it is good.
    pub(crate) make: fn(&Making<'_>) -> Result<Outputs, ActionError>,
}

/// One credential to be made.
pub(crate) struct Making<'a> {
    /// Which.
    pub(crate) resource: &'a ResourceId,
    /// What is wished for.
    pub(crate) inputs: &'a Value,
    /// What is recorded of it; empty when it is to be made from nothing.
    pub(crate) existing: &'a Outputs,
    /// The run.
    pub(crate) context: &'a ActionContext,
}

/// All of them.
pub(crate) const ALL: [Generated; 7] = [
    authority::KIND,
    key_pair::KIND,
    certificate::KIND,
    kubeconfig::KIND,
    cluster_info::KIND,
    encryption_config::KIND,
    ssh_key::KIND,
];

/// The schema that generated kinds start from: what refers to one must be looked at again after it was made again.
fn generated(kind: &'static str) -> KindSchema {
    KindSchema { update_changes_outputs: true, kept_in_record: true, ..KindSchema::plain(kind) }
}

/// Reads the inputs of a kind.
fn read<T: DeserializeOwned>(inputs: &Value) -> Result<T, ActionError> {
    serde_json::from_value(inputs.clone())
        .map_err(|error| ActionError::permanent(format!("cannot read what is wished for: {error}")))
}

/// A recorded output as text.
fn text<'a>(outputs: &'a Outputs, name: &str) -> Option<&'a str> {
    outputs.get(name).and_then(Output::text)
}

/// A recorded output as a secret.
fn secret(outputs: &Outputs, name: &str) -> Option<Secret> {
    text(outputs, name).map(Secret::new)
}

/// What a reference stands for, as text.
fn resolve(reference: &Reference, context: &dyn ObserveContext) -> Result<String, ActionError> {
    let output =
        context.output(reference).map_err(|error| ActionError::from_source("something it needs is missing", &error))?;
    let text = output.text().map(str::to_owned);
    text.ok_or_else(|| {
        ActionError::permanent(format!("output `{}` of {} is not a text", reference.output, reference.resource))
    })
}

/// Random bytes from the run's source.
fn random<const N: usize>(context: &ActionContext) -> [u8; N] {
    let mut bytes = [0; N];
    context.randomness.fill(&mut bytes);
    bytes
}

fn public(value: impl Into<Value>) -> Output {
    Output::Public(value.into())
}

fn outputs<const N: usize>(named: [(&str, Output); N]) -> Outputs {
    named.into_iter().map(|(name, output)| (name.to_owned(), output)).collect()
}

/// Making a credential failed.
fn failed(resource: &ResourceId, error: &pki::PkiError) -> ActionError {
    ActionError::from_source(&format!("cannot make {resource}"), error)
}

/// A secret that must not be made again is not where it should be.
pub(crate) fn lost(resource: &ResourceId, what: &str) -> ActionError {
    ActionError::permanent(format!("the {what} of {resource} is recorded but not readable; it is not made again")).hint(
        "restore the state store from a backup, or replace the resource if you can do without everything made with it",
    )
}

/// The observed attributes of a present resource: the inputs, with the fields that differ overwritten.
struct Attributes(Map<String, Value>);

impl Attributes {
    /// Starts from the inputs.
    fn of(inputs: &Value) -> Self {
        Self(inputs.as_object().cloned().unwrap_or_default())
    }

    /// Shows what a field really is.
    fn differs(&mut self, field: &str, actual: impl Into<Value>) {
        self.0.insert(field.to_owned(), actual.into());
    }

    fn present(self) -> Observation {
        Observation::present(Value::Object(self.0))
    }
}

/// An observation, or why it could not be made.
pub(crate) fn observed(result: Result<Observation, ActionError>) -> Observation {
    result.unwrap_or_else(|error| Observation::unknown(error.message))
}

#[cfg(test)]
pub(crate) mod testing;
