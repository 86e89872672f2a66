//! State kept in a directory: one head file per cluster replaced by rename, immutable objects, an OS-held lock.

mod fence;
mod journal;
mod leases;
mod lock;
mod paths;
mod store;

pub use store::FsStore;
