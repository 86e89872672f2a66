//! Documents: typed Kubernetes and kubelet objects, and Tera for line formats; pure functions from input structs to text.
//!
//! Nothing is decided here. Callers give names, versions, addresses and switches; what comes out is kubeadm's layout,
//! measured against what `kubeadm init` leaves behind.

pub mod addons;
pub mod containerd;
pub mod crictl;
mod error;
mod family;
mod flags;
mod gates;
pub mod guard;
pub mod haproxy;
pub mod hole;
pub mod kubeadm;
pub mod kubelet;
pub mod objects;
mod shape;
pub mod static_pods;
mod template;
pub mod yaml;

pub use error::Error;
pub use family::{AddressFamily, host_port};
pub use flags::{ExtraArgs, Flags};
pub use gates::Gates;
pub use template::{Template, Templates};
