//! The sections of a config, one file each: `observe` compares, `intend` notes in the ledger, `apply` changes.

pub(crate) mod clients;
pub(crate) mod directories;
pub(crate) mod files;
pub(crate) mod hostname;
pub(crate) mod modules;
pub(crate) mod packages;
pub(crate) mod static_pods;
pub(crate) mod swap;
pub(crate) mod sysctls;
pub(crate) mod units;
