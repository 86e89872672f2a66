//! What setting up and measuring share: names, places, and the pure steps from documents to resources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::{Facts, Resolved};
use provider_local::LocalFacts;
use resource::{Desired, ResourceId};
use serde_json::Value;
use spec::{Effective, HostContext, Source};

use crate::kinds;

/// The cluster's name.
pub(crate) const CLUSTER: &str = "demo";

/// Where the user's documents lie.
pub(crate) fn documents(directory: &Path) -> PathBuf {
    directory.join("documents")
}

/// Where the state store lies.
pub(crate) fn state(directory: &Path) -> PathBuf {
    directory.join("state")
}

/// What looking gives.
pub(crate) fn observed(directory: &Path) -> PathBuf {
    directory.join("observed.json")
}

/// Parses, validates and fills defaults in.
pub(crate) fn effective(texts: &[(String, String)]) -> Effective {
    let sources: Vec<Source> = texts.iter().map(|(name, text)| Source::new(name, text)).collect();
    let loaded = spec::load(&sources, &HostContext::default());
    loaded.effective.unwrap_or_else(|| panic!("the documents are not valid: {:?}", loaded.diagnostics))
}

/// Facts without machines.
pub(crate) fn facts() -> Facts {
    let programs = ["kubewright-agent", "pause"].map(|name| (name.to_owned(), "0".repeat(64)));
    Facts {
        provider: LocalFacts::new("kw-scale".to_owned(), "10.88.0.0/20".parse().expect("a subnet")).facts(),
        programs: BTreeMap::from(programs),
        edition: catalog::Edition::NEWEST,
        templates: BTreeMap::new(),
    }
}

/// Documents with their facts, which get an address for every machine.
pub(crate) fn resolve(effective: Effective, facts: Facts) -> Resolved {
    let names: Vec<String> = effective.groups.iter().flat_map(model::resolved::machine_names).collect();
    let local = LocalFacts::read(&facts.provider).expect("facts of a local cluster");
    let local = local.with_machines(names.iter().map(String::as_str)).expect("room in the subnet");
    let facts = Facts { provider: local.facts(), ..facts };
    provider::resolve(&kinds::local(), "lineage", effective, facts).expect("documents fit their facts")
}

/// Everything that documents ask for.
pub(crate) fn desired(resolved: &Resolved) -> BTreeMap<ResourceId, Desired> {
    provider::build(&kinds::local(), resolved).expect("resources")
}

/// The documents with every default, as rules see them.
pub(crate) fn with_defaults(resolved: &Resolved) -> Vec<Value> {
    let cluster = std::iter::once(serde_json::to_value(&resolved.cluster));
    let groups = resolved.groups.iter().map(serde_json::to_value);
    cluster.chain(groups).collect::<Result<_, _>>().expect("documents are JSON")
}
