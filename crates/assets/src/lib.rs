//! Where binaries and images come from: sources, the shared cache, building, image assembly.

pub mod build;
pub mod builders;
pub mod cache;
pub mod error;
mod image_archive;
pub mod image_store;
pub mod process;
pub mod pull;
pub mod rootfs;
pub mod source;
pub mod task;
mod transfer;

pub use build::embedded::EmbeddedProgram;
pub use build::{Build, BuildContext, Inputs, Job};
pub use builders::Builders;
pub use cache::{AssetCache, CachedAsset, Record};
pub use error::AssetError;
pub use image_store::ImageStoreBuilder;
pub use pull::{Origin, PullPlan, Puller, Way};
pub use rootfs::RootfsBuilder;
pub use source::mirror::{Mirror, MirrorDirectory};
pub use source::upstream::{Manner, Upstream};
pub use source::{FetchContext, Offer, Source};
pub use task::Task;
