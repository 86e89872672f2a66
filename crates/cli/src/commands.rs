//! One command per file.

pub(crate) mod assets;
pub(crate) mod completion;
pub(crate) mod create_cluster;
pub(crate) mod delete_cluster;
pub(crate) mod diff_cluster;
pub(crate) mod edit;
pub(crate) mod export_kubeconfig;
pub(crate) mod get;
pub(crate) mod graph;
pub(crate) mod load_image;
pub(crate) mod manual;
pub(crate) mod preflight;
pub(crate) mod replace;
pub(crate) mod rollback;
pub(crate) mod secrets;
pub(crate) mod set;
pub(crate) mod ssh;
pub(crate) mod start;
pub(crate) mod state;
pub(crate) mod stop;
pub(crate) mod update_cluster;
pub(crate) mod validate_cluster;
pub(crate) mod version;
