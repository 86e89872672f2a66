//! What control planes have beyond other machines: static pods, keys, kubeconfigs.

use std::collections::BTreeMap;

use catalog::Image;
use machine::config::{Directory, File, Gate, GroupConfig, Start, Unit};
use pki::Authority;
use pki::leaves::Place;
use render::guard;
use render::kubeadm::Extra;
use render::static_pods::etcd::{self, ClusterState, Etcd, Member};
use render::static_pods::kube_apiserver::{self, Audit, KubeApiserver};
use render::static_pods::kube_controller_manager::{self, KubeControllerManager};
use render::static_pods::kube_scheduler::{self, KubeScheduler};
use render::static_pods::{Component, StartupProbe, mount_paths};
use serde_json::{Map, Value};
use spec::{AuditPolicy, CaKeys, EncryptionProvider};

use super::seen::{self, Seen};
use super::{extra_args, files};
use crate::builder::rendering;
use crate::ids::{self, output};
use crate::pki::AUTHORITIES;
use crate::{Machine, ModelError, Resolved};

const PKI: &str = "/etc/kubernetes/pki";
const MANIFESTS: &str = "/etc/kubernetes/manifests";
const ENCRYPTION_CONFIG: &str = "/etc/kubernetes/encryption/config.yaml";
const AUDIT_POLICY: &str = "/etc/kubernetes/audit/policy.yaml";
const API_SERVER: &str = "kube-apiserver";
const CONTROLLER_MANAGER: &str = "kube-controller-manager";
const SCHEDULER: &str = "kube-scheduler";
/// Long enough for a slow disk; a control plane that is not there by then has a reason that its log tells.
const TIMEOUT_SECONDS: u64 = 240;

/// Manifests, gates and what they need; the same on every control plane.
pub(super) fn group_files(resolved: &Resolved, config: &mut GroupConfig) -> Result<(), ModelError> {
    let mut manifest = |name: &str, text: Result<String, render::Error>| -> Result<(), ModelError> {
        let text = rendering(name, text)?;
        config.files.insert(format!("{MANIFESTS}/{name}.yaml"), files::manifest(text));
        Ok(())
    };
    manifest("etcd", etcd::manifest(&etcd_input(resolved)))?;
    manifest("kube-apiserver", kube_apiserver::manifest(&apiserver_input(resolved)))?;
    manifest("kube-controller-manager", kube_controller_manager::manifest(&controller_manager_input(resolved)))?;
    manifest("kube-scheduler", kube_scheduler::manifest(&scheduler_input(resolved)))?;
    if let Some(policy) = audit_policy(resolved) {
        let text = rendering("the audit policy", render::yaml::to_text(&policy))?;
        // Read once, when the API server starts.
        let policy = File { mode: "0600".to_owned(), ..files::restarting(text, API_SERVER) };
        config.files.insert(AUDIT_POLICY.to_owned(), policy);
        let private = Directory { mode: "0700".to_owned() };
        config.directories.insert("/var/log/kubernetes/audit".to_owned(), private);
    }
    config.gates = gates(resolved.api_port());
    guard(config);
    Ok(())
}

/// kubelet, etcd and the API server answer. Of the latter that it listens is enough: who asks it has its own timeout, and
/// load balancers look further.
fn gates(api_port: u16) -> Vec<Gate> {
    vec![
        Gate::Http {
            name: "kubelet".to_owned(),
            address: "127.0.0.1:10248".to_owned(),
            path: "/healthz".to_owned(),
            timeout_seconds: TIMEOUT_SECONDS,
        },
        Gate::Http {
            name: "etcd".to_owned(),
            address: "127.0.0.1:2381".to_owned(),
            path: "/readyz".to_owned(),
            timeout_seconds: TIMEOUT_SECONDS,
        },
        Gate::Tcp {
            name: "kube-apiserver".to_owned(),
            address: format!("127.0.0.1:{api_port}"),
            timeout_seconds: TIMEOUT_SECONDS,
        },
    ]
}

/// Never an etcd on an empty directory where a member lived: kubelet asks the guard whenever it starts, and does not start where
/// that can't be found out. What notes a birth is started by a path unit, never at boot.
fn guard(config: &mut GroupConfig) {
    let texts = [
        (guard::SERVICE, guard::service()),
        (guard::PATH, guard::path()),
        // It says nothing to a kubelet that runs.
        (guard::DROP_IN, guard::drop_in()),
    ];
    for (name, text) in texts {
        config.files.insert(format!("/etc/systemd/system/{name}"), files::text(text.to_owned(), "0644"));
    }
    for (unit, enabled, start) in [(guard::SERVICE, false, Start::Never), (guard::PATH, true, Start::Always)] {
        config.units.insert(unit.to_owned(), Unit { enabled, start, after: Vec::new(), reloads: false });
    }
}

fn component(resolved: &Resolved, image: Image) -> Component {
    let edition = resolved.facts.edition;
    Component { startup: StartupProbe::eager(), edition, ..Component::new(resolved.image(image)) }
}

