//! `get cluster`: its documents, as written or with every default.

use crate::app::App;
use crate::error::CommandError;
use crate::output::{self, Format};
use crate::{documents, operation};

pub(super) async fn show(app: &App, name: &str, full: bool) -> Result<(), CommandError> {
    let loaded = operation::load(app, name).await?;
    if full {
        let effective = documents::effective(&loaded.revision.documents)?;
        let format = if app.format == Format::Text { Format::Yaml } else { app.format };
        return output::print(format, &effective, String::new);
    }
    match app.format {
        Format::Json => output::print(Format::Json, &loaded.revision.documents, String::new)?,
        Format::Text | Format::Yaml => output::text(&documents::joined(&loaded.revision.documents)),
    }
    Ok(())
}
