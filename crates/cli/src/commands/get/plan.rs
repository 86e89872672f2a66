//! `get plan`.

use std::path::Path;

use crate::app::App;
use crate::error::CommandError;
use crate::update::{self, SavedPlan};

/// Prints a plan that was saved.
pub(super) fn show(app: &App, path: &Path) -> Result<(), CommandError> {
    update::show(app, &SavedPlan::read(path)?.plan)
}
