//! Configuration of the containerd that imports images: a root of its own, nothing on the host touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Plugins that an import does not need: those of Kubernetes, and those that would make directories on the host.
const DISABLED: [&str; 6] = [
    "io.containerd.cri.v1.images",
    "io.containerd.cri.v1.runtime",
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.opt",
    "io.containerd.nri.v1.nri",
    "io.containerd.ttrpc.v1.otelttrpc",
];

/// containerd's configuration, version 3 (containerd 2.x).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Configuration {
    version: u32,
    root: PathBuf,
    state: PathBuf,
    disabled_plugins: Vec<String>,
    grpc: BTreeMap<String, PathBuf>,
    ttrpc: BTreeMap<String, PathBuf>,
}

impl Configuration {
    /// A daemon that keeps everything in `root` and what is only needed while it runs in `state`.
    pub(super) fn new(root: &Path, state: &Path) -> Self {
        let address = |socket: PathBuf| BTreeMap::from([("address".to_owned(), socket)]);
        Self {
            version: 3,
            root: root.to_owned(),
            state: state.join("state"),
            disabled_plugins: DISABLED.map(str::to_owned).into(),
            grpc: address(socket(state)),
            ttrpc: address(state.join("ttrpc.sock")),
        }
    }
}

/// The daemon's socket.
pub(super) fn socket(state: &Path) -> PathBuf {
    state.join("containerd.sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_keeps_to_its_own_directories() {
        let text = toml::to_string(&Configuration::new(Path::new("/cache/out"), Path::new("/tmp/x"))).unwrap();
        assert!(text.contains("root = \"/cache/out\"") && text.contains("state = \"/tmp/x/state\""), "{text}");
        assert!(text.contains("io.containerd.internal.v1.opt"), "it would make /opt/containerd on the host");
        assert!(text.contains("[grpc]\naddress = \"/tmp/x/containerd.sock\""), "{text}");
    }
}
