//! Rule: own manifests are objects that kubewright can put into a cluster, each of them once, and none of them a secret.

use std::collections::BTreeMap;

use resource::reference;
use serde_json::Value;

use super::{Finding, World, repeated};
use crate::API_VERSION;
use crate::manifests::{self, Placed};

/// Namespaces that Kubernetes makes: pruned with a manifest, they would take the cluster along.
const OF_KUBERNETES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
/// Roles that Kubernetes makes for people; the API server mends them at each start.
const ROLES_OF_KUBERNETES: [&str; 4] = ["admin", "cluster-admin", "edit", "view"];
/// Annotations that say whose an object is.
const MARKERS: [&str; 2] = ["kubewright.io/owner", "kubewright.io/lineage"];

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

/// Whether Kubernetes makes and mends the object itself.
fn is_made_by_kubernetes(kind: &str, object: &Value, name: &str) -> bool {
    let namespace = text(object, "/metadata/namespace").unwrap_or("default");
    match kind {
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => {
            name.starts_with("system:") || ROLES_OF_KUBERNETES.contains(&name)
        }
        "PriorityClass" => name.starts_with("system-"),
        "Service" => namespace == "default" && name == "kubernetes",
        "ServiceAccount" => name == "default",
        "ConfigMap" => name == "kube-root-ca.crt",
        _ => false,
    }
}

/// Fields that the API server takes as texts only, and that are something else.
fn no_texts(object: &Value, kind: &str) -> Vec<String> {
    let mut maps = vec!["metadata.labels", "metadata.annotations"];
    if kind == "ConfigMap" {
        maps.push("data");
    }
    let entries = maps.into_iter().flat_map(|map| {
        let fields = object.pointer(&format!("/{}", map.replace('.', "/"))).and_then(Value::as_object);
        fields.into_iter().flatten().map(move |(name, value)| (format!("{map}.{name}"), value))
    });
    entries.filter(|(_, value)| !value.is_string() && !value.is_null()).map(|(field, _)| field).collect()
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
        _ if is_made_by_kubernetes(kind, object, name) => {
            found.push((format!("{kind} {name} is Kubernetes' own"), "remove it, or give yours another name"));
        }
        ("v1", "Node") => found.push((
            "Nodes are kubewright's own".to_owned(),
            "use `labels`, `annotations` and `taints` of the instance group",
        )),
        _ => {}
    }
    for field in ["labels", "annotations"] {
        let value = object.pointer(&format!("/metadata/{field}"));
        if value.is_some_and(|value| !value.is_object() && !value.is_null()) {
            found.push((format!("`metadata.{field}` of {kind} {name} is no map"), "write names and texts"));
        }
    }
    found.extend(no_texts(object, kind).into_iter().map(|field| {
        (
            format!("`{field}` of {kind} {name} is no text, and the API server takes texts there only"),
            "put it in quotes",
        )
    }));
    let annotations = object.pointer("/metadata/annotations");
    for marker in MARKERS.iter().filter(|marker| annotations.is_some_and(|all| all.get(**marker).is_some())) {
        found.push((format!("the annotation `{marker}` is kubewright's own"), "remove it"));
    }
    // What looks like one would be filled in, be it with a private key.
    if !reference::find_references(object).is_empty() {
        found.push((format!("{kind} {name} has a `$ref` in kubewright's own notation"), "write it in another way"));
    }
    found
}
