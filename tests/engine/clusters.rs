//! The examples as resources, and what a user may change in them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use model::Facts;
use provider_local::LocalFacts;
use resource::reference::find_references;
use resource::{Desired, Digest, Reference, ResourceId};
use serde_json::Value;
use spec::{Effective, HostContext, Source};

use crate::kinds;

/// What is wanted, by id.
pub(crate) type Wanted = BTreeMap<ResourceId, Desired>;

/// Texts longer than this are digested in [`small`].
const LONG: usize = 30;
/// What lies deeper than this too, unless it refers to something.
const DEEP: usize = 2;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Names of all example files.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    names.sort_unstable();
    assert!(names.len() >= 3, "{names:?}");
    names
}

/// The documents of an example, every default filled in.
pub(crate) fn documents(name: &str) -> Effective {
    let text = std::fs::read_to_string(examples().join(name)).unwrap();
    let loaded = spec::load(&[Source::new(name, &text)], &HostContext::default());
    loaded.effective.unwrap_or_else(|| panic!("{name} is not valid: {:?}", loaded.diagnostics))
}

/// What an example asks for.
pub(crate) fn wanted(name: &str) -> Wanted {
    resources(documents(name))
}

/// The same with changed documents.
pub(crate) fn changed(name: &str, change: impl FnOnce(&mut Effective)) -> Wanted {
    let mut effective = documents(name);
    change(&mut effective);
    resources(effective)
}

/// An own template of an example, by its digest.
fn template(template: &spec::TemplateOverride) -> (String, String) {
    let text = std::fs::read_to_string(examples().join(&template.path)).unwrap();
    assert_eq!(Digest::of_bytes(text.as_bytes()).as_str(), template.sha256, "{}", template.path);
    (template.sha256.clone(), text)
}

/// What documents ask for, on facts that are always the same.
pub(crate) fn resources(effective: Effective) -> Wanted {
    let names: Vec<String> = effective.groups.iter().flat_map(model::resolved::machine_names).collect();
    let local = LocalFacts::new("kw-test".to_owned(), "10.88.7.0/24".parse().unwrap());
    let local = LocalFacts { resolvers: vec![Ipv4Addr::new(192, 0, 2, 53).into()], ..local };
    // More machines than there are: an allocation is kept when a group shrinks.
    let local = local.with_machines(names.iter().map(String::as_str)).unwrap();
    let programs = ["kubewright-agent", "pause"].map(|name| (name.to_owned(), "0".repeat(64)));
    let facts = Facts {
        provider: local.facts(),
        programs: BTreeMap::from(programs),
        edition: effective.cluster.spec.edition.unwrap_or(catalog::Edition::NEWEST),
        templates: effective.cluster.spec.templates.iter().map(template).collect(),
    };
    let provider = kinds::local();
    let resolved = provider::resolve(&provider, "lineage", effective, facts).unwrap();
    provider::build(&provider, &resolved).unwrap()
}

/// Resources that hang together in the same way, with a digest for what is long or deep: sweeps carry them out thousands
/// of times.
pub(crate) fn small(wanted: Wanted) -> Wanted {
    wanted.into_iter().map(|(id, desired)| (id, Desired { inputs: shortened(desired.inputs, 0), ..desired })).collect()
}

/// Leaves out what lies in a cluster and is not of Kubernetes.
pub(crate) fn without_addons(documents: &mut Effective) {
    documents.cluster.spec.networking.cni = spec::Cni::None;
    documents.cluster.spec.addons.metrics_server.enabled = false;
    documents.cluster.spec.addons.local_path.enabled = false;
}

/// The smallest cluster that has everything: one control plane, one worker, no addons.
pub(crate) fn smallest(change: impl FnOnce(&mut Effective)) -> Wanted {
    small(changed("local.yaml", |documents| {
        without_addons(documents);
        workers(documents, -1);
        change(documents);
    }))
}

fn shortened(value: Value, depth: usize) -> Value {
    if Reference::from_value(&value).is_some() {
        return value;
    }
    let is_deep = depth > DEEP && find_references(&value).is_empty();
    match value {
        Value::String(text) if text.len() > LONG => Digest::of_bytes(text.as_bytes()).short().into(),
        Value::Array(_) | Value::Object(_) if is_deep => Digest::of_json(&value).short().into(),
        Value::Array(items) => items.into_iter().map(|item| shortened(item, depth + 1)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, field)| (name, shortened(field, depth + 1))).collect(),
        other => other,
    }
}

/// One change that a user makes.
pub(crate) type Edit = (&'static str, fn(&mut Effective));

/// Changes of every sort: of machines, of what is on them, of what is in the cluster, of credentials.
pub(crate) const EDITS: [Edit; 9] = [
    ("one more worker", |documents| workers(documents, 1)),
    ("one worker less", |documents| workers(documents, -1)),
    ("a label of nodes", |documents| {
        for group in &mut documents.groups {
            group.spec.labels.insert("example.org/rack".to_owned(), "r1".to_owned());
        }
    }),
    ("a setting of kubelet", |documents| {
        documents.cluster.spec.kubelet.config.insert("maxPods".to_owned(), 77.into());
    }),
    ("a flag of the API server", |documents| {
        let flag = ("max-requests-inflight".to_owned(), "500".to_owned());
        documents.cluster.spec.kube_api_server.extra_args.extend([flag]);
    }),
    ("a name of the API server", |documents| {
        documents.cluster.spec.api.extra_sans.push("other.example.org".to_owned());
    }),
    ("another address of the API", |documents| {
        documents.cluster.spec.api.endpoint = Some("elsewhere.example.org".to_owned());
    }),
    ("other addons", |documents| {
        let addons = &mut documents.cluster.spec.addons;
        addons.metrics_server.enabled = !addons.metrics_server.enabled;
        addons.local_path.enabled = !addons.local_path.enabled;
    }),
    ("more memory", |documents| {
        for group in &mut documents.groups {
            group.spec.machine.memory = Some("3Gi".to_owned());
        }
    }),
];

fn workers(documents: &mut Effective, more: i64) {
    let mut groups = documents.groups.iter_mut().filter(|group| group.spec.role == spec::Role::Worker);
    let group = groups.next().unwrap();
    group.spec.count = u32::try_from(i64::from(group.spec.count) + more).unwrap();
}
