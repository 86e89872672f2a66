//! Where binaries and images come from: sources, the shared cache, building, image assembly.

pub mod build;
pub mod builders;
pub mod cache;
pub mod error;
pub mod image_store;
pub mod process;
pub mod pull;
pub mod rootfs;
pub mod source;
pub mod task;
pub mod workspace;

pub use build::{Build, BuildContext, Inputs, Job};
pub use builders::Builders;
pub use cache::{AssetCache, CachedAsset, Record};
pub use error::AssetError;
pub use image_store::ImageStoreBuilder;
pub use pull::{Origin, PullPlan, Puller, Way};
pub use rootfs::RootfsBuilder;
pub use source::mirror::Mirror;
pub use source::{Offer, Source};
pub use task::Task;
pub use workspace::sources_digest;
