//! What containerd 2.x reads: its configuration, registry hosts, credentials and unit.

mod configuration;
mod registry;
mod service;

pub use configuration::{Containerd, config};
pub use registry::{Mirror, Registry, hosts, hosts_path, registry_directory};
pub use service::{ContainerdUnit, unit};

/// The configuration.
pub const CONFIG_PATH: &str = "/etc/containerd/config.toml";
/// One directory per registry with its `hosts.toml`.
pub const CERTS_DIR: &str = "/etc/containerd/certs.d";
/// What the configuration imports.
pub const IMPORTS: &str = "/etc/containerd/conf.d/*.toml";
