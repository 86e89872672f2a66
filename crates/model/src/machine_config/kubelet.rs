//! kubelet's configuration in layers, and its kubeconfig.

use std::collections::BTreeMap;

use pki::kubeconfig::{Credential, Entry, Kubeconfig, Trust};
use render::kubelet::{Ground, KubeletConfiguration};
use serde_json::{Map, Value};
use spec::{InstanceGroup, Kubelet, Provider, Reserved, Role};

use crate::{Machine, ModelError, Resolved};

/// Where kubelet keeps the client certificate that it renews.
pub(super) const CLIENT_CERTIFICATE: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// The configuration of the kubelets of a group. Without a group: the cluster's own, as it is kept in the cluster.
pub(crate) fn configuration(resolved: &Resolved, group: Option<&InstanceGroup>) -> KubeletConfiguration {
    let spec = &resolved.cluster.spec;
    let layers: Vec<&Kubelet> = std::iter::once(&spec.kubelet).chain(group.map(|group| &group.spec.kubelet)).collect();
    let mut configuration = KubeletConfiguration::new(resolved.dns_addresses(), spec.networking.dns_domain.clone());
    configuration.server_tls_bootstrap = true;
    configuration.seccomp_default = true;
    configuration.feature_gates.clone_from(&spec.feature_gates);
    for layer in layers {
        configuration.feature_gates.extend(layer.feature_gates.clone());
        configuration.kube_reserved.extend(reserved(&layer.kube_reserved));
        configuration.system_reserved.extend(reserved(&layer.system_reserved));
        configuration.layers.push(shutdown(layer));
        configuration.layers.push(layer.config.clone());
    }
    match spec.provider {
        Provider::Local => {
            configuration.ground = Ground::container();
            "cgroupfs".clone_into(&mut configuration.cgroup_driver);
        }
    }
    configuration
}

fn reserved(reserved: &Reserved) -> BTreeMap<String, String> {
    [
        ("cpu", &reserved.cpu),
        ("memory", &reserved.memory),
        ("ephemeral-storage", &reserved.ephemeral_storage),
        ("pid", &reserved.pid),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.clone().map(|value| (name.to_owned(), value)))
    .collect()
}

fn shutdown(layer: &Kubelet) -> Map<String, Value> {
    [
        ("shutdownGracePeriod", &layer.shutdown_grace_period),
        ("shutdownGracePeriodCriticalPods", &layer.shutdown_grace_period_critical_pods),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.clone().map(|value| (name.to_owned(), value.into())))
    .collect()
}

/// kubelet's kubeconfig: it points at files, so that it names neither a certificate nor, on workers, a machine.
pub(crate) fn kubelet_conf(resolved: &Resolved, machine: &Machine) -> Result<String, ModelError> {
    let server = match machine.role {
        Role::ControlPlane => format!("https://{}:{}", machine.address, resolved.api_port()),
        Role::Worker => resolved.node_server(),
    };
    let entry = Entry {
        cluster: resolved.name().to_owned(),
        user: "default-auth".to_owned(),
        server,
        trust: Trust::File("/etc/kubernetes/pki/ca.crt".to_owned()),
        credential: Credential::Files {
            certificate: CLIENT_CERTIFICATE.to_owned(),
            key: CLIENT_CERTIFICATE.to_owned(),
        },
    };
    let text = Kubeconfig::new(&entry)
        .to_yaml()
        .map_err(|source| ModelError::Kubeconfig { what: "kubelet.conf".to_owned(), source })?;
    // It names only files: there is nothing secret in it.
    Ok(text.reveal().to_owned())
}
