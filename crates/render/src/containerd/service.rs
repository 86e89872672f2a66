//! containerd's unit.

use serde::Serialize;

use crate::{Error, Template, Templates};

/// Where containerd's program is and what its platform lets it do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContainerdUnit {
    /// Path of the program.
    pub program: String,
    /// OOM score; `None` where the machine may not lower scores.
    pub oom_score_adjust: Option<i32>,
    /// Seconds between an exit and the next start.
    pub restart_seconds: u32,
}

impl Default for ContainerdUnit {
    fn default() -> Self {
        Self { program: "/usr/local/bin/containerd".to_owned(), oom_score_adjust: Some(-999), restart_seconds: 2 }
    }
}

/// The unit `containerd.service`.
pub fn unit(input: &ContainerdUnit, templates: &Templates) -> Result<String, Error> {
    templates.render(Template::ContainerdService, input)
}
