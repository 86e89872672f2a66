//! `assets list`.

use assets::Way;
use report::{Table, words};
use serde_json::json;

use super::Which;
use crate::app::App;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{output, prepare, sources};

/// One line of the list.
struct Row {
    name: String,
    from: String,
    size: Option<u64>,
    reference: String,
    path: Option<String>,
}

pub(super) async fn run(app: &App, arguments: &Which) -> Outcome {
    let puller = sources::puller(app, &arguments.sources);
    let pins = app.asset_lock.read()?;
    let plan = puller.plan(&arguments.set()?, pins.as_ref()).await.map_err(|error| prepare::failed(&error))?;
    let rows: Vec<Row> = plan
        .assets()
        .map(|(spec, way)| {
            let (from, size, path) = match way {
                Way::Cached(asset) => ("cache".to_owned(), Some(asset.record.size), Some(&asset.path)),
                Way::Fetched(source, offer) => (source.name(), offer.size, None),
                Way::Built(_) => ("to be built".to_owned(), None, None),
            };
            let path = path.map(|path| path.display().to_string());
            Row { name: spec.name().to_owned(), from, size, reference: spec.asset_ref(), path }
        })
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|Row { name, from, size, reference, path }| {
            json!({"name": name, "from": from, "size": size, "reference": reference, "path": path})
        })
        .collect();
    let names = rows.iter().map(|row| format!("asset/{}", row.name));
    output::list(app.format, &shown, names, || {
        let mut table = Table::new(&["name", "from", "size"]);
        for row in &rows {
            table.row([row.name.clone(), row.from.clone(), row.size.map(words::size).unwrap_or_default()]);
        }
        table.text()
    })?;
    Ok(Exit::Fine)
}
