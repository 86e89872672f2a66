//! kubelet's configuration in layers, and its kubeconfig.

use std::collections::BTreeMap;

use catalog::Edition;
use pki::kubeconfig::{Credential, Entry, Kubeconfig, Trust};
use render::kubelet::{KubeletConfiguration, NodePlatform};
use serde_json::{Map, Value};
use spec::{InstanceGroup, Kubelet, MachineSize, Reserved, Reserves, Role};

use crate::{Machine, ModelError, Resolved};

/// Where kubelet keeps the client certificate that it renews.
pub(super) const CLIENT_CERTIFICATE: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// The configuration of the kubelets of a group. Without a group: the cluster's own, as it is kept in the cluster.
pub(crate) fn configuration(resolved: &Resolved, group: Option<&InstanceGroup>) -> KubeletConfiguration {
    let spec = &resolved.cluster.spec;
    let layers: Vec<&Kubelet> = std::iter::once(&spec.kubelet).chain(group.map(|group| &group.spec.kubelet)).collect();
    let mut configuration = KubeletConfiguration::new(resolved.dns_addresses(), spec.networking.dns_domain.clone());
    configuration.server_tls_bootstrap = true;
    configuration.edition = resolved.facts.edition;
    configuration.seccomp_default = configuration.edition >= Edition::V2;
    configuration.feature_gates.clone_from(&spec.feature_gates);
    let reserves = reserves(resolved, &layers, group.map(|group| &group.spec.machine));
    configuration.kube_reserved = reserved(&reserves.kube);
    configuration.system_reserved = reserved(&reserves.system);
    for layer in layers {
        configuration.feature_gates.extend(layer.feature_gates.clone());
        configuration.layers.push(shutdown(layer));
        configuration.layers.push(layer.config.clone());
    }
    resolved.platform.cgroup_driver.name().clone_into(&mut configuration.cgroup_driver);
    configuration.platform =
        if resolved.platform.own_kernel { NodePlatform::own_kernel() } else { NodePlatform::shared_kernel() };
    configuration
}

/// What pods can't have. Machines that share a host see all of it: what is not theirs is nobody's there.
fn reserves(resolved: &Resolved, layers: &[&Kubelet], machine: Option<&MachineSize>) -> Reserves {
    if resolved.facts.edition < Edition::V2 {
        return Reserves::asked_for(layers);
    }
    let machine = machine.cloned().unwrap_or_default();
    let reserves = Reserves::of(layers, &machine);
    let Some(host) = resolved.platform.shared_host else { return reserves };
    // The static memory manager is told of every reserved byte by the user, who can't know of these.
    let counts_memory = layers.iter().any(|layer| layer.config.get("memoryManagerPolicy") == Some(&"Static".into()));
    let memory = machine.memory.as_deref().and_then(spec::bytes).filter(|_| !counts_memory);
    let others_memory = memory.map_or(0, |memory| host.memory.saturating_sub(memory));
    // A static CPU manager does not start again where its reserve grew.
    let counts_processors = layers.iter().any(|layer| layer.config.get("cpuManagerPolicy") == Some(&"static".into()));
    let cpus = machine.cpus.filter(|_| !counts_processors);
    let others_processors = cpus.map_or(0, |cpus| host.processors.saturating_sub(cpus));
    reserves.with_others(others_memory, others_processors)
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
        Role::ControlPlane => format!("https://{}:{}", resolved.address(machine), resolved.api_port()),
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
