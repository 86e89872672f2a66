//! What goes together: component versions per Kubernetes minor, flag and API gates, build recipes, lock types.

pub mod asset;
pub mod debian;
pub mod edition;
pub mod facts;
pub mod gates;
pub mod image;
pub mod lock;
pub mod modules;
pub mod names;
pub mod recipe;
pub mod release;
pub mod set;
pub mod skew;
pub mod upstream;

pub use asset::{AssetKind, AssetRef, AssetSpec, InvalidAssetRef};
pub use edition::Edition;
pub use facts::{ComponentFacts, Facts, FlagFacts, GateFacts, Past, Stage, facts, past};
pub use gates::Gates;
pub use image::{Image, ReleaseImage};
pub use lock::{Lock, LockEntry, LockError};
pub use recipe::Recipe;
pub use release::{
    DEFAULT_VERSION, Deviation, Release, UnsupportedVersion, find, release, releases, supported_versions,
};
pub use set::{AssetSet, Cni, Selection, SourceDigests, assets_for};
pub use upstream::{Published, Upstream};
