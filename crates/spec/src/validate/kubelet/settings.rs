//! kubelet's settings as the layers of the documents make them, with what kubelet does where they say nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::facts::fields::{self, whole};
use super::super::gates;
use crate::check::join;
use crate::format::amounts::{parse_duration, parse_go_duration, parse_quantity};
use crate::{Kubelet, MachineSize, Provider, Reserved, Reserves};

/// kubelet's settings on the machines of one group, or of a cluster without the layers of its groups.
pub(super) struct Settings {
    config: Map<String, Value>,
    gates: BTreeMap<String, bool>,
    reserves: Reserves,
    /// There is a time for the shutdown of machines.
    pub(super) has_shutdown_period: bool,
    /// Minor version of Kubernetes; the newest where it is not known.
    pub(super) minor: u32,
}

impl Settings {
    /// Lays `layers` over what kubewright writes for this provider, as a JSON merge patch: null removes.
    pub(super) fn of(
        provider: Provider,
        minor: u32,
        gates: &BTreeMap<String, bool>,
        layers: &[&Kubelet],
        machine: &MachineSize,
    ) -> Self {
        let mut settings = Self {
            config: written(provider),
            gates: gates.clone(),
            reserves: Reserves::of(layers, machine),
            has_shutdown_period: shutdown_period(layers) > 0.0,
            minor,
        };
        for layer in layers {
            merge(&mut settings.config, &layer.config);
            settings.gates.extend(layer.feature_gates.clone());
        }
        settings
    }

    /// A setting; its parts are separated by dots.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        fields::at(&self.config, name)
    }

    /// A whole number; nothing where it is something else, which is for others to complain about.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        whole(self.get(name)?)
    }

    /// A text that is not empty: to kubelet the empty one is none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// True or false.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A duration in seconds; to kubelet zero is none.
    pub(super) fn seconds(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_str().and_then(parse_go_duration)
    }

    /// A list.
    pub(super) fn list(&self, name: &str) -> Option<&[Value]> {
        self.get(name)?.as_array().map(Vec::as_slice)
    }

    /// A map from texts to texts.
    pub(super) fn texts(&self, name: &str) -> Vec<(&str, &str)> {
        let map = self.get(name).and_then(Value::as_object);
        map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
    }

    /// Whether a feature gate is on, which is `default` where nobody says anything.
    pub(super) fn gate(&self, name: &str, default: bool) -> bool {
        let kubelet = catalog::facts(self.minor).and_then(|facts| facts.component("kubelet"));
        let facts = kubelet.and_then(|kubelet| kubelet.gates.get(name));
        gates::is_on(|gate| self.gates.get(gate).copied(), (name, facts.map(|facts| facts.stage)), default)
    }

    /// What is kept for kubelet and for the system together of one resource.
    pub(super) fn reserved(&self, of: fn(&Reserved) -> &Option<String>) -> f64 {
        let amount = |reserved| of(reserved).as_deref().and_then(parse_quantity).unwrap_or(0.0);
        amount(&self.reserves.kube) + amount(&self.reserves.system)
    }
}

fn shutdown_period(layers: &[&Kubelet]) -> f64 {
    let last = layers.iter().rev().find_map(|layer| layer.shutdown_grace_period.as_deref());
    last.and_then(parse_duration).unwrap_or(0.0)
}

/// What kubewright itself writes for this provider's machines of what is looked at here; `render::kubelet::NodePlatform` is where
/// it comes from.
fn written(provider: Provider) -> Map<String, Value> {
    if provider.machines().own_kernel {
        return Map::new();
    }
    // Disks are the host's: kubelet neither collects images nor evicts for them.
    let signals = ["imagefs.available", "imagefs.inodesFree", "nodefs.available", "nodefs.inodesFree"];
    let thresholds = signals.into_iter().map(|signal| (signal, "0%")).chain([("memory.available", "100Mi")]);
    let thresholds: Map<String, Value> = thresholds.map(|(signal, value)| (signal.to_owned(), value.into())).collect();
    Map::from_iter([
        ("evictionHard".to_owned(), thresholds.into()),
        ("imageGCHighThresholdPercent".to_owned(), 100.into()),
    ])
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (_, Value::Null) => {
                into.remove(name);
            }
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

/// What kubelet would say about some settings.
pub(super) struct Fault {
    /// The code of the finding that it becomes.
    pub(super) code: &'static str,
    /// The fields it is about; the first is the one to change.
    pub(super) fields: Vec<String>,
    /// What is wrong.
    pub(super) message: String,
    /// What to write instead.
    pub(super) help: String,
    /// kubelet starts, but not to the user's delight.
    pub(super) is_warning: bool,
}

const CODE: &str = "spec::kubelet-setting";
const CONFIG: &str = "spec.kubelet.config";

impl Fault {
    /// A fault of a setting, written as a path of simple names.
    pub(super) fn of(setting: &str, message: impl Into<String>) -> Self {
        let fields = vec![format!("{CONFIG}.{setting}")];
        Self { code: CODE, fields, message: message.into(), help: String::new(), is_warning: false }
    }

    /// A fault of fields beside kubelet's own configuration.
    pub(super) fn of_layer(code: &'static str, names: &[&str], message: impl Into<String>) -> Self {
        let fields = names.iter().map(|name| format!("spec.kubelet.{name}")).collect();
        Self { code, fields, message: message.into(), help: String::new(), is_warning: false }
    }

    /// A fault of one entry of a map, whose key may be no simple name.
    pub(super) fn of_entry(setting: &str, key: &str, message: impl Into<String>) -> Self {
        Self { fields: vec![join(&format!("{CONFIG}.{setting}"), key)], ..Self::of(setting, message) }
    }

    /// A fault of a feature gate, in the layer of kubelets or of everyone, by its own name or by that of all of its stage.
    pub(super) fn of_gate(gate: &str, message: impl Into<String>) -> Self {
        const SECTIONS: [&str; 2] = ["spec.kubelet.featureGates", "spec.featureGates"];
        let names = [gate].into_iter().chain(gates::WIDE);
        let fields = names.flat_map(|gate| SECTIONS.map(|section| join(section, gate))).collect();
        Self { fields, ..Self::of("", message) }
    }

    /// Another setting that it is about.
    pub(super) fn and(mut self, setting: &str) -> Self {
        self.fields.push(format!("{CONFIG}.{setting}"));
        self
    }

    /// What to do about it.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// Nothing is refused for it.
    pub(super) fn warning(self) -> Self {
        Self { is_warning: true, ..self }
    }
}
