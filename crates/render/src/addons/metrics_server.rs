//! metrics-server: `kubectl top` and autoscaling, over kubelets' serving certificates signed by the cluster.

use catalog::Edition;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EmptyDirVolumeSource, PodSpec, PodTemplateSpec, Probe, SeccompProfile,
    SecretVolumeSource, SecurityContext, Service, ServicePort, ServiceSpec, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, APIServiceSpec, ServiceReference};
use serde_json::{Value, json};

use super::KUBE_SYSTEM;
use crate::{Error, Flags, shape};

const NAME: &str = "metrics-server";
const LABELS: [(&str, &str); 1] = [("k8s-app", NAME)];
const PORT: i32 = 10250;
const SERVING_DIR: &str = "/etc/metrics-server/serving";

/// What is known about metrics-server.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsServer {
    /// Image; the program is its entry point.
    pub image: String,
    /// How many pods.
    pub replicas: i32,
    /// How often kubelets are asked, such as `15s`.
    pub metric_resolution: String,
    /// Its own serving certificate.
    pub serving: Serving,
    /// The way of making a cluster that holds.
    pub edition: Edition,
}

/// What certificate metrics-server shows to the API server.
#[derive(Debug, Clone, PartialEq)]
pub enum Serving {
    /// One it signs itself; the API server can't check it (upstream's default).
    SelfSigned,
    /// One from a Secret of type `kubernetes.io/tls` in `kube-system`.
    Secret {
        /// Name of the Secret.
        name: String,
        /// PEM of the CA in base64, or a reference to it.
        ca_bundle: Value,
    },
}

impl MetricsServer {
    /// Upstream's defaults.
    pub fn new(image: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            replicas: 1,
            metric_resolution: "15s".to_owned(),
            serving: Serving::SelfSigned,
            edition: Edition::NEWEST,
        }
    }
}

/// All objects of metrics-server.
pub fn objects(input: &MetricsServer) -> Result<Vec<Value>, Error> {
    let mut objects = rbac()?;
    objects.push(shape::object(NAME, &service())?);
    let budget = shape::disruption_budget(input.edition, KUBE_SYSTEM, NAME, &LABELS);
    objects.extend(budget.map(|budget| shape::object(NAME, &budget)).transpose()?);
    objects.push(shape::object(NAME, &deployment(input))?);
    objects.push(api_service(input)?);
    Ok(objects)
}

