//! CoreDNS: names of services, as kubeadm installs it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use catalog::Edition;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, KeyToPath, PodSpec, PodTemplateSpec,
    Probe, ResourceRequirements, SecurityContext, Service, ServicePort, ServiceSpec, Toleration, Volume,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use serde_json::Value;

use super::KUBE_SYSTEM;
use crate::{Error, Template, Templates, shape};

const NAME: &str = "coredns";
const SERVICE: &str = "kube-dns";
const ROLE: &str = "system:coredns";
const LABELS: [(&str, &str); 1] = [("k8s-app", "kube-dns")];
const COREFILE: &str = "Corefile";

/// What is known about the cluster's DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreDns {
    /// Image.
    pub image: String,
    /// Addresses of the service, the primary one first.
    pub service_ips: Vec<IpAddr>,
    /// DNS domain of the cluster.
    pub cluster_domain: String,
    /// How many pods.
    pub replicas: i32,
    /// Who answers for the rest of the world.
    pub upstream: Upstream,
    /// Domains with resolvers of their own.
    pub stub_domains: Vec<StubDomain>,
    /// The way of making a cluster that holds.
    pub edition: Edition,
}

/// Who answers for names outside of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// Nobody: without an upstream address CoreDNS would not start.
    None,
    /// The resolvers of the node the pod is on.
    ResolvConf,
    /// These, as `address`, `address:port` or `tls://address`.
    Servers(Vec<String>),
}

/// A domain with resolvers of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StubDomain {
    /// The domain.
    pub domain: String,
    /// Its resolvers.
    pub servers: Vec<String>,
}

impl CoreDns {
    /// kubeadm's defaults: two pods that ask the node's resolvers.
    pub fn new(image: impl Into<String>, service_ips: Vec<IpAddr>, cluster_domain: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            service_ips,
            cluster_domain: cluster_domain.into(),
            replicas: 2,
            upstream: Upstream::ResolvConf,
            stub_domains: Vec::new(),
            edition: Edition::NEWEST,
        }
    }
}

/// All objects of CoreDNS.
pub fn objects(input: &CoreDns, templates: &Templates) -> Result<Vec<Value>, Error> {
    let config_map = ConfigMap {
        metadata: shape::namespaced(KUBE_SYSTEM, NAME, &[]),
        // The `reload` plugin reads a changed Corefile, so no pod restarts for it.
        data: Some(BTreeMap::from([(COREFILE.to_owned(), corefile(input, templates)?)])),
        ..ConfigMap::default()
    };
    let rules = vec![
        shape::rule(&[""], &["endpoints", "services", "pods", "namespaces"], &["list", "watch"]),
        shape::rule(&["discovery.k8s.io"], &["endpointslices"], &["list", "watch"]),
    ];
    let subjects = vec![shape::account(KUBE_SYSTEM, NAME)];
    let budget = shape::disruption_budget(input.edition, KUBE_SYSTEM, NAME, &LABELS);
    let mut objects = vec![
        shape::object(NAME, &shape::service_account(KUBE_SYSTEM, NAME))?,
        shape::object(NAME, &shape::cluster_role(ROLE, &[], rules))?,
        shape::object(NAME, &shape::cluster_role_binding(ROLE, ROLE, subjects))?,
        shape::object(NAME, &config_map)?,
        shape::object(NAME, &service(input))?,
    ];
    objects.extend(budget.map(|budget| shape::object(NAME, &budget)).transpose()?);
    objects.push(shape::object(NAME, &deployment(input))?);
    Ok(objects)
}

/// The command line in the pod.
pub fn args() -> Vec<String> {
    shape::strings(&["-conf", "/etc/coredns/Corefile"])
}

/// The key `Corefile`.
pub fn corefile(input: &CoreDns, templates: &Templates) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Values<'a> {
        cluster_domain: &'a str,
        upstream: String,
        stub_domains: &'a [StubDomain],
    }
    let upstream = match &input.upstream {
        Upstream::None => String::new(),
        Upstream::ResolvConf => "/etc/resolv.conf".to_owned(),
        Upstream::Servers(servers) => servers.join(" "),
    };
    let values = Values { cluster_domain: &input.cluster_domain, upstream, stub_domains: &input.stub_domains };
    templates.render(Template::Corefile, &values)
}

