//! Files and hooks that a user adds to machines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::defaults;
use crate::format::{AbsolutePath, FileMode, HookName, UnitName};

/// A file on a machine, owned by root. Not for secrets: documents are kept as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MachineFile {
    /// Where it is on the machine.
    #[schemars(with = "AbsolutePath")]
    pub path: String,
    /// What is in it.
    pub content: String,
    /// Permission bits, octal text.
    #[serde(default = "defaults::file_mode")]
    #[schemars(with = "FileMode")]
    pub mode: String,
}

/// A command that runs at boot, as a oneshot unit of systemd named `kubewright-hook-NAME.service`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hook {
    /// Its name.
    #[schemars(with = "HookName")]
    pub name: String,
    /// Program (absolute path) and arguments. No shell is involved.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// Units that wait for it.
    #[serde(default)]
    #[schemars(with = "Vec<UnitName>")]
    pub before: Vec<String>,
    /// Units that it waits for.
    #[serde(default)]
    #[schemars(with = "Vec<UnitName>")]
    pub after: Vec<String>,
}
