//! What the components of each minor take, as their own code says: flags, feature gates, admission plugins, fields.
//!
//! The files in `facts/` are written by `cargo xtask gen facts`; `docs/facts.md` says how.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

mod history;

pub use history::{Past, past};

/// What all components of one minor take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// The version that was asked, such as `1.36.3`.
    pub kubernetes: String,
    /// By the name of the program.
    pub components: BTreeMap<String, ComponentFacts>,
}

/// What one component takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentFacts {
    /// Its flags, by name without dashes.
    pub flags: BTreeMap<String, FlagFacts>,
    /// Its feature gates, by name.
    pub gates: BTreeMap<String, GateFacts>,
    /// Its admission plugins; only the API server has some.
    #[serde(default)]
    pub admission_plugins: AdmissionPluginFacts,
    /// Names of its controllers; only the controller manager has some.
    #[serde(default)]
    pub controllers: Vec<String>,
    /// The structures of its configuration: the type of each field, by the structure's name. containerd's is called by
    /// nothing, those of its plugins by the plugins' names.
    #[serde(default)]
    pub types: BTreeMap<String, BTreeMap<String, String>>,
}

/// A flag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagFacts {
    /// The type in Go's words, such as `bool` or `stringSlice`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What it is when it is not given.
    #[serde(default)]
    pub default: String,
    /// What the program says about its end; empty where it has none.
    #[serde(default)]
    pub deprecated: String,
}

/// A feature gate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateFacts {
    /// How far the feature is.
    pub stage: Stage,
    /// What it is when nobody says anything.
    #[serde(default)]
    pub default: bool,
    /// Nothing but the default is taken.
    #[serde(default)]
    pub locked: bool,
    /// Gates that must be on where this one is.
    #[serde(default)]
    pub needs: Vec<String>,
}

/// How far a feature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// Tried out.
    Alpha,
    /// Nearly done.
    Beta,
    /// Done; the gate will go.
    Ga,
    /// On its way out.
    Deprecated,
}

/// Admission plugins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmissionPluginFacts {
    /// Those that work unless they are disabled.
    pub on: Vec<String>,
    /// Those that work where they are enabled.
    pub off: Vec<String>,
}

impl AdmissionPluginFacts {
    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.on.iter().chain(&self.off).map(String::as_str)
    }
}

/// The facts of one minor, read when they are first asked for.
type Lazy = LazyLock<Option<Facts>>;

static V1_34: Lazy = LazyLock::new(|| serde_json::from_str(include_str!("../facts/1.34.json")).ok());
static V1_35: Lazy = LazyLock::new(|| serde_json::from_str(include_str!("../facts/1.35.json")).ok());
static V1_36: Lazy = LazyLock::new(|| serde_json::from_str(include_str!("../facts/1.36.json")).ok());

/// What the components of `1.<minor>` take; `None` for a minor that is not supported.
pub fn facts(minor: u32) -> Option<&'static Facts> {
    match minor {
        34 => V1_34.as_ref(),
        35 => V1_35.as_ref(),
        36 => V1_36.as_ref(),
        _ => None,
    }
}

impl Facts {
    /// What a component takes, by the name of its program.
    pub fn component(&self, name: &str) -> Option<&ComponentFacts> {
        self.components.get(name)
    }
}

#[cfg(test)]
mod tests;
