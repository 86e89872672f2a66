//! The machine config, its pure comparison with what was found, and the wire protocol to `kubewright-agent`.

pub mod certificate;
pub mod compare;
pub mod config;
pub mod desired;
pub mod digest;
pub mod error;
pub mod holes;
pub mod item;
pub mod order;
pub mod static_pod;
pub mod validate;
pub mod wire;

pub use config::{Content, Directory, File, Gate, GroupConfig, MachineConfig, MachinePart, Stage, Start, Unit};
pub use desired::{Body, DesiredFile};
pub use digest::DigestKey;
pub use error::ConfigError;
pub use holes::Holes;
pub use item::Item;
pub use wire::{Facts, Hello, ItemState, KubeletCertificate, Reply, Request, Step};
