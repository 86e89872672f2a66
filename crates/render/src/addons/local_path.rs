//! local-path-provisioner: volumes from a directory of the node, the default StorageClass.

use std::collections::BTreeMap;

use catalog::Edition;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Container, Namespace, Pod, PodSpec, PodTemplateSpec, Toleration};
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use crate::{Error, shape, yaml};

const NAMESPACE: &str = "local-path-storage";
const NAME: &str = "local-path-provisioner";
const ACCOUNT: &str = "local-path-provisioner-service-account";
const ROLE: &str = "local-path-provisioner-role";
const BINDING: &str = "local-path-provisioner-bind";
const CONFIG_MAP: &str = "local-path-config";
const LABELS: [(&str, &str); 1] = [("app", NAME)];
/// Name of the StorageClass.
pub const STORAGE_CLASS: &str = "local-path";

/// What is known about local volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath {
    /// Image of the provisioner.
    pub image: String,
    /// Image with `sh`, `mkdir` and `rm` for the pods that make and remove directories.
    pub helper_image: String,
    /// Directory on the nodes.
    pub path: String,
    /// Claims that name no class get this one.
    pub default_class: bool,
    /// The way of making a cluster that holds.
    pub edition: Edition,
}

impl LocalPath {
    /// Upstream's directory, and the default class.
    pub fn new(image: impl Into<String>, helper_image: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            helper_image: helper_image.into(),
            path: "/opt/local-path-provisioner".to_owned(),
            default_class: true,
            edition: Edition::NEWEST,
        }
    }
}

/// All objects of the provisioner.
pub fn objects(input: &LocalPath) -> Result<Vec<Value>, Error> {
    let namespace = Namespace {
        // Its helper pods mount directories of the host.
        metadata: shape::unnamespaced(NAMESPACE, &[("pod-security.kubernetes.io/enforce", "privileged")]),
        ..Namespace::default()
    };
    let subjects = || vec![shape::account(NAMESPACE, ACCOUNT)];
    let data = data(input)?;
    let digest = shape::digest_of(&data)?;
    let config_map =
        ConfigMap { metadata: shape::namespaced(NAMESPACE, CONFIG_MAP, &[]), data: Some(data), ..ConfigMap::default() };
    let pods = shape::rule(&[""], &["pods"], &["get", "list", "watch", "create", "patch", "update", "delete"]);
    Ok(vec![
        shape::object(NAME, &namespace)?,
        shape::object(NAME, &shape::service_account(NAMESPACE, ACCOUNT))?,
        shape::object(NAME, &shape::role(NAMESPACE, ROLE, vec![pods]))?,
        shape::object(NAME, &shape::cluster_role(ROLE, &[], rules()))?,
        shape::object(NAME, &shape::role_binding(NAMESPACE, BINDING, ROLE, subjects()))?,
        shape::object(NAME, &shape::cluster_role_binding(BINDING, ROLE, subjects()))?,
        shape::object(NAME, &config_map)?,
        shape::object(NAME, &storage_class(input))?,
        shape::object(NAME, &deployment(input, &digest))?,
    ])
}

/// The command line in the pod. All files are mounted: asking the API for them at the start would end in a crash where
/// service addresses don't work yet.
pub fn args(input: &LocalPath) -> Vec<String> {
    vec![
        "start".to_owned(),
        "--config".to_owned(),
        "/etc/config/config.json".to_owned(),
        "--helper-pod-file".to_owned(),
        "/etc/config/helperPod.yaml".to_owned(),
        "--helper-image".to_owned(),
        input.helper_image.clone(),
    ]
}

fn rules() -> Vec<PolicyRule> {
    let read = ["get", "list", "watch"];
    vec![
        shape::rule(&[""], &["nodes", "persistentvolumeclaims", "configmaps", "pods", "pods/log"], &read),
        shape::rule(&[""], &["persistentvolumes"], &["get", "list", "watch", "create", "patch", "update", "delete"]),
        shape::rule(&[""], &["events"], &["create", "patch"]),
        shape::rule(&["storage.k8s.io"], &["storageclasses"], &read),
    ]
}

fn data(input: &LocalPath) -> Result<BTreeMap<String, String>, Error> {
    let config = json!({
        "nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [input.path]}],
    });
    Ok(BTreeMap::from([
        ("config.json".to_owned(), yaml::to_json_text(&config, CONFIG_MAP)?),
        ("helperPod.yaml".to_owned(), yaml::typed_to_text(&helper_pod(input), "helper pod")?),
        ("setup".to_owned(), "#!/bin/sh\nset -eu\nmkdir -m 0777 -p \"$VOL_DIR\"\n".to_owned()),
        ("teardown".to_owned(), "#!/bin/sh\nset -eu\nrm -rf \"$VOL_DIR\"\n".to_owned()),
    ]))
}

fn helper_pod(input: &LocalPath) -> Pod {
    let toleration = Toleration {
        operator: Some("Exists".to_owned()),
        ..shape::tolerate("node.kubernetes.io/disk-pressure", Some("NoSchedule"))
    };
    Pod {
        metadata: ObjectMeta { name: Some("helper-pod".to_owned()), ..ObjectMeta::default() },
        spec: Some(PodSpec {
            containers: vec![Container {
                name: "helper-pod".to_owned(),
                image: Some(input.helper_image.clone()),
                image_pull_policy: Some("IfNotPresent".to_owned()),
                resources: shape::requests_since_v2(input.edition, &[("cpu", "10m"), ("memory", "16Mi")]),
                termination_message_policy: shape::last_words(input.edition),
                ..Container::default()
            }],
            priority_class_name: Some("system-node-critical".to_owned()),
            tolerations: Some(vec![toleration]),
            ..PodSpec::default()
        }),
        ..Pod::default()
    }
}

fn storage_class(input: &LocalPath) -> StorageClass {
    let mut metadata = shape::unnamespaced(STORAGE_CLASS, &[]);
    let default = input.default_class.to_string();
    metadata.annotations = Some(shape::map(&[("storageclass.kubernetes.io/is-default-class", &default)]));
    StorageClass {
        metadata,
        provisioner: "rancher.io/local-path".to_owned(),
        reclaim_policy: Some("Delete".to_owned()),
        volume_binding_mode: Some("WaitForFirstConsumer".to_owned()),
        ..StorageClass::default()
    }
}

fn deployment(input: &LocalPath, digest: &resource::Digest) -> Deployment {
    let container = Container {
        name: NAME.to_owned(),
        image: Some(input.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(vec![NAME.to_owned()]),
        args: Some(args(input)),
        env: Some(vec![
            shape::env_from_field("POD_NAMESPACE", "metadata.namespace"),
            shape::env("CONFIG_MOUNT_PATH", "/etc/config/"),
        ]),
        resources: shape::requests_since_v2(input.edition, &[("cpu", "10m"), ("memory", "32Mi")]),
        termination_message_policy: shape::last_words(input.edition),
        volume_mounts: Some(vec![shape::mount("config-volume", "/etc/config/", false)]),
        ..Container::default()
    };
    Deployment {
        metadata: shape::namespaced(NAMESPACE, NAME, &LABELS),
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            selector: shape::selector(&LABELS),
            template: PodTemplateSpec {
                metadata: Some(shape::template(&LABELS, Some(digest))),
                spec: Some(PodSpec {
                    containers: vec![container],
                    node_selector: Some(shape::linux_only()),
                    service_account_name: Some(ACCOUNT.to_owned()),
                    volumes: Some(vec![shape::config_map_volume("config-volume", CONFIG_MAP)]),
                    ..PodSpec::default()
                }),
            },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}
