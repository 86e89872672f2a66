//! Rule: options of kubelet's managers are ones that they have, with values that they read, and go together.

use serde_json::Value;

use super::super::facts::values::parse_bool;
use super::settings::{Fault, Settings};
use crate::suggest;

const PROCESSORS: &str = "cpuManagerPolicyOptions";
const TOPOLOGY: &str = "topologyManagerPolicyOptions";

/// A feature gate, and whether it is on by itself.
type Gate = (&'static str, bool);

/// Options of processors, and the feature gate that they need until they are done: from that minor on they need none.
const OF_PROCESSORS: [(&str, Option<Gate>, u32); 6] = [
    ("align-by-socket", ALPHA, NEVER),
    ("distribute-cpus-across-cores", ALPHA, NEVER),
    ("distribute-cpus-across-numa", BETA, NEVER),
    ("full-pcpus-only", None, 0),
    ("prefer-align-cpus-by-uncorecache", BETA, 36),
    ("strict-cpu-reservation", BETA, 35),
];
const ALPHA: Option<Gate> = Some(("CPUManagerPolicyAlphaOptions", false));
const BETA: Option<Gate> = Some(("CPUManagerPolicyBetaOptions", true));
const NEVER: u32 = u32::MAX;

/// Pairs of them that exclude each other.
const APART: [(&str, &str); 4] = [
    ("full-pcpus-only", "distribute-cpus-across-cores"),
    ("distribute-cpus-across-numa", "distribute-cpus-across-cores"),
    ("prefer-align-cpus-by-uncorecache", "distribute-cpus-across-cores"),
    ("prefer-align-cpus-by-uncorecache", "distribute-cpus-across-numa"),
];

const CLOSEST: &str = "prefer-closest-numa-nodes";
const MOST: &str = "max-allowable-numa-nodes";
const LEAST_NODES: i64 = 8;

pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults = processors(settings);
    faults.extend(topology(settings));
    faults
}

fn processors(settings: &Settings) -> Vec<Fault> {
    let is_set = settings.get(PROCESSORS).and_then(Value::as_object).is_some_and(|options| !options.is_empty());
    if is_set && settings.text("cpuManagerPolicy") != Some("static") {
        let message = "kubelet does not start: only the static policy has options";
        return vec![Fault::of(PROCESSORS, message).help("write `cpuManagerPolicy: static`, or remove them")];
    }
    let options = settings.texts(PROCESSORS);
    let mut faults: Vec<Fault> = options.iter().filter_map(|(name, value)| processor(settings, name, value)).collect();
    let is_on = |name: &str| options.iter().any(|(given, value)| *given == name && parse_bool(value) == Some(true));
    faults.extend(APART.iter().filter(|(one, other)| is_on(one) && is_on(other)).map(|(one, other)| {
        let message = format!("`{one}` and `{other}` exclude each other");
        Fault::of_entry(PROCESSORS, one, message).help("keep one of them")
    }));
    faults
}

fn processor(settings: &Settings, name: &str, value: &str) -> Option<Fault> {
    let fault = |message: String| Fault::of_entry(PROCESSORS, name, message);
    let Some((_, gate, done)) = OF_PROCESSORS.iter().find(|(known, ..)| *known == name) else {
        return Some(unknown(PROCESSORS, name, &OF_PROCESSORS.map(|(name, ..)| name)));
    };
    let gate = gate.filter(|_| settings.minor < *done);
    if let Some((gate, _)) = gate.filter(|(gate, default)| !settings.gate(gate, *default)) {
        let help = format!("set `spec.kubelet.featureGates.{gate}: true`, or remove it");
        return Some(fault(format!("`{name}` needs the feature gate `{gate}`")).help(help));
    }
    truth(PROCESSORS, name, value)
}

fn topology(settings: &Settings) -> Vec<Fault> {
    let is_none = settings.text("topologyManagerPolicy").is_none_or(|policy| policy == "none");
    if is_none && !settings.texts(TOPOLOGY).is_empty() {
        let message = "kubelet does not look at these options: its `topologyManagerPolicy` is `none`";
        return vec![Fault::of(TOPOLOGY, message).help("choose another policy, or remove them").warning()];
    }
    let beta = "TopologyManagerPolicyBetaOptions";
    let option = |(name, value): (&str, &str)| match name {
        CLOSEST => truth(TOPOLOGY, name, value),
        MOST if settings.minor < 35 && !settings.gate(beta, true) => {
            let help = format!("set `spec.kubelet.featureGates.{beta}: true`, or remove it");
            Some(Fault::of_entry(TOPOLOGY, name, format!("`{name}` needs the feature gate `{beta}`")).help(help))
        }
        MOST if value.parse::<i64>().is_ok_and(|number| number >= LEAST_NODES) => None,
        MOST => {
            let message = format!("kubelet takes no `{name}` of `{value}`");
            Some(Fault::of_entry(TOPOLOGY, name, message).help("write `\"8\"` or more"))
        }
        _ => Some(unknown(TOPOLOGY, name, &[CLOSEST, MOST])),
    };
    settings.texts(TOPOLOGY).into_iter().filter_map(option).collect()
}

fn unknown(field: &str, name: &str, known: &[&str]) -> Fault {
    let message = format!("kubelet has no option `{name}` of `{field}`");
    Fault::of_entry(field, name, message).help(suggest::one_of(name, known, 6))
}

fn truth(field: &str, name: &str, value: &str) -> Option<Fault> {
    let message = format!("kubelet reads `{name}` as a truth value, and `{value}` is none");
    parse_bool(value).is_none().then(|| Fault::of_entry(field, name, message).help("write `\"true\"` or `\"false\"`"))
}
