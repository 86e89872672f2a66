//! `/etc/crictl.yaml`: where crictl finds the runtime.

use serde::Serialize;

use crate::kubelet::CONTAINERD_ENDPOINT;
use crate::{Error, yaml};

/// Where crictl looks for it.
pub const CONFIG_PATH: &str = "/etc/crictl.yaml";

/// The file.
pub fn config() -> Result<String, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Crictl {
        runtime_endpoint: &'static str,
        image_endpoint: &'static str,
        timeout: u32,
    }
    let crictl = Crictl { runtime_endpoint: CONTAINERD_ENDPOINT, image_endpoint: CONTAINERD_ENDPOINT, timeout: 10 };
    yaml::typed_to_text(&crictl, "crictl.yaml")
}