fn service(input: &CoreDns) -> Service {
    let labels = [LABELS[0], ("kubernetes.io/cluster-service", "true"), ("kubernetes.io/name", "CoreDNS")];
    let mut metadata = shape::namespaced(KUBE_SYSTEM, SERVICE, &labels);
    metadata.annotations = Some(shape::map(&[("prometheus.io/port", "9153"), ("prometheus.io/scrape", "true")]));
    let port = |name: &str, port: i32, protocol: &str| ServicePort {
        name: Some(name.to_owned()),
        port,
        protocol: Some(protocol.to_owned()),
        target_port: Some(IntOrString::Int(port)),
        ..ServicePort::default()
    };
    let addresses: Vec<String> = input.service_ips.iter().map(ToString::to_string).collect();
    Service {
        metadata,
        spec: Some(ServiceSpec {
            cluster_ip: addresses.first().cloned(),
            // One address needs no list; two do, and the policy with it.
            ip_family_policy: (addresses.len() > 1).then(|| "RequireDualStack".to_owned()),
            cluster_ips: (addresses.len() > 1).then_some(addresses),
            ports: Some(vec![port("dns", 53, "UDP"), port("dns-tcp", 53, "TCP"), port("metrics", 9153, "TCP")]),
            selector: Some(shape::map(&LABELS)),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn deployment(input: &CoreDns) -> Deployment {
    Deployment {
        metadata: shape::namespaced(KUBE_SYSTEM, NAME, &LABELS),
        spec: Some(DeploymentSpec {
            replicas: Some(input.replicas),
            selector: shape::selector(&LABELS),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_unavailable: Some(IntOrString::Int(1)),
                    ..RollingUpdateDeployment::default()
                }),
            }),
            template: PodTemplateSpec { metadata: Some(shape::template(&LABELS, None)), spec: Some(pod_spec(input)) },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn pod_spec(input: &CoreDns) -> PodSpec {
    let corefile = KeyToPath { key: COREFILE.to_owned(), path: COREFILE.to_owned(), ..KeyToPath::default() };
    PodSpec {
        affinity: Some(shape::apart(LABELS[0])),
        containers: vec![container(input)],
        dns_policy: Some("Default".to_owned()),
        node_selector: Some(shape::linux_only()),
        priority_class_name: Some("system-cluster-critical".to_owned()),
        service_account_name: Some(NAME.to_owned()),
        tolerations: Some(vec![
            Toleration { operator: Some("Exists".to_owned()), ..shape::tolerate("CriticalAddonsOnly", None) },
            shape::tolerate("node-role.kubernetes.io/control-plane", Some("NoSchedule")),
        ]),
        volumes: Some(vec![Volume {
            name: "config-volume".to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: NAME.to_owned(),
                items: Some(vec![corefile]),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        }]),
        ..PodSpec::default()
    }
}

fn container(input: &CoreDns) -> Container {
    let port = |container_port: i32, name: &str, protocol: &str| ContainerPort {
        container_port,
        name: Some(name.to_owned()),
        protocol: Some(protocol.to_owned()),
        ..ContainerPort::default()
    };
    Container {
        name: NAME.to_owned(),
        image: Some(input.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(args()),
        ports: Some(vec![
            port(53, "dns", "UDP"),
            port(53, "dns-tcp", "TCP"),
            port(9153, "metrics", "TCP"),
            port(8080, "liveness-probe", "TCP"),
            port(8181, "readiness-probe", "TCP"),
        ]),
        liveness_probe: Some(Probe {
            initial_delay_seconds: Some(60),
            timeout_seconds: Some(5),
            success_threshold: Some(1),
            failure_threshold: Some(5),
            ..shape::http_probe("/health", "liveness-probe", "HTTP")
        }),
        readiness_probe: Some(Probe { period_seconds: ready_period(input.edition), ..ready() }),
        // Asked every second until the first yes, which makes the pod Ready at once instead of up to 10 s later. Patient:
        // a pod that waits for the API must not be restarted into a back-off.
        startup_probe: Some(Probe { period_seconds: Some(1), failure_threshold: Some(600), ..ready() }),
        resources: Some(ResourceRequirements {
            limits: Some(shape::quantities(&[("memory", "170Mi")])),
            ..shape::requests(&[("cpu", "100m"), ("memory", "70Mi")])
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities {
                add: Some(shape::strings(&["NET_BIND_SERVICE"])),
                drop: Some(shape::strings(&["ALL"])),
            }),
            read_only_root_filesystem: Some(true),
            ..SecurityContext::default()
        }),
        termination_message_policy: shape::last_words(input.edition),
        volume_mounts: Some(vec![shape::mount("config-volume", "/etc/coredns", true)]),
        ..Container::default()
    }
}

/// A kubelet that has not been up for one period waits for a random part of it before it asks (`prober/worker.go`): with
/// Kubernetes' 10 seconds, DNS of a new cluster would be away for up to as long although its pods are ready.
fn ready_period(edition: Edition) -> Option<i32> {
    (edition >= Edition::V2).then_some(2)
}

fn ready() -> Probe {
    shape::http_probe("/ready", "readiness-probe", "HTTP")
}