fn gates_of(resolved: &Resolved, own: &BTreeMap<String, bool>) -> BTreeMap<String, bool> {
    let mut gates = resolved.cluster.spec.feature_gates.clone();
    gates.extend(own.clone());
    gates
}

pub(super) fn etcd_input(resolved: &Resolved) -> Etcd {
    let mut input = Etcd::new(resolved.image(Image::Etcd));
    input.component = component(resolved, Image::Etcd);
    input.component.extra_args = extra_args(&resolved.cluster.spec.etcd.extra_args);
    input.initial_cluster = resolved
        .control_planes()
        .map(|machine| Member { name: machine.name.clone(), address: resolved.address(machine).to_string() })
        .collect();
    if input.initial_cluster.len() > 1 {
        input.initial_cluster_state = Some(ClusterState::New);
    }
    let seen = Seen::of(mount_paths(&etcd::pod(&input)));
    seen::mount(resolved, &mut input.component, &seen);
    input
}

pub(super) fn apiserver_input(resolved: &Resolved) -> KubeApiserver {
    let spec = &resolved.cluster.spec;
    let mut input = KubeApiserver::new(
        resolved.image(Image::KubeApiserver),
        spec.networking.service_cidrs.clone(),
        spec.networking.dns_domain.clone(),
    );
    let own = &spec.kube_api_server;
    input.component = component(resolved, Image::KubeApiserver);
    input.component.extra_args = extra_args(&own.extra_args);
    let plugins = &own.admission_plugins;
    if !plugins.enable.is_empty() {
        let all = std::iter::once("NodeRestriction").chain(plugins.enable.iter().map(String::as_str));
        let all: Vec<&str> = all.collect();
        input.component.extra_args.insert("enable-admission-plugins".to_owned(), vec![all.join(",")]);
    }
    if !plugins.disable.is_empty() {
        input.component.extra_args.insert("disable-admission-plugins".to_owned(), vec![plugins.disable.join(",")]);
    }
    input.component.feature_gates = gates_of(resolved, &own.feature_gates);
    input.secure_port = resolved.api_port();
    input.service_node_port_range =
        (own.service_node_port_range != "30000-32767").then(|| own.service_node_port_range.clone());
    if spec.encryption_at_rest.provider != EncryptionProvider::None {
        input.encryption_config = Some(ENCRYPTION_CONFIG.to_owned());
    }
    if spec.audit.policy != AuditPolicy::None {
        input.audit = Some(Audit {
            max_age_days: spec.audit.log.max_age,
            max_backups: spec.audit.log.max_backups,
            max_size_megabytes: spec.audit.log.max_size,
            ..Audit::new(AUDIT_POLICY)
        });
    }
    let seen = Seen::of(mount_paths(&kube_apiserver::pod(&input)));
    seen::mount(resolved, &mut input.component, &seen);
    input
}

/// How often controllers may ask the API server, unless the user says otherwise. With kubeadm's 20 a second, making some
/// forty service accounts and their tokens holds the first controller back for five seconds; what protects the API server
/// from its clients is its own fair queues.
const CONTROLLERS_RATE: [(&str, &str); 2] = [("kube-api-burst", "400"), ("kube-api-qps", "200")];

pub(super) fn controller_manager_input(resolved: &Resolved) -> KubeControllerManager {
    let spec = &resolved.cluster.spec;
    let mut input = KubeControllerManager::new(
        resolved.image(Image::KubeControllerManager),
        resolved.name(),
        spec.networking.pod_cidrs.clone(),
        spec.networking.service_cidrs.clone(),
    );
    input.component = component(resolved, Image::KubeControllerManager);
    let own = &spec.kube_controller_manager;
    input.component.extra_args = extra_args(&own.extra_args);
    for (flag, value) in CONTROLLERS_RATE {
        input.component.extra_args.entry(flag.to_owned()).or_insert_with(|| vec![value.to_owned()]);
    }
    if spec.networking.node_cidr_mask_size != 24 {
        input
            .component
            .extra_args
            .insert("node-cidr-mask-size".to_owned(), vec![spec.networking.node_cidr_mask_size.to_string()]);
    }
    input.component.feature_gates = gates_of(resolved, &own.feature_gates);
    let seen = Seen::of(mount_paths(&kube_controller_manager::pod(&input)));
    seen::mount(resolved, &mut input.component, &seen);
    input
}

pub(super) fn scheduler_input(resolved: &Resolved) -> KubeScheduler {
    let own = &resolved.cluster.spec.kube_scheduler;
    let mut input = KubeScheduler::new(resolved.image(Image::KubeScheduler));
    input.component = component(resolved, Image::KubeScheduler);
    input.component.extra_args = extra_args(&own.extra_args);
    input.component.feature_gates = gates_of(resolved, &own.feature_gates);
    let seen = Seen::of(mount_paths(&kube_scheduler::pod(&input)));
    seen::mount(resolved, &mut input.component, &seen);
    input
}

