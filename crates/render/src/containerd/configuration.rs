//! `config.toml`, version 3 (containerd 2.x).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CERTS_DIR, IMPORTS};
use crate::Error;

/// What is known about containerd. What is not said is containerd's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containerd {
    /// The pause image, kept from garbage collection.
    pub sandbox_image: String,
    /// Cgroups are made through systemd; must be kubelet's driver.
    pub systemd_cgroup: bool,
    /// The machine may not lower OOM scores: containers get what can be had.
    pub restrict_oom_score_adj: bool,
    /// Snapshotter; `overlayfs`.
    pub snapshotter: String,
    /// Path of runc; `None`: found in `PATH`.
    pub runc: Option<String>,
    /// Directory of CNI plugins.
    pub cni_bin_dir: String,
    /// Directory of CNI configurations.
    pub cni_conf_dir: String,
}

impl Containerd {
    /// containerd on a machine with systemd.
    pub fn new(sandbox_image: impl Into<String>) -> Self {
        Self {
            sandbox_image: sandbox_image.into(),
            systemd_cgroup: true,
            restrict_oom_score_adj: false,
            snapshotter: "overlayfs".to_owned(),
            runc: None,
            cni_bin_dir: "/opt/cni/bin".to_owned(),
            cni_conf_dir: "/etc/cni/net.d".to_owned(),
        }
    }
}

/// The file `config.toml`.
pub fn config(input: &Containerd) -> Result<String, Error> {
    to_text(&document(input), "containerd config.toml")
}

pub(super) fn to_text(document: &impl Serialize, name: &str) -> Result<String, Error> {
    toml::to_string(document).map_err(|source| Error::Toml { document: name.to_owned(), source: Box::new(source) })
}

#[derive(Serialize)]
struct Document {
    version: u8,
    imports: [&'static str; 1],
    plugins: Plugins,
}

#[derive(Serialize)]
struct Plugins {
    #[serde(rename = "io.containerd.cri.v1.images")]
    images: ImagePlugin,
    #[serde(rename = "io.containerd.cri.v1.runtime")]
    runtime: RuntimePlugin,
}

#[derive(Serialize)]
struct ImagePlugin {
    snapshotter: String,
    pinned_images: BTreeMap<&'static str, String>,
    registry: RegistryPath,
}

#[derive(Serialize)]
struct RegistryPath {
    config_path: &'static str,
}

#[derive(Serialize)]
struct RuntimePlugin {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    restrict_oom_score_adj: bool,
    cni: Cni,
    containerd: Runtimes,
}

#[derive(Serialize)]
struct Cni {
    bin_dirs: [String; 1],
    conf_dir: String,
}

#[derive(Serialize)]
struct Runtimes {
    default_runtime_name: &'static str,
    runtimes: BTreeMap<&'static str, RuntimeClass>,
}

#[derive(Serialize)]
struct RuntimeClass {
    runtime_type: &'static str,
    options: RuncOptions,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuncOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_name: Option<String>,
    systemd_cgroup: bool,
}

fn document(input: &Containerd) -> Document {
    let runc = RuntimeClass {
        runtime_type: "io.containerd.runc.v2",
        options: RuncOptions { binary_name: input.runc.clone(), systemd_cgroup: input.systemd_cgroup },
    };
    Document {
        version: 3,
        imports: [IMPORTS],
        plugins: Plugins {
            images: ImagePlugin {
                snapshotter: input.snapshotter.clone(),
                pinned_images: BTreeMap::from([("sandbox", input.sandbox_image.clone())]),
                registry: RegistryPath { config_path: CERTS_DIR },
            },
            runtime: RuntimePlugin {
                restrict_oom_score_adj: input.restrict_oom_score_adj,
                cni: Cni { bin_dirs: [input.cni_bin_dir.clone()], conf_dir: input.cni_conf_dir.clone() },
                containerd: Runtimes { default_runtime_name: "runc", runtimes: BTreeMap::from([("runc", runc)]) },
            },
        },
    }
}
