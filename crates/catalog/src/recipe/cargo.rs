//! The recipe of a program built from this project's own sources.

use serde::Serialize;

/// A static program of this workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CargoRecipe {
    /// The package, such as `agent`.
    pub package: String,
    /// The program's name, such as `kubewright-agent`.
    pub binary: String,
    /// The build profile.
    pub profile: String,
    /// The target triple.
    pub target: String,
    /// Flags for the compiler.
    pub rustflags: String,
    /// SHA-256 over the sources it is built from, hex.
    pub sources: String,
}