/// The audit policy that the spec asks for, as an `audit.k8s.io/v1` Policy.
fn audit_policy(resolved: &Resolved) -> Option<Value> {
    let audit = &resolved.cluster.spec.audit;
    let rules = match audit.policy {
        AuditPolicy::None => return None,
        AuditPolicy::Metadata => vec![serde_json::json!({"level": "Metadata"})],
        AuditPolicy::Recommended => recommended_rules(),
        AuditPolicy::Custom => audit.rules.iter().cloned().map(Value::Object).collect(),
    };
    Some(serde_json::json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules}))
}

/// Bodies of changes, but never of what holds secrets; the control plane's own chatter is left out.
fn recommended_rules() -> Vec<Value> {
    vec![
        serde_json::json!({"level": "None", "users": ["system:kube-proxy"], "verbs": ["watch"]}),
        serde_json::json!({"level": "None", "userGroups": ["system:nodes"], "verbs": ["get", "list", "watch"]}),
        serde_json::json!({"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]}),
        serde_json::json!({"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]}),
        serde_json::json!({"level": "Metadata", "resources": [
            {"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]},
            {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
        ]}),
        serde_json::json!({"level": "Metadata", "verbs": ["get", "list", "watch"]}),
        serde_json::json!({"level": "RequestResponse", "omitStages": ["RequestReceived"]}),
    ]
}

/// Keys that all control planes share.
pub(super) fn shared_keys(resolved: &Resolved, files: &mut Value) {
    for authority in AUTHORITIES {
        let id = ids::authority(authority.name());
        let path = format!("{PKI}/{}", authority.file());
        files[format!("{path}.crt")] = files::referring(&output(id.clone(), "certificate"), "0644");
        // The controller manager signs kubelets' requests with this one; only kubeadm would use the others.
        if authority == Authority::Kubernetes || resolved.cluster.spec.pki.ca_keys == CaKeys::Kubeadm {
            files[format!("{path}.key")] = files::referring(&output(id, "key"), "0600");
        }
    }
    let key = ids::service_account_key();
    files[format!("{PKI}/sa.pub")] = files::referring_for(&[API_SERVER], &output(key.clone(), "public"), "0600");
    files[format!("{PKI}/sa.key")] =
        files::referring_for(&[API_SERVER, CONTROLLER_MANAGER], &output(key, "private"), "0600");
    if resolved.cluster.spec.encryption_at_rest.provider != EncryptionProvider::None {
        files[ENCRYPTION_CONFIG] = files::referring(&output(ids::encryption_config(), "config"), "0600");
    }
}

/// Certificates and kubeconfigs of one control plane.
pub(super) fn machine_files(resolved: &Resolved, machine: &Machine, files: &mut Map<String, Value>) {
    for leaf in crate::pki::control_plane(resolved, machine).leaves() {
        let id = ids::certificate(&machine.name, leaf.name);
        match leaf.place {
            Place::Pki(file) => {
                let path = format!("{PKI}/{file}");
                files.insert(format!("{path}.crt"), files::referring(&output(id.clone(), "certificate"), "0644"));
                files.insert(format!("{path}.key"), files::referring(&output(id, "key"), "0600"));
            }
            Place::Kubeconfig(file) => {
                let kubeconfig = output(ids::kubeconfig(&machine.name, leaf.name), "config");
                let file_of = files::referring_for(readers(file), &kubeconfig, "0600");
                files.insert(format!("/etc/kubernetes/{file}"), file_of);
            }
            Place::Kubelet => {
                let bundle = output(id, "bundle");
                let path = super::kubelet::CLIENT_CERTIFICATE.to_owned();
                files.insert(path, files::referring_once(&bundle, "0600"));
            }
        }
    }
}

/// Which static pods hold on to the certificate that stands in a kubeconfig. Certificates in files of their own are read again
/// when they change, by etcd (at every handshake) and by the API server, as server and as client.
fn readers(kubeconfig: &str) -> &'static [&'static str] {
    match kubeconfig {
        "controller-manager.conf" => &[CONTROLLER_MANAGER],
        "scheduler.conf" => &[SCHEDULER],
        _ => &[],
    }
}

/// What differs from kubeadm's own flags and mounts, so that `kubeadm upgrade` keeps it.
pub(crate) struct KubeadmExtras {
    pub(crate) api_server: Extra,
    pub(crate) controller_manager: Extra,
    pub(crate) scheduler: Extra,
}

/// The same flags and mounts as in the static pods.
pub(crate) fn kubeadm_extras(resolved: &Resolved) -> KubeadmExtras {
    KubeadmExtras {
        api_server: kube_apiserver::extra(&apiserver_input(resolved)),
        controller_manager: kube_controller_manager::extra(&controller_manager_input(resolved)),
        scheduler: kube_scheduler::extra(&scheduler_input(resolved)),
    }
}