/// The command line in the pod.
pub fn args(input: &MetricsServer) -> Vec<String> {
    let flags = Flags::new()
        .with("cert-dir", "/tmp")
        .with("secure-port", PORT.to_string())
        .with("kubelet-certificate-authority", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
        .with("kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname")
        .with("kubelet-use-node-status-port", "true")
        .with("metric-resolution", &input.metric_resolution);
    let flags = match input.serving {
        Serving::SelfSigned => flags,
        Serving::Secret { .. } => flags
            .with("tls-cert-file", format!("{SERVING_DIR}/tls.crt"))
            .with("tls-private-key-file", format!("{SERVING_DIR}/tls.key")),
    };
    flags.to_args()
}

fn rbac() -> Result<Vec<Value>, Error> {
    let aggregated = LABELS.into_iter().chain([
        ("rbac.authorization.k8s.io/aggregate-to-admin", "true"),
        ("rbac.authorization.k8s.io/aggregate-to-edit", "true"),
        ("rbac.authorization.k8s.io/aggregate-to-view", "true"),
    ]);
    let read = ["get", "list", "watch"];
    let reader = shape::cluster_role(
        "system:aggregated-metrics-reader",
        &aggregated.collect::<Vec<_>>(),
        vec![shape::rule(&["metrics.k8s.io"], &["pods", "nodes"], &read)],
    );
    let server = shape::cluster_role(
        "system:metrics-server",
        &LABELS,
        vec![shape::rule(&[""], &["nodes/metrics"], &["get"]), shape::rule(&[""], &["pods", "nodes"], &read)],
    );
    let subjects = || vec![shape::account(KUBE_SYSTEM, NAME)];
    let auth_reader = shape::role_binding(
        KUBE_SYSTEM,
        "metrics-server-auth-reader",
        "extension-apiserver-authentication-reader",
        subjects(),
    );
    let delegator =
        shape::cluster_role_binding("metrics-server:system:auth-delegator", "system:auth-delegator", subjects());
    let binding = shape::cluster_role_binding("system:metrics-server", "system:metrics-server", subjects());
    Ok(vec![
        shape::object(NAME, &shape::service_account(KUBE_SYSTEM, NAME))?,
        shape::object(NAME, &reader)?,
        shape::object(NAME, &server)?,
        shape::object(NAME, &auth_reader)?,
        shape::object(NAME, &delegator)?,
        shape::object(NAME, &binding)?,
    ])
}

fn service() -> Service {
    Service {
        metadata: shape::namespaced(KUBE_SYSTEM, NAME, &LABELS),
        spec: Some(ServiceSpec {
            ports: Some(vec![ServicePort {
                name: Some("https".to_owned()),
                port: 443,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::String("https".to_owned())),
                app_protocol: Some("https".to_owned()),
                ..ServicePort::default()
            }]),
            selector: Some(shape::map(&LABELS)),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn api_service(input: &MetricsServer) -> Result<Value, Error> {
    let service = APIService {
        metadata: shape::unnamespaced("v1beta1.metrics.k8s.io", &LABELS),
        spec: Some(APIServiceSpec {
            group: Some("metrics.k8s.io".to_owned()),
            group_priority_minimum: 100,
            insecure_skip_tls_verify: matches!(input.serving, Serving::SelfSigned).then_some(true),
            service: Some(ServiceReference {
                name: Some(NAME.to_owned()),
                namespace: Some(KUBE_SYSTEM.to_owned()),
                ..ServiceReference::default()
            }),
            version: Some("v1beta1".to_owned()),
            version_priority: 100,
            ..APIServiceSpec::default()
        }),
        ..APIService::default()
    };
    let mut value = shape::object(NAME, &service)?;
    // A reference is not bytes yet, so it goes in beside the typed struct.
    if let Serving::Secret { ca_bundle, .. } = &input.serving {
        crate::yaml::merge(&mut value, &json!({"spec": {"caBundle": ca_bundle}}));
    }
    Ok(value)
}

fn deployment(input: &MetricsServer) -> Deployment {
    let mut volumes = vec![Volume {
        name: "tmp-dir".to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    }];
    let mut mounts = vec![shape::mount("tmp-dir", "/tmp", false)];
    if let Serving::Secret { name, .. } = &input.serving {
        volumes.push(Volume {
            name: "serving".to_owned(),
            secret: Some(SecretVolumeSource { secret_name: Some(name.clone()), ..SecretVolumeSource::default() }),
            ..Volume::default()
        });
        mounts.push(shape::mount("serving", SERVING_DIR, true));
    }
    Deployment {
        metadata: shape::namespaced(KUBE_SYSTEM, NAME, &LABELS),
        spec: Some(DeploymentSpec {
            replicas: Some(input.replicas),
            selector: shape::selector(&LABELS),
            strategy: Some(DeploymentStrategy {
                rolling_update: Some(RollingUpdateDeployment {
                    max_unavailable: Some(IntOrString::Int(0)),
                    ..RollingUpdateDeployment::default()
                }),
                ..DeploymentStrategy::default()
            }),
            template: PodTemplateSpec {
                metadata: Some(shape::template(&LABELS, None)),
                spec: Some(PodSpec {
                    affinity: (input.edition >= Edition::V2).then(|| shape::apart(LABELS[0])),
                    containers: vec![container(input, mounts)],
                    node_selector: Some(shape::linux_only()),
                    priority_class_name: Some("system-cluster-critical".to_owned()),
                    service_account_name: Some(NAME.to_owned()),
                    volumes: Some(volumes),
                    ..PodSpec::default()
                }),
            },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn container(input: &MetricsServer, mounts: Vec<VolumeMount>) -> Container {
    Container {
        name: NAME.to_owned(),
        image: Some(input.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(args(input)),
        ports: Some(vec![ContainerPort {
            name: Some("https".to_owned()),
            container_port: PORT,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        liveness_probe: Some(Probe {
            period_seconds: Some(10),
            failure_threshold: Some(3),
            ..shape::http_probe("/livez", "https", "HTTPS")
        }),
        // Upstream waits 20 s and then 10 s between questions; it answers as soon as the first numbers are in.
        readiness_probe: Some(Probe {
            period_seconds: Some(2),
            failure_threshold: Some(3),
            ..shape::http_probe("/readyz", "https", "HTTPS")
        }),
        resources: Some(shape::requests(&[("cpu", "100m"), ("memory", "200Mi")])),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(shape::strings(&["ALL"])), ..Capabilities::default() }),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            run_as_user: Some(1000),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..SeccompProfile::default() }),
            ..SecurityContext::default()
        }),
        termination_message_policy: shape::last_words(input.edition),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}
