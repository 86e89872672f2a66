//! What an agent is asked about a machine config, and which resources the answer is about.

use std::collections::{BTreeMap, BTreeSet};

use engine::ObserveContext;
use machine::{GroupConfig, MachineConfig, MachinePart, Request};
use resource::Reference;
use serde::Deserialize;
use serde_json::Value;

use crate::contents::{Resolved, resolve};
use crate::inputs::ConfigInputs;

/// Written by the agent where it made something.
pub(crate) const LEDGER: &str = "/var/lib/kubewright/ledger.json";
/// There as soon as the cluster gave a kubelet its certificate. kubelet.conf is there before.
pub(crate) const KUBELET_CERTIFICATE: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// A question about one machine.
#[derive(Debug)]
pub(crate) struct ObserveQuery {
    /// What the machine is compared with.
    pub(crate) config: MachineConfig,
    /// Files left out, because what should be in them is not made yet.
    pub(crate) waiting: BTreeMap<String, Reference>,
    /// Files that were made once and are no longer wanted.
    pub(crate) unwanted: BTreeSet<String>,
}

impl ObserveQuery {
    /// About a `machine-config` with these inputs, last made with `recorded`.
    pub(crate) fn about(
        inputs: &Value,
        recorded: Option<&Value>,
        outputs: &dyn ObserveContext,
    ) -> Result<Self, String> {
        let (config, waiting) = config_of(inputs, outputs)?;
        let unwanted = recorded.map(file_paths).unwrap_or_default();
        let unwanted = unwanted.difference(&file_paths(inputs)).cloned().collect();
        Ok(Self { config, waiting, unwanted })
    }

    /// About nothing but the paths that are always asked for.
    pub(crate) fn about_paths(node_name: &str) -> Self {
        let machine = MachinePart { node_name: node_name.to_owned(), ..MachinePart::default() };
        Self {
            config: MachineConfig { group: GroupConfig::default(), machine },
            waiting: BTreeMap::new(),
            unwanted: BTreeSet::new(),
        }
    }

    /// As the agent gets it.
    pub(crate) fn request(&self, digest_key: &[u8; 32], deep: bool) -> Request {
        let fixed = [LEDGER, KUBELET_CERTIFICATE].map(str::to_owned);
        Request::Observe {
            config: Box::new(self.config.clone()),
            digest_key: hex::encode(digest_key),
            deep,
            probe: fixed.into_iter().chain(self.waiting.keys().cloned()).chain(self.unwanted.iter().cloned()).collect(),
        }
    }
}

/// The config of a `machine-config`'s inputs, and the files that wait for something.
pub(crate) fn config_of(
    inputs: &Value,
    outputs: &dyn ObserveContext,
) -> Result<(MachineConfig, BTreeMap<String, Reference>), String> {
    let inputs = config_inputs(inputs)?;
    let Resolved { config, waiting } = resolve(&inputs.config, outputs)
        .map_err(|reference| format!("{} has no output `{}` yet", reference.resource, reference.output))?;
    // The error would quote values, and among them are secrets.
    let config = serde_json::from_value(config).map_err(|_| "its config is not one of this version".to_owned())?;
    Ok((config, waiting))
}

/// A `machine-config`'s inputs, references unresolved.
pub(crate) fn config_inputs(inputs: &Value) -> Result<ConfigInputs, String> {
    ConfigInputs::deserialize(inputs).map_err(|error| format!("its inputs cannot be read: {error}"))
}

/// Paths of the files of both parts.
fn file_paths(inputs: &Value) -> BTreeSet<String> {
    ["group", "machine"]
        .into_iter()
        .filter_map(|part| inputs.get("config")?.get(part)?.get("files")?.as_object())
        .flat_map(|files| files.keys().cloned())
        .collect()
}
