//! Inputs of the two kinds, as the model writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{ObserveContext, Output};
use resource::Reference;
use serde::Deserialize;
use serde_json::Value;

/// Inputs of a `machine-config`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigInputs {
    /// Identity of the cluster.
    pub(crate) lineage: String,
    /// The machine config, with references where contents are not known yet.
    pub(crate) config: Value,
}

/// Inputs of a `node-bootstrap`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BootstrapInputs {
    /// How the cluster's API is reached and with which credentials.
    pub(crate) access: Text,
    /// Node name.
    pub(crate) node: String,
    /// Name of the cluster in kubeconfigs.
    pub(crate) cluster_name: String,
    /// URL of the API server for this machine.
    pub(crate) server: String,
    /// Certificate of the cluster's authority, PEM.
    pub(crate) authority: Text,
    /// The kubelet.conf to leave behind.
    pub(crate) kubelet_conf: Text,
}

/// Inputs of both kinds: which machine.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TargetInputs {
    pub(crate) name: String,
    pub(crate) address: Text,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) host_key: Text,
    pub(crate) private_key: Text,
}

/// A text, or a reference to one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    /// It stands here.
    Literal(String),
    /// It is an output of another resource.
    Output(Reference),
}

impl Text {
    /// The text; the reference when there is no such output yet.
    pub(crate) fn resolve(&self, outputs: &dyn ObserveContext) -> Result<String, Reference> {
        match self {
            Self::Literal(text) => Ok(text.clone()),
            Self::Output(reference) => output_text(reference, outputs),
        }
    }
}

/// The text of an output.
pub(crate) fn output_text(reference: &Reference, outputs: &dyn ObserveContext) -> Result<String, Reference> {
    match outputs.output(reference) {
        Ok(Output::Public(Value::String(text))) => Ok(text),
        Ok(Output::Public(value)) => Ok(value.to_string()),
        Ok(Output::Secret(secret)) => Ok(secret.reveal().to_owned()),
        Err(unresolved) => Err(unresolved.0),
    }
}

/// Base64, as the agent wants secrets.
pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}
