//! `state show`.

use super::{Resource, recorded};
use crate::app::App;
use crate::error::CommandError;
use crate::output::Format;
use crate::{operation, output};

/// Prints what is recorded of one resource, as YAML where nothing else is asked for. Secrets stand there as references.
pub(super) async fn show(app: &App, which: &Resource) -> Result<(), CommandError> {
    let name = &which.name.name;
    let loaded = operation::load(app, name).await?;
    let format = if app.format == Format::Text { Format::Yaml } else { app.format };
    output::print(format, recorded(&loaded, name, &which.resource)?, String::new)
}
