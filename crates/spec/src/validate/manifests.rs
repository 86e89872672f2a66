//! Rule: own manifests are objects that kubewright can put into a cluster, each of them once, and none of them a secret.

use std::collections::BTreeMap;

use resource::reference;
use serde_json::Value;

use super::{Finding, World, repeated};
use crate::API_VERSION;
use crate::manifests::{self, Placed};

/// Namespaces that Kubernetes makes: pruned with a manifest, they would take the cluster along.
const OF_KUBERNETES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
const OWNER: &str = "kubewright.io/owner";

type Wrong = (String, &'static str);

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(cluster) = world.cluster() else { return Vec::new() };
    let all = &cluster.value.spec.addons.manifests;
    let field = |index: usize, name: &str| format!("spec.addons.manifests[{index}].{name}");
    let mut findings = Vec::new();
    for (first, again) in repeated(all.iter().map(|manifest| manifest.name.as_str())) {
        let finding = Finding::error("spec::duplicate-manifest", "two manifests have the same name");
        findings.push(finding.and(cluster, field(again, "name"), "here again").and(
            cluster,
            field(first, "name"),
            "first here",
        ));
    }
    let mut seen = BTreeMap::new();
    for (index, manifest) in all.iter().enumerate() {
        let said = |line: usize, (message, help): (String, &str)| {
            let message = format!("line {line} of manifest `{}`: {message}", manifest.name);
            Finding::error("spec::manifest", message).at(cluster, field(index, "content")).help(help)
        };
        let objects = match manifests::read(&manifest.content) {
            Ok(objects) => objects,
            Err(wrong) => {
                let help = "write YAML as kubectl takes it, documents parted by `---`";
                findings.extend(wrong.into_iter().map(|wrong| said(wrong.line, (wrong.message, help))));
                continue;
            }
        };
        if objects.is_empty() {
            findings.push(said(1, ("there is no object in it".to_owned(), "write one, or remove the manifest")));
        }
        for Placed { object, line } in &objects {
            findings.extend(wrong(object).into_iter().map(|wrong| said(*line, wrong)));
            if let Some(earlier) = id(object).and_then(|id| seen.insert(id, manifest.name.clone())) {
                let message = format!("the object stands in manifest `{earlier}` already");
                findings.push(said(*line, (message, "keep one of the two")));
            }
        }
    }
    findings
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Group, kind, namespace and name: versions of one group are the same object.
fn id(object: &Value) -> Option<[String; 4]> {
    let group = text(object, "/apiVersion")?.rsplit_once('/').map_or("", |(group, _)| group);
    let namespace = text(object, "/metadata/namespace").unwrap_or("default");
    Some([group, text(object, "/kind")?, namespace, text(object, "/metadata/name")?].map(str::to_owned))
}

/// Everything that is wrong with one object.
fn wrong(object: &Value) -> Vec<Wrong> {
    let mut found = Vec::new();
    let Some(kind) = text(object, "/kind") else {
        return vec![(
            "it is no object: `kind` is missing".to_owned(),
            "write `apiVersion`, `kind` and `metadata.name`",
        )];
    };
    let Some(api_version) = text(object, "/apiVersion") else {
        return vec![(format!("`apiVersion` of this {kind} is missing"), "such as `v1` or `apps/v1`")];
    };
    if kind.ends_with("List") && object.get("items").is_some() {
        return vec![(format!("a {kind} is no object"), "write its items as documents, parted by `---`")];
    }
    if api_version.split('/').next() == API_VERSION.split('/').next() {
        let help = "documents of kubewright's stand beside the Cluster, not in it";
        return vec![(format!("`{kind}` is kubewright's own"), help)];
    }
    let Some(name) = text(object, "/metadata/name") else {
        return vec![(
            format!("this {kind} has no name"),
            "write `metadata.name`; `generateName` makes another one each time",
        )];
    };
    match (api_version, kind) {
        ("v1", "Secret")
            if ["data", "stringData"].iter().any(|field| object.get(field).is_some_and(|data| !data.is_null())) =>
        {
            found.push((
                format!("Secret {name} has data, and documents are kept as written"),
                "make it with kubectl, or by a controller that fetches or decrypts it (External Secrets, Sealed Secrets)",
            ));
        }
        ("v1", "Namespace") if OF_KUBERNETES.contains(&name) => {
            found.push((format!("namespace {name} is Kubernetes' own"), "remove it: it is there in every cluster"));
        }
        ("v1", "Node") => found.push((
            "Nodes are kubewright's own".to_owned(),
            "use `labels`, `annotations` and `taints` of the instance group",
        )),
        _ => {}
    }
    if object.pointer("/metadata/annotations").is_some_and(|all| all.get(OWNER).is_some()) {
        found.push((format!("the annotation `{OWNER}` is kubewright's own"), "remove it"));
    }
    // What looks like one would be filled in, be it with a private key.
    if !reference::find_references(object).is_empty() {
        found.push((format!("{kind} {name} has a `$ref` in kubewright's own notation"), "write it in another way"));
    }
    found
}
