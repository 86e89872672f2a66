//! The user's documents: parsing with places, strictness, defaults, validation, JSON Schema.

mod check;
mod cluster;
mod defaults;
mod documents;
mod edit;
mod effective;
mod format;
mod free_ranges;
mod generate;
mod instance_group;
mod load;
mod machine_files;
mod manifests;
mod plan_rules;
mod reference;
mod reserves;
mod rolling_update;
mod schema;
mod shape;
mod source;
mod suggest;
mod tree;
mod validate;

pub use check::join as field_path;
pub use cluster::{
    Addon, Addons, AdmissionPlugins, Api, Assets, Audit, AuditLog, AuditPolicy, CaKeys, Cluster, ClusterMetadata,
    ClusterSpec, Cni, Component, Containerd, ContainerdProxy, DefaultAddon, EncryptionAtRest, EncryptionProvider, Etcd,
    Flannel, FlannelBackend, KubeApiServer, KubeProxy, Kubelet, LoadBalancer, Local, MachineProperties, Manifest,
    Networking, Pki, Protection, Provider, ProxyMode, RegistryCredential, Reserved, TemplateOverride,
};
pub use documents::{Document, Documents, parse};
pub use edit::set;
pub use effective::{Effective, Provenance};
pub use format::amounts::bytes;
pub use format::names::check_cluster_name;
pub use format::paths::check_asset_source;
pub use free_ranges::{MovedRange, moved_ranges};
pub use generate::{CONTROL_PLANE_GROUP, NewCluster, WORKER_GROUP, WriteError, generate};
pub use instance_group::{
    Drain, InstanceGroup, InstanceGroupMetadata, InstanceGroupSpec, MachineSize, Role, Taint, TaintEffect,
};
pub use load::{HostContext, Loaded, as_warning, load, load_stored};
pub use machine_files::{Hook, MachineFile};
pub use manifests::manifest_objects;
pub use plan_rules::{ForEach, PlanRule, PlanRules, RuleSeverity, WrittenRule, parse_plan_rules, plan_rules_schema};
pub use reference::reference;
pub use reserves::Reserves;
pub use rolling_update::{ClusterRollingUpdate, MaxUnavailable, RollingUpdate};
pub use schema::{FixedField, Kind, fixed_fields, schema};
pub use source::Source;
pub use suggest::nearest;

/// The API version of every document.
pub const API_VERSION: &str = "kubewright.io/v1alpha1";
