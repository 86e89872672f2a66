//! The pod that all components of the control plane share: host network, host mounts, three probes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, HTTPGetAction, HostPathVolumeSource, Pod, PodSecurityContext, PodSpec, PodStatus,
    Probe, ResourceRequirements, SeccompProfile, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Component, HostMount, PKI_DIR, PathType, StartupProbe};
use crate::{Error, shape, yaml};

/// Priority of the class `system-node-critical`; a static pod has no admission to fill it in.
const NODE_CRITICAL: i32 = 2_000_001_000;
const PROBE_PORT: &str = "probe-port";

/// What differs between the components.
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) component: &'a Component,
    pub(super) args: Vec<String>,
    pub(super) mounts: Vec<HostMount>,
    pub(super) annotation: Option<(&'a str, String)>,
    pub(super) requests: &'a [(&'a str, &'a str)],
    pub(super) probes: Probes,
}

/// Where a component tells how it is.
pub(super) struct Probes {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) scheme: &'static str,
    pub(super) liveness: &'static str,
    pub(super) readiness: Option<&'static str>,
    pub(super) startup: &'static str,
}

/// Writes the manifest.
pub(super) fn manifest(pod: &Pod, name: &str) -> Result<String, Error> {
    yaml::typed_to_text(pod, name)
}

/// Makes the pod.
pub(super) fn pod(parts: Parts<'_>) -> Pod {
    let mut annotations = parts.component.annotations.clone();
    annotations.extend(parts.annotation.clone().map(|(key, value)| (key.to_owned(), value)));
    let labels = [("component", parts.name), ("tier", "control-plane")];
    let mut mounts = parts.mounts.clone();
    mounts.extend(parts.component.extra_volumes.iter().cloned());
    Pod {
        metadata: ObjectMeta {
            name: Some(parts.name.to_owned()),
            namespace: Some("kube-system".to_owned()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec {
            containers: vec![container(&parts, &mounts)],
            host_network: Some(true),
            priority: Some(NODE_CRITICAL),
            priority_class_name: Some("system-node-critical".to_owned()),
            security_context: Some(PodSecurityContext {
                seccomp_profile: Some(SeccompProfile {
                    type_: "RuntimeDefault".to_owned(),
                    ..SeccompProfile::default()
                }),
                ..PodSecurityContext::default()
            }),
            volumes: Some(volumes(&mounts)),
            ..PodSpec::default()
        }),
        // kubeadm writes it, so do we: a diff between the two stays empty.
        status: Some(PodStatus::default()),
    }
}

fn container(parts: &Parts<'_>, mounts: &[HostMount]) -> Container {
    let startup = parts.component.startup;
    let mut command = vec![parts.name.to_owned()];
    command.extend(parts.args.iter().cloned());
    Container {
        name: parts.name.to_owned(),
        image: Some(parts.component.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(command),
        env: env(&parts.component.extra_env),
        ports: Some(vec![ContainerPort {
            container_port: parts.probes.port.into(),
            name: Some(PROBE_PORT.to_owned()),
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        liveness_probe: Some(probe(&parts.probes, parts.probes.liveness, 8, Some(10), 10)),
        readiness_probe: parts.probes.readiness.map(|path| probe(&parts.probes, path, 3, None, 1)),
        startup_probe: Some(startup_probe(&parts.probes, startup)),
        resources: Some(ResourceRequirements {
            requests: Some(
                parts
                    .requests
                    .iter()
                    .map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned())))
                    .collect(),
            ),
            ..ResourceRequirements::default()
        }),
        termination_message_policy: shape::last_words(parts.component.edition),
        volume_mounts: Some(mounts.iter().map(volume_mount).collect()),
        ..Container::default()
    }
}

fn startup_probe(probes: &Probes, startup: StartupProbe) -> Probe {
    let delay = (startup.initial_delay_seconds > 0).then_some(startup.initial_delay_seconds);
    probe(probes, probes.startup, startup.failure_threshold, delay, startup.period_seconds)
}

fn probe(probes: &Probes, path: &str, failure_threshold: i32, delay: Option<i32>, period_seconds: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            host: Some(probes.host.clone()),
            path: Some(path.to_owned()),
            port: IntOrString::String(PROBE_PORT.to_owned()),
            scheme: Some(probes.scheme.to_owned()),
            ..HTTPGetAction::default()
        }),
        failure_threshold: Some(failure_threshold),
        initial_delay_seconds: delay,
        period_seconds: Some(period_seconds),
        timeout_seconds: Some(15),
        ..Probe::default()
    }
}

fn env(variables: &BTreeMap<String, String>) -> Option<Vec<EnvVar>> {
    let env = |(name, value): (&String, &String)| EnvVar {
        name: name.clone(),
        value: Some(value.clone()),
        ..EnvVar::default()
    };
    (!variables.is_empty()).then(|| variables.iter().map(env).collect())
}

fn volume_mount(mount: &HostMount) -> VolumeMount {
    VolumeMount {
        name: mount.name.clone(),
        mount_path: mount.mount_path.clone(),
        read_only: mount.read_only.then_some(true),
        ..VolumeMount::default()
    }
}

/// One volume per name, by name.
fn volumes(mounts: &[HostMount]) -> Vec<Volume> {
    let by_name: BTreeMap<&str, &HostMount> = mounts.iter().map(|mount| (mount.name.as_str(), mount)).collect();
    let volume = |mount: &HostMount| Volume {
        name: mount.name.clone(),
        host_path: Some(HostPathVolumeSource {
            path: mount.host_path.clone(),
            type_: (mount.path_type != PathType::Unset).then(|| mount.path_type.as_str().to_owned()),
        }),
        ..Volume::default()
    };
    by_name.into_values().map(volume).collect()
}

/// A path of the host that is the same in the container, read-only.
pub(super) fn same_path(name: &str, path: &str, path_type: PathType) -> HostMount {
    HostMount {
        name: name.to_owned(),
        host_path: path.to_owned(),
        mount_path: path.to_owned(),
        read_only: true,
        path_type,
    }
}

/// The mounts of certificates, by the names that kubeadm gives them.
pub(super) fn certificate_mounts(ca_directories: &[String]) -> Vec<HostMount> {
    let mut mounts = vec![same_path("k8s-certs", PKI_DIR, PathType::DirectoryOrCreate)];
    for directory in ca_directories {
        let name = match directory.as_str() {
            "/etc/ssl/certs" => "ca-certs".to_owned(),
            other => other.trim_matches('/').replace(['/', '.'], "-"),
        };
        mounts.push(same_path(&name, directory, PathType::DirectoryOrCreate));
    }
    mounts
}

/// Mounts by name, as kubeadm orders them.
pub(super) fn by_name(mut mounts: Vec<HostMount>) -> Vec<HostMount> {
    mounts.sort_by(|a, b| a.name.cmp(&b.name));
    mounts
}

/// The address to ask where a component listens on `bind_address`.
pub(super) fn probe_host(bind_address: Option<&str>) -> String {
    match bind_address {
        None | Some("" | "0.0.0.0") => "127.0.0.1".to_owned(),
        Some("::") => "::1".to_owned(),
        Some(address) => address.to_owned(),
    }
}
