//! Plans in files: `--out` writes one, `--plan` carries one out as it stands or not at all.

use std::path::{Path, PathBuf};

use fs_err as fs;
use plan::Plan;

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::suggestion::Suggestion;
use crate::user_file::{self, Readers};

/// A plan that somebody saved, and perhaps had approved.
#[derive(Debug, Clone)]
pub(crate) struct SavedPlan {
    path: PathBuf,
    /// The plan.
    pub(crate) plan: Plan,
}

impl SavedPlan {
    /// Reads a plan.
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let text = fs::read_to_string(path).map_err(|error| CommandError::from_source("", &error))?;
        let plan = Plan::from_text(&text).map_err(|error| {
            CommandError::from_source(&format!("{} cannot be read as a plan", path.display()), &error)
                .hint("make one with `update cluster` and its option --out")
        })?;
        Ok(Self { path: path.to_owned(), plan })
    }

    /// Reads a plan for a cluster.
    pub(crate) fn read_for(path: &Path, cluster: &str) -> Result<Self, CommandError> {
        let saved = Self::read(path)?;
        if saved.plan.base.cluster == cluster {
            return Ok(saved);
        }
        let planned = &saved.plan.base.cluster;
        Err(CommandError::failed(format!("{} is a plan for cluster {planned}, not for {cluster}", path.display()))
            .exit(Exit::Usage)
            .hint(Suggestion::new("update cluster").word(planned).options("--plan", [path.display()]).text()))
    }

    /// Refuses when the plan would be another one now.
    pub(crate) fn check(&self, now: &Plan) -> Result<(), CommandError> {
        let moved = self.plan.moved(now);
        if moved.is_empty() {
            return Ok(());
        }
        let mut stale = CommandError::failed(format!(
            "{} is stale: what it was made from on {} has moved since; nothing was changed",
            self.path.display(),
            self.plan.base.time
        ))
        .exit(Exit::Stale);
        stale.output = moved.iter().map(report::stale_reason).collect();
        let cluster = &now.base.cluster;
        let again = Suggestion::new("update cluster").word(cluster).options("--target", &self.plan.base.targets);
        Err(stale.hint(format!("plan again: {}", again.options("--out", [self.path.display()]).text())))
    }
}

/// Writes a plan where only its owner can read it; an old one is replaced as a whole.
pub(super) fn write(app: &App, plan: &Plan, path: &Path) -> Result<(), CommandError> {
    let failed = |error: &dyn std::error::Error| {
        CommandError::from_source(&format!("cannot write the plan to {}", path.display()), error)
    };
    let text = plan.to_text().map_err(|error| failed(&error))?;
    user_file::write(path, text.as_bytes(), Readers::Owner).map_err(|error| failed(&error))?;
    let command = Suggestion::new("update cluster").word(&plan.base.cluster).options("--plan", [path.display()]);
    let command = command.flag("--yes", true).text();
    app.say(format!("\nThe plan is in {}. To carry it out: {command}", path.display()));
    Ok(())
}
