//! `get cluster`: its documents, as written or with every default.

use engine::SourceText;
use serde_json::Value;

use crate::app::App;
use crate::error::CommandError;
use crate::output::{self, Format};
use crate::{documents, operation};

pub(super) async fn show(app: &App, name: &str, full: bool) -> Result<(), CommandError> {
    let loaded = operation::load(app, name).await?;
    if full {
        let effective = documents::stored(&loaded.revision.documents)?;
        let format = if app.format == Format::Text { Format::Yaml } else { app.format };
        return output::print(format, &effective, String::new);
    }
    match app.format {
        Format::Name => output::list(Format::Name, &(), names(&loaded.revision.documents)?, String::new)?,
        Format::Json => {
            let documents = documents::values(&documents::joined(&loaded.revision.documents))?;
            output::data(Format::Json, &documents)?;
        }
        Format::Text | Format::Yaml => output::text(&documents::joined(&loaded.revision.documents))?,
    }
    Ok(())
}

/// Kind and name of each document.
fn names(texts: &[SourceText]) -> Result<Vec<String>, CommandError> {
    let values = documents::values(&documents::joined(texts))?;
    let text = |value: &Value, field: &str| value.pointer(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = |value: &Value| format!("{}/{}", text(value, "/kind").to_lowercase(), text(value, "/metadata/name"));
    Ok(values.iter().map(name).collect())
}
